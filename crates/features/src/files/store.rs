//! What a worker keeps of the files that were asked for lately: small ones whole, large ones open.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use gannet_core::Stamp;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;

use super::representation::Representation;
use crate::coding::{Accepted, CODINGS, Coding};

/// What a worker keeps of small files at most, in bytes of memory, and as much again of small codings of open ones. Beyond it
/// those that were asked for least make room.
const BUDGET_BYTES: u64 = 16 * 1024 * 1024;

/// How many small files that is reckoned to be: where the cache begins to grow from.
const EXPECTED_FILES: usize = 1024;

/// What a file takes beside what it holds, in bytes: the cache's bookkeeping, the allocator's, counts. Measured: with it a million small
/// files asked for in any order stay within the budget (`cargo xtask bench tree`).
const BOOKKEEPING_BYTES: usize = 320;

/// For so long a file is answered without looking whether it changed.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// The files by the path they were asked by.
pub(super) struct Store {
    /// Those that are held in memory alone.
    small: Cache<Box<str>, Rc<Entry>, ByContent>,
    /// Each holds a descriptor or several, and so many may be held.
    open: Cache<Box<str>, Rc<Entry>, ByDescriptors>,
}

/// A file, and how it can be sent.
pub(super) struct Entry {
    pub(super) stamp: Stamp,
    /// Below the root.
    pub(super) name: Box<[u8]>,
    pub(super) content_type: Box<str>,
    /// Whether it may be sent coded.
    pub(super) negotiable: bool,
    /// As it is.
    pub(super) plain: Rc<Representation>,
    coded: RefCell<Codings>,
    looked: Cell<Duration>,
    /// Whether the stamp can be of no other content.
    pub(super) settled: bool,
}

/// A coding of a file.
#[derive(Clone, Default)]
pub(super) enum Variant {
    /// Not looked for yet.
    #[default]
    Unknown,
    /// There is none: no side file, and compressing does not pay.
    Absent,
    /// Kept here.
    Own(Rc<Representation>),
    /// Kept for all workers, for as long as there is room.
    Shared(Weak<Representation>),
}

/// All codings of a file.
type Codings = [Variant; CODINGS.len()];

/// What is to be sent.
pub(super) enum Chosen {
    Own(Rc<Representation>),
    Shared(Arc<Representation>),
}

/// Weighs a file by what it holds.
#[derive(Clone)]
struct ByContent;

impl Weighter<Box<str>, Rc<Entry>> for ByContent {
    fn weight(&self, path: &Box<str>, entry: &Rc<Entry>) -> u64 {
        (path.len() + entry.held_bytes()) as u64
    }
}

/// Weighs a file by the descriptors it holds, and by what it holds in memory, in what of the budget is each descriptor's.
#[derive(Clone)]
struct ByDescriptors {
    bytes_each: u64,
}

impl Weighter<Box<str>, Rc<Entry>> for ByDescriptors {
    fn weight(&self, path: &Box<str>, entry: &Rc<Entry>) -> u64 {
        let memory = (path.len() + entry.held_bytes()) as u64 / self.bytes_each;
        (entry.descriptors() + memory).max(1)
    }
}

impl Store {
    /// Room for so many open files.
    pub(super) fn new(open_files: usize) -> Store {
        Store {
            small: Cache::with_weighter(EXPECTED_FILES, BUDGET_BYTES, ByContent),
            open: Cache::with_weighter(
                open_files,
                open_files as u64,
                ByDescriptors { bytes_each: BUDGET_BYTES / (open_files as u64).max(1) },
            ),
        }
    }

    /// The file for `path`, if it was looked at within the last second.
    pub(super) fn fresh(&self, path: &str, now: Duration) -> Option<&Rc<Entry>> {
        self.get(path).filter(|entry| now.saturating_sub(entry.looked.get()) < FRESH)
    }

    /// The file for `path`, if it still is the one that `stamp` tells, and surely so; what is beside it is to be looked for anew.
    pub(super) fn unchanged(&mut self, path: &str, stamp: &Stamp, now: Duration) -> Option<Rc<Entry>> {
        let entry = self.get(path).filter(|entry| entry.settled && entry.stamp == *stamp)?.clone();
        entry.looked.set(now);
        self.change(path, &entry, |coded| coded.fill(Variant::Unknown));
        Some(entry)
    }

