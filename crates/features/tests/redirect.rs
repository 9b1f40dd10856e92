//! The redirect from clear text to TLS.

#[expect(dead_code, reason = "shared with the tests of files, which use all of it")]
mod files {
    pub mod world;
}

use std::sync::{Arc, OnceLock};

use files::world::{Served, Waiting, field};
use gannet_core::Status;
use gannet_features::redirect::Redirect;

/// Where a request that is sent so is led, by a redirect to this port.
fn location(port: u16, head: &str) -> Result<String, Status> {
    let handler = Redirect::to(Arc::new(OnceLock::from(port))).factory()();
    let served = Served { handler, ..Served::new(|files| files) };
    let response = Waiting::new(served.begin_as_sent(head)).response().expect("nothing has to be waited for");
    match field(&response, "location") {
        Some(location) if response.status() == Status::PERMANENT_REDIRECT => Ok(location.to_owned()),
        _ => Err(response.status()),
    }
}

#[test]
fn everything_is_led_to_the_same_place_over_tls() {
    for (request_line, host, port, expected) in [
        ("GET / HTTP/1.1", "a.example", 443, "https://a.example/"),
        ("GET /a%20b/?c=d&e HTTP/1.1", "a.example", 443, "https://a.example/a%20b/?c=d&e"),
        ("POST /a? HTTP/1.1", "a.example:80", 443, "https://a.example/a?"),
        ("DELETE /a HTTP/1.1", "a.example:8080", 8443, "https://a.example:8443/a"),
        ("GET / HTTP/1.0", "a.example:", 8443, "https://a.example:8443/"),
        ("GET /a HTTP/1.1", "[::1]", 443, "https://[::1]/a"),
        ("GET /a HTTP/1.1", "[2001:db8::7]:80", 8443, "https://[2001:db8::7]:8443/a"),
        ("GET /a HTTP/1.1", "127.0.0.1:8080", 8443, "https://127.0.0.1:8443/a"),
        ("GET http://b.example:80/a?b HTTP/1.1", "a.example", 443, "https://b.example/a?b"),
        ("GET http://b.example HTTP/1.1", "a.example", 443, "https://b.example/"),
        ("OPTIONS * HTTP/1.1", "a.example", 8443, "https://a.example:8443"),
    ] {
        let head = format!("{request_line}\r\nHost: {host}\r\n\r\n");
        assert_eq!(location(port, &head).as_deref(), Ok(expected), "{head}");
    }
}

#[test]
fn no_path_leads_to_another_host() {
    for path in ["//b.example/", "/\\b.example", "/@b.example", "/.b.example", "/:80@b.example/", "/%2f/b"] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n");
        if let Ok(location) = location(443, &head) {
            assert_eq!(location, format!("https://a.example{path}"));
        }
    }
}

#[test]
fn without_a_host_there_is_nowhere_to_lead_to() {
    assert_eq!(location(443, "GET / HTTP/1.0\r\n\r\n"), Err(Status::BAD_REQUEST));
    assert_eq!(
        location(443, "CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n"),
        Err(Status::BAD_REQUEST)
    );
}
