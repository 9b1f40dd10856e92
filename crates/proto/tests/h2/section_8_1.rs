//! RFC 9113 sections 8.1, 8.5 and 8.7: what a message consists of, in which order, and how its content's length is held to.

use crate::end::{Said, client, client_with, server};
use crate::raw::*;
use gannet_proto::h2::{ErrorCode, Framing, Limits, RequestToSend, ResponseToSend};
use gannet_proto::{BodyLength, Method, Status};

const REQUEST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&REQUEST[..], more].concat()
}

fn response_on(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | flags, stream, &block(fields))
}

#[test]
fn section_8_1_a_request_is_a_head_content_and_trailers() {
    let mut end = server();
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("x-sum", "7"), ("x-b", "")]));
    let said = end.receive(&all(&[post_on(1), data(1, b"ab"), data(1, b"c"), trailers]));
    assert!(matches!(said[0], Said::Head { stream: 1, ended: false, .. }));
    assert_eq!(said[1], Said::Data { stream: 1, content: b"abc".to_vec(), ended: false });
    let lines = vec![("x-sum".to_owned(), "7".to_owned()), ("x-b".to_owned(), String::new())];
    assert_eq!(said[2], Said::Trailers { stream: 1, lines });
    assert!(end.connection.receiving_ended(end.key(1)));
}

