//! RFC 9113 section 8.4: server push.

use crate::end::{End, client, server, server_with};
use crate::raw::*;
use gannet_proto::h2::{Error, ErrorCode, Limits, RequestToSend, ResponseToSend, ServerRole, StreamKey};
use gannet_proto::{BodyLength, Method, Status};

fn promise(end: &mut End<ServerRole>, stream: u32) -> Option<StreamKey> {
    let request = RequestToSend {
        method: Method::Get,
        method_text: "",
        scheme: "http",
        authority: "a",
        path: "/style.css",
        protocol: None,
        fields: b"Accept: text/css\r\n",
        body: BodyLength::None,
        accepts_trailers: false,
    };
    let key = end.key(stream);
    end.connection.promise(key, request, &mut end.out)
}

#[test]
fn section_8_4_1_a_promise_names_an_even_stream_and_its_response_comes_on_it() {
    let mut end = server();
    end.receive(&get_on(1));
    let promised = promise(&mut end, 1).expect("the client allows it");
    assert_eq!(promised.id, 2);
    let head = ResponseToSend { status: Status::OK, fields: b"", length: Some(3), date: None };
    assert!(end.connection.respond_whole(promised, head, b"css", &mut end.blocks, &mut end.out));
    end.connection.release(promised);
    let sent = end.sent();
    let seen: Vec<_> = sent.iter().map(|frame| (frame.kind, frame.flags, frame.stream)).collect();
    assert_eq!(seen, [(PUSH_PROMISE, END_HEADERS, 1), (HEADERS, END_HEADERS, 2), (DATA, END_STREAM, 2)]);
    assert_eq!(sent[0].number(), 2);
    assert_eq!(promise(&mut end, 1).map(|key| key.id), Some(4));
}

#[test]
fn section_8_4_nothing_is_promised_where_the_client_does_not_allow_it() {
    let mut end = server();
    end.receive(&all(&[settings(&[(2, 0)]), get_on(1)]));
    assert_eq!(promise(&mut end, 1), None);
    let mut end = server();
    end.receive(&all(&[settings(&[(3, 1)]), get_on(1)]));
    assert!(promise(&mut end, 1).is_some());
    assert_eq!(promise(&mut end, 1), None, "one stream at once");
    let mut end = server_with(Limits { pushed_streams: 0, ..Limits::default() });
    end.receive(&get_on(1));
    assert_eq!(promise(&mut end, 1), None);
}

#[test]
fn section_8_4_2_nothing_is_promised_for_a_request_that_was_answered_or_on_a_promised_stream() {
    let mut end = server();
    end.receive(&post_on(1));
    end.answer(1, Status::OK, b"");
    assert_eq!(promise(&mut end, 1), None);
    let mut end = server();
    end.receive(&all(&[get_on(1), goaway(0, 0)]));
    assert_eq!(promise(&mut end, 1), None);
}

#[test]
fn section_8_4_2_a_client_may_refuse_a_promise_and_open_its_window_and_send_nothing_else_on_it() {
    let mut end = server();
    end.receive(&get_on(1));
    let promised = promise(&mut end, 1).expect("the client allows it");
    assert_eq!(end.receive(&window_update(2, 1)), []);
    assert_eq!(end.receive(&reset(2, 8)).len(), 1);
    end.connection.release(promised);
    promise(&mut end, 1).expect("the client allows it");
    assert_eq!(end.wrong(&window_update(6, 1)), Error::IdleStream);
}

#[test]
fn section_5_1_reserved_local_content_and_headers_are_connection_errors() {
    for bytes in [data(2, b"x"), get_on(2)] {
        let mut end = server();
        end.receive(&get_on(1));
        promise(&mut end, 1).expect("the client allows it");
        assert_eq!(end.wrong(&bytes), Error::ReservedStream);
    }
}

#[test]
fn section_5_1_half_closed_remote_content_on_a_promised_stream_that_is_answered_is_its_error() {
    let mut end = server();
    end.receive(&get_on(1));
    let promised = promise(&mut end, 1).expect("the client allows it");
    let head = ResponseToSend { status: Status::OK, fields: b"", length: None, date: None };
    end.connection.respond(promised, head, &mut end.blocks, &mut end.out);
    assert_eq!(end.stream_error(2, &data(2, b"x")), ErrorCode::STREAM_CLOSED);
}

#[test]
fn section_8_4_a_promise_to_a_client_that_wants_none_is_a_connection_error() {
    let mut end = client();
    end.get();
    let promise = frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &get()].concat());
    assert_eq!(end.wrong(&promise), Error::UnexpectedPromise);
}
