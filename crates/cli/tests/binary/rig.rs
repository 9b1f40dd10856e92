//! Starting the binary, talking to it and waiting for its end; whatever it does, no test waits for ever.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A bound for what takes milliseconds: it measures nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// The binary, without the variables of whoever runs the tests, but for the one that names the backend to test.
pub fn gannet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GANNET_") && name != "GANNET_BACKEND" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Whether this test is to run on io_uring and the kernel lets the binary have it; says so if not.
pub fn has_uring() -> bool {
    if !gannet_testing::is_wanted("uring") {
        return false;
    }
    let mut ring =
        Process::start(gannet().args(["--listen", "127.0.0.1:0", "--backend", "uring", "--log", "off"]));
    if ring.read_line().is_some() {
        return true;
    }
    let complaint = ring.wait().stderr;
    assert!(complaint.contains("--backend epoll needs no io_uring"), "{complaint}");
    gannet_testing::leave_out("uring", &complaint.trim());
    false
}

/// What it was when it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status, unless a signal killed it.
    pub code: Option<i32>,
    /// What it said beyond what was read before.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

impl Ended {
    /// Runs it to its end.
    pub fn of(command: &mut Command) -> Ended {
        Process::start(command).wait()
    }
}

/// A process; killed when dropped.
pub struct Process {
    child: Child,
    /// It cannot be another's by the time that a signal is sent (pidfd_open(2)).
    handle: OwnedFd,
}

impl Process {
    fn start(command: &mut Command) -> Process {
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let handle =
            pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("the child has a handle");
        Process { child, handle }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.handle, signal).expect("the process is still there");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Ended {
        await_readable(&self.handle, "its end");
        let status = self.child.wait().expect("a child can be waited for");
        let stdout = read_all(self.child.stdout.take());
        Ended { code: status.code(), stdout, stderr: read_all(self.child.stderr.take()) }
    }

    /// A line of its standard output, or nothing if that ends before.
    fn read_line(&mut self) -> Option<String> {
        let output = self.child.stdout.as_mut().expect("its standard output is ours to read");
        let mut line = Vec::new();
        loop {
            await_readable(&*output, "a line");
            let mut byte = [0];
            match output.read(&mut byte).expect("a pipe can be read") {
                0 => return None,
                _ if byte == *b"\n" => return Some(String::from_utf8(line).expect("the banner is UTF-8")),
                _ => line.push(byte[0]),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that serves.
pub struct Gannet {
    process: Process,
    /// The line it greeted with.
    pub banner: String,
    /// Where it listens, by its banner.
    pub addresses: Vec<SocketAddr>,
}

impl Gannet {
    /// Starts it and reads its banner.
    pub fn start(command: &mut Command) -> Gannet {
        let mut process = Process::start(command);
        let Some(banner) = process.read_line() else { panic!("no banner: {}", process.wait().stderr) };
        let addresses: Vec<SocketAddr> = banner.split_whitespace().filter_map(address).collect();
        assert!(banner.contains("   ready in "), "{banner}");
        Gannet { process, banner, addresses }
    }

    /// Starts it on a port that is known beforehand, and waits until it listens there.
    pub fn start_on(command: &mut Command, port: u16) -> Gannet {
        let process = Process::start(command);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < PATIENCE, "nothing listens on {address}");
            std::thread::yield_now();
        }
        Gannet { process, banner: String::new(), addresses: vec![address] }
    }

    /// Where it listens first.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// What the kernel says of each of its threads whose name begins so (proc(5), `status`).
    pub fn threads(&self, prefix: &str) -> Vec<String> {
        let folder = format!("/proc/{}/task", self.process.child.id());
        let threads = fs::read_dir(folder).expect("the process is there").flatten();
        let statuses = threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
        statuses.filter(|status| status.starts_with(&format!("Name:\t{prefix}"))).collect()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Ended {
        self.process.wait()
    }
}

/// `http://127.0.0.1:80`, `https://127.0.0.1:443` or `http://localhost:80`.
fn address(word: &str) -> Option<SocketAddr> {
    let place = word.strip_prefix("http://").or_else(|| word.strip_prefix("https://"))?;
    place.replace("localhost", "127.0.0.1").parse().ok()
}

/// A port that was free just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|taken| taken.local_addr())
        .expect("there is a free port")
        .port()
}

/// Sends one request, its connection's last.
pub fn send(address: SocketAddr, method: &str, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit can be set");
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a request can be sent");
    stream
}

/// One request and all that is answered.
pub fn exchange(address: SocketAddr, method: &str, target: &str) -> String {
    let mut answer = Vec::new();
    send(address, method, target).read_to_end(&mut answer).expect("an answer comes, and its end");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads the answer's head, and nothing behind it.
pub fn receive_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head comes");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("a head is ASCII here")
}

fn await_readable(descriptor: &impl AsFd, what: &str) {
    let patience = Timespec::try_from(PATIENCE).expect("a few seconds fit");
    let ready = poll(&mut [PollFd::new(descriptor, PollFlags::IN)], Some(&patience)).expect("poll(2) works");
    assert!(ready > 0, "waited for {what} for {} s", PATIENCE.as_secs());
}

fn read_all(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
