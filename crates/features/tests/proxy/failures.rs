//! What a client is told where there is no response.

use std::io::ErrorKind;

use gannet_core::UpstreamError;

use super::world::{Does, Proxied, field, text};

#[test]
fn every_failure_has_its_status_and_a_problem_that_says_what_happened_and_not_where() {
    let proxied = Proxied::plain();
    for (error, code, detail) in [
        (UpstreamError::Connect(ErrorKind::ConnectionRefused), 502, "cannot be connected to"),
        (UpstreamError::ConnectTimeout, 504, "did not answer to connecting in time"),
        (UpstreamError::Tls("unknown issuer of 10.0.0.1".into()), 502, "TLS to the upstream failed"),
        (UpstreamError::Busy, 503, "As many requests as may be"),
        (UpstreamError::Closed, 502, "closed the connection before it answered"),
        (UpstreamError::HeadTimeout, 504, "did not answer in time"),
        (UpstreamError::SendTimeout, 504, "did not take the request in time"),
        (UpstreamError::Malformed("two lengths"), 502, "is no response"),
        (UpstreamError::RequestBody, 400, "body broke off"),
        (UpstreamError::Stopping, 503, "is ending"),
    ] {
        proxied.script([Does::Fails(error.clone())]);
        let response = proxied.get("");
        assert_eq!(response.status().code(), code, "{error:?}");
        assert_eq!(field(&response, "content-type"), Some("application/problem+json"));
        assert_eq!(
            (field(&response, "cache-control"), field(&response, "vary")),
            (Some("no-store"), Some("Accept"))
        );
        assert_eq!(field(&response, "retry-after"), (code == 503).then_some("1"), "{error:?}");
        let title = response.status().reason();
        let problem: serde_json::Value = serde_json::from_str(&text(response)).expect("JSON");
        assert_eq!(
            (problem["type"].as_str(), problem["status"].as_u64()),
            (Some("about:blank"), Some(code.into()))
        );
        assert_eq!(problem["title"].as_str(), Some(title));
        let said = problem["detail"].as_str().expect("a detail");
        assert!(said.contains(detail), "{error:?}: {said}");
        for secret in ["127.0.0.1", "3000", "10.0.0.1", "refused", "two lengths"] {
            assert!(!said.contains(secret), "{error:?}: {said}");
        }
    }
}

#[test]
fn a_browser_gets_a_page_and_who_asks_for_text_a_line() {
    let proxied = Proxied::plain();
    let long = format!("{},text/html", "a/b,".repeat(40));
    for (accept, expected) in [
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            "text/html; charset=utf-8",
        ),
        ("text/plain", "text/plain; charset=utf-8"),
        ("*/*", "application/problem+json"),
        ("application/json", "application/problem+json"),
        ("image/png", "application/problem+json"),
        // What comes late in a long one is not heeded.
        (&long, "application/problem+json"),
    ] {
        proxied.script([Does::Fails(UpstreamError::Closed)]);
        let response = proxied.get(&format!("Accept: {accept}\r\n"));
        assert_eq!(
            (response.status().code(), field(&response, "content-type")),
            (502, Some(expected)),
            "{accept}"
        );
    }
}
