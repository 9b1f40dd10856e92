//! The log: to the standard error, as text for people or as JSON for machines.

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What `--log` takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// A line each, coloured on a terminal.
    Text,
    /// A JSON object each.
    Json,
    /// No log.
    Off,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<LogFormat, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            "off" => Ok(LogFormat::Off),
            _ => Err("a log is text, json or off".to_owned()),
        }
    }
}

impl LogFormat {
    /// How requests are logged beside it.
    pub fn of_requests(self) -> gannet::LogFormat {
        match self {
            LogFormat::Json => gannet::LogFormat::Json,
            LogFormat::Text | LogFormat::Off => gannet::LogFormat::Combined,
        }
    }

    /// Text where a person reads it, else JSON.
    pub fn by_terminal() -> LogFormat {
        if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json }
    }
}

/// What `--log-level` takes: a level, and levels of single targets (`gannet_server=debug`), separated by commas.
///
/// # Errors
/// When a part is neither, with what would be.
pub fn levels(text: &str) -> Result<Targets, String> {
    // Of what no target says: what is usual.
    let (mut others, mut targets) = (LevelFilter::INFO, Vec::new());
    for part in text.split(',').map(str::trim) {
        match part.split_once('=') {
            None => others = level(part)?,
            Some((target, name)) if is_target(target) => targets.push((target, level(name)?)),
            Some(_) => return Err("a target is a module's path, as in gannet_server=debug".to_owned()),
        }
    }
    Ok(Targets::new().with_default(others).with_targets(targets))
}

fn level(name: &str) -> Result<LevelFilter, String> {
    match name {
        "off" => Ok(LevelFilter::OFF),
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err("a level is off, error, warn, info, debug or trace, also of a target, as in info,gannet_server=debug".to_owned()),
    }
}

fn is_target(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:-.".contains(&byte))
}

/// Begins the log; called once.
pub fn begin(format: LogFormat, levels: Targets) {
    // What fails within the log would be told on the standard error, which is what failed, and by a panic.
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).log_internal_errors(false);
    let log = tracing_subscriber::registry().with(levels);
    match format {
        LogFormat::Text => log.with(lines.with_ansi(wants_colour()).with_target(false)).init(),
        LogFormat::Json => log.with(lines.json().flatten_event(true)).init(),
        LogFormat::Off => {}
    }
    panic::set_hook(Box::new(log_panic));
}

/// On a terminal, unless `NO_COLOR` is set (no-color.org).
fn wants_colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whoever contains a panic says what came of it; only here is known where it was.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, message = panic.payload_as_str().unwrap_or("(no message)"), "a panic");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_levels_are_taken_by_their_names_only() {
        assert_eq!("json".parse(), Ok(LogFormat::Json));
        assert_eq!("JSON".parse::<LogFormat>().unwrap_err(), "a log is text, json or off");
        assert_eq!(levels("debug"), Ok(Targets::new().with_default(LevelFilter::DEBUG)));
        let of_one =
            Targets::new().with_default(LevelFilter::WARN).with_target("gannet_server", LevelFilter::TRACE);
        assert_eq!(levels("warn, gannet_server=trace"), Ok(of_one));
        let of_one =
            Targets::new().with_default(LevelFilter::INFO).with_target("gannet_server", LevelFilter::TRACE);
        assert_eq!(levels("gannet_server=trace"), Ok(of_one));
        for wrong in ["3", "", "info,", "gannet_server=loud", "loud"] {
            assert!(levels(wrong).unwrap_err().starts_with("a level is off, error,"), "{wrong}");
        }
        assert!(levels("a b=info").unwrap_err().starts_with("a target is"));
    }
}
