//! Autobahn's group 2: Pings are answered, Pongs are not.

use super::echo::{closed, expect, pong};
use super::raw::{PING, PONG, close, frame};

#[test]
fn cases_2_1_to_2_4_and_2_6_a_ping_is_answered_with_its_payload() {
    for payload in [&b""[..], b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", &[0xfe; 125]] {
        expect(&[frame(PING, payload), close(1000, "")], &[pong(payload), closed(1000)]);
    }
}

#[test]
fn case_2_5_a_ping_of_126_bytes_fails() {
    expect(&[frame(PING, [0xfe; 126])], &[closed(1002)]);
}

#[test]
fn cases_2_7_to_2_9_a_pong_that_nobody_asked_for_is_let_be() {
    for payload in ["", "unsolicited pong payload"] {
        expect(&[frame(PONG, payload), close(1000, "")], &[closed(1000)]);
    }
    let frames = [frame(PONG, "unsolicited pong payload"), frame(PING, "ping payload"), close(1000, "")];
    expect(&frames, &[pong("ping payload"), closed(1000)]);
}

#[test]
fn cases_2_10_and_2_11_ten_pings_are_answered_in_their_order() {
    let payloads: Vec<String> = (0..10).map(|number| format!("payload-{number}")).collect();
    let pings: Vec<_> = payloads.iter().map(|payload| frame(PING, payload)).collect();
    expect(&pings, &payloads.iter().map(pong).collect::<Vec<_>>());
}
