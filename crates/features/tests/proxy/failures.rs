//! What a client is told where there is no response.

use std::cell::RefCell;
use std::fmt::Debug;
use std::io::ErrorKind;
use std::sync::Once;
use std::time::Duration;

use gannet_core::UpstreamError;
use gannet_features::proxy::ProxyOptions;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use super::world::{Does, Proxied, field, text};

#[test]
fn every_failure_has_its_status_and_a_problem_that_says_what_happened_and_not_where() {
    let proxied = Proxied::plain();
    for (error, code, detail) in [
        (UpstreamError::Connect(ErrorKind::ConnectionRefused), 502, "cannot be connected to"),
        (UpstreamError::ConnectTimeout, 504, "did not answer to connecting in time"),
        (UpstreamError::NoConnectProtocol, 501, "does not take what was asked for by HTTP/2"),
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

thread_local! {
    /// What this thread logged, while somebody wants to know: the events' fields, of a line each.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Every thread's, since whether an event is wanted at all is found out by whichever thread comes by it first.
struct Log;

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES.with_borrow_mut(|lines| lines.iter_mut().for_each(|lines| lines.push(line.0.clone())));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

/// What is logged while `work` is done.
fn logged(work: impl FnOnce()) -> Vec<String> {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        tracing::subscriber::set_global_default(Log).expect("no test has another");
        tracing::callsite::rebuild_interest_cache();
    });
    LINES.set(Some(Vec::new()));
    work();
    LINES.take().unwrap_or_default()
}

#[test]
fn failures_are_logged_once_a_second_for_each_upstream_with_how_many_were_not() {
    let proxied = Proxied::new(&[3000, 3001], ProxyOptions::default());
    let fail = |error: UpstreamError| {
        proxied.script([Does::Fails(error)]);
        proxied.get("");
    };
    let lines = logged(|| (0..4).for_each(|_| fail(UpstreamError::Tls("no such authority".into()))));
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, address) in lines.iter().zip(["127.0.0.1:3000", "127.0.0.1:3001"]) {
        assert!(line.contains(&format!("upstream={address} ")) && line.starts_with("WARN"), "{line}");
        assert!(line.contains("no such authority") && line.contains("unlogged=0"), "{line}");
    }
    proxied.pass(Duration::from_secs(1));
    let lines = logged(|| fail(UpstreamError::Busy));
    assert!(lines.len() == 1 && lines[0].contains("unlogged=1"), "{lines:?}");
    proxied.pass(Duration::from_secs(1));
    assert_eq!(logged(|| fail(UpstreamError::RequestBody)), Vec::<String>::new(), "the client's doing");
}

#[test]
fn that_an_upstream_is_left_out_and_that_it_answers_again_is_told_once() {
    let proxied = Proxied::new(&[3000, 3001], ProxyOptions::default());
    let fails = [Does::Answers(200), Does::Fails(UpstreamError::Closed)];
    let lines = logged(|| {
        proxied.script([fails.clone(), fails.clone(), fails.clone()].concat());
        (0..6).for_each(|_| _ = proxied.get(""));
    });
    let told: Vec<_> = lines.iter().filter(|line| line.contains("left out")).collect();
    assert!(
        told.len() == 1 && told[0].contains("127.0.0.1:3001") && told[0].contains("seconds=10"),
        "{lines:?}"
    );
    proxied.pass(Duration::from_secs(10));
    let lines = logged(|| (0..4).for_each(|_| _ = proxied.get("")));
    assert!(
        lines.len() == 1 && lines[0].starts_with("INFO") && lines[0].contains("answers again"),
        "{lines:?}"
    );
}
