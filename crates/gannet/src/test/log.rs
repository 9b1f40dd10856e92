//! What the server says of what went wrong, kept for who reads of it where a test fails: a test has no log.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::dispatcher::{get_default, with_default};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// Lines that are kept; further ones are only counted.
const LINES: usize = 100;

/// Its events of the level `ERROR`, but for those of the request log: what was answered is known.
#[derive(Clone)]
pub(super) struct Log {
    lines: Arc<Lines>,
    dispatch: Dispatch,
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log {
    pub(super) fn new() -> Log {
        let lines = Arc::<Lines>::default();
        Log { dispatch: Dispatch::new(Keeper(lines.clone())), lines }
    }

    /// Runs something, and keeps what it logs, unless somebody else does: a subscriber that the test has installed shows it itself.
    pub(super) fn keeping<T>(&self, run: impl FnOnce() -> T) -> T {
        let is_heard = get_default(|subscriber| !subscriber.is::<NoSubscriber>());
        if is_heard { run() } else { with_default(&self.dispatch, run) }
    }

    /// How many lines there are.
    pub(super) fn length(&self) -> usize {
        self.lines.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The lines behind the first ones.
    pub(super) fn since(&self, first: usize) -> Vec<String> {
        let lines = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(first..).unwrap_or_default().to_vec()
    }
}

/// Takes the events of this thread.
struct Keeper(Arc<Lines>);

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR && metadata.target() != "gannet::request"
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::ERROR)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let mut lines = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < LINES {
            lines.push(line.message + &line.fields);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event: its message, and its fields behind it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into memory does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
