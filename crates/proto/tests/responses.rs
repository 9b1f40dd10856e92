//! The writing half: what each response looks like, byte for byte.

mod common;

use common::DATE;
use gannet_proto::h1::{Connection, Event, Framing, Misuse, ResponseToSend};
use gannet_proto::{Head, Limits, Status};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const GET_10: &str = "GET / HTTP/1.0\r\n\r\n";
const GET_10_KEPT: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
const GET_CLOSE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const CONNECT: &str = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// A connection on which this request was read as a whole.
fn after(request: &str) -> Connection {
    let mut connection = Connection::new(Limits::default());
    let mut head = Head::default();
    let consumed = request.len();
    assert_eq!(connection.handle(request.as_bytes(), &mut head), Ok(Event::Head { consumed }));
    assert_eq!(connection.handle(b"", &mut head), Ok(Event::End { consumed: 0 }));
    connection
}

/// The final head without the Date line, and how the body is framed.
fn head(connection: &mut Connection, status: Status, length: Option<u64>) -> (String, Framing) {
    let mut out = Vec::new();
    let framing = connection
        .respond(ResponseToSend { status, fields: b"X: y\r\n", length, date: Some(DATE) }, &mut out);
    let text = String::from_utf8(out).expect("a response head is text");
    let date = format!("\r\nDate: {}", str::from_utf8(DATE).expect("a date is text"));
    assert_eq!(text.matches(&date).count(), 1);
    (text.replace(&date, ""), framing)
}

fn to(request: &str, status: Status, length: Option<u64>) -> (String, Framing) {
    head(&mut after(request), status, length)
}

#[test]
fn a_known_length_is_told() {
    let (text, framing) = to(GET, Status::OK, Some(1234567890));
    assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 1234567890\r\nX: y\r\n\r\n");
    assert_eq!(framing, Framing::Length(1_234_567_890));
    assert!(to(GET, Status::OK, Some(0)).0.contains("Content-Length: 0\r\n"));
    assert!(to(GET, Status::OK, Some(u64::MAX)).0.contains("Content-Length: 18446744073709551615\r\n"));
}

