//! The request log: an event of `tracing` for each request that was answered, among those that handlers log themselves.

mod kept;
#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Filter, IntoFilter, Request, Response, Status, around};
use tracing::Level;

use crate::recycled::Recycled;
use kept::Kept;

/// A filter that logs an event of [`tracing`] for each request, when it is answered: its target is `gannet::request`, its message `answered`, its level by
/// the status.
///
/// **Beside the access log** (`App::access_log`): that has a line for each request when it is *over*, written by a thread of its own in a format of its own, with what was
/// sent in bytes and time; requests that could not be read or whose client left are in it, too. This is an event in the program's own log, when the response's *head* is
/// decided, in the order in which handlers log, with their subscriber, and with what only the program knows: the route's pattern, the [request's
/// id](crate::request_id), levels of one's own. A request whose client left before it was answered has no event. Services that gather structured logs want this one;
/// servers of files that one. Where nobody subscribes to it, it costs a few instructions and no allocation.
///
/// | field | by default | |
/// |---|---|---|
/// | `method` | yes | as it was sent |
/// | `path` | yes | without the query, which may hold secrets; as it was sent, cut after 1 KiB |
/// | `query` | no | likewise |
/// | `status` | yes | a number |
/// | `duration_us` | yes | microseconds from when the filter saw the request to when it saw the response |
/// | `route` | yes | the pattern that answered; none where none did |
/// | `request_id` | yes | where a [`RequestIds`](crate::request_id::RequestIds) is before this |
/// | `client` | yes | the client's address, of whom a trusted proxy asks for |
/// | `host` | no | host and port asked for |
/// | `user_agent` | no | the field of this name, if it is text; cut after 1 KiB |
/// | `version` | no | `HTTP/1.1` |
#[derive(Clone)]
pub struct RequestLog {
    fields: u16,
    level: Arc<LevelOf>,
}

type LevelOf = dyn Fn(Status) -> Option<Level> + Send + Sync;

/// What of a request is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum LogField {
    /// The method.
    Method,
    /// The path, without the query.
    Path,
    /// The query.
    Query,
    /// The status.
    Status,
    /// How long it took.
    Duration,
    /// The pattern that answered.
    Route,
    /// The request's id.
    RequestId,
    /// The client's address.
    Client,
    /// Host and port that were asked for.
    Host,
    /// What the client says it is.
    UserAgent,
    /// The version of HTTP.
    Version,
}

const DEFAULTS: [LogField; 7] = [
    LogField::Method,
    LogField::Path,
    LogField::Status,
    LogField::Duration,
    LogField::Route,
    LogField::RequestId,
    LogField::Client,
];

/// What its events are found by.
const TARGET: &str = "gannet::request";

impl Default for RequestLog {
    fn default() -> RequestLog {
        RequestLog::new()
    }
}

impl RequestLog {
    /// The fields of the table above; `error` for 5xx, `info` for the rest: who asks for what is not there is no matter of the server's health.
    pub fn new() -> RequestLog {
        let level = |status: Status| Some(if status.code() >= 500 { Level::ERROR } else { Level::INFO });
        RequestLog { fields: 0, level: Arc::new(level) }.fields(DEFAULTS)
    }

    /// Logs these fields, and no others.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = LogField>) -> RequestLog {
        self.fields = fields.into_iter().fold(0, |all, field| all | 1 << field as u8);
        self
    }

    /// Logs a field, too.
    #[must_use]
    pub fn field(mut self, field: LogField) -> RequestLog {
        self.fields |= 1 << field as u8;
        self
    }

    /// The level of each status; none: it is not logged.
    ///
    /// ```
    /// # use gannet_features::request_log::RequestLog;
    /// # use tracing::Level;
    /// RequestLog::new().level(|status| match status.code() {
    ///     500.. => Some(Level::ERROR),
    ///     400.. => Some(Level::WARN),
    ///     _ => Some(Level::DEBUG),
    /// });
    /// ```
    #[must_use]
    pub fn level(mut self, level: impl Fn(Status) -> Option<Level> + Send + Sync + 'static) -> RequestLog {
        self.level = Arc::new(level);
        self
    }

    fn has(&self, field: LogField) -> bool {
        self.fields & 1 << field as u8 != 0
    }
}

impl IntoFilter<RequestLog> for RequestLog {
    fn into_filter(self) -> Rc<dyn Filter> {
        let (log, spare) = (Rc::new(self), Rc::new(Recycled::<Kept>::default()));
        let (log_after, spare_after) = (log.clone(), spare.clone());
        let before = move |request: &mut Request| {
            // Whoever wants any of them wants the worst.
            let is_wanted = tracing::enabled!(target: TARGET, Level::ERROR);
            Ok(is_wanted.then(|| spare.take(|kept| kept.keep(request, &log))))
        };
        around(before, move |kept: Option<Rc<Kept>>, response: Response| {
            if let Some(kept) = kept {
                if let Some(level) = (log_after.level)(response.status()) {
                    kept.log(level, response.status(), &log_after);
                }
                spare_after.give_back(kept);
            }
            response
        })
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLog").field("fields", &format_args!("{:#b}", self.fields)).finish()
    }
}
