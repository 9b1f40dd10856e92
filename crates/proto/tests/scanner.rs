//! Every level of the scanner finds what the naive oracle finds.

use gannet_proto::scan::{Level, naive};
use proptest::prelude::*;

type Search = (&'static str, fn(Level, &[u8], usize) -> usize, fn(&[u8], usize) -> usize);

const SEARCHES: [Search; 4] = [
    ("token", Level::token_end, naive::token_end),
    ("value", Level::value_end, naive::value_end),
    ("target", Level::target_end, naive::target_end),
    ("plain host", Level::plain_host_end, naive::plain_host_end),
];

/// Checks every search at every level from every offset. The slice is exactly as long as its allocation, so that
/// reading beyond it would be seen by a checker of memory.
fn agree(bytes: &[u8]) {
    let bytes: Box<[u8]> = bytes.into();
    for level in Level::available() {
        for (kind, search, oracle) in SEARCHES {
            for from in 0..=bytes.len() {
                let (found, expected) = (search(level, &bytes, from), oracle(&bytes, from));
                assert_eq!(
                    found,
                    expected,
                    "{kind} at {} from {from} in {}",
                    level.name(),
                    bytes.escape_ascii()
                );
            }
        }
    }
}

#[test]
fn each_byte_ends_a_run_of_any_length_or_does_not() {
    for length in 0..=130 {
        for byte in 0..=255 {
            let mut bytes = vec![b'a'; length + 1];
            bytes[length] = byte;
            for level in Level::available() {
                for (kind, search, oracle) in SEARCHES {
                    let (found, expected) = (search(level, &bytes, 0), oracle(&bytes, 0));
                    assert_eq!(found, expected, "{kind} at {} for {byte:#x} after {length}", level.name());
                }
            }
        }
    }
}

#[test]
fn each_byte_is_found_in_each_place_of_a_vector() {
    for place in 0..70 {
        for byte in [0, b'\t', b'\n', b'\r', 0x1f, b' ', b'#', b':', b'?', b'_', 0x7e, 0x7f, 0x80, 0xff] {
            let mut bytes = [b'a'; 70];
            bytes[place] = byte;
            agree(&bytes);
        }
    }
}

#[test]
fn searching_from_the_end_or_beyond_finds_nothing() {
    for level in Level::available() {
        for (_, search, _) in SEARCHES {
            assert_eq!(search(level, b"", 0), 0);
            assert_eq!(search(level, b"abc", 3), 3);
            assert_eq!(search(level, &[b'a'; 64], 64), 64);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_give_the_same(bytes in prop::collection::vec(any::<u8>(), 0..=130)) {
        agree(&bytes);
    }

    #[test]
    fn bytes_that_mostly_belong_give_the_same(
        bytes in prop::collection::vec(prop_oneof![20 => b'!'..=b'~', 1 => any::<u8>()], 0..=130),
    ) {
        agree(&bytes);
    }
}
