//! The binary: `gannet [DIR]` serves a folder, `gannet proxy UPSTREAM...` what other servers answer.
//!
//! 1. the command line (`arguments`) and the environment (`sources`) become [`Options`] (`options`, and `tls`, `proxy`, `address`, `duration` for
//!    parts of them; `usage` says what is wrong with them);
//! 2. the log begins (`logging`);
//! 3. the library serves what they say (`app`);
//! 4. one line says where (`banner`);
//! 5. a signal ends it.
//!
//! Exit status: 0 ended by a signal, 1 it could not start or go on, 2 wrong usage.

#![forbid(unsafe_code)]

mod address;
mod app;
mod arguments;
mod banner;
mod duration;
mod logging;
mod options;
mod proxy;
mod sources;
mod tls;
mod usage;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use gannet::Signals;

use banner::Banner;
use options::{Options, Stop};

/// What cannot start, or go on.
const FAILURE: u8 = 1;

/// What was asked for wrongly.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let began = Instant::now();
    match Options::read(std::env::args_os(), |name| std::env::var_os(name)) {
        Ok(options) => match serve(&options, began) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error, FAILURE),
        },
        Err(Stop::Told(text)) => {
            banner::print(&text);
            ExitCode::SUCCESS
        }
        Err(Stop::Misused(error)) => complain(&error, WRONG_USAGE),
    }
}

fn serve(options: &Options, began: Instant) -> Result<(), String> {
    logging::begin(options.log, options.log_level.clone());
    if options.ignores_sockets {
        tracing::warn!("sockets were handed over, and are not listened on; add --listen systemd");
    }
    let app = app::of(options);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(|error| {
        format!("cannot begin: {error}; is the limit of descriptors too low? Raise it (ulimit -n 1024)")
    })?;
    runtime.block_on(async {
        // Before the server starts: whoever finds it serving may send a signal, which must find us listening for it.
        let signals =
            Signals::listen().map_err(|error| format!("signals cannot be listened for: {error}"))?;
        let mut running = app.start().map_err(|error| match error {
            gannet::Error::Start(error) => error.with_options().to_string(),
            error => without_places(&error.to_string()),
        })?;
        Banner::new(&running, options, began.elapsed()).show(options.quiet);
        running.obey(signals).await.map_err(|error| format!("the server ended: {error}"))
    })
}

/// Mistakes without the places in this program's code that made the application of what was asked for.
fn without_places(mistakes: &str) -> String {
    let without_place = |line: &str| match line.split_once(": ") {
        Some((place, mistake)) if place.starts_with(PLACES) => mistake.to_owned(),
        _ => line.to_owned(),
    };
    mistakes.lines().map(without_place).collect::<Vec<_>>().join("\n")
}

/// How they begin.
const PLACES: &str = "crates/cli/src/";

/// One line on the standard error, and the exit status.
fn complain(error: &str, status: u8) -> ExitCode {
    // Where nobody reads it, the status still tells.
    let _ = writeln!(io::stderr(), "error: {}", one_line(error));
    ExitCode::from(status)
}

/// With control characters escaped: the name of a file may hold any.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