#[test]
fn section_8_1_trailers_that_do_not_end_the_stream_are_malformed() {
    let mut end = server();
    end.receive(&post_on(1));
    let trailers = frame(HEADERS, END_HEADERS, 1, &block(&[("x", "y")]));
    assert_eq!(end.stream_error(1, &trailers), ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn section_8_1_trailers_with_pseudo_fields_or_fields_that_are_none_are_malformed() {
    for line in [
        (":path", "/"),
        (":status", "200"),
        ("content-length", "3"),
        ("host", "a"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("te", "trailers"),
        ("X", "y"),
        ("x", " y"),
        ("x", "a\nb"),
        ("", "y"),
    ] {
        let mut end = server();
        end.receive(&post_on(1));
        let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[line]));
        assert_eq!(end.stream_error(1, &trailers), ErrorCode::PROTOCOL_ERROR, "{line:?}");
    }
}

#[test]
fn section_8_1_1_the_content_is_as_long_as_it_is_said_to_be() {
    for (length, pieces, fits) in [
        ("3", &[&b"abc"[..]][..], true),
        ("3", &[b"a", b"bc"], true),
        ("0", &[b""], true),
        ("3", &[b"ab"], false),
        ("3", &[b"ab", b"cd"], false),
        ("0", &[b"a"], false),
    ] {
        let mut end = server();
        let mut bytes = open_request_on(1, &with(&[("content-length", length)]));
        let (last, before) = pieces.split_last().expect("there is a piece");
        before.iter().for_each(|piece| bytes.extend(data(1, piece)));
        bytes.extend(last_data(1, last));
        let said = end.receive(&bytes);
        let reset = Said::Reset { stream: 1, error: ErrorCode::PROTOCOL_ERROR, fault: None };
        let is_reset =
            said.iter().any(|said| matches!(said, Said::Reset { error: ErrorCode::PROTOCOL_ERROR, .. }));
        assert_eq!(is_reset, !fits, "{length} {pieces:?} {said:?} {reset:?}");
    }
}

#[test]
fn section_8_1_1_a_length_that_ends_with_the_head_or_with_trailers_is_held_to_as_well() {
    let ended = request_on(1, &with(&[("content-length", "1")]));
    assert_eq!(server().refusal(1, &ended), ErrorCode::PROTOCOL_ERROR);
    assert!(matches!(server().one(&request_on(1, &with(&[("content-length", "0")]))), Said::Head { .. }));
    let mut end = server();
    end.receive(&all(&[open_request_on(1, &with(&[("content-length", "2")])), data(1, b"a")]));
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("x", "y")]));
    assert_eq!(end.stream_error(1, &trailers), ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn section_8_1_1_lengths_that_are_none_or_two_are_malformed() {
    for more in [
        &[("content-length", "")][..],
        &[("content-length", "-1")],
        &[("content-length", "1, 1")],
        &[("content-length", "18446744073709551616")],
        &[("content-length", "1"), ("content-length", "1")],
    ] {
        assert_eq!(
            server().refusal(1, &open_request_on(1, &with(more))),
            ErrorCode::PROTOCOL_ERROR,
            "{more:?}"
        );
    }
}

#[test]
fn section_8_1_1_what_is_malformed_is_not_told_and_the_connection_goes_on() {
    let mut end = server();
    assert_eq!(end.refusal(1, &open_request_on(1, &with(&[("X", "y")]))), ErrorCode::PROTOCOL_ERROR);
    assert_eq!(end.receive(&all(&[data(1, b"content"), last_data(1, b"")])), []);
    assert!(matches!(end.one(&get_on(3)), Said::Head { stream: 3, .. }));
    assert_eq!(end.connection.streams(), 1);
}

#[test]
fn section_8_1_interim_responses_come_before_the_final_one() {
    let mut end = client();
    end.get();
    let lines = |status: &str| vec![(":status".to_owned(), status.to_owned())];
    let said = end.receive(&all(&[
        response_on(1, 0, &[(":status", "100")]),
        response_on(1, 0, &[(":status", "103"), ("link", "</a>")]),
        response_on(1, 0, &[(":status", "200"), ("content-length", "2")]),
        last_data(1, b"hi"),
    ]));
    assert_eq!(said[0], Said::Interim { stream: 1, lines: lines("100") });
    assert!(matches!(said[1], Said::Interim { .. }));
    assert!(matches!(&said[2], Said::Head { lines, ended: false, .. } if lines[1].1 == "2"));
    assert_eq!(said[3], Said::Data { stream: 1, content: b"hi".to_vec(), ended: true });
}

#[test]
fn section_8_1_responses_in_another_order_are_malformed() {
    for bytes in [
        data(1, b"x"),
        response_on(1, END_STREAM, &[(":status", "100")]),
        response_on(1, 0, &[(":status", "103"), ("content-length", "5")]),
        response_on(1, END_STREAM, &[(":status", "200"), ("content-length", "5")]),
        all(&[response_on(1, 0, &[(":status", "200")]), response_on(1, 0, &[(":status", "200")])]),
        all(&[response_on(1, 0, &[(":status", "200")]), response_on(1, END_STREAM, &[(":status", "200")])]),
        all(&[response_on(1, 0, &[(":status", "200"), ("content-length", "1")]), last_data(1, b"ab")]),
        all(&[response_on(1, 0, &[(":status", "200"), ("content-length", "3")]), last_data(1, b"ab")]),
        all(&[response_on(1, 0, &[(":status", "204")]), last_data(1, b"ab")]),
    ] {
        let mut end = client();
        end.get();
        assert_eq!(end.stream_error(1, &bytes), ErrorCode::PROTOCOL_ERROR, "{bytes:?}");
    }
}

#[test]
fn section_8_1_1_responses_without_content_may_say_how_long_it_would_have_been() {
    for (method, status) in [(Method::Head, "200"), (Method::Get, "304")] {
        let mut end = client();
        end.ask(method, BodyLength::None);
        let head = end.one(&response_on(1, END_STREAM, &[(":status", status), ("content-length", "5")]));
        assert!(matches!(head, Said::Head { ended: true, .. }), "{head:?}");
    }
}

#[test]
fn a_server_may_interrupt_a_response_with_interim_ones_only_so_often() {
    let mut end = client_with(Limits { interim_responses: 2, ..Limits::default() });
    end.get();
    let interim = response_on(1, 0, &[(":status", "103")]);
    assert_eq!(end.receive(&times(2, &interim)).len(), 2);
    assert_eq!(end.stream_error(1, &interim), ErrorCode::ENHANCE_YOUR_CALM);
}

#[test]
fn section_8_1_our_responses_are_interim_ones_a_head_content_and_trailers() {
    let mut end = server();
    end.receive(&get_on(1));
    let key = end.key(1);
    end.connection.inform(key, Status::EARLY_HINTS, b"Link: </a>\r\n", &mut end.out);
    assert!(!end.connection.responded(key));
    assert_eq!(end.begin(1, None), Framing::Chunked);
    assert!(end.connection.responded(key));
    end.push(1, 3, false);
    end.connection.finish(key, b"X-Sum: 1\r\n", &mut end.out).expect("there is no length");
    let bytes = std::mem::take(&mut end.out);
    let mut client = client();
    client.get();
    let said = client.receive(&bytes);
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        said,
        [
            Said::Interim { stream: 1, lines: vec![line(":status", "103"), line("link", "</a>")] },
            Said::Head {
                stream: 1,
                lines: vec![line(":status", "200"), line(":body", "open")],
                ended: false
            },
            Said::Data { stream: 1, content: b"xxx".to_vec(), ended: false },
            Said::Trailers { stream: 1, lines: vec![line("x-sum", "1")] },
        ]
    );
    end.release(1);
}

