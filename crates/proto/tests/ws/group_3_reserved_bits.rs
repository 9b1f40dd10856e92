//! Autobahn's group 3: bits that nobody agreed on.

use super::echo::{closed, expect, text};
use super::raw::{BINARY, CLOSE, Frame, PING, TEXT, frame};

/// The bits that Autobahn calls RSV 1 to 7.
fn reserved(bits: u8, frame: Frame) -> Frame {
    Frame { first: frame.first | bits << 4, ..frame }
}

#[test]
fn cases_3_1_and_3_5_to_3_7_a_first_frame_fails() {
    let payload = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    for (bits, frame) in [
        (1, frame(TEXT, "Hello, world!")),
        (5, frame(BINARY, payload)),
        (6, frame(BINARY, "Hello, world!")),
        (6, frame(PING, "Hello, world!")),
        (7, frame(CLOSE, "")),
    ] {
        expect(&[reserved(bits, frame)], &[closed(1002)]);
    }
}

#[test]
fn cases_3_2_to_3_4_what_came_before_is_echoed_and_what_follows_ignored() {
    for bits in [2, 3, 4] {
        let hello = || frame(TEXT, "Hello, world!");
        expect(&[hello(), reserved(bits, hello()), frame(PING, "")], &[text("Hello, world!"), closed(1002)]);
    }
}
