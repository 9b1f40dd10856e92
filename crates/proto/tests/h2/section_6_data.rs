//! RFC 9113 sections 6.1 and 6.7: DATA, and PING.

use crate::end::{Said, client, server};
use crate::raw::*;
use gannet_proto::h2::{Error, ErrorCode, Framing, Misuse};
use gannet_proto::{BodyLength, Method, Status};

fn padded(flags: u8, content: &[u8], padding: u8) -> Vec<u8> {
    frame(DATA, flags | PADDED, 1, &[&[padding][..], content, &vec![0; usize::from(padding)]].concat())
}

#[test]
fn section_6_1_data_belongs_to_a_stream() {
    assert_eq!(server().wrong(&data(0, b"x")), Error::StreamZero);
    assert_eq!(client().wrong(&data(0, b"x")), Error::StreamZero);
}

#[test]
fn section_6_1_padding_is_left_out_of_the_content() {
    let mut end = server();
    end.receive(&post_on(1));
    assert_eq!(end.receive(&padded(0, b"", 200)), []);
    assert_eq!(
        end.receive(&padded(END_STREAM, b"abc", 7)),
        [Said::Data { stream: 1, content: b"abc".to_vec(), ended: true }]
    );
}

#[test]
fn section_6_1_padding_alone_can_end_the_stream() {
    let mut end = server();
    end.receive(&post_on(1));
    assert_eq!(end.one(&padded(END_STREAM, b"", 3)), Said::Data { stream: 1, content: vec![], ended: true });
}

#[test]
fn section_6_1_padding_as_long_as_the_payload_is_a_connection_error() {
    let mut end = server();
    end.receive(&post_on(1));
    assert_eq!(end.wrong(&frame(DATA, PADDED, 1, &[4, 0, 0, 0])), Error::InvalidPadding);
    let mut end = server();
    end.receive(&post_on(1));
    assert_eq!(end.receive(&frame(DATA, PADDED, 1, &[3, 0, 0, 0])), []);
}

#[test]
fn section_6_1_content_is_handed_on_as_it_comes() {
    let mut end = server();
    end.receive(&post_on(1));
    let bytes = last_data(1, b"abcdef");
    assert!(
        matches!(&end.receive(&bytes[..11])[..], [Said::Data { content, ended: false, .. }] if content == b"ab")
    );
    assert!(
        matches!(&end.receive(&bytes[11..])[..], [Said::Data { content, ended: true, .. }] if content == b"cdef")
    );
}

#[test]
fn section_6_1_the_rest_of_a_frame_is_discarded_when_its_stream_is_reset_within_it() {
    for release in [true, false] {
        let mut end = server();
        end.receive(&post_on(1));
        let bytes = last_data(1, b"abcdef");
        end.receive(&bytes[..11]);
        let key = end.key(1);
        end.connection.reset(key, ErrorCode::CANCEL, &mut end.out);
        if release {
            end.release(1);
        }
        assert_eq!(end.receive(&bytes[11..]), []);
        assert!(matches!(end.one(&get_on(3)), Said::Head { stream: 3, .. }));
    }
}

#[test]
fn section_6_1_our_content_comes_in_frames_that_end_the_stream() {
    let mut end = server();
    end.receive(&get_on(1));
    assert_eq!(end.begin(1, Some(5)), Framing::Length(5));
    end.push(1, 2, false);
    end.push(1, 3, true);
    let sent = end.sent();
    let seen: Vec<_> = sent.iter().map(|frame| (frame.kind, frame.flags, frame.payload.len())).collect();
    assert_eq!(seen[1..], [(DATA, 0, 2), (DATA, END_STREAM, 3)]);
    assert!(end.connection.sending_ended(end.key(1)));
}

#[test]
fn section_6_1_content_that_was_misjudged_is_misuse() {
    let mut end = server();
    end.receive(&all(&[get_on(1), get_on(3)]));
    end.begin(1, Some(5));
    let (one, three) = (end.key(1), end.key(3));
    assert_eq!(end.connection.push(one, 6, false, &mut end.out), Err(Misuse::TooLong));
    assert_eq!(end.connection.finish(one, b"", &mut end.out), Err(Misuse::TooShort));
    assert_eq!(end.connection.finish(one, b"X: y\r\n", &mut end.out), Err(Misuse::TooShort));
    end.answer(3, Status::NO_CONTENT, b"");
    assert_eq!(end.connection.push(three, 0, true, &mut end.out), Err(Misuse::NoBody));
}

#[test]
fn a_client_sends_content_and_trailers() {
    let mut end = client();
    let stream = end.ask(Method::Post, BodyLength::Chunked);
    end.push(stream, 3, false);
    end.connection.finish(end.key(stream), b"X-Sum: 1\r\n", &mut end.out).expect("there is no length");
    let sent = end.sent();
    let seen: Vec<_> = sent.iter().map(|frame| (frame.kind, frame.flags)).collect();
    assert_eq!(seen, [(HEADERS, END_HEADERS), (DATA, 0), (HEADERS, END_HEADERS | END_STREAM)]);
}

#[test]
fn section_6_7_a_ping_is_answered_with_the_same_bytes_and_an_answer_is_not() {
    let mut end = server();
    assert_eq!(end.receive(&frame(PING, 0, 0, b"abcdefgh")), []);
    assert_eq!(end.sent(), frames(&frame(PING, ACK, 0, b"abcdefgh")));
    end.receive(&frame(PING, ACK, 0, b"abcdefgh"));
    assert_eq!(end.sent(), []);
}

#[test]
fn section_6_7_ping_belongs_to_the_connection() {
    assert_eq!(server().wrong(&frame(PING, 0, 1, &[0; 8])), Error::NotStreamZero);
}