    /// Keeps a file, in the place of one for the same path.
    pub(super) fn keep(&mut self, path: &str, entry: &Rc<Entry>) {
        if entry.descriptors() == 0 {
            self.open.remove(path);
            self.small.insert(path.into(), entry.clone());
        } else {
            self.small.remove(path);
            self.open.insert(path.into(), entry.clone());
        }
    }

    /// Keeps a coding of a file, which then weighs more.
    pub(super) fn keep_coded(&mut self, path: &str, entry: &Rc<Entry>, coding: Coding, variant: Variant) {
        self.change(path, entry, |coded| coded[place(coding)] = variant);
        // Caches make room only for what is put into them; and what now holds a descriptor belongs into the other.
        let is_too_much = entry.descriptors() > 0 || self.small.weight() > self.small.capacity();
        if is_too_much && self.get(path).is_some_and(|kept| Rc::ptr_eq(kept, entry)) {
            self.keep(path, entry);
        }
    }

    /// Changes the codings of a file. The cache that keeps it has to see its weight before and after: it adds and subtracts what it sees.
    fn change(&mut self, path: &str, entry: &Rc<Entry>, change: impl FnOnce(&mut Codings)) {
        let weighed_again = (self.small.get_mut(path), self.open.get_mut(path));
        change(&mut entry.coded.borrow_mut());
        drop(weighed_again);
    }

    fn get(&self, path: &str) -> Option<&Rc<Entry>> {
        self.small.get(path).or_else(|| self.open.get(path))
    }
}

impl Entry {
    pub(super) fn new(
        name: &[u8],
        content_type: String,
        negotiable: bool,
        plain: Representation,
        stamp: Stamp,
        now: Duration,
    ) -> Entry {
        Entry {
            stamp,
            name: name.into(),
            content_type: content_type.into(),
            negotiable,
            plain: Rc::new(plain),
            coded: RefCell::default(),
            looked: Cell::new(now),
            settled: false,
        }
    }

    /// What a client is sent that takes these codings; nothing, if that has to be looked for first.
    pub(super) fn chosen(&self, accepted: Accepted) -> Option<Chosen> {
        let coded = self.coded.borrow();
        for coding in accepted.codings() {
            match &coded[place(coding)] {
                Variant::Unknown => return None,
                Variant::Absent => {}
                Variant::Own(representation) => return Some(Chosen::Own(representation.clone())),
                Variant::Shared(representation) => return representation.upgrade().map(Chosen::Shared),
            }
        }
        Some(Chosen::Own(self.plain.clone()))
    }

    fn descriptors(&self) -> u64 {
        let coded = self.coded.borrow();
        let coded = coded.iter().map(|variant| match variant {
            Variant::Own(representation) => representation.content.descriptors(),
            _ => 0,
        });
        self.plain.content.descriptors() + coded.sum::<u64>()
    }

    fn held_bytes(&self) -> usize {
        let coded = self.coded.borrow();
        let coded = coded.iter().map(|variant| match variant {
            Variant::Own(representation) => representation.held_bytes(),
            _ => 0,
        });
        let names = self.name.len() + self.content_type.len();
        BOOKKEEPING_BYTES
            + size_of::<Entry>()
            + 2 * size_of::<Representation>()
            + names
            + self.plain.held_bytes()
            + coded.sum::<usize>()
    }
}

impl Chosen {
    /// Whether it is this one.
    pub(super) fn is(&self, other: &Rc<Representation>) -> bool {
        matches!(self, Chosen::Own(own) if Rc::ptr_eq(own, other))
    }
}

impl Deref for Chosen {
    type Target = Representation;

    fn deref(&self) -> &Representation {
        match self {
            Chosen::Own(representation) => representation,
            Chosen::Shared(representation) => representation,
        }
    }
}

/// A coding's place in the arrays.
fn place(coding: Coding) -> usize {
    coding as usize
}
