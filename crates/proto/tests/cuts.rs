//! However a message is cut, its events and its errors are the same.

mod common;

use common::corpus::{Case, cases};
use common::{pieces, whole};
use gannet_proto::Limits;
use proptest::prelude::*;

/// Small enough that the large cases exceed them early; large enough that the others do not.
fn limits() -> Limits {
    Limits {
        head_bytes: 1600,
        target_bytes: 100,
        chunk_extension_bytes: 40,
        trailer_bytes: 1000,
        ..Limits::default()
    }
}

/// The cases, each no longer than the limits make interesting.
fn messages() -> Vec<Case> {
    let mut cases = cases();
    cases.iter_mut().for_each(|case| case.bytes.truncate(2500));
    cases
}

#[test]
fn a_message_cut_at_any_byte_says_the_same() {
    for case in messages() {
        let said = whole(limits(), &case.bytes);
        for cut in 0..=case.bytes.len() {
            let (before, after) = case.bytes.split_at(cut);
            assert_eq!(pieces(limits(), [before, after]), said, "{} cut at {cut}", case.name);
        }
    }
}

#[test]
fn a_message_that_comes_byte_by_byte_says_the_same() {
    for case in cases() {
        let said = whole(Limits::default(), &case.bytes);
        assert_eq!(pieces(Limits::default(), case.bytes.chunks(1)), said, "{}", case.name);
    }
}

#[test]
fn an_error_shows_at_the_smallest_prefix_and_stays() {
    for case in messages() {
        let first = (0..=case.bytes.len()).find(|end| is_wrong(&case.bytes[..*end]));
        for end in first.into_iter().flat_map(|first| first..=case.bytes.len()) {
            let said = whole(limits(), &case.bytes[..end]);
            assert_eq!(said, whole(limits(), &case.bytes), "{} up to {end}", case.name);
        }
    }
}

fn is_wrong(bytes: &[u8]) -> bool {
    matches!(whole(limits(), bytes).last(), Some(common::Said::Wrong(_)))
}

proptest! {
    #[test]
    fn messages_one_behind_the_other_cut_anywhere_say_the_same(
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        sizes in prop::collection::vec(1_usize..60, 1..40),
    ) {
        let messages = messages();
        let bytes: Vec<u8> = chosen.iter().flat_map(|index| index.get(&messages).bytes.clone()).collect();
        let mut rest = &bytes[..];
        let mut cut = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            cut.push(piece);
            rest = after;
        }
        prop_assert_eq!(pieces(limits(), cut), whole(limits(), &bytes));
    }
}
