//! Ports: what features may ask of the world. The server implements them, tests fake them.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::{Draining, Later, Letterbox, Locals, Networks, States, Upstreams};

/// The ports of one worker.
#[derive(Clone)]
pub struct Ports {
    /// Files below a root.
    pub fs: Rc<dyn Fs>,
    /// Threads for what would hold a worker up.
    pub cpu: Rc<dyn Cpu>,
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// What is counted for those who watch the server.
    pub counters: Rc<dyn Counters>,
    /// Who sends requests to other servers.
    pub upstreams: Rc<dyn Upstreams>,
    /// The proxies that are believed what they say of a client ([`Request::client_address`](crate::Request::client_address)).
    pub trusted: Rc<Networks>,
    /// What handlers have in common ([`State`](crate::State)).
    pub states: Rc<States>,
    /// What the worker has for features.
    pub locals: Rc<Locals>,
    /// Where it is written to from elsewhere.
    pub letterbox: Arc<dyn Letterbox>,
    /// Whether it is ending.
    pub draining: Rc<Draining>,
}

/// Files below a root. What the kernel has in memory is there at once; what a disk has to be asked for comes later, and
/// the worker goes on meanwhile.
pub trait Fs {
    /// Opens what `path` names below `root`, for reading. `path` is relative, without a leading slash; empty: the root itself.
    /// Whatever it holds (`..`, symbolic links), nothing outside the root is opened, and there is no moment between checking
    /// and opening at which that could change. Never waits for a FIFO's other end, nor opens a device or a socket.
    ///
    /// # Errors
    /// See [`FsError`].
    fn open(&self, root: &Root, path: &[u8]) -> Later<Result<OpenFile, FsError>>;

    /// Which content an open file has now.
    ///
    /// # Errors
    /// What fstat(2) says.
    fn stamp(&self, file: &File) -> io::Result<Stamp>;

    /// Reads a range of a file; what comes is shorter when the file has become so.
    ///
    /// # Errors
    /// What pread(2) says.
    fn read(&self, file: &Arc<File>, range: Range<u64>) -> Later<io::Result<Bytes>>;

    /// Reads a directory: the names in no order, without `.` and `..`, and without what may not be served (outside the root, devices,
    /// sockets, FIFOs); at most `limit` of them. `write` makes of them what is wanted, where they were read: however many ask, only so
    /// many directories are in memory as there are threads that read them.
    ///
    /// # Errors
    /// See [`FsError`].
    fn list(
        &self,
        root: &Root,
        path: &[u8],
        limit: usize,
        write: WriteListed,
    ) -> Later<Result<Bytes, FsError>>;

    /// How many files one worker may keep open between requests.
    fn spare_descriptors(&self) -> usize;

    /// Has `job`, which waits for the disk, run elsewhere: for who writes files. False: as much is waiting already as may, and it will not run.
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        job();
        true
    }
}

/// Threads for computations that would hold a worker up.
pub trait Cpu {
    /// Runs `job` elsewhere; false: as much is waiting already as may, and it will not run.
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool;
}

/// Time.
pub trait Clock {
    /// Time since some fixed moment; as of the worker's present turn.
    fn now(&self) -> Duration;

    /// The same, read now: for who measures what a turn computes. It costs some ten nanoseconds.
    fn read(&self) -> Duration;

    /// What the calendar says: time since the beginning of 1970, UTC, in whole seconds.
    fn unix_seconds(&self) -> u64;

    /// The same in milliseconds, which are some milliseconds old.
    fn unix_milliseconds(&self) -> u64;

    /// Has `waker` woken when [`now`](Clock::now) is `deadline`, or up to 64 ms later; in the place of what `alarm` was set for. Gives the alarm's
    /// number, which is kept until it is [cleared](Clock::clear_alarm): [`Sleep`](crate::Sleep) does both.
    fn set_alarm(&self, alarm: Option<u32>, deadline: Duration, waker: &Waker) -> u32;

    /// Lets go of an alarm.
    fn clear_alarm(&self, alarm: u32);
}

/// Counts what features do, for the worker that does it.
pub trait Counters {
    /// Counts `count` more of `what`.
    fn add(&self, what: Counter, count: u64);
}

/// What features count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Counter {
    /// A file was answered from memory.
    MemoryHit,
    /// A file that might have been in memory was not, or no longer as it is on disk.
    MemoryMiss,
    /// A file was open already.
    DescriptorHit,
    /// A file that might have been open was not.
    DescriptorMiss,
    /// A content was compressed on the fly; it is kept, and answers many requests.
    Compressed,
    /// A connection to an upstream was begun.
    UpstreamConnected,
    /// A request went over a connection to its upstream that was there.
    UpstreamReused,
    /// That connection was one that another worker had left.
    UpstreamTakenOver,
    /// A request was sent once more, since its connection had died before anything was said.
    UpstreamRetried,
    /// A request got no response from its upstream.
    UpstreamFailed,
}

impl Counter {
    /// Every one of them, in their order.
    pub const ALL: [Counter; 10] = [
        Counter::MemoryHit,
        Counter::MemoryMiss,
        Counter::DescriptorHit,
        Counter::DescriptorMiss,
        Counter::Compressed,
        Counter::UpstreamConnected,
        Counter::UpstreamReused,
        Counter::UpstreamTakenOver,
        Counter::UpstreamRetried,
        Counter::UpstreamFailed,
    ];
}

/// A directory that files are served from, held open: renaming it or putting another in its place changes nothing.
#[derive(Clone, Debug)]
pub struct Root {
    directory: Arc<File>,
}

impl Root {
    /// Opens a directory.
    ///
    /// # Errors
    /// When it is missing, not a directory or not ours to read.
    pub fn open(path: &Path) -> io::Result<Root> {
        let directory = File::open(path)?;
        if !directory.metadata()?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        // Reading the directory needs one permission, reaching into it another.
        std::fs::metadata(path.join("."))?;
        Ok(Root { directory: Arc::new(directory) })
    }

    /// The directory's descriptor.
    pub fn directory(&self) -> &Arc<File> {
        &self.directory
    }
}

/// An open file, and what it was when it was opened.
#[derive(Clone, Debug)]
pub struct OpenFile {
    /// For reading or for sending from.
    pub file: Arc<File>,
    /// What it is.
    pub kind: Kind,
    /// Which content it has.
    pub stamp: Stamp,
}

/// What tells a file's content from any other, as far as the file system knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stamp {
    /// Device and inode: which file this is, whatever its name.
    pub identity: (u64, u64),
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written to.
    pub modified: SystemTime,
}

/// What a path names. Where both are in a list, directories come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
}

/// What is to be made of a directory's entries.
pub type WriteListed = Box<dyn FnOnce(Listed) -> Bytes + Send>;

/// What a directory holds.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// What it holds, in no order.
    pub entries: Vec<Entry>,
    /// There was more than the limit.
    pub truncated: bool,
}

/// One thing in a directory, symbolic links followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name: any bytes but NUL and slash.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written to.
    pub modified: SystemTime,
}

/// Why a path was not opened.
#[derive(Debug)]
pub enum FsError {
    /// Nothing is there, or nothing that may be served: outside the root, a device, a socket, a FIFO.
    NotFound,
    /// It is there, but not ours to read.
    Denied,
    /// We are out of something (descriptors, memory, threads), or the disk failed.
    Failed(io::Error),
}
