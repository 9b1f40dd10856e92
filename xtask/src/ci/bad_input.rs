//! What a user gets wrong is said in one clear line that names it, and the exit status tells scripts.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome};
use crate::command;

/// Runs the binary with a missing folder, a taken port and a flag that is not there.
pub fn run(context: &Context) -> Outcome {
    Outcome::from(try_all(context))
}

fn try_all(context: &Context) -> Result<String, String> {
    let taken = TcpListener::bind("127.0.0.1:0").and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, _listener) = taken.map_err(|error| format!("no port to be found taken: {error}"))?;
    let (site, address) = (context.site().display().to_string(), address.to_string());
    complains(context, &["no-such-folder", "--listen", "127.0.0.1:0"], "no-such-folder", true)?;
    complains(context, &[&site, "--listen", &address], &address, true)?;
    // The parser of the command line adds the usage below.
    complains(context, &[&site, "--no-such-flag"], "--no-such-flag", false)?;
    Ok("a missing folder, a taken port and an unknown flag are each named, with a failing status".to_owned())
}

/// Holds the binary's complaint to one line with the name of the thing, and its status to a failure.
fn complains(context: &Context, arguments: &[&str], name: &str, is_one_line: bool) -> Result<(), String> {
    let mut gannet = Command::new(context.gannet());
    let ended = command::run(gannet.args(arguments).current_dir(&context.root), Duration::from_secs(10))?;
    judge(ended.code, &ended.stderr, name, is_one_line)
        .map_err(|why| format!("`gannet {}` {why}", arguments.join(" ")))
}

fn judge(code: Option<i32>, stderr: &str, name: &str, is_one_line: bool) -> Result<(), String> {
    let lines = stderr.lines().filter(|line| !line.trim().is_empty()).count();
    match code {
        Some(1..) if !stderr.contains(name) => Err(format!("does not name `{name}`: {}", stderr.trim())),
        Some(1..) if is_one_line && lines != 1 => {
            Err(format!("complains in {lines} lines: {}", stderr.trim()))
        }
        Some(1..) => Ok(()),
        other => Err(format!("ends with {other:?}, not with a failing exit status")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_one_line_that_names_the_thing_and_a_failing_status() {
        assert_eq!(judge(Some(1), "error: ./a: no such folder\n", "./a", true), Ok(()));
        assert!(judge(Some(0), "error: ./a: no such folder\n", "./a", true).is_err());
        assert!(judge(None, "error: ./a: no such folder\n", "./a", true).is_err());
        assert!(judge(Some(1), "error: no such folder\n", "./a", true).is_err());
        assert!(judge(Some(1), "thread panicked at ./a\nnote: backtrace\n", "./a", true).is_err());
        assert_eq!(judge(Some(2), "error: --b\n\nUsage: gannet\n", "--b", false), Ok(()));
    }
}
