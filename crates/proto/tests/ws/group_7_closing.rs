//! Autobahn's group 7: how a conversation ends.

use super::echo::{Said, closed, expect, text};
use super::raw::{CLOSE, CONTINUATION, MORE_TEXT, PING, TEXT, close, frame};

#[test]
fn case_7_1_1_what_came_before_is_echoed() {
    let frames = [frame(TEXT, "Hello World!"), close(1000, ""), frame(TEXT, "Hello World!")];
    expect(&frames, &[text("Hello World!"), closed(1000)]);
}

#[test]
fn cases_7_1_2_to_7_1_5_what_follows_a_close_is_ignored() {
    for behind in [frame(CLOSE, ""), frame(PING, ""), frame(TEXT, "Hello World!"), frame(0xff, "not a frame")]
    {
        expect(&[close(1000, ""), behind], &[closed(1000)]);
    }
    let frames = [frame(MORE_TEXT, "fragment1"), close(1000, ""), frame(CONTINUATION, "fragment2")];
    expect(&frames, &[closed(1000)]);
}

#[test]
fn case_7_1_6_a_long_message_is_echoed_before_the_close_is_answered() {
    let long = "BAsd7&jh23".repeat(26_215);
    let frames = [frame(TEXT, &long), frame(TEXT, "Hello World!"), close(1000, ""), frame(PING, "")];
    expect(&frames, &[text(&long), text("Hello World!"), closed(1000)]);
}

#[test]
fn case_7_3_a_close_has_no_payload_or_a_code_and_a_reason_up_to_123_bytes() {
    expect(&[frame(CLOSE, "")], &[Said::Close(None)]);
    expect(&[frame(CLOSE, "a")], &[closed(1002)]);
    for reason in ["", "Hello World!", &"*".repeat(123)] {
        expect(&[close(1000, reason)], &[closed(1000)]);
    }
    expect(&[close(1000, "*".repeat(124))], &[closed(1002)]);
}

#[test]
fn case_7_5_a_reason_is_utf8() {
    expect(
        &[close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited")],
        &[closed(1007)],
    );
    expect(&[close(1000, b"\xe2\x82")], &[closed(1007)]);
}

#[test]
fn case_7_7_each_code_that_there_is_is_answered_by_itself() {
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
        expect(&[close(code, "")], &[closed(code)]);
    }
}

#[test]
fn cases_7_9_and_7_13_each_code_that_no_frame_may_have_fails() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        expect(&[close(code, "")], &[closed(1002)]);
        expect(&[close(code, "and why")], &[closed(1002)]);
    }
}
