//! Ranges of bytes (RFC 9110, 14): what a `Range` field asks for, and what is answered.

use std::ops::Range;

/// Ranges in one request. With more the field is ignored, as it may be (14.2), and the whole file is the answer: cheaper than
/// looking for so many parts, and no client that means well asks so.
const MOST_RANGES: usize = 64;

/// Parts closer to each other than this are answered as one: what separates two parts in a response is longer (14.6).
const GAP_BYTES: u64 = 80;

/// What is to be answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// The whole: no range was asked for that could be understood.
    Whole,
    /// One part.
    One(Range<u64>),
    /// Several parts, in the order in which they were asked for, none overlapping.
    Several(Vec<Range<u64>>),
    /// Nothing of what was asked for is there: 416.
    Unsatisfiable,
}

/// What a `Range` field's value asks for of `length` bytes. A field that cannot be read is ignored (14.2).
pub(super) fn select(value: &[u8], length: u64) -> Answer {
    let Some(specs) = std::str::from_utf8(value).ok().and_then(in_bytes) else { return Answer::Whole };
    let mut parts = Vec::new();
    let mut count = 0;
    for spec in specs.split(',').map(|spec| spec.trim_matches([' ', '\t'])) {
        if spec.is_empty() {
            continue; // a list may have empty members (5.6.1)
        }
        count += 1;
        match part(spec, length) {
            None => return Answer::Whole,
            Some(_) if count > MOST_RANGES => return Answer::Whole,
            Some(range) => parts.extend(range),
        }
    }
    if count == 0 {
        return Answer::Whole;
    }
    let mut parts = coalesced(parts);
    match parts.len() {
        0 => Answer::Unsatisfiable,
        1 => Answer::One(parts.remove(0)),
        _ => Answer::Several(parts),
    }
}

/// The ranges, if they are in bytes; the unit's name is in any case (14.1).
fn in_bytes(value: &str) -> Option<&str> {
    let (unit, specs) = value.split_once('=')?;
    unit.eq_ignore_ascii_case("bytes").then_some(specs)
}

/// What one spec means (14.1.2): nothing, when it cannot be read; no range, when there are no such bytes.
fn part(spec: &str, length: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let count = number(last)?.min(length);
        return Some((count > 0).then(|| length - count..length));
    }
    let first = number(first)?;
    let end = match last {
        "" => length,
        last => {
            let last = number(last)?;
            if last < first {
                return None;
            }
            last.saturating_add(1).min(length)
        }
    };
    Some((first < length).then_some(first..end))
}

/// A number of digits only. One that is too large is as large as can be: no file is.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// Parts that overlap or nearly touch become one, where the first of them was asked for: nothing is sent twice.
fn coalesced(parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(parts.len());
    for part in parts {
        let mut part = part;
        let mut place = None;
        let mut index = 0;
        // Each part that it touches is taken into it; what it then touches, too.
        while index < merged.len() {
            let other = &merged[index];
            let touches = part.start <= other.end.saturating_add(GAP_BYTES)
                && other.start <= part.end.saturating_add(GAP_BYTES);
            if !touches {
                index += 1;
                continue;
            }
            let other = merged.remove(index);
            part = part.start.min(other.start)..part.end.max(other.end);
            place = Some(place.map_or(index, |place: usize| place.min(index)));
            index = 0;
        }
        merged.insert(place.unwrap_or(merged.len()).min(merged.len()), part);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(value: &str, length: u64) -> Answer {
        select(value.as_bytes(), length)
    }

    #[test]
    fn one_range_is_first_and_last_or_the_rest_or_a_suffix_rfc_9110_14_1_2() {
        assert_eq!(answer("bytes=0-0", 10), Answer::One(0..1));
        assert_eq!(answer("bytes=2-4", 10), Answer::One(2..5));
        assert_eq!(answer("bytes=9-9", 10), Answer::One(9..10));
        assert_eq!(answer("bytes=5-", 10), Answer::One(5..10));
        assert_eq!(answer("bytes=5-99999999999999999999999", 10), Answer::One(5..10));
        assert_eq!(answer("bytes=-3", 10), Answer::One(7..10));
        assert_eq!(answer("bytes=-30", 10), Answer::One(0..10));
        assert_eq!(answer("BYTES= 1-2 ,", 10), Answer::One(1..3));
    }

    #[test]
    fn a_range_that_begins_behind_the_end_is_unsatisfiable_rfc_9110_15_5_17() {
        for value in
            ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-", "bytes=10-11,-0"]
        {
            assert_eq!(answer(value, 10), Answer::Unsatisfiable, "{value}");
        }
        assert_eq!(
            (answer("bytes=0-", 0), answer("bytes=-1", 0)),
            (Answer::Unsatisfiable, Answer::Unsatisfiable)
        );
        assert_eq!(answer("bytes=10-,0-1", 10), Answer::One(0..2), "what is there is answered");
    }

    #[test]
    fn what_cannot_be_read_is_ignored_rfc_9110_14_2() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=4-2",
            "bytes=0-1;2-3",
            "bytes=0-1,x",
            "lines=0-1",
            "bytes 0-1",
            "bytes=+1-2",
            "bytes=0x1-2",
            "bytes=1 - 2",
            "bytes=--1",
            "bytes=0-1-2",
        ] {
            assert_eq!(answer(value, 10), Answer::Whole, "{value}");
        }
        assert_eq!(select(b"bytes=\xff", 10), Answer::Whole);
    }

    #[test]
    fn several_ranges_keep_their_order_and_those_that_touch_become_one_rfc_9110_14_2() {
        assert_eq!(answer("bytes=900-999,0-9", 1000), Answer::Several(vec![900..1000, 0..10]));
        assert_eq!(answer("bytes=0-9,5-20", 1000), Answer::One(0..21));
        assert_eq!(
            answer("bytes=0-9,90-99", 1000),
            Answer::One(0..100),
            "the gap is no longer than what separates parts"
        );
        assert_eq!(answer("bytes=0-9,91-99", 1000), Answer::Several(vec![0..10, 91..100]));
        assert_eq!(answer("bytes=0-9,500-509,200-210,0-999", 1000), Answer::One(0..1000));
        assert_eq!(answer("bytes=0-9,400-409,200-209,100-410", 1000), Answer::Several(vec![0..10, 100..411]));
    }

    #[test]
    fn many_ranges_are_not_answered_part_by_part_however_small_they_are() {
        let specs = |count: u64| {
            (0..count).map(|n| format!("{}-{}", n * 1000, n * 1000)).collect::<Vec<_>>().join(",")
        };
        let most = MOST_RANGES as u64;
        assert!(
            matches!(answer(&format!("bytes={}", specs(most)), 1 << 30), Answer::Several(parts) if parts.len() == MOST_RANGES)
        );
        assert_eq!(answer(&format!("bytes={}", specs(most + 1)), 1 << 30), Answer::Whole);
        let same = vec!["0-"; 1000].join(",");
        assert_eq!(answer(&format!("bytes={same}"), 1 << 30), Answer::Whole);
    }
}
