//! Autobahn's groups 9 and 10: large messages, in many pieces and many frames.

use super::echo::{Said, answer, binary, text};
use super::raw::{
    BINARY, CONTINUATION, Frame, MORE_BINARY, MORE_CONTINUATION, MORE_TEXT, TEXT, bytes_to, frame, frames_of,
};
use gannet_proto::scan::Level;
use gannet_proto::ws::{Fragments, Kind, Limits, Role};

const MEBIBYTE: usize = 1 << 20;

/// So many bytes of what Autobahn sends.
fn payload(kind: Kind, length: usize) -> Vec<u8> {
    let unit: &[u8] = if kind == Kind::Text { b"BAsd7&jh23" } else { b"\x00\xfe\x23\xfa\xf0" };
    unit.iter().copied().cycle().take(length).collect()
}

fn echoed(kind: Kind, payload: &[u8]) -> (Vec<Said>, bool) {
    (vec![if kind == Kind::Text { text(payload) } else { binary(payload) }], false)
}

/// A server at its best level is sent these frames in such pieces, and echoes one message.
fn expect_echo(kind: Kind, payload: &[u8], frames: &[Frame], piece: usize) {
    let bytes = bytes_to(Role::Server, frames);
    let heard = answer(Role::Server, Level::detect(), Limits::default(), bytes.chunks(piece));
    assert!(heard == echoed(kind, payload), "{kind:?} of {} in pieces of {piece}", payload.len());
}

fn fragments(kind: Kind, payload: &[u8], length: usize) -> Vec<Frame> {
    let mut frames: Vec<Frame> =
        payload.chunks(length).map(|piece| frame(MORE_CONTINUATION, piece)).collect();
    frames[0].first = if kind == Kind::Text { MORE_TEXT } else { MORE_BINARY };
    let last = frames.len() - 1;
    frames[last].first |= CONTINUATION;
    frames
}

#[test]
fn cases_9_1_and_9_2_up_to_16_mebibytes_are_one_frame() {
    for length in [MEBIBYTE / 16, MEBIBYTE / 4, MEBIBYTE, 4 * MEBIBYTE, 8 * MEBIBYTE, 16 * MEBIBYTE] {
        for (kind, first) in [(Kind::Text, TEXT), (Kind::Binary, BINARY)] {
            let payload = payload(kind, length);
            expect_echo(kind, &payload, &[frame(first, &payload)], 65_536);
        }
    }
}

#[test]
fn cases_9_3_and_9_4_4_mebibytes_are_up_to_65536_frames() {
    for length in [64, 256, 1024, 4096, 16_384, 65_536, 4 * MEBIBYTE] {
        for kind in [Kind::Text, Kind::Binary] {
            let payload = payload(kind, 4 * MEBIBYTE);
            expect_echo(kind, &payload, &fragments(kind, &payload, length), 65_536);
        }
    }
}

#[test]
fn cases_9_5_and_9_6_a_mebibyte_comes_in_small_pieces() {
    for piece in [64, 128, 256, 512, 1024, 2048] {
        for (kind, first) in [(Kind::Text, TEXT), (Kind::Binary, BINARY)] {
            let payload = payload(kind, MEBIBYTE);
            expect_echo(kind, &payload, &[frame(first, &payload)], piece);
        }
    }
}

#[test]
fn cases_9_7_and_9_8_a_thousand_messages_of_each_length_come_one_after_the_other() {
    for length in [0, 16, 64, 256, 1024, 4096] {
        for (kind, first) in [(Kind::Text, TEXT), (Kind::Binary, BINARY)] {
            let payload = payload(kind, length);
            let bytes = bytes_to(Role::Server, &vec![frame(first, &payload); 1000]);
            let (said, ended) =
                answer(Role::Server, Level::detect(), Limits::default(), bytes.chunks(16_384));
            assert!(
                !ended && said.len() == 1000 && said.iter().all(|one| *one == echoed(kind, &payload).0[0])
            );
        }
    }
}

#[test]
fn case_10_1_a_message_is_sent_in_frames_of_a_length() {
    let (payload, mut out) = ("*".repeat(65_536), Vec::new());
    let mut writing = Fragments::new(Kind::Text);
    let pieces: Vec<&[u8]> = payload.as_bytes().chunks(1300).collect();
    for (index, piece) in pieces.iter().enumerate() {
        writing.write(piece, index + 1 == pieces.len(), None, &mut out);
    }
    let frames = frames_of(Role::Server, &out);
    assert_eq!(frames, fragments(Kind::Text, payload.as_bytes(), 1300));
    assert_eq!(frames.len(), 51);
    expect_echo(Kind::Text, payload.as_bytes(), &frames, 65_536);
}
