//! Autobahn's group 5: messages in several frames.

use super::echo::{Said, closed, expect, pong, text};
use super::raw::{CONTINUATION, Frame, MORE_CONTINUATION, MORE_TEXT, PING, TEXT, close, frame};

fn two_fragments() -> [Frame; 2] {
    [frame(MORE_TEXT, "fragment1"), frame(CONTINUATION, "fragment2")]
}

#[test]
fn cases_5_1_and_5_2_control_frames_are_not_fragmented() {
    for opcode in [8, 9, 10] {
        expect(&[frame(opcode, "fragment1"), frame(CONTINUATION, "fragment2")], &[closed(1002)]);
    }
}

#[test]
fn cases_5_3_to_5_8_fragments_are_one_message_also_around_a_ping() {
    let [first, last] = two_fragments();
    let end = close(1000, "");
    expect(&[first.clone(), last.clone(), end.clone()], &[text("fragment1fragment2"), closed(1000)]);
    let expected = [pong("ping payload"), text("fragment1fragment2"), closed(1000)];
    expect(&[first, frame(PING, "ping payload"), last, end], &expected);
}

#[test]
fn cases_5_9_to_5_14_there_is_nothing_to_continue_at_the_beginning() {
    for first in [CONTINUATION, MORE_CONTINUATION] {
        expect(&[frame(first, "non-continuation payload"), frame(TEXT, "Hello, world!")], &[closed(1002)]);
    }
}

#[test]
fn case_5_15_there_is_nothing_to_continue_behind_a_message() {
    let [first, last] = two_fragments();
    let frames = [first, last, frame(MORE_CONTINUATION, "fragment3"), frame(TEXT, "fragment4")];
    expect(&frames, &[text("fragment1fragment2"), closed(1002)]);
}

#[test]
fn cases_5_16_and_5_17_nothing_is_read_behind_a_failure() {
    for first in [CONTINUATION, MORE_CONTINUATION] {
        let once =
            [frame(first, "fragment1"), frame(MORE_TEXT, "fragment2"), frame(CONTINUATION, "fragment3")];
        expect(&[once.clone(), once].concat(), &[closed(1002)]);
    }
}

#[test]
fn case_5_18_a_message_does_not_begin_within_another() {
    expect(&[frame(MORE_TEXT, "fragment1"), frame(TEXT, "fragment2")], &[closed(1002)]);
}

#[test]
fn cases_5_19_and_5_20_pings_are_answered_before_the_message_around_them_ends() {
    let begun =
        [frame(MORE_TEXT, "fragment1"), frame(MORE_CONTINUATION, "fragment2"), frame(PING, "pongme 1!")];
    expect(&begun, &[pong("pongme 1!")]);
    let rest = [
        frame(MORE_CONTINUATION, "fragment3"),
        frame(MORE_CONTINUATION, "fragment4"),
        frame(PING, "pongme 2!"),
        frame(CONTINUATION, "fragment5"),
    ];
    let whole: Said = text("fragment1fragment2fragment3fragment4fragment5");
    expect(&[&begun[..], &rest].concat(), &[pong("pongme 1!"), pong("pongme 2!"), whole]);
}
