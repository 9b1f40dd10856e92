//! RFC 9113 section 8.3: pseudo-fields; and what of a request is refused with a status.

use crate::end::{Said, client, server};
use crate::raw::*;
use gannet_proto::h2::ErrorCode;

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const PATH: (&str, &str) = (":path", "/a?b");
const AUTHORITY: (&str, &str) = (":authority", "a.example");

fn malformed(fields: &[(&str, &str)]) {
    assert_eq!(server().refusal(1, &request_on(1, fields)), ErrorCode::PROTOCOL_ERROR, "{fields:?}");
}

fn lines(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    match server().one(&request_on(1, fields)) {
        Said::Head { lines, .. } => lines,
        other => panic!("{other:?} {fields:?}"),
    }
}

#[test]
fn section_8_3_pseudo_fields_come_before_all_others() {
    malformed(&[METHOD, SCHEME, AUTHORITY, ("x", "y"), PATH]);
}

#[test]
fn section_8_3_pseudo_fields_that_are_not_a_requests_are_malformed() {
    malformed(&[METHOD, SCHEME, AUTHORITY, PATH, (":status", "200")]);
    malformed(&[METHOD, SCHEME, AUTHORITY, PATH, (":other", "x")]);
    malformed(&[METHOD, SCHEME, AUTHORITY, PATH, (":", "x")]);
}

#[test]
fn section_8_3_1_each_pseudo_field_is_there_once() {
    for line in [METHOD, SCHEME, AUTHORITY, PATH] {
        malformed(&[METHOD, SCHEME, AUTHORITY, PATH, line]);
    }
    for missing in 0..3 {
        let mut fields = vec![METHOD, SCHEME, PATH, AUTHORITY];
        fields.remove(missing);
        malformed(&fields);
    }
    malformed(&[]);
}

#[test]
fn section_8_3_1_the_order_of_pseudo_fields_does_not_matter() {
    assert_eq!(lines(&[PATH, AUTHORITY, SCHEME, METHOD]), lines(&[METHOD, SCHEME, AUTHORITY, PATH]));
}

#[test]
fn section_8_3_1_a_path_is_not_empty_and_begins_with_a_slash() {
    for path in ["", "a", "*", "http://a/", "/a b", "/a#b", "/\u{e9}", "?a"] {
        malformed(&[METHOD, SCHEME, AUTHORITY, (":path", path)]);
    }
    assert_eq!(lines(&[(":method", "OPTIONS"), SCHEME, AUTHORITY, (":path", "*")])[1].1, "*");
    assert_eq!(lines(&[METHOD, SCHEME, AUTHORITY, (":path", "/?a?b")])[1].1, "/?a?b");
}

#[test]
fn section_8_3_1_a_scheme_is_one() {
    for scheme in ["", " http", "http ", "1http", "ht tp", "http:"] {
        malformed(&[METHOD, (":scheme", scheme), AUTHORITY, PATH]);
    }
    assert_eq!(lines(&[METHOD, (":scheme", "HTTPS"), AUTHORITY, PATH])[1].1, "/a?b");
}

#[test]
fn section_8_3_1_a_method_is_a_token() {
    for method in ["", "GE T", "GET\t", "(", "GET\u{7f}"] {
        malformed(&[(":method", method), SCHEME, AUTHORITY, PATH]);
    }
    assert_eq!(lines(&[(":method", "BREW"), SCHEME, AUTHORITY, PATH])[0].1, "BREW");
}

