//! Starts a server as a child that cannot outlive the bench, pinned to a processor of its own.
#![allow(unsafe_code, reason = "what a child does between fork and exec can only be given in an unsafe call")]

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    process::{Signal, set_parent_process_death_signal},
    thread::{CpuSet, sched_setaffinity},
};

use crate::{
    client::{Tls, ask, converse, host, stream},
    work::Protocol,
};

/// A server that is not ready after so long is given up.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// A running server; dropped, it is killed and waited for.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start to the first complete response.
    pub ready_after: Duration,
    /// What it asks in turn, where it is a proxy.
    pub upstream: Option<Box<Process>>,
}

/// What a server is asked to see whether it is ready.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// The target.
    pub path: &'a str,
    /// How the connection is secured, if it is.
    pub tls: Option<&'a Tls>,
    /// What it speaks.
    pub protocol: Protocol,
}

/// Which processors the two sides run on.
#[derive(Clone, Copy, Debug)]
pub struct Pinning {
    /// The server's.
    pub server: usize,
    /// The client's.
    pub client: usize,
}

/// A port on 127.0.0.1 that nobody listens on: the kernel's choice, given back at once.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Pins the calling thread.
pub fn pin(processor: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(processor);
    Ok(sched_setaffinity(None, &set)?)
}

impl Process {
    /// Starts `command` and waits until it answers the probe with 200. What it writes goes to `log`.
    pub fn start(
        mut command: Command,
        port: u16,
        probe: Probe<'_>,
        processor: usize,
        log: &Path,
    ) -> io::Result<Process> {
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // SAFETY: between fork and exec only async-signal-safe calls are allowed (fork(2)); both of these are plain
        // system calls and allocate nothing.
        unsafe {
            command.pre_exec(move || {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                pin(processor)
            });
        }
        let started = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let child = command.spawn()?;
        let mut process = Process { child, address, ready_after: Duration::ZERO, upstream: None };
        process.wait_until_ready(started, probe).map_err(|error| describe(&error, log))?;
        process.ready_after = started.elapsed();
        Ok(process)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_ready(&mut self, started: Instant, probe: Probe<'_>) -> io::Result<()> {
        while started.elapsed() < READY_LIMIT {
            if let Ok(socket) = TcpStream::connect(self.address) {
                return probe.ask(socket, self.address);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status} before it served")));
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        Err(io::Error::other(format!("it did not listen within {} s", READY_LIMIT.as_secs())))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill, only to collect.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Probe<'_> {
    /// One request; its response must be a complete head with status 200.
    fn ask(self, socket: TcpStream, address: SocketAddr) -> io::Result<()> {
        let Probe { path, tls, protocol } = self;
        if protocol == Protocol::Http2 {
            return ask(socket, address, tls, path).map_err(io::Error::other);
        }
        if protocol == Protocol::WebSocket {
            return converse(socket, address, path).map_err(io::Error::other);
        }
        let mut socket = stream(socket, tls)?;
        let host = host(address, tls);
        socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
        let mut head = Vec::new();
        let mut buffer = [0; 4096];
        while memchr::memmem::find(&head, b"\r\n\r\n").is_none() && head.len() < 64 * 1024 {
            match socket.read(&mut buffer)? {
                0 => return Err(io::Error::other(format!("it closed the connection that asked for {path}"))),
                received => head.extend_from_slice(&buffer[..received]),
            }
        }
        if head.starts_with(b"HTTP/1.1 200 ") {
            return Ok(());
        }
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line).into_owned();
        Err(io::Error::other(format!("it answered {path} with {line:?}")))
    }
}

/// The error with the last line that the server wrote, which is most often its reason.
fn describe(error: &io::Error, log: &Path) -> io::Error {
    let written = std::fs::read_to_string(log).unwrap_or_default();
    match written.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => io::Error::other(format!("{error}; it said: {line}")),
        None => io::Error::other(error.to_string()),
    }
}
