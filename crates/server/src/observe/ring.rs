//! The way of records from a worker to the writer: a ring of bytes each, bounded, and one bell for all.
//!
//! A worker never waits: what the ring has no room for is left out, and counted. It rings at the end of a turn, and only if nobody
//! has rung since the writer last looked, so that a busy server wakes its writer some twenty times a second and not at each request.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};

/// A worker's end of its ring.
pub(crate) struct Scribe {
    ring: Producer<u8>,
    bell: Arc<Bell>,
    /// Bytes of each text that a line has.
    field_bytes: usize,
    wrote: bool,
}

/// The writer's end of one ring.
pub(crate) struct Tail(Consumer<u8>);

/// What the writer waits for.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    /// Something was written since the writer last looked.
    rung: AtomicBool,
    /// A ring is more than half full: the writer is not to gather any longer.
    urgent: AtomicBool,
    /// The log is to be opened anew.
    reopen: AtomicBool,
    /// No more will be written.
    closing: AtomicBool,
    writer: OnceLock<Thread>,
}

/// A ring of so many bytes, for lines of which each text has at most `field_bytes`.
pub(crate) fn ring(bytes: usize, field_bytes: usize, bell: &Arc<Bell>) -> (Scribe, Tail) {
    let (producer, consumer) = RingBuffer::new(bytes);
    (Scribe { ring: producer, bell: bell.clone(), field_bytes, wrote: false }, Tail(consumer))
}

impl Scribe {
    pub(crate) fn field_bytes(&self) -> usize {
        self.field_bytes
    }

    /// Puts a record into the ring as a whole; false: there is no room.
    pub(crate) fn put(&mut self, record: &[u8]) -> bool {
        self.wrote = true;
        self.ring.push_entire_slice(record).is_ok()
    }

    /// The end of a turn: rings if there is something to hear.
    pub(crate) fn end_turn(&mut self) {
        if std::mem::take(&mut self.wrote) {
            self.bell.ring();
            if self.ring.slots() < self.ring.buffer().capacity() / 2 {
                self.bell.hurry();
            }
        }
    }
}

impl Tail {
    /// Appends all that waits to `records`, and makes room for more.
    pub(crate) fn take(&mut self, records: &mut Vec<u8>) {
        let waiting = self.0.slots();
        if let Ok(chunk) = self.0.read_chunk(waiting) {
            let (one, other) = chunk.as_slices();
            records.extend_from_slice(one);
            records.extend_from_slice(other);
            chunk.commit_all();
        }
    }
}

impl Bell {
    /// From now on it is this thread that is woken.
    pub(crate) fn attend(&self) {
        let _ = self.writer.set(thread::current()); // there is one writer
    }

    fn ring(&self) {
        // Either we see that the writer looked before what we wrote was there, or it sees what we wrote: see `looked`.
        fence(Ordering::SeqCst);
        if !self.rung.load(Ordering::Relaxed) && !self.rung.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    fn hurry(&self) {
        if !self.urgent.load(Ordering::Relaxed) && !self.urgent.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// The log is to be opened anew.
    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
        self.wake();
    }

    /// No more will be written.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn take_reopen(&self) -> bool {
        self.reopen.swap(false, Ordering::AcqRel)
    }

    /// Waits until something was written or asked for, and then for more of it: for `gather`, unless a ring fills up.
    pub(crate) fn wait(&self, gather: Duration) {
        while !self.rung.load(Ordering::Acquire) && !self.is_called() {
            thread::park();
        }
        let until = Instant::now() + gather;
        while !self.urgent.load(Ordering::Acquire) && !self.is_called() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::park_timeout(left);
        }
    }

    /// The writer looks from here on: what is written after this rings again.
    pub(crate) fn looked(&self) {
        self.urgent.store(false, Ordering::Relaxed);
        self.rung.store(false, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    fn is_called(&self) -> bool {
        self.reopen.load(Ordering::Acquire) || self.is_closing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_finds_no_room_is_left_out_as_a_whole_and_those_before_it_are_not_harmed() {
        let (mut scribe, mut tail) = ring(8, 100, &Arc::default());
        assert!(scribe.put(b"12345") && !scribe.put(b"6789"));
        assert!(scribe.put(b"abc"));
        let mut records = Vec::new();
        tail.take(&mut records);
        assert_eq!(records, b"12345abc");
        assert!(scribe.put(b"12345678"), "there is room again");
    }

    #[test]
    fn the_bell_rings_once_until_somebody_looks_and_hurries_when_half_of_the_room_is_gone() {
        let bell = Arc::<Bell>::default();
        let (mut scribe, _tail) = ring(8, 100, &bell);
        scribe.end_turn();
        assert!(!bell.rung.load(Ordering::Relaxed), "nothing was written");
        scribe.put(b"123");
        scribe.end_turn();
        assert!(bell.rung.load(Ordering::Relaxed) && !bell.urgent.load(Ordering::Relaxed));
        bell.looked();
        assert!(!bell.rung.load(Ordering::Relaxed));
        scribe.put(b"45");
        scribe.end_turn();
        assert!(bell.rung.load(Ordering::Relaxed) && bell.urgent.load(Ordering::Relaxed));
        bell.wait(Duration::from_secs(3600)); // which it does not
    }

    #[test]
    fn whatever_is_written_while_the_writer_looks_away_wakes_it() {
        const RECORDS: u32 = 20_000;
        let bell = Arc::<Bell>::default();
        let (mut scribe, mut tail) = ring(1 << 20, 100, &bell);
        let reader = thread::spawn({
            let bell = bell.clone();
            move || {
                bell.attend();
                let mut records = Vec::new();
                while records.len() < RECORDS as usize * 4 {
                    bell.wait(Duration::ZERO);
                    bell.looked();
                    tail.take(&mut records);
                }
                records
            }
        });
        for record in 0..RECORDS {
            assert!(scribe.put(&record.to_le_bytes()));
            scribe.end_turn();
        }
        let records = reader.join().expect("it hears of all");
        let numbers: Vec<u32> = records
            .chunks_exact(4)
            .map(|number| u32::from_le_bytes([number[0], number[1], number[2], number[3]]))
            .collect();
        assert!(numbers.iter().copied().eq(0..RECORDS));
    }
}
