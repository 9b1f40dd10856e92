//! RFC 9113 section 8.2: fields.

use crate::end::{Said, client, server};
use crate::raw::*;
use gannet_proto::h2::ErrorCode;
use gannet_proto::scan::Level;

const REQUEST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

/// The fields of a request with these, if it is one.
fn fields_of(more: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    let seen = Level::available().map(|level| {
        let connection = gannet_proto::h2::Server::new(Default::default(), 7).with_level(level);
        let mut end = crate::end::End::new(connection);
        end.receive(&all(&[PREFACE.to_vec(), settings(&[])]));
        let bytes = request_on(1, &[&REQUEST[..], more].concat());
        match &end.receive(&bytes)[..] {
            [Said::Head { lines, .. }] => Some(lines[3..].to_vec()),
            [] => {
                end.sent();
                None
            }
            other => panic!("{other:?}"),
        }
    });
    let seen: Vec<_> = seen.collect();
    assert!(seen.iter().all(|one| *one == seen[0]), "the level of the CPU makes no difference");
    seen[0].clone()
}

/// Whether a response with these fields is one.
fn is_response(more: &[(&str, &str)]) -> bool {
    let mut end = client();
    end.get();
    let bytes = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[&[(":status", "200")], more].concat()));
    matches!(end.one(&bytes), Said::Head { .. })
}

#[test]
fn section_8_2_1_names_are_tokens_in_small_letters() {
    for name in ["", "X", "xY", "x y", "x:", "x\0", "x\u{7f}", "x\r", "é", "x(", " x"] {
        assert_eq!(fields_of(&[(name, "y")]), None, "{name:?}");
        assert!(!is_response(&[(name, "y")]), "{name:?}");
    }
    for name in ["x", "x-y", "0", "!#$%&'*+-.^_`|~"] {
        assert!(fields_of(&[(name, "y")]).is_some() && is_response(&[(name, "y")]), "{name}");
    }
}

#[test]
fn section_8_2_1_values_hold_no_control_characters_and_no_whitespace_around() {
    for value in
        ["a\0b", "a\rb", "a\nb", "\r\nx: y", "a\u{1}b", "a\u{7f}b", " a", "a ", "\ta", "a\t", " ", "\t"]
    {
        assert_eq!(fields_of(&[("x", value)]), None, "{value:?}");
        assert!(!is_response(&[("x", value)]), "{value:?}");
    }
    for value in ["", "a", "a b", "a\tb", "é", "a: b"] {
        assert_eq!(fields_of(&[("x", value)]), Some(vec![("x".to_owned(), value.to_owned())]));
        assert!(is_response(&[("x", value)]));
    }
}

#[test]
fn section_8_2_2_fields_for_a_connection_of_http_1_1_are_malformed() {
    for (name, value) in [
        ("connection", "close"),
        ("connection", ""),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
        ("te", ""),
    ] {
        assert_eq!(fields_of(&[(name, value)]), None, "{name}: {value}");
        assert!(!is_response(&[(name, value)]), "{name}: {value}");
    }
    assert!(fields_of(&[("te", "trailers")]).is_some());
    assert!(!is_response(&[("te", "trailers")]), "a response has none");
}

#[test]
fn section_8_2_3_crumbs_of_cookies_are_joined_where_the_first_one_stood() {
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let crumbs =
        [("a", "1"), ("cookie", "x=1"), ("b", "2"), ("cookie", "y=2; z=3"), ("cookie", ""), ("c", "3")];
    assert_eq!(
        fields_of(&crumbs),
        Some(vec![line("a", "1"), line("cookie", "x=1; y=2; z=3; "), line("b", "2"), line("c", "3")])
    );
    assert_eq!(fields_of(&[("cookie", "x=1")]), Some(vec![line("cookie", "x=1")]));
}

#[test]
fn section_8_2_2_what_a_handler_says_for_another_version_is_left_out() {
    let mut end = server();
    end.receive(&get_on(1));
    let head = gannet_proto::h2::ResponseToSend {
        status: gannet_proto::Status::OK,
        fields: b"Connection: close\r\nKeep-Alive: x\r\nUpgrade: h2c\r\nX-Y: Z\r\n",
        length: Some(0),
        date: None,
    };
    let key = end.key(1);
    end.connection.respond(key, head, &mut end.blocks, &mut end.out);
    let bytes = std::mem::take(&mut end.out);
    let mut client = client();
    client.get();
    let Said::Head { lines, .. } = client.one(&bytes) else { panic!("a response") };
    let names: Vec<_> = lines.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [":status", "content-length", "x-y"]);
}

#[test]
fn requests_are_recognised_whether_they_were_read_before_or_not() {
    let mut end = server();
    let mut seen = Vec::new();
    // The first makes an entry of the dynamic table, the others are the same bytes; then the table changes.
    let first = [&get()[..], b"\x40\x01x\x01y"].concat();
    let again = [&get()[..], b"\xbe"].concat();
    let changing = [&get()[..], b"\x40\x01x\x01z"].concat();
    for (index, block) in [&first, &again, &again, &again, &changing, &again, &again].into_iter().enumerate()
    {
        let Said::Head { lines, .. } =
            end.one(&frame(HEADERS, END_HEADERS | END_STREAM, 2 * index as u32 + 1, block))
        else {
            panic!("a request");
        };
        seen.push(lines.last().expect("a field").1.clone());
    }
    assert_eq!(seen, ["y", "y", "y", "y", "z", "z", "z"]);
}

#[test]
fn a_recognised_request_is_held_to_its_length_all_the_same() {
    let mut end = server();
    let fields = [&REQUEST[..], &[("content-length", "2")]].concat();
    end.receive(&all(&[open_request_on(1, &fields), last_data(1, b"ab"), open_request_on(3, &fields)]));
    assert_eq!(end.stream_error(3, &last_data(3, b"a")), ErrorCode::PROTOCOL_ERROR);
    assert_eq!(end.refusal(5, &request_on(5, &fields)), ErrorCode::PROTOCOL_ERROR);
}