#[test]
fn section_8_1_responses_without_content_end_with_their_head() {
    for (method, status, length, told) in [
        ("HEAD", 200, Some(5), Some("5")),
        ("GET", 204, None, None),
        ("GET", 304, Some(5), Some("5")),
        ("GET", 200, Some(0), Some("0")),
    ] {
        let mut end = server();
        let mut fields = REQUEST;
        fields[0].1 = method;
        end.receive(&request_on(1, &fields));
        let status = Status::new(status).expect("a status");
        let head = ResponseToSend { status, fields: b"", length, date: None };
        let key = end.key(1);
        assert_eq!(end.connection.respond(key, head, &mut end.blocks, &mut end.out), Framing::None);
        let bytes = std::mem::take(&mut end.out);
        let mut client = client();
        client.ask(if method == "HEAD" { Method::Head } else { Method::Get }, BodyLength::None);
        let Said::Head { lines, ended: true, .. } = client.one(&bytes) else { panic!("a response") };
        let length = lines.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.as_str());
        assert_eq!(length, told, "{method} {status}");
        end.release(1);
    }
}

#[test]
fn a_whole_response_is_two_frames() {
    let mut end = server();
    end.receive(&get_on(1));
    end.answer(1, Status::OK, b"Hello, world!");
    let bytes = std::mem::take(&mut end.out);
    let seen: Vec<_> = frames(&bytes).iter().map(|frame| (frame.kind, frame.flags)).collect();
    assert_eq!(seen, [(HEADERS, END_HEADERS), (DATA, END_STREAM)]);
    assert_eq!(end.connection.streams(), 0);
    let mut client = client();
    client.get();
    let said = client.receive(&bytes);
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let lines = vec![
        line(":status", "200"),
        line(":body", "13"),
        line("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        line("content-length", "13"),
    ];
    assert_eq!(said[0], Said::Head { stream: 1, lines, ended: false });
    assert_eq!(said[1], Said::Data { stream: 1, content: b"Hello, world!".to_vec(), ended: true });
}

#[test]
fn section_8_5_connect_names_a_host_and_a_port_and_nothing_else() {
    let connect = [(":method", "CONNECT"), (":authority", "a.example:443")];
    let mut end = server();
    let Said::Head { lines, ended: false, .. } = end.one(&open_request_on(1, &connect)) else {
        panic!("a request")
    };
    assert_eq!(lines[1].1, "a.example:443");
    for wrong in [
        &[(":method", "CONNECT")][..],
        &[(":method", "CONNECT"), (":authority", "a.example")],
        &[(":method", "CONNECT"), (":authority", "a.example:")],
        &[connect[0], connect[1], (":path", "/")],
        &[connect[0], connect[1], (":scheme", "http")],
        &[connect[0], connect[1], ("content-length", "5")],
        &[(":method", "CONNECT"), ("host", "a.example:443")],
    ] {
        assert_eq!(server().refusal(1, &open_request_on(1, wrong)), ErrorCode::PROTOCOL_ERROR, "{wrong:?}");
    }
}

#[test]
fn section_8_5_an_accepted_connect_is_a_tunnel_both_ways() {
    let mut end = server();
    end.receive(&open_request_on(1, &[(":method", "CONNECT"), (":authority", "a.example:443")]));
    assert_eq!(end.begin(1, None), Framing::Upgrade);
    end.push(1, 4, false);
    let bytes = std::mem::take(&mut end.out);
    assert_eq!(
        end.receive(&last_data(1, b"there")),
        [Said::Data { stream: 1, content: b"there".to_vec(), ended: true }]
    );
    end.connection.finish(end.key(1), b"", &mut end.out).expect("a tunnel ends anywhere");
    let mut client = client();
    assert_eq!(client.ask(Method::Connect, BodyLength::None), 1);
    client.push(1, 5, false);
    let said = client.receive(&bytes);
    assert!(
        matches!(said[..], [Said::Head { ended: false, .. }, Said::Data { ended: false, .. }]),
        "{said:?}"
    );
    assert_eq!(client.receive(&frame(DATA, END_STREAM, 1, b"")).len(), 1);
    assert!(!client.connection.sending_ended(client.key(1)));
}

#[test]
fn section_8_5_a_header_block_on_a_tunnel_is_a_stream_error_and_ours_sends_none() {
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("x", "y")]));
    let mut end = server();
    end.receive(&open_request_on(1, &[(":method", "CONNECT"), (":authority", "a.example:443")]));
    end.begin(1, None);
    end.sent();
    end.connection.finish(end.key(1), b"X: y\r\n", &mut end.out).expect("a tunnel ends anywhere");
    assert_eq!(end.sent(), frames(&last_data(1, b"")));
    assert_eq!(end.stream_error(1, &trailers), ErrorCode::PROTOCOL_ERROR);
    let mut client = client();
    client.ask(Method::Connect, BodyLength::None);
    client.receive(&frame(HEADERS, END_HEADERS, 1, &ok()));
    assert_eq!(client.stream_error(1, &trailers), ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn rfc_8441_section_4_extended_connect_names_a_protocol() {
    let connect = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "a.example"),
    ];
    let mut end = server();
    let Said::Head { lines, .. } = end.one(&open_request_on(1, &connect)) else { panic!("a request") };
    let seen: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        seen,
        [
            (":method", "CONNECT"),
            (":path", "/chat"),
            (":authority", "a.example"),
            (":protocol", "websocket"),
            (":body", "open"),
        ]
    );
    assert_eq!(end.begin(1, None), Framing::Upgrade);
    let wrong = |fields: &[(&str, &str)]| server().refusal(1, &open_request_on(1, fields));
    let (mut get, mut two_words) = (connect, connect);
    (get[0].1, two_words[1].1) = ("GET", "web socket");
    assert_eq!(wrong(&get), ErrorCode::PROTOCOL_ERROR);
    assert_eq!(wrong(&two_words), ErrorCode::PROTOCOL_ERROR);
    for missing in 2..5 {
        let others = [&connect[..missing], &connect[missing + 1..]].concat();
        assert_eq!(wrong(&others), ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_8441_section_4_extended_connect_is_malformed_where_it_was_not_offered() {
    let connection = gannet_proto::h2::Server::new(Limits::default(), 7).with_connect_protocol(false);
    let mut end = crate::end::End::new(connection);
    end.receive(&all(&[PREFACE.to_vec(), settings(&[])]));
    let connect = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "a.example"),
    ];
    assert_eq!(end.refusal(1, &open_request_on(1, &connect)), ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn rfc_8441_a_client_asks_for_a_protocol() {
    let mut client = client();
    client.receive(&settings(&[(8, 1)]));
    client.sent();
    let request = RequestToSend {
        method: Method::Connect,
        method_text: "",
        scheme: "https",
        authority: "a.example",
        path: "/chat",
        protocol: Some("websocket"),
        fields: b"Sec-WebSocket-Version: 13\r\n",
        body: BodyLength::None,
        accepts_trailers: false,
    };
    client.connection.request(request, &mut client.out).expect("the server takes a request");
    let mut server = server();
    let Said::Head { lines, ended: false, .. } = server.one(&client.out) else { panic!("a request") };
    let seen: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        seen,
        [
            (":method", "CONNECT"),
            (":path", "/chat"),
            (":authority", "a.example"),
            (":protocol", "websocket"),
            (":body", "open"),
            ("sec-websocket-version", "13"),
        ]
    );
}

#[test]
fn section_8_7_a_request_that_was_not_begun_can_be_told_from_one_that_was() {
    let mut end = client();
    assert_eq!((end.get(), end.get()), (1, 3));
    assert_eq!(end.one(&goaway(1, 0)), Said::GoAway { last_stream: 1, error: ErrorCode::NO_ERROR });
    let refused = Said::Reset { stream: 1, error: ErrorCode::REFUSED_STREAM, fault: None };
    assert_eq!(end.one(&reset(1, 7)), refused);
}
