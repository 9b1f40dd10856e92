//! Autobahn's group 6: text is UTF-8, and what is not is noticed at once. The tables are those of Markus Kuhn's test of decoders.

use super::echo::{Echo, Said, closed, expect, text};
use super::raw::{BINARY, CONTINUATION, Frame, MORE_CONTINUATION, MORE_TEXT, TEXT, bytes_to, frame};
use gannet_proto::scan::Level;
use gannet_proto::ws::{Limits, Role};

const GREEK: &[u8] = "κ\u{1f79}σμε".as_bytes();

/// A text message, a byte a frame.
fn byte_by_byte(payload: &[u8]) -> Vec<Frame> {
    let mut frames: Vec<Frame> = payload.chunks(1).map(|byte| frame(MORE_CONTINUATION, byte)).collect();
    frames[0].first = MORE_TEXT;
    frames.push(frame(CONTINUATION, ""));
    frames
}

fn expect_text(payload: &[u8], is_text: bool) {
    let expected: &[Said] = if is_text { &[text(payload)] } else { &[closed(1007)] };
    expect(&[frame(TEXT, payload)], expected);
    expect(&byte_by_byte(payload), expected);
    // What a vector holds is looked at in another way than a few bytes are.
    let long = ["a".repeat(61).as_bytes(), payload, "é".repeat(40).as_bytes()].concat();
    let is_text = std::str::from_utf8(&long).is_ok();
    let expected: &[Said] = if is_text { &[text(&long)] } else { &[closed(1007)] };
    expect(&[frame(TEXT, &long)], expected);
}

#[test]
fn case_6_1_empty_frames_are_an_empty_message() {
    expect(&[frame(TEXT, "")], &[text("")]);
    expect(&[frame(MORE_TEXT, ""), frame(MORE_CONTINUATION, ""), frame(CONTINUATION, "")], &[text("")]);
    let frames =
        [frame(MORE_TEXT, ""), frame(MORE_CONTINUATION, "middle frame payload"), frame(CONTINUATION, "")];
    expect(&frames, &[text("middle frame payload")]);
}

#[test]
fn case_6_2_characters_may_be_cut_by_frames() {
    let hello = "Hello-µ@ßöäüàá-UTF-8!!";
    expect(&[frame(TEXT, hello)], &[text(hello)]);
    let (first, second) = hello.split_at("Hello-µ@ßöä".len());
    expect(&[frame(MORE_TEXT, first), frame(CONTINUATION, second)], &[text(hello)]);
    expect(&byte_by_byte(hello.as_bytes()), &[text(hello)]);
    expect(&byte_by_byte(GREEK), &[text(GREEK)]);
}

#[test]
fn case_6_3_what_is_not_utf8_fails() {
    let payload = [GREEK, b"\xed\xa0\x80", b"edited"].concat();
    expect(&[frame(TEXT, &payload)], &[closed(1007)]);
    expect(&byte_by_byte(&payload), &[closed(1007)]);
    expect(&[frame(BINARY, &payload)], &[Said::Binary(payload)]);
}

/// Whether a peer has ended after each of these pieces.
fn ended_after(pieces: &[&[u8]]) -> Vec<bool> {
    let mut echo = Echo::new(Role::Server, Level::detect(), Limits::default());
    let after = pieces.iter().map(|piece| {
        echo.receive(piece);
        echo.ended
    });
    after.collect()
}

#[test]
fn cases_6_4_1_and_6_4_2_a_frame_that_breaks_the_text_fails_before_the_next() {
    for second in [&b"\xf4\x90\x80\x80"[..], b"\xf4\x90", b"\xed\xa0", b"\xff"] {
        let frames =
            [frame(MORE_TEXT, GREEK), frame(MORE_CONTINUATION, second), frame(CONTINUATION, "edited")];
        let [first, second, third] = frames.map(|frame| frame.bytes_to(Role::Server));
        assert_eq!(ended_after(&[&first, &second, &third]), [false, true, true]);
    }
    let payload = [GREEK, b"\xf4\x90\x80\x80edited"].concat();
    let frames = [frame(MORE_TEXT, &payload[..12]), frame(MORE_CONTINUATION, &payload[12..13])];
    let [first, second] = frames.map(|frame| frame.bytes_to(Role::Server));
    assert_eq!(ended_after(&[&first, &second]), [false, true]);
}

