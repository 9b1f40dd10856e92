//! Autobahn's group 1: messages of every length at which a header changes.

use super::echo::{binary, closed, expect, text};
use super::raw::{BINARY, TEXT, close, frame};

const LENGTHS: [usize; 8] = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536];

#[test]
fn case_1_1_text_of_each_length_is_echoed() {
    for length in LENGTHS {
        let payload = "*".repeat(length);
        expect(&[frame(TEXT, &payload), close(1000, "")], &[text(&payload), closed(1000)]);
    }
}

#[test]
fn case_1_2_bytes_of_each_length_are_echoed() {
    for length in LENGTHS {
        let payload = vec![0xfe; length];
        expect(&[frame(BINARY, &payload), close(1000, "")], &[binary(&payload), closed(1000)]);
    }
}
