//! The entries of one page, in order, and what there is in all.

use std::cmp::Ordering;

use super::ENTRIES_PER_PAGE;
use super::query::{Order, Query, Sort};
use gannet_core::{Entry, Kind};

/// One page's entries, and the sums over all pages.
pub(super) struct Selection {
    /// In the order asked for.
    pub(super) entries: Vec<Entry>,
    /// Counted from one; the last, if a later one was asked for.
    pub(super) page: usize,
    /// At least one.
    pub(super) pages: usize,
    pub(super) files: usize,
    pub(super) directories: usize,
    /// The lengths of all files, in bytes.
    pub(super) bytes: u64,
}

impl Selection {
    /// Takes a page out of all entries. Only what is on the page is sorted: the rest is parted from it in linear time.
    pub(super) fn new(entries: Vec<Entry>, query: Query) -> Selection {
        let mut keyed: Vec<Keyed> =
            entries.into_iter().filter(|entry| may_be_listed(&entry.name)).map(Keyed::new).collect();
        let files = || keyed.iter().filter(|keyed| keyed.entry.kind == Kind::File);
        let (count, bytes) = (files().count(), files().map(|keyed| keyed.entry.length));
        let bytes = bytes.fold(0, u64::saturating_add);
        let pages = keyed.len().div_ceil(ENTRIES_PER_PAGE).max(1);
        let page = query.page.clamp(1, pages);
        Selection {
            page,
            pages,
            files: count,
            directories: keyed.len() - count,
            bytes,
            entries: of_page(&mut keyed, page, |one, other| compare(query, one, other)),
        }
    }

    pub(super) fn total(&self) -> usize {
        self.files + self.directories
    }
}

/// An entry, and its name as it is ordered.
struct Keyed {
    natural: Vec<u8>,
    entry: Entry,
}

impl Keyed {
    fn new(entry: Entry) -> Keyed {
        Keyed { natural: natural(&entry.name), entry }
    }
}

/// Hidden names, and those that no directory has.
fn may_be_listed(name: &[u8]) -> bool {
    !name.is_empty() && !name.starts_with(b".") && !name.contains(&b'/') && !name.contains(&0)
}

fn of_page(all: &mut [Keyed], page: usize, compare: impl Fn(&Keyed, &Keyed) -> Ordering) -> Vec<Entry> {
    let start = (page - 1) * ENTRIES_PER_PAGE;
    if start > 0 {
        all.select_nth_unstable_by(start, &compare);
    }
    let rest = &mut all[start..];
    if rest.len() > ENTRIES_PER_PAGE {
        rest.select_nth_unstable_by(ENTRIES_PER_PAGE, &compare);
    }
    let end = rest.len().min(ENTRIES_PER_PAGE);
    let shown = &mut rest[..end];
    shown.sort_unstable_by(&compare);
    shown.iter().map(|keyed| keyed.entry.clone()).collect()
}

/// Directories first; then as asked for; then by name, and by its bytes, so that no two entries are equal.
fn compare(query: Query, one: &Keyed, other: &Keyed) -> Ordering {
    let (a, b) = (&one.entry, &other.entry);
    let asked = match query.sort {
        Sort::Name => one.natural.cmp(&other.natural),
        Sort::Size if a.kind == Kind::Directory => Ordering::Equal,
        Sort::Size => a.length.cmp(&b.length),
        Sort::Modified => a.modified.cmp(&b.modified),
    };
    let asked = if query.order == Order::Ascending { asked } else { asked.reverse() };
    a.kind
        .cmp(&b.kind)
        .then(asked)
        .then_with(|| one.natural.cmp(&other.natural))
        .then_with(|| a.name.cmp(&b.name))
}

/// A key whose bytes compare as people count: letters without case, a run of digits by its number (`2` before `10`),
/// leading noughts aside. Bytes that are no UTF-8 stand for themselves.
fn natural(name: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 8);
    for chunk in name.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(first) = rest.chars().next() {
            if first.is_ascii_digit() {
                let digits = rest.len() - rest.trim_start_matches(|next: char| next.is_ascii_digit()).len();
                push_number(&mut key, rest[..digits].trim_start_matches('0'));
                rest = &rest[digits..];
            } else {
                push_lowercase(&mut key, first);
                rest = &rest[first.len_utf8()..];
            }
        }
        key.extend_from_slice(chunk.invalid());
    }
    key
}

/// A number sorts where digits do; among numbers the one with more digits is greater.
fn push_number(key: &mut Vec<u8>, digits: &str) {
    key.push(b'0');
    key.extend_from_slice(&(digits.len() as u32).to_be_bytes());
    key.extend_from_slice(digits.as_bytes());
}

