//! What is kept of a request until it is answered, in memory that is used again.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use gannet_core::{Clock, Request, Status, Version};
use tracing::Level;

use super::{LogField, RequestLog, TARGET};
use crate::request_id::RequestId;

/// The most that is logged of a field that a client chooses, in bytes.
pub(super) const FIELD_BYTES: usize = 1024;

/// One request.
#[derive(Default)]
pub(super) struct Kept {
    text: String,
    method: Range<usize>,
    path: Option<Range<usize>>,
    query: Option<Range<usize>>,
    route: Option<Range<usize>>,
    request_id: Option<Range<usize>>,
    host: Option<Range<usize>>,
    user_agent: Option<Range<usize>>,
    client: Option<IpAddr>,
    version: Option<&'static str>,
    /// None until it is used.
    clock: Option<Rc<dyn Clock>>,
    began: Duration,
}

/// An address, without memory for its text.
struct Shown<T>(T);

impl<T: fmt::Display> fmt::Debug for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Kept {
    /// Keeps what is to be logged.
    pub(super) fn keep(&mut self, request: &Request, log: &RequestLog) {
        self.text.clear();
        let text = &mut self.text;
        let mut keep = |value: Option<&str>, field| {
            let value = value.filter(|_| log.has(field))?;
            let begin = text.len();
            text.push_str(&value[..value.floor_char_boundary(FIELD_BYTES)]);
            Some(begin..text.len())
        };
        self.method = keep(Some(request.method_name()), LogField::Method).unwrap_or(0..0);
        self.path = keep(Some(request.path()), LogField::Path);
        self.query = keep(request.query(), LogField::Query);
        self.route = keep(request.route(), LogField::Route);
        self.request_id = keep(RequestId::of(request).map(RequestId::as_str), LogField::RequestId);
        self.host = keep(request.authority(), LogField::Host);
        let user_agent = if log.has(LogField::UserAgent) { request.field_str("User-Agent") } else { None };
        self.user_agent = keep(user_agent, LogField::UserAgent);
        self.client = if log.has(LogField::Client) { request.client_address() } else { None };
        self.version = log.has(LogField::Version).then_some(match request.version() {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
            Version::Http2 => "HTTP/2",
        });
        let clock = request.ports().clock.clone();
        self.began = clock.read();
        self.clock = Some(clock);
    }

    /// Logs it.
    pub(super) fn log(&self, level: Level, status: Status, log: &RequestLog) {
        let of = |range: &Option<Range<usize>>| range.clone().map(|range| &self.text[range]);
        let method = log.has(LogField::Method).then(|| &self.text[self.method.clone()]);
        let (path, query, route) = (of(&self.path), of(&self.query), of(&self.route));
        let (request_id, host, user_agent) = (of(&self.request_id), of(&self.host), of(&self.user_agent));
        let client = self.client.map(|client| tracing::field::debug(Shown(client)));
        let status = log.has(LogField::Status).then(|| status.code());
        let duration_us = self.clock.as_ref().filter(|_| log.has(LogField::Duration)).map(|clock| {
            u64::try_from(clock.read().saturating_sub(self.began).as_micros()).unwrap_or(u64::MAX)
        });
        let version = self.version;
        // A level is a part of what each event is known by beforehand.
        macro_rules! answered {
            ($level:expr) => {
                tracing::event!(
                    target: TARGET, $level, method, path, query, status, duration_us, route, request_id, client, host, user_agent, version, "answered"
                )
            };
        }
        match level {
            Level::ERROR => answered!(Level::ERROR),
            Level::WARN => answered!(Level::WARN),
            Level::INFO => answered!(Level::INFO),
            Level::DEBUG => answered!(Level::DEBUG),
            _ => answered!(Level::TRACE),
        }
    }
}
