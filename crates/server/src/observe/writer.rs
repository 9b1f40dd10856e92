//! The access log's writer: a thread that makes lines of what the workers recorded.
//!
//! It may be held up by whoever reads the log, a worker never is. What cannot be written is counted, told once, and no reason to end.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use gannet_engine::Now;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::line::{Lines, LogFormat};
use super::record::Record;
use super::ring::{Bell, Scribe, Tail, ring};
use super::tally::Tally;
use crate::limits::Limits;
use crate::threads;

/// How long the writer gathers before it writes: at most twenty times a second it is woken.
const GATHER: Duration = Duration::from_millis(50);

/// The access log: a line for each request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccessLog {
    /// How lines are written.
    pub format: LogFormat,
    /// Where they go.
    pub destination: LogDestination,
}

/// Where the access log goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum LogDestination {
    /// The standard output.
    #[default]
    StandardOutput,
    /// A file, made if it is not there and appended to; opened anew when asked to, so that it can be moved away before.
    File(PathBuf),
}

/// What the writer counts.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct LogCounters {
    /// Lines written.
    pub(crate) written: Tally,
    /// Lines that could not be.
    pub(crate) failed: Tally,
}

/// A writer that runs, as its server sees it.
#[derive(Debug)]
pub(crate) struct LogWriter {
    bell: Arc<Bell>,
    counters: Arc<LogCounters>,
    ended: Receiver<()>,
    flush_timeout: Duration,
}

/// What the thread has.
struct Writer {
    bell: Arc<Bell>,
    counters: Arc<LogCounters>,
    tails: Vec<Tail>,
    lines: Lines,
    destination: LogDestination,
    sink: Sink,
    /// Taken from a ring and not made lines of.
    records: Vec<u8>,
    /// Lines.
    text: Vec<u8>,
    /// The last write ended within a line.
    torn: bool,
    /// That writing fails was told.
    told: bool,
}

/// An open destination.
enum Sink {
    StandardOutput(io::Stdout),
    File(File),
}

impl AccessLog {
    /// Begins to write, for so many workers of a site with these routes.
    ///
    /// # Errors
    /// When the file cannot be opened, or the thread not started.
    pub(crate) fn start(
        &self,
        routes: Vec<String>,
        workers: usize,
        limits: &Limits,
    ) -> io::Result<(LogWriter, Vec<Scribe>)> {
        let (bell, counters) = (Arc::<Bell>::default(), Arc::<LogCounters>::default());
        let ends = (0..workers).map(|_| ring(limits.log_ring_bytes, limits.log_field_bytes, &bell));
        let (scribes, tails) = ends.unzip();
        let writer = Writer {
            bell: bell.clone(),
            counters: counters.clone(),
            tails,
            lines: Lines::new(self.format, routes),
            destination: self.destination.clone(),
            sink: self.destination.open()?,
            records: Vec::new(),
            text: Vec::new(),
            torn: false,
            told: false,
        };
        let (finish, ended) = mpsc::channel();
        threads::spawn("gannet-log", move || {
            writer.run();
            drop(finish);
        })?;
        Ok((LogWriter { bell, counters, ended, flush_timeout: limits.log_flush_timeout }, scribes))
    }
}

impl LogDestination {
    fn open(&self) -> io::Result<Sink> {
        match self {
            LogDestination::StandardOutput => Ok(Sink::StandardOutput(io::stdout())),
            LogDestination::File(path) => {
                OpenOptions::new().append(true).create(true).open(path).map(Sink::File)
            }
        }
    }
}

impl LogWriter {
    pub(crate) fn counters(&self) -> &Arc<LogCounters> {
        &self.counters
    }

    /// What opens the file anew.
    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// The workers have ended: writes what is left, and ends.
    pub(crate) fn close(&self) {
        self.bell.close();
    }

    /// Waits for that, but not for ever: who should read it may be stuck.
    pub(crate) fn wait(self) {
        if self.ended.recv_timeout(self.flush_timeout) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the access log takes nothing; what is left of it is given up");
        }
    }
}

impl Writer {
    fn run(mut self) {
        self.bell.attend();
        while !self.bell.is_closing() {
            self.bell.wait(GATHER);
            if self.bell.take_reopen() {
                // What was recorded before belongs to the file of before.
                self.pass();
                self.reopen();
            }
            self.pass();
        }
        self.pass();
    }

