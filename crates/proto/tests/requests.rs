//! The client's role, step by step: what each request looks like, byte for byte, and what each call means for the connection.

mod common;

use common::asker::{Asker, Told, answered, plain};
use gannet_proto::h1::{Client, ClientEvent, Misuse, RequestToSend, ResponseError};
use gannet_proto::{BodyLength, Limits, Method, ResponseBody, ResponseHead, Status};

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn client() -> Client {
    Client::new(Limits::default())
}

fn written(head: RequestToSend<'_>) -> String {
    let mut out = Vec::new();
    client().request(head, &mut out);
    String::from_utf8(out).expect("a request head is text")
}

#[test]
fn a_request_is_its_line_its_fields_and_what_the_connection_says() {
    let get = plain(Method::Get);
    assert_eq!(written(get), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (head, says) in [
        (RequestToSend { closes: true, ..get }, "Connection: close\r\n"),
        (RequestToSend { upgrade: true, ..get }, "Connection: upgrade\r\n"),
        (RequestToSend { accepts_trailers: true, ..get }, "TE: trailers\r\nConnection: te\r\n"),
        (
            RequestToSend { closes: true, upgrade: true, accepts_trailers: true, ..get },
            "TE: trailers\r\nConnection: close, upgrade, te\r\n",
        ),
        (RequestToSend { body: BodyLength::Known(0), ..get }, "Content-Length: 0\r\n"),
        (
            RequestToSend { body: BodyLength::Known(u64::MAX), ..get },
            "Content-Length: 18446744073709551615\r\n",
        ),
        (RequestToSend { body: BodyLength::Chunked, ..get }, "Transfer-Encoding: chunked\r\n"),
    ] {
        assert_eq!(written(head), format!("GET / HTTP/1.1\r\nHost: a\r\n{says}\r\n"));
    }
}

#[test]
fn a_method_without_a_name_of_its_own_is_written_as_its_text() {
    assert!(written(plain(Method::Other)).starts_with("BREW / HTTP/1.1\r\n"));
    assert!(written(plain(Method::Connect)).starts_with("CONNECT a:1 HTTP/1.1\r\n"));
}

#[test]
fn pieces_are_framed_as_the_head_says_and_trailers_follow_chunks_only() {
    for (body, expected) in [
        (BodyLength::Known(5), "hello"),
        (BodyLength::Chunked, "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"),
    ] {
        let mut client = client();
        client.request(RequestToSend { body, ..plain(Method::Post) }, &mut Vec::new());
        let mut out = Vec::new();
        for piece in [&b"hel"[..], b"lo"] {
            client.push(piece.len(), &mut out).expect("five bytes may come");
            out.extend_from_slice(piece);
            client.pushed(&mut out);
        }
        assert!(!client.writing_ended());
        client.finish(b"X-Sum: 1\r\n", &mut out).expect("five bytes came");
        assert!(client.writing_ended());
        assert_eq!(String::from_utf8(out).as_deref(), Ok(expected));
    }
}

#[test]
fn content_that_is_not_as_long_as_promised_ends_the_connection() {
    let mut asking = client();
    asking.request(RequestToSend { body: BodyLength::Known(5), ..plain(Method::Post) }, &mut Vec::new());
    assert_eq!(asking.push(6, &mut Vec::new()), Err(Misuse::TooLong));
    assert_eq!(asking.finish(b"", &mut Vec::new()), Err(Misuse::TooShort));
    let mut asker = Asker::listening(asking);
    asker.receive(EMPTY);
    assert!(asker.client.reading_ended() && !asker.client.keep_alive());

    let mut without = client();
    without.request(plain(Method::Get), &mut Vec::new());
    assert_eq!(without.push(1, &mut Vec::new()), Err(Misuse::NoBody));
    assert_eq!(without.finish(b"X: y\r\n", &mut Vec::new()), Ok(()));
}

#[test]
fn an_answer_that_comes_first_leaves_the_request_to_be_ended_before_another() {
    let request = RequestToSend { body: BodyLength::Known(5), ..plain(Method::Post) };
    let mut asker = Asker::new(client(), request);
    asker.receive(EMPTY);
    assert!(asker.client.reading_ended() && !asker.client.writing_ended() && !asker.client.keep_alive());
    let mut out = Vec::new();
    asker.client.push(5, &mut out).expect("five bytes were promised");
    asker.client.pushed(&mut out);
    asker.client.finish(b"", &mut out).expect("five bytes were sent");
    assert!(asker.client.keep_alive());
    asker.client.next();
    assert!(!asker.client.requested() && !asker.client.keep_alive());
}

#[test]
fn a_connection_goes_on_only_while_nobody_said_close() {
    let keeps = |request, response: &[u8]| answered(Limits::default(), request, response).client.keep_alive();
    let get = plain(Method::Get);
    assert!(keeps(get, EMPTY));
    assert!(!keeps(RequestToSend { closes: true, ..get }, EMPTY));
    assert!(!keeps(get, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    let mut asker = Asker::new(client(), get);
    asker.client.close();
    asker.receive(EMPTY);
    assert!(!asker.client.keep_alive());
}

#[test]
fn bytes_behind_a_response_rule_out_another_whenever_they_come() {
    let mut asker = answered(Limits::default(), plain(Method::Get), EMPTY);
    assert!(asker.client.keep_alive());
    asker.receive(b"H");
    assert!(!asker.client.keep_alive());

    let mut asker = answered(Limits::default(), plain(Method::Get), EMPTY);
    asker.client.next();
    let mut idle = Asker::listening(asker.client);
    idle.receive(b"");
    assert_eq!(idle.told, []);
    idle.receive(b"H");
    assert_eq!(idle.told, [Told::Wrong(ResponseError::UnaskedResponse)]);
}

#[test]
fn the_end_of_a_connection_between_responses_loses_nothing() {
    assert_eq!(client().ended(), Ok(false));
    let mut asker = answered(Limits::default(), plain(Method::Get), EMPTY);
    assert_eq!(asker.client.ended(), Ok(false));
    assert!(asker.client.reading_ended() && !asker.client.keep_alive());
}

#[test]
fn a_response_that_is_there_as_a_whole_may_be_read_after_the_end() {
    let (mut client, mut head) = (client(), ResponseHead::default());
    client.request(plain(Method::Get), &mut Vec::new());
    assert_eq!(client.handle(EMPTY, &mut head), Ok(ClientEvent::Head { consumed: EMPTY.len() }));
    assert_eq!(client.ended(), Ok(false));
    assert_eq!(client.handle(b"", &mut head), Ok(ClientEvent::End { consumed: 0 }));
    assert!(client.reading_ended() && !client.keep_alive());
}

#[test]
fn that_no_byte_came_is_told_apart_from_a_response_that_broke_off() {
    let after = |bytes: &[u8]| answered(Limits::default(), plain(Method::Get), bytes).client.ended();
    assert_eq!(after(b""), Err(ResponseError::NoResponse));
    assert_eq!(after(b"H"), Err(ResponseError::IncompleteHead));
    assert_eq!(after(b"HTTP/1.1 100 \r\n\r\n"), Err(ResponseError::IncompleteHead));
    assert_eq!(after(b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n"), Err(ResponseError::IncompleteBody));
    assert_eq!(after(b"HTTP/1.1 200 \r\n\r\n"), Ok(true));
}

#[test]
fn a_switch_leaves_the_bytes_to_the_other_protocol() {
    let request =
        RequestToSend { upgrade: true, fields: b"Host: a\r\nUpgrade: echo\r\n", ..plain(Method::Get) };
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n\0\r\n";
    let mut asker = answered(Limits::default(), request, switch);
    assert!(asker.client.upgraded() && asker.client.writing_ended() && !asker.client.keep_alive());
    assert_eq!(asker.left_over(), b"\0\r\n");
    assert_eq!(asker.client.ended(), Ok(false));
}

#[test]
fn what_is_left_of_a_body_is_known_where_its_length_is() {
    let remaining = |bytes: &[u8]| {
        let asker = answered(Limits::default(), plain(Method::Get), bytes);
        (asker.client.is_reading_body(), asker.client.body_remaining())
    };
    assert_eq!(remaining(b""), (false, None));
    assert_eq!(remaining(b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhe"), (true, Some(3)));
    assert_eq!(remaining(b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"), (true, None));
    assert_eq!(remaining(b"HTTP/1.1 200 \r\n\r\nhe"), (true, None));
    assert_eq!(remaining(EMPTY), (false, Some(0)));
}

#[test]
fn a_head_tells_what_a_proxy_passes_on() {
    let bytes =
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nConnection: X-Hop , close\r\nX-Hop: 1\r\n\r\n";
    let (mut client, mut head) = (client(), ResponseHead::default());
    client.request(plain(Method::Get), &mut Vec::new());
    assert_eq!(client.handle(bytes, &mut head), Ok(ClientEvent::Head { consumed: bytes.len() }));
    assert_eq!((head.status, head.body), (Status::NOT_MODIFIED, ResponseBody::None));
    assert_eq!((head.content_length, head.reason.of(bytes)), (Some(77), &b"Not Modified"[..]));
    assert_eq!(head.connection_options(bytes).collect::<Vec<_>>(), [&b"X-Hop"[..], b"close"]);
    assert_eq!(head.field(bytes, "x-hop"), Some(&b"1"[..]));
}

#[test]
fn whoever_restarts_knows_nothing_of_the_server_before() {
    let mut asker = answered(Limits::default(), plain(Method::Head), b"HTTP/1.1 103 \r\n\r\nHTTP/2.0");
    assert_eq!(asker.told.last(), Some(&Told::Wrong(ResponseError::UnsupportedVersion)));
    asker.client.restart();
    let mut again = Asker::new(asker.client, plain(Method::Get));
    again.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    assert!(again.told.contains(&Told::Body(b"hi".to_vec())) && again.client.keep_alive());
}

#[test]
#[should_panic(expected = "one request at a time")]
fn a_second_request_cannot_be_written_before_the_first_is_over() {
    let mut client = client();
    client.request(plain(Method::Get), &mut Vec::new());
    client.request(plain(Method::Get), &mut Vec::new());
}

#[test]
#[should_panic(expected = "both halves ended")]
fn the_next_request_cannot_begin_before_the_response_has_ended() {
    let mut client = client();
    client.request(plain(Method::Get), &mut Vec::new());
    client.next();
}

#[test]
#[should_panic(expected = "CONNECT has no body")]
fn a_tunnel_is_not_asked_for_with_a_body() {
    written(RequestToSend { body: BodyLength::Known(1), ..plain(Method::Connect) });
}

#[test]
#[should_panic(expected = "visible ASCII")]
fn a_target_that_would_be_two_lines_is_a_mistake_of_ours() {
    written(RequestToSend { target: "/ HTTP/1.1\r\nX: y", ..plain(Method::Get) });
}

#[test]
#[should_panic(expected = "not read from after an error")]
fn nothing_is_read_from_a_server_after_an_error() {
    let mut client = client();
    client.request(plain(Method::Get), &mut Vec::new());
    client.handle(b"\0", &mut ResponseHead::default()).expect_err("no status line begins with NUL");
    let _ = client.handle(b"\0", &mut ResponseHead::default());
}