#[test]
fn cases_6_4_3_and_6_4_4_the_byte_that_breaks_the_text_fails_within_its_frame() {
    let payload = [GREEK, b"\xf4\x90\x80\x80edited"].concat();
    let bytes = bytes_to(Role::Server, &[frame(TEXT, &payload)]);
    let header = bytes.len() - payload.len();
    let (before, behind) = bytes.split_at(header + 12);
    assert_eq!(ended_after(&[before, &behind[..1], &behind[1..]]), [false, true, true]);
}

#[test]
fn cases_6_5_and_6_6_greek_and_all_its_prefixes() {
    for payload in ["hello$world", "hello¢world", "hello€world", "hello\u{24b62}world"] {
        expect_text(payload.as_bytes(), true);
    }
    for end in 1..=GREEK.len() {
        expect_text(&GREEK[..end], [2, 5, 7, 9, 11].contains(&end));
    }
}

#[test]
fn cases_6_7_to_6_11_the_first_and_last_sequence_of_each_length() {
    for payload in ["\0", "\u{80}", "\u{800}", "\u{10000}", "\u{7f}", "\u{7ff}", "\u{ffff}", "\u{10ffff}"] {
        expect_text(payload.as_bytes(), true);
    }
    for payload in ["\u{d7ff}", "\u{e000}", "\u{fffd}", "\u{10ffff}"] {
        expect_text(payload.as_bytes(), true);
    }
    for payload in [
        &b"\xf8\x88\x80\x80\x80"[..],
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xf7\xbf\xbf\xbf",
        b"\xfb\xbf\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf\xbf",
        b"\xf4\x90\x80\x80",
    ] {
        expect_text(payload, false);
    }
}

/// What lacks its last byte, from two bytes to six, the least and the greatest.
const UNFINISHED: [&[u8]; 10] = [
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xf8\x80\x80\x80",
    b"\xfc\x80\x80\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfb\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf",
];

#[test]
fn cases_6_12_to_6_16_continuations_and_beginnings_alone() {
    for length in 1..=6 {
        let payload: Vec<u8> = [0x80, 0xbf].into_iter().cycle().take(length).collect();
        expect_text(&payload, false);
    }
    expect_text(b"\xbf", false);
    expect_text(&(0x80..0xbf).collect::<Vec<u8>>(), false);
    for range in [0xc0..0xdf, 0xe0..0xef, 0xf0..0xf7, 0xf8..0xfb, 0xfc..0xfd_u8] {
        expect_text(&range.flat_map(|byte| [byte, b' ']).collect::<Vec<u8>>(), false);
    }
    UNFINISHED.iter().for_each(|payload| expect_text(payload, false));
    expect_text(&UNFINISHED.concat(), false);
    for payload in [&b"\xfe"[..], b"\xff", b"\xfe\xfe\xff\xff"] {
        expect_text(payload, false);
    }
}

#[test]
fn cases_6_17_to_6_19_more_bytes_than_a_character_needs() {
    for payload in [
        // A slash.
        &b"\xc0\xaf"[..],
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xfc\x80\x80\x80\x80\xaf",
        // The greatest of each length.
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf8\x87\xbf\xbf\xbf",
        b"\xfc\x83\xbf\xbf\xbf\xbf",
        // NUL.
        b"\xc0\x80",
        b"\xe0\x80\x80",
        b"\xf0\x80\x80\x80",
        b"\xf8\x80\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80\x80",
    ] {
        expect_text(payload, false);
    }
}

#[test]
fn cases_6_20_and_6_21_surrogates_alone_and_in_pairs() {
    let (high, low) = (
        [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf"],
        [b"\xed\xb0\x80", b"\xed\xbf\xbf"],
    );
    for alone in high.iter().chain(&low).chain([&b"\xed\xbe\x80"]) {
        expect_text(&alone[..], false);
    }
    for (high, low) in high.iter().flat_map(|high| low.iter().map(move |low| (high, low))) {
        expect_text(&[&high[..], &low[..]].concat(), false);
    }
}

#[test]
fn cases_6_22_and_6_23_what_is_no_character_may_be_sent() {
    for plane in 0..=16_u32 {
        for code in [0xfffe, 0xffff] {
            let character = char::from_u32(plane << 16 | code).expect("it is no surrogate");
            expect_text(character.to_string().as_bytes(), true);
        }
    }
    for character in '\u{fff9}'..='\u{ffff}' {
        expect_text(character.to_string().as_bytes(), true);
    }
}
