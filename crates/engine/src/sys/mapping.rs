//! A window of a file, mapped for the kernel to send (mmap(2)).
//!
//! A file that is truncated under its mapping kills the process that touches what is gone (`SIGBUS`), but only fails the
//! system call in which the kernel touches it (`EFAULT`). So a mapping gives out no reference and no slice: it is sent, and
//! never read here.

use std::ffi::c_void;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{NonNull, null_mut};

use libc::{MAP_FAILED, MAP_SHARED, PROT_READ, c_int, mmap, munmap, off_t};
use rustix::io::Errno;

use super::socket::{counted, last_error};

/// A mapped range of a file; unmapped when dropped.
pub(crate) struct Mapping {
    /// Where the page begins in which the range does.
    address: NonNull<c_void>,
    /// What of the file is there: from the beginning of that page to the range's end.
    mapped: Range<u64>,
}

impl Mapping {
    /// Maps a range of a file. Pages are brought in as the kernel touches them, sixteen at a time, which measures no worse than
    /// `MAP_POPULATE`: that would bring in all of them though the socket may take few.
    ///
    /// # Errors
    /// What mmap(2) says: the file system cannot (`ENODEV`), there are too many mappings (`ENOMEM`), the file is not open
    /// for reading (`EACCES`).
    pub(crate) fn new(file: BorrowedFd<'_>, range: Range<u64>) -> rustix::io::Result<Mapping> {
        let start = range.start - range.start % page_bytes();
        let mapped_bytes = usize::try_from(range.end - start).map_err(|_| Errno::NOMEM)?;
        let offset = off_t::try_from(start).map_err(|_| Errno::OVERFLOW)?;
        // SAFETY: the kernel chooses the address, so nothing of ours is mapped over; and nothing but the kernel reads there.
        let address =
            unsafe { mmap(null_mut(), mapped_bytes, PROT_READ, MAP_SHARED, file.as_raw_fd(), offset) };
        let address = NonNull::new(address).filter(|address| address.as_ptr() != MAP_FAILED);
        let address = address.ok_or_else(last_error)?;
        Ok(Mapping { address, mapped: start..range.end })
    }

    /// How many bytes are mapped.
    pub(crate) fn length(&self) -> u64 {
        self.mapped.end - self.mapped.start
    }

    /// Whether a range of the file is mapped.
    pub(crate) fn has(&self, range: &Range<u64>) -> bool {
        self.mapped.start <= range.start && range.end <= self.mapped.end
    }

    /// Sends a range of the file, or as much of it as the socket takes (send(2)).
    ///
    /// # Errors
    /// What send(2) says. `EFAULT`: the file ends before the range, or cannot be read.
    ///
    /// # Panics
    /// When the range is not mapped.
    pub(crate) fn send(
        &self,
        range: &Range<u64>,
        socket: BorrowedFd<'_>,
        flags: c_int,
    ) -> rustix::io::Result<usize> {
        assert!(self.has(range), "only what is mapped is sent");
        // Both fit: the whole mapping did.
        let (skipped, length) =
            ((range.start - self.mapped.start) as usize, (range.end - range.start) as usize);
        // SAFETY: the range is mapped as long as `self` is there, and it is the kernel that reads it.
        counted(unsafe {
            let start = self.address.as_ptr().byte_add(skipped);
            libc::send(socket.as_raw_fd(), start, length, flags)
        })
    }
}

/// How many bytes a page has.
fn page_bytes() -> u64 {
    // SAFETY: it only asks.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).expect("every system has pages")
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody was given a reference into it.
        let unmapped = unsafe { munmap(self.address.as_ptr(), self.length() as usize) };
        debug_assert!(unmapped == 0, "what was mapped can be unmapped: {}", last_error());
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;

    use super::*;

    const PAGE: usize = 4096;

    fn file_with(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn counted(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    fn send(file: &File, range: Range<u64>, socket: &UnixStream) -> rustix::io::Result<usize> {
        Mapping::new(file.as_fd(), range.clone())?.send(&range, socket.as_fd(), libc::MSG_NOSIGNAL)
    }

    #[test]
    fn any_range_is_sent_wherever_it_begins_in_its_page() {
        let bytes = counted(3 * PAGE + 100);
        let file = file_with(&bytes);
        for range in [0..1, 0..PAGE, 1..PAGE + 1, PAGE - 1..PAGE, PAGE..2 * PAGE, 5000..3 * PAGE + 100] {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            let sent = send(&file, range.start as u64..range.end as u64, &ours);
            assert_eq!(sent, Ok(range.len()));
            drop(ours);
            let mut arrived = Vec::new();
            theirs.read_to_end(&mut arrived).unwrap();
            assert!(arrived == bytes[range.clone()], "{range:?}");
        }
    }

    #[test]
    fn what_was_truncated_away_is_a_fault_of_the_call_and_not_of_the_process() {
        let file = file_with(&counted(4 * PAGE));
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mapping = Mapping::new(file.as_fd(), 0..4 * PAGE as u64).unwrap();
        file.set_len(0).unwrap();
        let sent = mapping.send(&(0..4 * PAGE as u64), ours.as_fd(), libc::MSG_NOSIGNAL);
        assert_eq!(sent, Err(Errno::FAULT));
    }

    #[test]
    fn what_cannot_be_mapped_is_told() {
        let (pipe, _other) = std::io::pipe().unwrap();
        assert!(Mapping::new(pipe.as_fd(), 0..1).is_err());
        let written = File::options().write(true).open("/dev/null").unwrap();
        assert_eq!(Mapping::new(written.as_fd(), 0..1).err(), Some(Errno::ACCESS));
    }

    #[test]
    fn dropping_a_mapping_unmaps_it() {
        let file = file_with(&counted(PAGE));
        let inode = format!(" {} ", file.metadata().unwrap().ino());
        let is_mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().contains(&inode);
        let mapping = Mapping::new(file.as_fd(), 0..PAGE as u64).unwrap();
        assert!(is_mapped());
        drop(mapping);
        assert!(!is_mapped());
    }
}
