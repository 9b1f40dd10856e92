//! The Autobahn suite, the trial of WebSockets that all implementations are put to, against the example `echo-ws`: every case with `--long`, else all but
//! those of compression whose messages are large.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome, python};
use crate::command;

const PACKAGE: &str = "autobahntestsuite";
const VERSION: &str = "25.10.1";
/// What it is written in. Where pyenv has several versions of Python, it is to take this one.
const PYTHON: &str = "python2.7";
const PYENV: (&str, &str) = ("PYENV_VERSION", "2.7.18");
/// Of the 216 cases of compression, each 1,000 messages, those that a short run leaves out: messages of more than 256 bytes.
const LONG_CASES: (&[u8], &[&str]) = (&[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18], &["12", "13"]);
const GROUPS: u8 = 7;
const LIMIT: Duration = Duration::from_secs(300);
const LONG_LIMIT: Duration = Duration::from_secs(60 * 60);

/// Each message compressed by itself.
pub fn epoll(context: &Context) -> Outcome {
    run(context, "epoll", "/")
}

/// Messages compressed together with those before them.
pub fn uring(context: &Context) -> Outcome {
    run(context, "uring", "/takeover")
}

fn run(context: &Context, backend: &str, path: &str) -> Outcome {
    let suite = match installed(context) {
        Ok(suite) => suite,
        Err(outcome) => return outcome,
    };
    let variables = [("GANNET_BACKEND", backend.as_ref())];
    match Server::start_example(context, "echo-ws", &[], &variables) {
        Ok(server) => {
            let url = format!("{}{path}", server.address.replacen("http", "ws", 1));
            let tried = try_cases(context, suite, &url, backend);
            Outcome::from(tried.and_then(|seen| server.stop().map(|()| seen)))
        }
        Err(outcome) => outcome,
    }
}

fn try_cases(context: &Context, suite: PathBuf, url: &str, backend: &str) -> Result<String, String> {
    let reports = context.folder(&format!("ci/autobahn-{backend}"))?;
    let mut program = python();
    program.arg("-B").arg(context.root.join("xtask/src/ci/fuzzing_client.py"));
    program.arg(suite).arg(url).arg(&reports).arg("*");
    if !context.is_long {
        program.arg("-").args(long_cases());
    }
    let limit = if context.is_long { LONG_LIMIT } else { LIMIT };
    let seen = command::run(&mut program, limit)?.succeeded()?.text();
    Ok(format!("{} at {url}; {}", seen.trim(), reports.join("index.html").display()))
}

/// As the suite calls them.
fn long_cases() -> Vec<String> {
    let (sizes, kinds) = LONG_CASES;
    let groups = kinds.iter().flat_map(|kind| (1..=GROUPS).map(move |group| format!("{kind}.{group}")));
    groups.flat_map(|group| sizes.iter().map(move |size| format!("{group}.{size}"))).collect()
}

fn python() -> Command {
    let mut python = Command::new(PYTHON);
    python.env(PYENV.0, PYENV.1);
    python
}

/// The folder that the suite is installed into.
fn installed(context: &Context) -> Result<PathBuf, Outcome> {
    let is_there = command::run(python().args(["-c", "pass"]), LIMIT).and_then(command::Ended::succeeded);
    if is_there.is_err() {
        return Err(Outcome::LeftOut(format!("{PYTHON}, which {PACKAGE} is written in, is not installed")));
    }
    let folder = context.folder("ci").map_err(Outcome::Failed)?.join(format!("{PACKAGE}-{VERSION}"));
    if !folder.join("bin/wstest").is_file() {
        python::install_into(context, python(), &folder, PACKAGE, VERSION)?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_leaves_out_large_messages_of_every_group() {
        let cases = long_cases();
        assert!(["12.1.4", "12.5.18", "13.7.18"].iter().all(|case| cases.iter().any(|one| one == case)));
        assert!(["12.1.3", "13.7.1"].iter().all(|case| !cases.iter().any(|one| one == case)));
    }
}
