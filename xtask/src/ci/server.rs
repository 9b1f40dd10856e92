//! The binary, started as a user starts it, and stopped as an init system stops it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Context, Outcome, workspace};
use crate::command;

/// How long until the banner. (Serving begins within milliseconds; this bounds a failure, it measures nothing.)
const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// How long a stop may take when no request runs.
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// A running `gannet`; killed when dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`, or of `https`, without a slash at its end.
    pub address: String,
    /// The line it greeted with.
    pub banner: String,
    log: PathBuf,
}

impl Server {
    /// Starts it on a free port and waits for its banner.
    pub fn start(context: &Context, folder: &Path, backend: &str) -> Result<Server, Outcome> {
        Server::start_with(context, folder, backend, &[])
    }

    /// The same, with more flags.
    pub fn start_with(
        context: &Context,
        folder: &Path,
        backend: &str,
        flags: &[&str],
    ) -> Result<Server, Outcome> {
        let folder = folder.to_string_lossy();
        Server::start_as(context, backend, &[&[&*folder], flags].concat(), &[])
    }

    /// The same, told all but where to listen; with variables of the environment.
    pub fn start_as(
        context: &Context,
        backend: &str,
        arguments: &[&str],
        variables: &[(&str, &Path)],
    ) -> Result<Server, Outcome> {
        let mut command = Command::new(context.gannet());
        command.args(arguments).args(["--listen", "127.0.0.1:0", "--backend", backend]);
        command.envs(variables.iter().copied());
        let mut server = Server::spawn(context, &mut command, &format!("gannet-{backend}"))?;
        let Some((line, address)) = wait_for_banner(&mut server.child, &server.log) else {
            return Err(server.explain_silence(backend));
        };
        let shown = match backend {
            "uring" => "io_uring",
            // Whichever it is.
            "auto" => "",
            other => other,
        };
        if !line.contains(shown) {
            return Err(Outcome::Failed(format!("asked for {backend}, it runs another backend: {line}")));
        }
        (server.banner, server.address) = (line, address);
        Ok(server)
    }

