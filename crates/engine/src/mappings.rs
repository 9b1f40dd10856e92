//! Mappings of the files that are sent from them. One of a file that is sent again and again is kept: what costs is not the mapping
//! but that the kernel looks its pages up, sixteen at a time, and a kept mapping has them.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::{Arc, Weak};

use crate::sys::mapping::Mapping;

/// What is mapped, and offered to the socket, in one system call: as much as its buffer grows to at most (`tcp_wmem`, tcp(7)). What
/// other sizes cost is said in `server/src/mapped.rs`.
pub(crate) const WINDOW_BYTES: u64 = 4 * 1024 * 1024;

/// Files up to this size are mapped whole, and kept so while they are open; of larger ones a window is mapped for each send.
const KEPT_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// What one worker keeps mapped at most, and in how many mappings. It is address space, not memory: the pages are the kernel's, which
/// takes them back when it needs them. Beyond it a window is mapped for each send.
const KEPT_BYTES: u64 = 256 * 1024 * 1024;
const KEPT_MAPPINGS: usize = 256;

/// The mappings of one worker.
#[derive(Default)]
pub(crate) struct Mappings {
    /// By the file's address, which is no other's while its `Weak` is kept.
    kept: HashMap<usize, Kept>,
}

struct Kept {
    file: Weak<File>,
    mapping: Mapping,
}

impl Mappings {
    /// Has `send` send a range of a file of `length` bytes from a mapping that has at least the range.
    ///
    /// # Errors
    /// What mmap(2) says.
    pub(crate) fn with<T>(
        &mut self,
        file: &Arc<File>,
        length: u64,
        range: Range<u64>,
        send: impl FnOnce(&Mapping) -> T,
    ) -> rustix::io::Result<T> {
        if let Some(kept) = self.kept.get(&address(file)).filter(|kept| kept.mapping.has(&range)) {
            return Ok(send(&kept.mapping));
        }
        if !self.has_room_for(length) {
            return Ok(send(&Mapping::new(file.as_fd(), range)?));
        }
        let mapping = Mapping::new(file.as_fd(), 0..length)?;
        let sent = send(&mapping);
        self.kept.insert(address(file), Kept { file: Arc::downgrade(file), mapping });
        Ok(sent)
    }

    /// Whether a file may be kept; those that nobody has open any more make room.
    fn has_room_for(&mut self, length: u64) -> bool {
        self.kept.retain(|_, kept| kept.file.strong_count() > 0);
        let bytes: u64 = self.kept.values().map(|kept| kept.mapping.length()).sum();
        length <= KEPT_FILE_BYTES && bytes + length <= KEPT_BYTES && self.kept.len() < KEPT_MAPPINGS
    }
}

fn address(file: &Arc<File>) -> usize {
    Arc::as_ptr(file).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(length: u64) -> Arc<File> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(length).unwrap();
        Arc::new(file)
    }

    /// What a mapping that is used for a range has.
    fn used(mappings: &mut Mappings, file: &Arc<File>, range: Range<u64>) -> u64 {
        let length = file.metadata().unwrap().len();
        mappings.with(file, length, range, Mapping::length).unwrap()
    }

    #[test]
    fn a_file_is_mapped_whole_and_once_while_it_is_open() {
        let (mut mappings, first) = (Mappings::default(), file(1 << 20));
        assert_eq!(used(&mut mappings, &first, 0..4096), 1 << 20);
        assert_eq!((used(&mut mappings, &first, 4096..8192), mappings.kept.len()), (1 << 20, 1));
        drop(first);
        used(&mut mappings, &file(8192), 0..8192);
        assert_eq!(mappings.kept.len(), 1, "the first is gone");
    }

    #[test]
    fn of_a_file_that_grew_behind_its_mapping_what_is_new_is_mapped_too() {
        let (mut mappings, growing) = (Mappings::default(), file(4096));
        used(&mut mappings, &growing, 0..4096);
        growing.set_len(16384).unwrap();
        assert_eq!(used(&mut mappings, &growing, 8192..16384), 16384);
    }

    #[test]
    fn of_a_large_file_and_beyond_the_bounds_only_what_is_sent_is_mapped() {
        let mut mappings = Mappings::default();
        assert_eq!(used(&mut mappings, &file(KEPT_FILE_BYTES + 1), 0..4096), 4096);
        let files: Vec<_> = (0..5).map(|_| file(KEPT_FILE_BYTES)).collect();
        let mapped: Vec<_> = files.iter().map(|file| used(&mut mappings, file, 0..4096)).collect();
        assert_eq!(mapped, [KEPT_FILE_BYTES, KEPT_FILE_BYTES, KEPT_FILE_BYTES, KEPT_FILE_BYTES, 4096]);
        drop(files);
        let small: Vec<_> = (0..=KEPT_MAPPINGS).map(|_| file(8192)).collect();
        let mapped = small.iter().map(|file| used(&mut mappings, file, 0..4096));
        assert_eq!(mapped.filter(|mapped| *mapped == 8192).count(), KEPT_MAPPINGS);
    }
}
