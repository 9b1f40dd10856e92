//! RFC 9113 sections 6.2, 6.3, 6.6, 6.10, and RFC 9218 section 7: HEADERS, CONTINUATION, PUSH_PROMISE, priorities.

use crate::end::{Said, client, server};
use crate::raw::*;
use gannet_proto::Status;
use gannet_proto::h2::{Error, ResponseToSend};

#[test]
fn section_6_2_headers_belong_to_a_stream() {
    assert_eq!(server().wrong(&get_on(0)), Error::StreamZero);
}

#[test]
fn section_6_2_padding_and_priority_stand_around_the_block() {
    let payload = [&[3, 0x80, 0, 0, 0, 200][..], &get(), &[0; 3]].concat();
    let flags = END_HEADERS | END_STREAM | PADDED | PRIORITIZED;
    assert_eq!(server().receive(&frame(HEADERS, flags, 1, &payload)), server().receive(&get_on(1)));
    let first = frame(HEADERS, END_STREAM | PADDED, 1, &[&[2][..], &get()[..1], &[0; 2]].concat());
    let whole = all(&[first, frame(CONTINUATION, END_HEADERS, 1, &get()[1..])]);
    assert_eq!(server().receive(&whole), server().receive(&get_on(1)));
}

#[test]
fn section_6_2_padding_as_long_as_the_payload_is_a_connection_error() {
    let payload = [&[10][..], &get()].concat();
    assert_eq!(server().wrong(&frame(HEADERS, END_HEADERS | PADDED, 1, &payload)), Error::InvalidPadding);
}

#[test]
fn section_6_3_priority_belongs_to_a_stream() {
    assert_eq!(server().wrong(&frame(PRIORITY, 0, 0, &[0, 0, 0, 1, 0])), Error::StreamZero);
}

#[test]
fn section_6_6_clients_make_no_promises() {
    let mut end = server();
    end.receive(&post_on(1));
    let promise = frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &get()].concat());
    assert_eq!(end.wrong(&promise), Error::UnexpectedPromise);
}

#[test]
fn section_6_10_a_continuation_follows_headers_that_have_not_ended() {
    assert_eq!(server().wrong(&frame(CONTINUATION, END_HEADERS, 1, b"")), Error::UnexpectedContinuation);
    let twice = all(&[get_on(1), frame(CONTINUATION, END_HEADERS, 1, b"")]);
    assert_eq!(server().wrong(&twice), Error::UnexpectedContinuation);
    let zero = all(&[frame(HEADERS, 0, 1, &get()), frame(CONTINUATION, END_HEADERS, 0, b"")]);
    assert_eq!(server().wrong(&zero), Error::InterruptedBlock);
}

#[test]
fn section_6_10_a_head_that_is_larger_than_a_frame_goes_on_in_continuations() {
    let mut end = server();
    end.receive(&get_on(1));
    let fields = format!("X: {}\r\n", "~".repeat(30_000));
    let head = ResponseToSend { status: Status::OK, fields: fields.as_bytes(), length: Some(0), date: None };
    let key = end.key(1);
    end.connection.respond(key, head, &mut end.blocks, &mut end.out);
    let bytes = std::mem::take(&mut end.out);
    let sent = frames(&bytes);
    let seen: Vec<_> = sent.iter().map(|frame| (frame.kind, frame.flags, frame.payload.len())).collect();
    assert_eq!(seen[0], (HEADERS, END_STREAM, 16_384));
    assert_eq!((seen[1].0, seen[1].1, seen.len()), (CONTINUATION, END_HEADERS, 2));
    let mut client = client();
    client.get();
    let Said::Head { lines, ended: true, .. } = client.one(&bytes) else { panic!("a response") };
    assert_eq!(lines.last().map(|(name, value)| (name.as_str(), value.len())), Some(("x", 30_000)));
}

fn priority_update(stream: u32, value: &str) -> Vec<u8> {
    frame(PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes()[..], value.as_bytes()].concat())
}

fn priority_of(end: &crate::end::End<gannet_proto::h2::ServerRole>, stream: u32) -> (u8, bool) {
    let priority = end.connection.priority(end.key(stream));
    (priority.urgency, priority.incremental)
}

#[test]
fn rfc_9218_section_5_the_priority_field_says_how_urgent_a_response_is() {
    let mut end = server();
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "a"),
        ("priority", "u=1, i"),
    ];
    end.receive(&all(&[request_on(1, &fields), get_on(3)]));
    assert_eq!((priority_of(&end, 1), priority_of(&end, 3)), ((1, true), (3, false)));
}

#[test]
fn rfc_9218_section_7_1_a_priority_update_is_told() {
    let mut end = server();
    end.receive(&get_on(1));
    assert_eq!(
        end.one(&priority_update(1, "u=6,i")),
        Said::Priority { stream: 1, urgency: 6, incremental: true }
    );
    assert_eq!(
        end.one(&priority_update(1, "")),
        Said::Priority { stream: 1, urgency: 3, incremental: false }
    );
}

#[test]
fn rfc_9218_section_7_1_an_update_that_comes_before_its_request_overrides_the_requests_field() {
    let mut end = server();
    end.receive(&all(&[priority_update(3, "u=0"), priority_update(3, "u=7"), priority_update(5, "u=1")]));
    let fields =
        [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("priority", "u=2")];
    end.receive(&all(&[request_on(1, &fields), request_on(3, &fields), get_on(5), get_on(7)]));
    let seen = [1, 3, 5, 7].map(|stream| priority_of(&end, stream).0);
    assert_eq!(seen, [2, 7, 1, 3]);
}

#[test]
fn rfc_9218_section_7_1_updates_for_streams_that_cannot_have_one_are_connection_errors() {
    assert_eq!(server().wrong(&frame(PRIORITY_UPDATE, 0, 1, &[0, 0, 0, 1])), Error::NotStreamZero);
    assert_eq!(server().wrong(&priority_update(0, "u=1")), Error::UnexpectedPriorityUpdate);
    assert_eq!(server().wrong(&priority_update(2, "u=1")), Error::UnexpectedPriorityUpdate);
    assert_eq!(client().wrong(&priority_update(1, "u=1")), Error::UnexpectedPriorityUpdate);
}

#[test]
fn rfc_9218_section_7_1_updates_for_streams_that_are_over_mean_nothing() {
    let mut end = server();
    end.receive(&get_on(1));
    end.answer(1, Status::OK, b"");
    assert_eq!(end.receive(&priority_update(1, "u=1")), []);
}
