//! What a head says, where the corpus only says that it is accepted.

mod common;

use common::{Request, Said, whole};
use gannet_proto::{BodyLength, Limits, TargetForm, Version};

fn request(bytes: &str) -> Request {
    match whole(Limits::default(), bytes.as_bytes()).into_iter().next() {
        Some(Said::Head(request)) => *request,
        other => panic!("{bytes:?} is {other:?}"),
    }
}

fn text(bytes: &Option<Vec<u8>>) -> Option<&str> {
    bytes.as_deref().map(|bytes| str::from_utf8(bytes).expect("text"))
}

#[test]
fn the_target_is_taken_apart_by_its_form() {
    use TargetForm::{Absolute, Asterisk, Authority, Origin};
    for (line, form, path, query, authority) in [
        ("GET /a/b", Origin, "/a/b", None, "host"),
        ("GET /a?b?c", Origin, "/a", Some("b?c"), "host"),
        ("GET /a?", Origin, "/a", Some(""), "host"),
        ("GET http://b:80/c?d", Absolute, "/c", Some("d"), "b:80"),
        ("GET http://b", Absolute, "", None, "b"),
        ("GET http://b?d/e", Absolute, "", Some("d/e"), "b"),
        ("GET HTTPS://[::1]:8/", Absolute, "/", None, "[::1]:8"),
        ("CONNECT b:1", Authority, "", None, "b:1"),
        ("OPTIONS *", Asterisk, "", None, "host"),
    ] {
        let request = request(&format!("{line} HTTP/1.1\r\nHost: host\r\n\r\n"));
        assert_eq!(request.form, form, "{line}");
        assert_eq!(request.path, path.as_bytes(), "{line}");
        assert_eq!(text(&request.query), query, "{line}");
        assert_eq!(text(&request.authority), Some(authority), "{line}");
        assert!(line.ends_with(str::from_utf8(&request.target).expect("text")), "{line}");
    }
}

#[test]
fn a_request_of_http_1_0_may_have_no_authority() {
    let request = request("GET / HTTP/1.0\r\n\r\n");
    assert_eq!((request.version, request.authority), (Version::Http10, None));
}

#[test]
fn values_lose_the_whitespace_around_them_and_nothing_else() {
    let request = request("GET / HTTP/1.1\r\nHost: a\r\nX: \t b  c\t\r\nY:\r\nx:d\r\n\r\n");
    let fields: Vec<(&[u8], &[u8])> =
        request.fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    assert_eq!(fields, [(&b"Host"[..], &b"a"[..]), (b"X", b"b  c"), (b"Y", b""), (b"x", b"d")]);
}

#[test]
fn spans_count_from_the_input_even_behind_empty_lines() {
    let request = request("\r\n\r\nGET /a HTTP/1.1\r\nHost: b\r\n\r\n");
    assert_eq!((&request.path[..], text(&request.authority)), (&b"/a"[..], Some("b")));
}

#[test]
fn the_length_of_the_body_is_what_the_fields_say() {
    let body = |field: &str| request(&format!("POST / HTTP/1.1\r\nHost: a\r\n{field}\r\n")).body;
    assert_eq!(body(""), BodyLength::None);
    assert_eq!(body("Content-Length: 0\r\n"), BodyLength::Known(0));
    assert_eq!(body("Content-Length: 77\r\n"), BodyLength::Known(77));
    assert_eq!(body("Transfer-Encoding: chunked\r\n"), BodyLength::Chunked);
}

#[test]
fn continue_is_expected_only_by_http_1_1_and_only_before_a_body() {
    let expects = |version: &str, length: &str| {
        let fields = format!("Host: a\r\nExpect: 100-CONTINUE\r\n{length}");
        request(&format!("POST / HTTP/{version}\r\n{fields}\r\n")).expects_continue
    };
    assert!(expects("1.1", "Content-Length: 1\r\n"));
    assert!(expects("1.1", "Transfer-Encoding: chunked\r\n"));
    assert!(!expects("1.0", "Content-Length: 1\r\n"));
    assert!(!expects("1.1", "Content-Length: 0\r\n"));
    assert!(!expects("1.1", ""));
}

#[test]
fn an_upgrade_is_offered_by_both_fields_together_and_in_http_1_1() {
    let offers = |version: &str, fields: &str| {
        request(&format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n")).upgrade
    };
    assert!(offers("1.1", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"));
    assert!(offers("1.1", "Upgrade: websocket\r\nconnection: upgrade\r\n"));
    assert!(!offers("1.1", "Upgrade: websocket\r\n"));
    assert!(!offers("1.1", "Connection: upgrade\r\n"));
    assert!(!offers("1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n"));
}

#[test]
fn trailers_are_told_at_the_end() {
    let message = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: 1\r\nB:  2 \r\n\r\n";
    let said = whole(Limits::default(), message);
    let Some(Said::End { trailers, .. }) = said.last() else { panic!("{said:?}") };
    assert_eq!(trailers[..], [(b"A".to_vec(), b"1".to_vec()), (b"B".to_vec(), b"2".to_vec())]);
}

#[test]
fn each_request_tells_its_own_trailers_and_none_of_an_earlier_one() {
    let with = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\n\r\n";
    let without = "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    let said = whole(Limits::default(), format!("{with}{with}{without}").as_bytes());
    let counts: Vec<usize> = said
        .iter()
        .filter_map(|said| if let Said::End { trailers, .. } = said { Some(trailers.len()) } else { None })
        .collect();
    assert_eq!(counts, [1, 1, 0, 0]);
}
