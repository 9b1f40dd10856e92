//! What is for one connection, and ends at the proxy.

use gannet_core::{Fields, Status, UpgradeOffer};
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

use super::world::{Proxied, field, text};

#[test]
fn fields_of_one_connection_end_here_in_any_case() {
    let proxied = Proxied::plain();
    let fields = "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nPROXY-CONNECTION: keep-alive\r\nTE: gzip\r\n\
                  Trailer: X-A\r\nUpgrade: websocket\r\nExpect: 100-continue\r\nProxy-Authorization: Basic eA==\r\n\
                  Proxy: http://evil.example\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nX-B: 1\r\n";
    proxied.get(fields);
    let seen = proxied.last();
    let names: Vec<String> = seen.fields.iter().map(|(name, _)| name.to_lowercase()).collect();
    let expected =
        ["host", "x-b", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"];
    assert_eq!(names, expected);
    assert!(seen.upgrade == UpgradeOffer::None && !seen.expects_continue && !seen.accepts_trailers);
}

#[test]
fn fields_that_connection_names_end_here_whichever_comes_first() {
    let proxied = Proxied::plain();
    proxied.get("X-A: 1\r\nConnection: close, x-A ,,\r\nconnection: X-B\r\nx-b: 2\r\nX-C: 3\r\nX-A-: 4\r\n");
    let seen = proxied.last();
    assert_eq!((seen.all("x-a"), seen.all("x-b")), (vec![], vec![]));
    assert_eq!((seen.one("x-c"), seen.one("x-a-")), ("3", "4"));
}

#[test]
fn connection_takes_nothing_away_that_we_set() {
    let proxied = Proxied::plain();
    let seen = |options: &str| {
        proxied.ask(
            "POST / HTTP/1.1",
            &format!("Connection: {options}\r\nContent-Length: 3\r\nX-Forwarded-For: 1.1.1.1\r\n"),
        );
        proxied.last()
    };
    for options in [
        "host",
        "Host, Via, Forwarded",
        "x-forwarded-for, x-forwarded-proto, x-forwarded-host, content-length",
    ] {
        let seen = seen(options);
        assert_eq!((seen.one("host"), seen.one("via")), ("a.example", "1.1 gannet"), "{options}");
        assert_eq!(seen.one("x-forwarded-for"), "203.0.113.9", "{options}");
        assert_eq!(seen.one("x-forwarded-proto"), "http", "{options}");
        assert_eq!(seen.one("forwarded"), "for=203.0.113.9;host=a.example;proto=http", "{options}");
        assert_eq!(seen.body.length(), Some(3), "{options}");
    }
}

#[test]
fn a_connection_of_more_than_32_options_is_refused() {
    let proxied = Proxied::plain();
    let status = |count: usize| {
        let options: Vec<String> = (0..count).map(|number| format!("x-{number}")).collect();
        proxied.get(&format!("Connection: {}\r\n", options.join(","))).status().code()
    };
    assert_eq!((status(32), status(33)), (200, 400));
    assert_eq!(proxied.asked().len(), 1);
}

#[test]
fn an_upgrade_is_passed_on_where_it_is_offered() {
    let proxied = Proxied::plain();
    proxied.get("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n");
    let seen = proxied.last();
    assert_eq!(seen.upgrade, UpgradeOffer::Http1, "without a key it is no WebSocket's");
    assert_eq!((seen.one("upgrade"), seen.one("sec-websocket-key")), ("websocket", "a"));
    for not_offered in
        ["Upgrade: websocket\r\n", "Connection: upgrade\r\n", "Connection: upgrade\r\nUpgrade: ,\r\n"]
    {
        proxied.get(not_offered);
        let seen = proxied.last();
        assert!(seen.upgrade == UpgradeOffer::None && seen.all("upgrade").is_empty(), "{not_offered}");
    }
}

#[test]
fn a_websocket_may_be_asked_for_by_any_http_where_its_handshake_is_one() {
    let proxied = Proxied::plain();
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (line, offer, fields, expected) in [
        ("GET", "websocket", key, UpgradeOffer::AnyVersion),
        ("GET", "WebSocket, echo", key, UpgradeOffer::AnyVersion),
        ("GET", "echo, websocket", key, UpgradeOffer::Http1),
        ("GET", "websocket", "", UpgradeOffer::Http1),
        ("GET", "websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", UpgradeOffer::Http1),
        ("POST", "websocket", key, UpgradeOffer::Http1),
    ] {
        let fields = format!("Connection: Upgrade\r\nUpgrade: {offer}\r\n{fields}");
        proxied.ask(&format!("{line} / HTTP/1.1"), &fields);
        let seen = proxied.last();
        assert_eq!((seen.upgrade, seen.one("upgrade")), (expected, offer), "{line} {fields}");
    }
}

#[test]
fn no_other_http_is_offered_since_nobody_here_would_see_its_requests() {
    let proxied = Proxied::plain();
    for protocol in ["h2c", "H2C", "websocket, h2c", "HTTP/2.0", "TLS/1.0", "h2"] {
        proxied.get(&format!(
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        ));
        let seen = proxied.last();
        assert!(seen.upgrade == UpgradeOffer::None && seen.all("upgrade").is_empty(), "{protocol}");
        assert!(seen.all("http2-settings").is_empty());
    }
}

#[test]
fn expectations_and_trailers_are_asked_for_by_whoever_asks_for_them() {
    let proxied = Proxied::plain();
    proxied
        .ask("POST / HTTP/1.1", "Expect: 100-Continue\r\nContent-Length: 3\r\nTE: gzip;q=0.5, Trailers\r\n");
    let seen = proxied.last();
    assert!(seen.expects_continue && seen.accepts_trailers);
    assert!(seen.all("expect").is_empty() && seen.all("te").is_empty());
    proxied.ask("POST / HTTP/1.1", "Content-Length: 3\r\nTE: trailers2\r\n");
    let seen = proxied.last();
    assert!(!seen.expects_continue && !seen.accepts_trailers);
}

#[test]
fn who_passed_it_on_is_told_after_those_who_did_before() {
    let proxied = Proxied::plain();
    proxied.ask("GET / HTTP/1.0", "Via: 1.1 other\r\n");
    assert_eq!(proxied.last().all("via"), ["1.1 other", "1.0 gannet"]);
}

#[test]
fn tunnels_and_traces_are_refused() {
    let proxied = Proxied::plain();
    for line in ["CONNECT a.example:443 HTTP/1.1", "TRACE / HTTP/1.1"] {
        let response = proxied.ask(line, "Max-Forwards: 3\r\n");
        assert_eq!(response.status(), Status::METHOD_NOT_ALLOWED, "{line}");
        assert_eq!(field(&response, "allow"), Some("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"));
    }
    assert!(proxied.asked().is_empty());
}

#[test]
fn an_options_goes_no_further_than_it_may_rfc_9110_7_6_2() {
    let proxied = Proxied::plain();
    let response = proxied.ask("OPTIONS /a HTTP/1.1", "Max-Forwards: 0\r\n");
    assert_eq!(response.status(), Status::NO_CONTENT);
    assert!(field(&response, "allow").is_some() && text(response).is_empty());
    assert!(proxied.asked().is_empty());
    for (method, before, after) in [
        ("OPTIONS", "7", "6"),
        ("OPTIONS", "001", "0"),
        ("OPTIONS", "seven", "seven"),
        ("OPTIONS", "99999999999999999999", "99999999999999999999"),
        ("GET", "7", "7"),
        ("GET", "0", "0"),
    ] {
        proxied.ask(&format!("{method} /a HTTP/1.1"), &format!("Max-Forwards: {before}\r\n"));
        assert_eq!(proxied.last().one("max-forwards"), after, "{method} {before}");
    }
}

#[test]
fn interim_responses_reach_the_client_that_waits() {
    let proxied = Proxied::plain();
    let request = proxied.request(super::world::From::default(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let interims = request.interims().clone();
    let _reply = proxied.handler.handle(request);
    let mut reply = Box::pin(_reply);
    super::world::poll(&mut reply);
    proxied.last().interims.expect("a place for them").push(Status::EARLY_HINTS, Fields::new());
    assert!(!interims.is_empty());
}

#[test]
fn what_could_be_read_as_another_message_never_gets_past_us() {
    let proxied = Proxied::plain();
    // What the parser lets through in a value is sent as one value; what it does not never gets here.
    let hostile = [
        "X-A: a\tb \u{e9} \\r\\n GET /b HTTP/1.1",
        "X-A: Transfer-Encoding: chunked",
        "X-A: 0\\r\\n\\r\\nGET / HTTP/1.1",
        "Content-Length-: 7",
        "Transfer-Encodin: chunked",
    ];
    for line in hostile {
        proxied.get(&format!("{line}\r\n"));
        let seen = proxied.last();
        let (name, value) = line.split_once(": ").expect("a field");
        assert_eq!(seen.one(name), value);
        assert!(seen.all("transfer-encoding").is_empty() && seen.all("content-length").is_empty(), "{line}");
        assert!(seen.fields.iter().all(|(_, value)| !value.contains(['\r', '\n', '\0'])));
    }
}

/// Names that mean something to somebody on the way, as they are and as they nearly are, and any others.
fn names() -> impl Strategy<Value = String> {
    let known = vec![
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Via",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "x_forwarded_for",
        "X-Real-IP",
        "Max-Forwards",
        "HTTP2-Settings",
        "Proxy",
        "Transfer-Encoding-",
        "Content-Length_",
        "Hosts",
        "Cookie",
        "Date",
    ];
    proptest::prop_oneof![
        select(known).prop_map(str::to_owned),
        "[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,8}".prop_filter(
            "those that frame the request are the parser's to refuse",
            |name| !["host", "expect"].contains(&name.to_lowercase().as_str()),
        )
    ]
}

fn values() -> impl Strategy<Value = String> {
    let known = vec![
        "close",
        "keep-alive, x-a",
        "upgrade",
        "host, via, forwarded, x-forwarded-for",
        "trailers",
        "websocket",
        "h2c",
        "1.1.1.1",
        "for=\"1.1.1.1",
        "for=1.1.1.1;host=\"a\\\"",
        ",,,",
        "\"",
        "chunked",
    ];
    proptest::prop_oneof![select(known).prop_map(str::to_owned), "[ -~\t\u{e9}]{0,24}"]
}

proptest! {
    #[test]
    fn whatever_fields_a_client_sends_an_upstream_sees_one_message_of_ours(fields in vec((names(), values()), 0..8)) {
        let proxied = Proxied::plain();
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        proptest::prop_assume!(proxied.get(&lines).status() == Status::OK);
        let seen = proxied.last();
        let hops = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "content-length"];
        prop_assert!(hops.iter().all(|name| seen.all(name).is_empty()), "{:?}", seen.fields);
        prop_assert_eq!(seen.all("upgrade").is_empty(), seen.upgrade == UpgradeOffer::None);
        prop_assert_eq!(seen.all("host"), ["a.example"]);
        prop_assert!(seen.all("via").ends_with(&["1.1 gannet"]));
        prop_assert_eq!(seen.all("x-forwarded-for"), ["203.0.113.9"]);
        prop_assert_eq!(seen.all("x-forwarded-proto"), ["http"]);
        prop_assert_eq!(seen.all("x-forwarded-host"), ["a.example"]);
        prop_assert_eq!(seen.all("forwarded"), ["for=203.0.113.9;host=a.example;proto=http"]);
        prop_assert!(seen.all("x_forwarded_for").is_empty() && seen.all("x-real-ip").is_empty());
        for (name, value) in &seen.fields {
            prop_assert!(!value.contains(['\r', '\n', '\0']) && value.trim_matches([' ', '\t']) == value);
            prop_assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'));
        }
    }
}