fn push_lowercase(key: &mut Vec<u8>, character: char) {
    if character.is_ascii() {
        key.push(character.to_ascii_lowercase() as u8);
    } else {
        let lowercase = character.to_lowercase();
        lowercase.for_each(|character| key.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, kind: Kind, length: u64, modified: u64) -> Entry {
        let modified = UNIX_EPOCH + Duration::from_secs(modified);
        Entry { name: name.into(), kind, length, modified }
    }

    fn file(name: &str) -> Entry {
        entry(name, Kind::File, 0, 0)
    }

    fn names(entries: Vec<Entry>, query: &str) -> Vec<String> {
        let selection = Selection::new(entries, Query::parse(query));
        selection.entries.into_iter().map(|entry| String::from_utf8(entry.name).unwrap()).collect()
    }

    fn sorted(names: &[&str]) -> Vec<String> {
        self::names(names.iter().rev().map(|name| file(name)).collect(), "")
    }

    #[test]
    fn names_are_ordered_as_people_count_and_without_case() {
        let counted = ["!", "a", "B", "file1", "File2", "file10", "file10a", "Ä", "Éa", "éb"];
        assert_eq!(sorted(&counted), counted);
        let versions = ["v1.2.9", "v1.2.10", "v1.10.0", "v18446744073709551616", "v18446744073709551617"];
        assert_eq!(sorted(&versions), versions);
    }

    #[test]
    fn names_that_differ_in_case_or_noughts_only_are_ordered_by_their_bytes() {
        assert_eq!(sorted(&["A", "a", "x001", "x01", "x1"]), ["A", "a", "x001", "x01", "x1"]);
    }

    #[test]
    fn directories_come_first_in_every_order() {
        let all = || {
            vec![
                entry("b", Kind::File, 1, 3),
                entry("a", Kind::File, 2, 2),
                entry("d", Kind::Directory, 9, 1),
                entry("c", Kind::Directory, 8, 4),
            ]
        };
        let expected = [
            ("", "cdab"),
            ("order=desc", "dcba"),
            ("sort=size", "cdba"),
            ("sort=size&order=desc", "cdab"),
            ("sort=modified", "dcab"),
            ("sort=modified&order=desc", "cdba"),
        ];
        for (query, order) in expected {
            assert_eq!(names(all(), query).concat(), order, "{query}");
        }
    }

    #[test]
    fn equal_sizes_are_ordered_by_name_either_way() {
        let all = || ["x10", "x9", "x1"].map(file).to_vec();
        assert_eq!(names(all(), "sort=size&order=desc"), ["x1", "x9", "x10"]);
        assert_eq!(names(all(), "sort=modified"), ["x1", "x9", "x10"]);
    }

    #[test]
    fn hidden_names_and_impossible_ones_are_left_out_and_not_counted() {
        let all = [".git", ".", "..", "", "a/b", "a\0", "a", "b."].map(file).to_vec();
        let selection = Selection::new(all, Query::parse(""));
        assert_eq!((selection.total(), selection.entries.len()), (2, 2));
    }

    #[test]
    fn pages_part_a_hundred_thousand_entries_without_loss() {
        let all: Vec<Entry> =
            (0..100_001_u64).map(|number| file(&format!("{}", number * 7919 % 100_001))).collect();
        let first = Selection::new(all.clone(), Query::parse(""));
        assert_eq!((first.page, first.pages, first.total()), (1, 101, 100_001));
        for (page, start) in [(1, 0), (2, 1000), (57, 56_000), (101, 100_000)] {
            let expected: Vec<String> =
                (start..100_001).take(ENTRIES_PER_PAGE).map(|number| number.to_string()).collect();
            assert_eq!(names(all.clone(), &format!("page={page}")), expected, "{page}");
        }
        assert_eq!(names(all.clone(), "page=102"), ["100000"]);
        assert_eq!(names(all, "page=18446744073709551615"), ["100000"]);
    }

    #[test]
    fn sums_are_over_all_pages_and_cannot_overflow() {
        let all = vec![
            entry("a", Kind::File, u64::MAX, 0),
            entry("b", Kind::File, 1, 0),
            entry("c", Kind::Directory, 4096, 0),
        ];
        let selection = Selection::new(all, Query::parse(""));
        assert_eq!((selection.files, selection.directories, selection.bytes), (2, 1, u64::MAX));
        let empty = Selection::new(Vec::new(), Query::parse("page=3"));
        assert_eq!((empty.page, empty.pages, empty.total()), (1, 1, 0));
    }

    proptest! {
        #[test]
        fn a_number_s_key_compares_as_the_number(a: u64, b: u64, noughts in 0_usize..4) {
            let (one, other) = (format!("n{a}.x"), format!("n{}{b}.x", "0".repeat(noughts)));
            prop_assert_eq!(natural(one.as_bytes()).cmp(&natural(other.as_bytes())), a.cmp(&b));
        }
    }
}
