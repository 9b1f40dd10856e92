//! Other programs, each run within a bound: what hangs is killed with all it started, and said.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// How often a running program is looked at.
const GLANCE: Duration = Duration::from_millis(10);
/// How long the pipes of an ended program may stay open: a child of its own that lives on may hold them.
const PIPES_CLOSE: Duration = Duration::from_secs(2);

/// What a program left behind when it ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status, or none when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: String,
}

impl Ended {
    /// What it wrote, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Itself if it succeeded, else its last words.
    pub fn succeeded(self) -> Result<Ended, String> {
        if self.code == Some(0) {
            return Ok(self);
        }
        let code = self.code.map_or("ended by a signal".to_owned(), |code| format!("exit status {code}"));
        Err(format!("{code}: {}", complaint(&self.stderr)))
    }
}

/// Runs a program to its end, without input, for at most `limit`.
pub fn run(command: &mut Command, limit: Duration) -> Result<Ended, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what it starts can be killed with it.
    let mut child =
        command.process_group(0).spawn().map_err(|error| format!("`{name}` did not start: {error}"))?;
    let stdout = child.stdout.take().map(drain);
    let stderr = child.stderr.take().map(drain);
    let code =
        wait(&mut child, limit).ok_or_else(|| format!("`{name}` ran longer than {} s", limit.as_secs()))?;
    let take = |pipe: Option<Receiver<Vec<u8>>>| {
        pipe.and_then(|pipe| pipe.recv_timeout(PIPES_CLOSE).ok()).unwrap_or_default()
    };
    Ok(Ended { code, stdout: take(stdout), stderr: String::from_utf8_lossy(&take(stderr)).into_owned() })
}

/// Waits for the end of a program; kills its group, and returns none, when that takes longer than `limit`.
pub fn wait(child: &mut Child, limit: Duration) -> Option<Option<i32>> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status.code());
        }
        thread::sleep(GLANCE);
    }
    // Each may find that it has just ended by itself, which is as good.
    let _ = rustix::process::kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// Asks a program to end (`SIGTERM`), as an init system does.
pub fn terminate(child: &Child) -> Result<(), String> {
    rustix::process::kill_process(Pid::from_child(child), Signal::TERM)
        .map_err(|error| format!("SIGTERM could not be sent: {error}"))
}

/// Reads a pipe to its end beside us, so that its writer never waits.
fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A read error ends what can be known; what came before it is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// Whether a program of this name is on the path.
pub fn is_there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(OsStr::new(name)).is_file())
}

/// What of a program's complaints is worth a line: those it calls errors, else the last.
pub fn complaint(text: &str) -> String {
    const SHOWN: usize = 3;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let errors: Vec<&str> =
        lines.iter().copied().filter(|line| line.starts_with("error")).take(SHOWN).collect();
    let shown = if errors.is_empty() { &lines[lines.len().saturating_sub(SHOWN)..] } else { &errors };
    shown.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<Ended, String> {
        run(Command::new("sh").args(["-c", script]), limit)
    }

    #[test]
    fn a_program_leaves_its_output_its_complaints_and_its_status() {
        let ended = shell("echo out; echo first >&2; echo last >&2; exit 3", Duration::from_secs(60))
            .expect("sh runs");
        assert_eq!(
            (ended.code, ended.text().as_str(), ended.stderr.as_str()),
            (Some(3), "out\n", "first\nlast\n")
        );
        assert_eq!(ended.succeeded().expect_err("status 3"), "exit status 3: first | last");
    }

    #[test]
    fn a_complaint_is_what_is_called_an_error_or_else_the_last_words() {
        assert_eq!(complaint("a\nerror: b\n  = help: c\nerror: d\n"), "error: b | error: d");
        assert_eq!(complaint("a\nb\n\nc\nd\n"), "b | c | d");
        assert_eq!(complaint(""), "");
    }

    #[test]
    fn a_program_is_asked_to_end() {
        let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("sh runs");
        terminate(&child).expect("it runs");
        assert_eq!(wait(&mut child, Duration::from_secs(60)), Some(None));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let why = shell("while :; do :; done", Duration::ZERO);
        assert!(why.expect_err("it never ends").contains("longer than"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let missing = run(&mut Command::new("gannet-no-such-program"), Duration::from_secs(1));
        assert!(missing.expect_err("there is none").contains("gannet-no-such-program"));
        assert!(is_there("sh") && !is_there("gannet-no-such-program"));
    }
}
