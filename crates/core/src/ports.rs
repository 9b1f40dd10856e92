//! Ports: what features may ask of the world. The server implements them, tests fake them.

use std::fs::File;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The ports of one worker.
#[derive(Clone)]
pub struct Ports {
    /// Files below a root.
    pub fs: Rc<dyn Fs>,
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// What is counted for those who watch the server.
    pub counters: Rc<dyn Counters>,
}

/// Files below a root.
pub trait Fs {
    /// Opens what `path` names below `root`, for reading. `path` is relative, without a leading slash; empty: the root itself.
    /// Whatever it holds (`..`, symbolic links), nothing outside the root is opened, and there is no moment between checking
    /// and opening at which that could change. Never waits for a FIFO's other end, nor opens a device or a socket.
    ///
    /// # Errors
    /// See [`FsError`].
    fn open(&self, root: &Root, path: &[u8]) -> Result<OpenFile, FsError>;
}

/// Time.
pub trait Clock {
    /// Time since some fixed moment; as of the worker's present turn.
    fn now(&self) -> Duration;
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
    /// A response was compressed on the fly.
    Compressed,
}

impl Counter {
    /// Every one of them, in their order.
    pub const ALL: [Counter; 5] = [
        Counter::MemoryHit,
        Counter::MemoryMiss,
        Counter::DescriptorHit,
        Counter::DescriptorMiss,
        Counter::Compressed,
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
    pub fn directory(&self) -> &File {
        &self.directory
    }
}

/// An open file, and what it was when it was opened.
#[derive(Debug)]
pub struct OpenFile {
    /// For reading or for sending from.
    pub file: Arc<File>,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written to.
    pub modified: SystemTime,
    /// Device and inode: which file this is, whatever its name.
    pub identity: (u64, u64),
}

/// What a path names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// Why a path was not opened.
#[derive(Debug)]
pub enum FsError {
    /// Nothing is there, or nothing that may be served: outside the root, a device, a socket, a FIFO.
    NotFound,
    /// It is there, but not ours to read.
    Denied,
    /// We are out of something (descriptors, memory), or the disk failed.
    Failed(io::Error),
}