    /// Writes all that was recorded until now.
    fn pass(&mut self) {
        self.bell.looked();
        self.lines.set_clock(engine_clock_began());
        for tail in &mut self.tails {
            self.records.clear();
            tail.take(&mut self.records);
            let mut rest = &self.records[..];
            while let Some((record, others)) = Record::read(rest) {
                self.lines.write(&record, &mut self.text);
                rest = others;
            }
            if !self.text.is_empty() {
                let lines = Batch::write(&self.text, self.torn, &mut self.sink);
                self.torn = lines.torn;
                self.counters.written.add(lines.written);
                self.counters.failed.add(lines.failed);
                tell(lines.error.as_ref(), &mut self.told);
            }
            self.text.clear();
        }
    }

    fn reopen(&mut self) {
        match self.destination.open() {
            Ok(sink) => (self.sink, self.torn) = (sink, false),
            Err(error) => {
                tracing::error!(%error, "the access log cannot be opened anew; the one that is open is written on");
            }
        }
    }
}

/// How the writing of some lines went.
struct Batch {
    written: u64,
    failed: u64,
    torn: bool,
    error: Option<io::Error>,
}

impl Batch {
    /// Writes `lines`, on a line of their own even if the last write ended within one.
    fn write(lines: &[u8], torn: bool, sink: &mut impl Write) -> Batch {
        let mut left = lines;
        let error = begin_line(torn, sink).and_then(|()| write_all(&mut left, sink)).err();
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let done = &lines[..lines.len() - left.len()];
        Batch {
            written: count(done),
            failed: count(left),
            torn: done.last().map_or(torn, |byte| *byte != b'\n'),
            error,
        }
    }
}

fn begin_line(torn: bool, sink: &mut impl Write) -> io::Result<()> {
    if torn { write_all(&mut &b"\n"[..], sink) } else { Ok(()) }
}

/// As `Write::write_all`, but it says what is left.
fn write_all(left: &mut &[u8], sink: &mut impl Write) -> io::Result<()> {
    while !left.is_empty() {
        match sink.write(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => *left = &left[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Tells the first of several errors in a row.
fn tell(error: Option<&io::Error>, told: &mut bool) {
    if let Some(error) = error.filter(|_| !*told) {
        tracing::error!(%error, "the access log cannot be written; lines are lost, and counted");
    }
    *told = error.is_some();
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::File(file) => file.write(bytes),
            // Past the library's own buffer, which would hold the end of a batch back, and its lock, which would hold others up.
            Sink::StandardOutput(output) => write_waiting(output.as_fd(), bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// write(2) to what another process may have made non-blocking, as those who share a terminal do.
fn write_waiting(descriptor: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    match rustix::io::write(descriptor, bytes) {
        Err(Errno::AGAIN) => {
            rustix::event::poll(&mut [PollFd::new(&descriptor, PollFlags::OUT)], None)?;
            Err(ErrorKind::Interrupted.into())
        }
        result => Ok(result?),
    }
}

/// The Unix time of the beginning of the engine's clock, in nanoseconds.
fn engine_clock_began() -> u64 {
    let unix_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let nanoseconds = u64::try_from(unix_time.as_nanos()).unwrap_or(u64::MAX);
    nanoseconds.saturating_sub(Now::read().moment.nanoseconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, then fails.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.0);
            self.0 -= count;
            if count == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(count) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_took_is_counted_apart_from_what_it_did_not() {
        let batch = Batch::write(b"one\ntwo\nthree\n", false, &mut Full(6));
        assert_eq!((batch.written, batch.failed, batch.torn), (1, 2, true));
        assert_eq!(batch.error.map(|error| error.kind()), Some(ErrorKind::StorageFull));
    }

    #[test]
    fn after_a_torn_line_the_next_one_begins_on_its_own() {
        let mut file = Vec::new();
        let batch = Batch::write(b"next\n", true, &mut file);
        assert_eq!((file, batch.written, batch.torn), (b"\nnext\n".to_vec(), 1, false));
        let still = Batch::write(b"next\n", true, &mut Full(0));
        assert!(still.torn && still.failed == 1, "and stays torn while nothing can be written");
    }
}