    /// Builds an example and starts it on a free port, with arguments and variables of the environment.
    pub fn start_example(
        context: &Context,
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &Path)],
    ) -> Result<Server, Outcome> {
        let package = format!("example-{name}");
        workspace::cargo(context, &["build", "--package", &package], &[]).map_err(Outcome::Failed)?;
        let mut command = Command::new(context.target.join("debug").join(&package));
        // Its log is text that we read.
        command
            .args(arguments)
            .envs([("GANNET_LISTEN", "127.0.0.1:0"), ("NO_COLOR", "1")])
            .envs(variables.iter().copied());
        let mut server = Server::spawn(context, &mut command, &package)?;
        let Some((line, address)) = wait_for_banner(&mut server.child, &server.log) else {
            let complaint = server.complaint();
            if is_kernels_refusal(&complaint) {
                return Err(Outcome::LeftOut(format!("the kernel allows no io_uring: {complaint}")));
            }
            return Err(Outcome::Failed(format!("{package} does not say where it listens: {complaint}")));
        };
        (server.banner, server.address) = (line, address);
        Ok(server)
    }

    /// Starts a program whose standard error is a log of this name, and says nothing of itself yet.
    fn spawn(context: &Context, command: &mut Command, name: &str) -> Result<Server, Outcome> {
        let log = context.folder("ci").map_err(Outcome::Failed)?.join(format!("{name}.log"));
        let program = command.get_program().to_string_lossy().into_owned();
        let failed = |error: std::io::Error| Outcome::Failed(format!("{program} did not start: {error}"));
        let child = command
            .current_dir(&context.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        Ok(Server { child, address: String::new(), banner: String::new(), log })
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The highest its resident memory ever was, in KiB.
    pub fn peak_memory_kib(&self) -> Result<u64, String> {
        self.status_kib("VmHWM")
    }

    /// A figure of its memory, in KiB: `RssAnon` is its own, `RssFile` what it maps of files (proc_pid_status(5)).
    pub fn status_kib(&self, name: &str) -> Result<u64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.map_err(|error| format!("the server's /proc status cannot be read: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok());
        kib.ok_or_else(|| format!("the server's /proc status has no {name}"))
    }

    /// Sends `SIGTERM`; it must finish and exit with 0.
    pub fn stop(mut self) -> Result<(), String> {
        command::terminate(&self.child)?;
        match command::wait(&mut self.child, STOPS_WITHIN) {
            Some(Some(0)) => Ok(()),
            Some(Some(code)) => {
                Err(format!("SIGTERM ended it with exit status {code}: {}", self.complaint()))
            }
            Some(None) => Err("SIGTERM killed it: it did not end by itself".to_owned()),
            None => Err(format!("it still ran {} s after SIGTERM", STOPS_WITHIN.as_secs())),
        }
    }

    /// Why no banner came: a kernel that has no io_uring for us is no fault of ours.
    fn explain_silence(&mut self, backend: &str) -> Outcome {
        let code = command::wait(&mut self.child, Duration::from_secs(1));
        let complaint = self.complaint();
        if backend == "uring" && matches!(code, Some(Some(1..))) && is_kernels_refusal(&complaint) {
            return Outcome::LeftOut(format!("the kernel allows no io_uring: {complaint}"));
        }
        Outcome::Failed(format!("no banner with an address on its standard output: {complaint}"))
    }

    /// The last lines of its log.
    fn complaint(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        if log.trim().is_empty() { "(it said nothing)".to_owned() } else { command::complaint(&log) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended where `stop` was called; then both say so, and that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line with an address, and the address. The rest is read too, so that the server never waits for us. A service that keeps no log says it on its standard
/// error, of which `log` is the file.
fn wait_for_banner(child: &mut Child, log: &Path) -> Option<(String, String)> {
    let lines = BufReader::new(child.stdout.take()?).lines();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(address) = address(&line) {
                // Nobody listens after the first.
                let _ = sender.send((line, address));
            }
        }
    });
    let begun = Instant::now();
    while begun.elapsed() < STARTS_WITHIN {
        if let Ok(found) = receiver.recv_timeout(Duration::from_millis(50)) {
            return Some(found);
        }
        let said = fs::read_to_string(log).unwrap_or_default();
        let line = said.lines().find(|line| line.starts_with("listening on "));
        if let Some(found) = line.and_then(|line| Some((line.to_owned(), address(line)?))) {
            return Some(found);
        }
    }
    None
}

/// The address in a banner: its first word that is a URL.
fn address(line: &str) -> Option<String> {
    let url = line
        .split_whitespace()
        .find(|word| ["http://", "https://"].iter().any(|scheme| word.starts_with(scheme)))?;
    Some(url.trim_end_matches('/').to_owned())
}

/// Whether it ended because io_uring is switched off (`EPERM`) or not built in (`ENOSYS`), see io_uring_setup(2).
pub fn is_kernels_refusal(complaint: &str) -> bool {
    let reasons = ["not permitted", "not implemented", "not available", "disabled"];
    complaint.contains("io_uring") && reasons.iter().any(|reason| complaint.contains(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_names_the_address() {
        let banner = "Gannet 0.1.0   http://127.0.0.1:40123   ./public   io_uring, 2 workers   ready in 3 ms";
        assert_eq!(address(banner).as_deref(), Some("http://127.0.0.1:40123"));
        assert_eq!(address("warning: few descriptors"), None);
    }

    #[test]
    fn only_the_kernels_refusal_excuses_the_ring() {
        assert!(is_kernels_refusal("error: io_uring: Operation not permitted (os error 1)"));
        assert!(is_kernels_refusal("error: io_uring: Function not implemented (os error 38)"));
        assert!(!is_kernels_refusal("error: io_uring: ring of buffers lost"));
        assert!(!is_kernels_refusal("error: ./public: Operation not permitted"));
    }
}
