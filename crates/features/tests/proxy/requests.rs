//! What an upstream is sent.

use std::rc::Rc;

use gannet_core::{Body, Chain, IntoFilter, Status};
use gannet_features::proxy::{HostField, ProxyOptions};
use gannet_features::request_id::RequestIds;

use super::world::{Does, Proxied, field};

#[test]
fn method_and_target_are_those_of_the_request() {
    let proxied = Proxied::plain();
    for (line, expected) in [
        ("GET /a/b%20c?d=e&f HTTP/1.1", "GET /a/b%20c?d=e&f"),
        ("POST //a/../b HTTP/1.1", "POST //a/../b"),
        ("PURGE /a HTTP/1.1", "PURGE /a"),
        ("GET http://a.example/b?c HTTP/1.1", "GET /b?c"),
        ("GET http://a.example?c HTTP/1.1", "GET /?c"),
        ("GET HTTPS://a.example HTTP/1.1", "GET /"),
        ("GET http://a.example/?u=http://b/ HTTP/1.1", "GET /?u=http://b/"),
        ("OPTIONS * HTTP/1.1", "OPTIONS *"),
        ("OPTIONS http://a.example HTTP/1.1", "OPTIONS *"),
        ("OPTIONS http://a.example/ HTTP/1.1", "OPTIONS /"),
        ("GET / HTTP/1.0", "GET /"),
    ] {
        assert_eq!(proxied.ask(line, "").status(), Status::OK);
        assert_eq!(proxied.last().line, expected, "{line}");
    }
}

#[test]
fn there_is_exactly_one_host_and_it_is_the_one_that_was_asked_for() {
    let proxied = Proxied::plain();
    proxied.get("");
    assert_eq!(proxied.last().one("host"), "a.example");
    // RFC 9112, 3.2.2: the target's counts.
    proxied.ask("GET http://b.example:8080/ HTTP/1.1", "");
    assert_eq!(proxied.last().one("host"), "b.example:8080");
    proxied.ask("GET / HTTP/1.0", "");
    assert_eq!(proxied.last().one("host"), "127.0.0.1:3000", "who named none means the upstream");
    proxied.ask("GET / HTTP/1.0", "Host: c.example\r\n");
    assert_eq!(proxied.last().one("host"), "c.example");
}

#[test]
fn host_can_be_the_upstream_s_own() {
    let options = ProxyOptions { host: HostField::Upstream, ..ProxyOptions::default() };
    let proxied = Proxied::new(&[3000, 3001], options);
    proxied.get("");
    let seen = proxied.last();
    assert_eq!((seen.one("host"), seen.one("x-forwarded-host")), ("127.0.0.1:3000", "a.example"));
    proxied.script([Does::FailsUnsent(gannet_core::UpstreamError::ConnectTimeout)]);
    proxied.get("");
    assert_eq!(proxied.last().one("host"), "127.0.0.1:3000", "the one that it went to at last");
    assert_eq!(proxied.last().one("host"), "127.0.0.1:3001");
}

#[test]
fn end_to_end_fields_go_on_as_they_came() {
    let proxied = Proxied::plain();
    proxied.get("User-Agent: x/1\r\ncookie: a=b; c=\"d\"\r\nX-A: 1\r\nx-a: 2\r\nX-Empty:\r\nAuthorization: Basic eA==\r\n");
    let seen = proxied.last();
    let own = ["Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"];
    let sent: Vec<_> = seen.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        sent[..7],
        [
            ("Host", "a.example"),
            ("User-Agent", "x/1"),
            ("cookie", "a=b; c=\"d\""),
            ("X-A", "1"),
            ("x-a", "2"),
            ("X-Empty", ""),
            ("Authorization", "Basic eA=="),
        ]
    );
    assert_eq!(sent[7..].iter().map(|(name, _)| *name).collect::<Vec<_>>(), own);
    assert_eq!(seen.one("via"), "1.1 gannet");
}

#[test]
fn a_body_is_passed_on_with_its_length_or_without() {
    let proxied = Proxied::plain();
    proxied.get("");
    assert!(matches!(proxied.last().body, Body::Empty));
    for (fields, expected) in [
        ("Content-Length: 0\r\n", Some(0)),
        ("Content-Length: 7\r\n", Some(7)),
        ("Transfer-Encoding: chunked\r\n", None),
    ] {
        proxied.ask("POST / HTTP/1.1", fields);
        let seen = proxied.last();
        let Body::Received(_, length) = seen.body else { panic!("{fields}: {:?}", seen.body) };
        assert_eq!(length, expected, "{fields}");
        assert!(seen.all("content-length").is_empty() && seen.all("transfer-encoding").is_empty());
    }
}

#[test]
fn a_response_is_passed_on_whatever_it_says() {
    let proxied = Proxied::plain();
    for code in [101, 200, 204, 304, 404, 500, 503] {
        proxied.script([Does::Answers(code)]);
        let response = proxied.get("");
        assert_eq!(response.status().code(), code);
        assert_eq!(field(&response, "content-type"), None, "nothing is put in its place");
    }
}

#[test]
fn a_request_s_id_is_told_in_the_place_of_what_the_client_said() {
    const SAID: &str = "X-Request-Id: of-the-client\r\n";
    let proxied = Proxied::plain();
    proxied.get(SAID);
    assert_eq!(
        proxied.last().one("x-request-id"),
        "of-the-client",
        "without the filter it is a field like others"
    );
    let handler = Rc::new(Chain::new([RequestIds::new().into_filter()], proxied.handler.clone()));
    let behind = Proxied { handler, ..proxied };
    let response = behind.get(SAID);
    let told = field(&response, "x-request-id").expect("an id");
    assert_ne!(told, "of-the-client");
    assert_eq!(behind.last().one("x-request-id"), told);
}