#[test]
fn an_unknown_length_is_chunked_for_http_1_1_and_ends_with_the_connection_for_1_0() {
    let (text, framing) = to(GET, Status::OK, None);
    assert_eq!(text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n");
    assert_eq!(framing, Framing::Chunked);
    let mut connection = after(GET_10_KEPT);
    let (text, framing) = head(&mut connection, Status::OK, None);
    assert_eq!(text, "HTTP/1.1 200 OK\r\nConnection: close\r\nX: y\r\n\r\n");
    assert_eq!(framing, Framing::UntilClose);
    assert!(!connection.keep_alive());
}

#[test]
fn persistence_is_said_where_it_is_not_the_default() {
    assert!(!to(GET, Status::OK, Some(1)).0.contains("Connection"));
    assert!(to(GET_CLOSE, Status::OK, Some(1)).0.contains("\r\nConnection: close\r\n"));
    assert!(to(GET_10, Status::OK, Some(1)).0.contains("\r\nConnection: close\r\n"));
    assert!(to(GET_10_KEPT, Status::OK, Some(1)).0.contains("\r\nConnection: keep-alive\r\n"));
    let mut connection = after(GET);
    connection.close();
    assert!(head(&mut connection, Status::OK, Some(1)).0.contains("\r\nConnection: close\r\n"));
    assert!(!connection.keep_alive());
}

#[test]
fn a_response_to_head_tells_the_length_and_has_no_body() {
    let mut connection = after(HEAD);
    let (text, framing) = head(&mut connection, Status::OK, Some(5));
    assert!(text.contains("Content-Length: 5\r\n"));
    assert_eq!(framing, Framing::None);
    assert!(connection.writing_ended());
    assert_eq!(connection.push(5, &mut Vec::new()), Err(Misuse::NoBody));
    assert_eq!(connection.finish(b"", &mut Vec::new()), Ok(()));
    let (text, framing) = to(HEAD, Status::OK, None);
    assert_eq!((text.as_str(), framing), ("HTTP/1.1 200 OK\r\nX: y\r\n\r\n", Framing::None));
}

#[test]
fn statuses_without_content_say_what_they_may_about_its_length() {
    for (status, length, told) in [
        (Status::NO_CONTENT, Some(0), None),
        (Status::NO_CONTENT, Some(5), None),
        (Status::NO_CONTENT, None, None),
        (Status::NOT_MODIFIED, Some(5), Some("5")),
        (Status::NOT_MODIFIED, Some(0), None),
        (Status::NOT_MODIFIED, None, None),
        (Status::RESET_CONTENT, Some(5), Some("0")),
        (Status::RESET_CONTENT, None, Some("0")),
    ] {
        let (text, framing) = to(GET, status, length);
        assert_eq!(framing, Framing::None, "{status}");
        assert_eq!(
            text.split("Content-Length: ").nth(1).and_then(|rest| rest.split('\r').next()),
            told,
            "{text}"
        );
        assert!(!text.contains("Transfer-Encoding"));
    }
}

#[test]
fn an_unregistered_status_has_an_empty_reason() {
    let status = Status::new(299).expect("three digits");
    assert!(to(GET, status, Some(0)).0.starts_with("HTTP/1.1 299 \r\n"));
}

#[test]
fn an_upgrade_hands_the_connection_over() {
    let mut connection = after(UPGRADE);
    let (text, framing) = head(&mut connection, Status::SWITCHING_PROTOCOLS, None);
    assert_eq!(text, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nX: y\r\n\r\n");
    assert_eq!(framing, Framing::Upgrade);
    assert!(!connection.keep_alive() && !connection.writing_ended());
}

#[test]
fn success_of_connect_opens_a_tunnel_and_failure_does_not() {
    let (text, framing) = to(CONNECT, Status::OK, Some(0));
    assert_eq!((text.as_str(), framing), ("HTTP/1.1 200 OK\r\nX: y\r\n\r\n", Framing::Upgrade));
    let (text, framing) = to(CONNECT, Status::FORBIDDEN, Some(2));
    assert!(text.contains("Content-Length: 2\r\n"));
    assert_eq!(framing, Framing::Length(2));
}

#[test]
fn an_error_before_any_request_is_answered_and_closes() {
    let mut connection = Connection::new(Limits::default());
    let error = connection.handle(b"\0", &mut Head::default()).expect_err("no method begins with NUL");
    let (text, framing) = head(&mut connection, error.status(), Some(3));
    assert_eq!(text, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 3\r\nX: y\r\n\r\n");
    assert_eq!(framing, Framing::Length(3));
}

#[test]
fn an_answer_while_the_head_is_incomplete_closes() {
    let mut connection = Connection::new(Limits::default());
    assert_eq!(connection.handle(b"GET / HT", &mut Head::default()), Ok(Event::Need { consumed: 0 }));
    let (text, _) = head(&mut connection, Status::REQUEST_TIMEOUT, Some(0));
    assert!(text.contains("\r\nConnection: close\r\n"));
    assert!(!connection.keep_alive());
}

#[test]
fn a_fault_in_a_head_request_is_answered_without_content() {
    let mut connection = Connection::new(Limits::default());
    connection.handle(b"HEAD / HTTP/1.1\r\n\r\n", &mut Head::default()).expect_err("it has no Host");
    assert_eq!(head(&mut connection, Status::BAD_REQUEST, Some(3)).1, Framing::None);
}

#[test]
fn interim_responses_go_to_clients_that_know_them() {
    let mut out = Vec::new();
    let mut connection = after(GET);
    connection.inform(Status::CONTINUE, b"", &mut out);
    connection.inform(Status::EARLY_HINTS, b"Link: </a.css>\r\n", &mut out);
    assert_eq!(out, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    assert!(!connection.responded());
    out.clear();
    after(GET_10).inform(Status::CONTINUE, b"", &mut out);
    assert_eq!(out, b"");
}

#[test]
fn pieces_become_chunks_and_trailers_follow_the_last() {
    let mut connection = after(GET);
    head(&mut connection, Status::OK, None);
    let mut out = Vec::new();
    for piece in [&b"hello"[..], &[b'x'; 0x123]] {
        assert_eq!(connection.push(piece.len(), &mut out), Ok(()));
        out.extend_from_slice(piece);
        connection.pushed(&mut out);
    }
    assert_eq!(connection.finish(b"X-Sum: 1\r\n", &mut out), Ok(()));
    let expected = format!("5\r\nhello\r\n123\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", "x".repeat(0x123));
    assert_eq!(String::from_utf8(out), Ok(expected));
}

#[test]
fn the_size_of_a_chunk_is_hexadecimal_without_leading_zeros() {
    for length in [1, 15, 16, 255, 256, 0xfedc_ba98, usize::MAX] {
        let mut connection = after(GET);
        head(&mut connection, Status::OK, None);
        let mut out = Vec::new();
        assert_eq!(connection.push(length, &mut out), Ok(()));
        assert_eq!(String::from_utf8(out), Ok(format!("{length:x}\r\n")));
    }
}

#[test]
fn pieces_of_a_known_length_go_as_they_are_and_must_fit() {
    let mut connection = after(GET);
    head(&mut connection, Status::OK, Some(5));
    let mut out = Vec::new();
    assert_eq!(connection.push(3, &mut out), Ok(()));
    connection.pushed(&mut out);
    assert_eq!(connection.push(3, &mut out), Err(Misuse::TooLong));
    assert_eq!(connection.finish(b"", &mut out), Err(Misuse::TooShort));
    assert!(!connection.keep_alive());
    assert_eq!(out, b"");
}

#[test]
fn trailers_are_dropped_where_there_are_no_chunks() {
    let mut connection = after(GET);
    head(&mut connection, Status::OK, Some(0));
    let mut out = Vec::new();
    assert_eq!(connection.finish(b"X-Sum: 1\r\n", &mut out), Ok(()));
    assert_eq!(out, b"");
    connection.next();
}

#[test]
fn an_answer_before_the_body_was_read_leaves_the_rest_to_be_read() {
    let mut connection = Connection::new(Limits::default());
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    let mut spare = Head::default();
    connection.handle(request, &mut Head::default()).expect("a whole head");
    head(&mut connection, Status::OK, Some(0));
    connection.finish(b"", &mut Vec::new()).expect("nothing was promised");
    assert_eq!(connection.handle(b"abcd", &mut spare), Ok(Event::Data { start: 0, end: 4 }));
    assert!(connection.writing_ended() && connection.is_reading_body() && !connection.reading_ended());
    assert_eq!(connection.body_remaining(), Some(5));
    assert_eq!(connection.handle(b"efghiGET", &mut spare), Ok(Event::Data { start: 0, end: 5 }));
    assert_eq!(connection.handle(b"GET", &mut spare), Ok(Event::End { consumed: 0 }));
    connection.next();
    assert!(!connection.responded() && connection.keep_alive());
}

#[test]
#[should_panic(expected = "both halves ended")]
fn the_next_request_cannot_begin_before_the_answer_has_ended() {
    after(GET).next();
}

#[test]
#[should_panic(expected = "answered once")]
fn a_request_cannot_be_answered_twice() {
    let mut connection = after(GET);
    head(&mut connection, Status::OK, Some(0));
    head(&mut connection, Status::OK, Some(0));
}

#[test]
#[should_panic(expected = "not read from after an error")]
fn nothing_is_read_after_an_error() {
    let mut connection = Connection::new(Limits::default());
    connection.handle(b"\0", &mut Head::default()).expect_err("no method begins with NUL");
    let _ = connection.handle(b"\0", &mut Head::default());
}
