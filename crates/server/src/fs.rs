//! The file port. What the kernel has in memory is taken at once; what it would have to wait for is left to the threads for disks.

#[cfg(feature = "files")]
mod below;
#[cfg(not(feature = "files"))]
#[path = "fs/without_files.rs"]
mod below;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use gannet_core::{Cpu, Fs, FsError, Later, OpenFile, Root, Stamp, WriteListed};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use crate::offload::Offload;

/// The kernel's files.
pub(crate) struct Disk {
    threads: Offload,
    spare_descriptors: usize,
}

/// What the kernel reads ahead of who reads in order (`read_ahead_kb` of a block device).
const READ_AHEAD_BYTES: u64 = 128 * 1024;

/// What is read at a time to have the kernel hold it in memory.
const SCRATCH_BYTES: usize = 64 * 1024;

impl Disk {
    /// Cold files are read by `threads`; a worker may keep `spare_descriptors` files open.
    pub(crate) fn new(threads: Offload, spare_descriptors: usize) -> Disk {
        Disk { threads, spare_descriptors }
    }

    /// Sees to it that the kernel has a range of a file in memory, so that sending it waits for no disk; nothing: it has.
    pub(crate) fn warm(&self, file: &Arc<File>, range: &Range<u64>) -> Option<Later<()>> {
        if is_cached(file, range) {
            return None;
        }
        let (file, range) = (file.clone(), range.clone());
        let read = self.threads.run(move || read_through(&file, range));
        // Where the threads have too much to do, or the disk fails, sending finds out.
        Some(Later::waiting(async {
            let _ = read.await;
        }))
    }
}

impl Fs for Disk {
    fn open(&self, root: &Root, path: &[u8]) -> Later<Result<OpenFile, FsError>> {
        below::open(&self.threads, root, path)
    }

    fn stamp(&self, file: &File) -> io::Result<Stamp> {
        below::stamp_of(file)
    }

    fn read(&self, file: &Arc<File>, range: Range<u64>) -> Later<io::Result<Bytes>> {
        match read_cached(file, &range) {
            Some(bytes) => Later::ready(Ok(bytes)),
            None => {
                let (file, work) = (file.clone(), move |file: &File| read(file, range));
                let read = self.threads.run(move || work(&file));
                Later::waiting(async { read.await.unwrap_or_else(|| Err(busy())) })
            }
        }
    }

    fn list(
        &self,
        root: &Root,
        path: &[u8],
        limit: usize,
        write: WriteListed,
    ) -> Later<Result<Bytes, FsError>> {
        below::list(&self.threads, root, path, limit, write)
    }

    fn spare_descriptors(&self) -> usize {
        self.spare_descriptors
    }

    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        self.threads.spawn(job)
    }
}

fn busy() -> io::Error {
    io::Error::other("more files wait to be read than may; is the disk slow?")
}

/// A whole range, if the kernel has it in memory.
fn read_cached(file: &File, range: &Range<u64>) -> Option<Bytes> {
    let mut content = vec![0; length(range)];
    fill_cached(file, range, &mut content).then(|| content.into())
}

/// Reads a whole range, if the kernel has it in memory; says whether it did.
fn fill_cached(file: &File, range: &Range<u64>, room: &mut [u8]) -> bool {
    let mut filled = 0;
    while filled < room.len() {
        match read_now(file, &mut room[filled..], range.start + filled as u64) {
            Some(count) if count > 0 => filled += count,
            _ => return false,
        }
    }
    true
}

/// Appends a whole range to `bytes`, if the kernel has it in memory; else nothing.
pub(crate) fn append_cached(file: &File, range: &Range<u64>, bytes: &mut Vec<u8>) -> bool {
    let before = bytes.len();
    bytes.resize(before + length(range), 0);
    let whole = fill_cached(file, range, &mut bytes[before..]);
    if !whole {
        bytes.truncate(before);
    }
    whole
}

fn read(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let mut content = vec![0; length(&range)];
    let mut filled = 0;
    while filled < content.len() {
        match file.read_at(&mut content[filled..], range.start + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.truncate(filled);
    Ok(content.into())
}

fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
}

/// Whether the kernel has the last byte of a range in memory, and of a long one the first, and so most likely all of it: it reads
/// ahead, and evicts, in one go.
fn is_cached(file: &File, range: &Range<u64>) -> bool {
    let is_there = |offset| read_now(file, &mut [0], offset).is_some();
    is_there(range.end - 1) && (range.end - range.start <= READ_AHEAD_BYTES || is_there(range.start))
}

/// Reads what the kernel has in memory (preadv2(2), `RWF_NOWAIT`); nothing: it would have to wait.
fn read_now(file: &File, room: &mut [u8], offset: u64) -> Option<usize> {
    let slices = &mut [io::IoSliceMut::new(room)];
    match preadv2(file, slices, offset, ReadWriteFlags::NOWAIT) {
        Ok(count) => Some(count),
        Err(Errno::AGAIN | Errno::INTR) => None,
        // A file system that cannot tell, or an error that whoever reads next will meet.
        Err(_) => Some(0),
    }
}

fn read_through(file: &File, range: Range<u64>) {
    let mut scratch = vec![0; SCRATCH_BYTES];
    let mut offset = range.start;
    while offset < range.end {
        match file.read_at(&mut scratch, offset) {
            Ok(0) => break,
            Ok(count) => offset += count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Sending will meet it, and tell.
            Err(_) => break,
        }
    }
}
