//! The log: to the standard error, as text for people or as JSON for machines.

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;

use tracing::level_filters::LevelFilter;

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
    /// Text where a person reads it, else JSON.
    pub fn by_terminal() -> LogFormat {
        if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json }
    }
}

/// What `--log-level` takes.
///
/// # Errors
/// When it is no level, with the levels there are.
pub fn level(text: &str) -> Result<LevelFilter, String> {
    match text {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err("a level is error, warn, info, debug or trace".to_owned()),
    }
}

/// Begins the log; called once.
pub fn begin(format: LogFormat, level: LevelFilter) {
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        // It would be told on the standard error, which is what failed, and by a panic.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => builder.with_ansi(wants_colour()).with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
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
        assert_eq!(level("debug"), Ok(LevelFilter::DEBUG));
        assert_eq!(level("3").unwrap_err(), "a level is error, warn, info, debug or trace");
    }
}