#[test]
fn section_8_3_1_the_authority_is_a_host_and_the_same_as_host() {
    for authority in ["", "user@a", "a b", "a:99999", "a/b", "a,b"] {
        malformed(&[METHOD, SCHEME, PATH, (":authority", authority)]);
        malformed(&[METHOD, SCHEME, PATH, ("host", authority)]);
    }
    malformed(&[METHOD, SCHEME, PATH]);
    malformed(&[METHOD, SCHEME, PATH, AUTHORITY, ("host", "b.example")]);
    malformed(&[METHOD, SCHEME, PATH, AUTHORITY, ("host", "")]);
    malformed(&[METHOD, SCHEME, PATH, ("host", "a"), ("host", "a")]);
    let authority = |fields: &[(&str, &str)]| lines(fields)[2].clone();
    assert_eq!(authority(&[METHOD, SCHEME, PATH, AUTHORITY, ("host", "A.example")]).1, "a.example");
    assert_eq!(authority(&[METHOD, SCHEME, PATH, ("host", "a.example:80")]).1, "a.example:80");
    for host in ["a.example:80", "a.example:", "A.EXAMPLE:80"] {
        assert_eq!(authority(&[METHOD, SCHEME, PATH, AUTHORITY, ("host", host)]).1, "a.example");
    }
    malformed(&[METHOD, SCHEME, PATH, AUTHORITY, ("host", "a.example:80:")]);
    malformed(&[METHOD, SCHEME, PATH, AUTHORITY, ("host", "a.example:443")]);
    malformed(&[METHOD, (":scheme", "https"), PATH, AUTHORITY, ("host", "a.example:80")]);
}

#[test]
fn section_8_3_1_the_path_and_the_query_are_told_apart() {
    use gannet_proto::h2::{Event, Limits, Server};
    let (mut server, mut head, mut out) =
        (Server::new(Limits::default(), 7), gannet_proto::Head::default(), Vec::new());
    let bytes = all(&[PREFACE.to_vec(), settings(&[]), request_on(1, &[METHOD, SCHEME, PATH, AUTHORITY])]);
    let Ok(Event::Head { ended: true, consumed, .. }) = server.handle(&bytes, &mut head, &mut out) else {
        panic!("a request")
    };
    assert_eq!(consumed, bytes.len());
    let text = server.text();
    assert_eq!((head.target.of(text), head.path.of(text)), (&b"/a?b"[..], &b"/a"[..]));
    assert_eq!(head.query.map(|query| query.of(text)), Some(&b"b"[..]));
    assert_eq!((head.version, head.fields.len()), (gannet_proto::Version::Http2, 0));
}

#[test]
fn section_8_3_2_a_response_has_one_status_and_no_other_pseudo_field() {
    for fields in [
        &[][..],
        &[("x", "y")],
        &[(":status", "200"), (":status", "200")],
        &[("x", "y"), (":status", "200")],
        &[(":status", "200"), (":path", "/")],
        &[(":status", "200"), (":other", "/")],
        &[(":status", "20")],
        &[(":status", "2000")],
        &[(":status", "2x0")],
        &[(":status", "099")],
        &[(":status", "600")],
        &[(":status", "")],
        &[(":status", "200"), ("content-length", "x")],
    ] {
        let mut end = client();
        end.get();
        let bytes = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(fields));
        assert_eq!(end.stream_error(1, &bytes), ErrorCode::PROTOCOL_ERROR, "{fields:?}");
    }
}

#[test]
fn section_8_6_101_is_no_status_of_http_2() {
    let mut end = client();
    end.get();
    let bytes = frame(HEADERS, END_HEADERS, 1, &block(&[(":status", "101")]));
    assert_eq!(end.stream_error(1, &bytes), ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn other_schemes_and_other_expectations_are_answered() {
    for (fields, status) in [
        ([METHOD, (":scheme", "ftp"), PATH, AUTHORITY, ("x", "y")], 400),
        ([METHOD, SCHEME, PATH, AUTHORITY, ("expect", "a-miracle")], 417),
    ] {
        let mut end = server();
        assert_eq!(end.one(&request_on(1, &fields)), Said::Refused { stream: 1, status, ended: true });
        end.answer(1, gannet_proto::Status::BAD_REQUEST, b"no");
        assert_eq!(end.connection.streams(), 0);
    }
}

#[test]
fn what_is_both_malformed_and_refused_is_malformed() {
    malformed(&[METHOD, SCHEME, PATH, AUTHORITY, ("expect", "a-miracle"), ("X", "y")]);
}

#[test]
fn continue_is_expected_only_where_content_follows() {
    let fields = [METHOD, SCHEME, PATH, AUTHORITY, ("expect", "100-Continue")];
    let expects = |lines: &[(String, String)]| lines.iter().any(|(name, _)| name == ":expects");
    assert!(!expects(&lines(&fields)));
    let Said::Head { lines, .. } = server().one(&open_request_on(1, &fields)) else { panic!("a request") };
    assert!(expects(&lines));
}
