//! The request log: what a subscriber gets.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use behind::Behind;
use gannet_core::{IntoFilter, Request, Status};
use gannet_features::request_id::RequestIds;
use gannet_features::request_log::{LogField, RequestLog};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Events, each a line of its level and its fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "gannet::request" && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().expect("nobody panics").push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is logged of requests to `behind`.
fn logged(behind: &Behind, requests: &[&[(&str, &str)]]) -> Vec<String> {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        for fields in requests {
            let _ = behind.get(fields);
        }
    });
    let lines = lines.0.lock().expect("nobody panics");
    lines.clone()
}

#[test]
fn a_request_is_an_event_with_the_fields_that_are_wanted_at_the_level_of_its_status() {
    let handler = |request: Request| match request.field("x-fails") {
        Some(_) => Status::BAD_GATEWAY,
        None => Status::NO_CONTENT,
    };
    let behind = Behind::new(RequestLog::new(), handler);
    let lines = logged(&behind, &[&[("User-Agent", "curl")], &[("X-Fails", "1")]]);
    let expected = |level, status| {
        format!(
            "{level} message=answered method=\"GET\" path=\"/a\" status={status} duration_us=0 client=192.0.2.1"
        )
    };
    assert_eq!(lines, [expected("INFO", 204), expected("ERROR", 502)]);
    let log =
        RequestLog::new().fields([LogField::Status, LogField::UserAgent, LogField::Host, LogField::Version]);
    let long = "x".repeat(2000);
    let lines = logged(&Behind::new(log, handler), &[&[("User-Agent", &long)]]);
    let user_agent = "x".repeat(1024);
    assert_eq!(
        lines,
        [format!(
            "INFO message=answered status=204 host=\"a.example\" user_agent=\"{user_agent}\" version=\"HTTP/1.1\""
        )]
    );
}

#[test]
fn what_has_no_level_or_one_that_nobody_wants_is_not_logged() {
    let level = |status: Status| match status.code() {
        200 => None,
        204 => Some(Level::DEBUG),
        _ => Some(Level::WARN),
    };
    let log = || RequestLog::new().fields([LogField::Status]).level(level);
    assert!(logged(&Behind::new(log(), "text"), &[&[]]).is_empty());
    assert!(logged(&Behind::new(log(), Status::NO_CONTENT), &[&[]]).is_empty());
    assert_eq!(logged(&Behind::new(log(), Status::NOT_FOUND), &[&[]]), ["WARN message=answered status=404"]);
}

#[test]
fn the_time_that_a_handler_waits_is_told_and_the_request_s_id() {
    let waits = async |request: Request| {
        let gannet_core::BodyLength::Chunked = request.body_length() else { return "no body" };
        let mut body = request.into_body();
        while let Some(Ok(_)) = body.next().await {}
        "read"
    };
    let log = RequestLog::new().fields([LogField::Duration, LogField::RequestId]);
    let behind = Behind::filters([RequestIds::new().seed(1).into_filter(), log.into_filter()], waits);
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let (mut asked, sending) = behind.begin_post(&[]);
        assert!(asked.response().is_none());
        behind.world.now.set(behind.world.now.get() + Duration::from_millis(1500));
        sending.end(Ok(()));
        assert!(asked.response().is_some());
    });
    let lines = lines.0.lock().expect("nobody panics");
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(
        line.starts_with("INFO message=answered duration_us=1500000 request_id=\"01d1a959-6240-7"),
        "{line}"
    );
}
