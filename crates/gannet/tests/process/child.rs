//! A server in a process of its own: the test runs itself again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

use gannet::{App, BackendChoice};
use rustix::process::{Pid, Signal, kill_process};

/// Set in the process that is to be the server.
const CHILD: &str = "GANNET_TEST_CHILD";

/// Whether this is the process that was started by [`Server::start`].
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// An application of the children's, by one worker.
pub fn app(backend: BackendChoice) -> App {
    App::new().get("/", "hello").listen("127.0.0.1:0").workers(1).backend(backend)
}

/// The process that is the server.
pub struct Server {
    process: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

impl Server {
    /// Runs the test of this module and name again, as the server; it says where it listens.
    pub fn start(module: &str, backend: BackendChoice, test: &str) -> Server {
        let mut process = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", &format!("{module}::{}::{test}", backend.name()), "--nocapture"])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started again");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        let mut server = Server { process, log, address: String::new() };
        let line = server.line_with("listening on ");
        let (_, address) = line.split_once("listening on ").expect("the line has it");
        address.trim().trim_start_matches("http://").clone_into(&mut server.address);
        server
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("into the backlog");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("an option of sockets");
        stream
    }

    /// Waits until the server says `text`.
    pub fn says(&mut self, text: &str) {
        self.line_with(text);
    }

    /// The next line that has this text in it.
    fn line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let count = self.log.read_line(&mut line).expect("text");
            assert!(count > 0, "the server ended without saying {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        let pid =
            i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process has a number");
        kill_process(pid, signal).expect("our child");
    }

    /// Writes a line to the server's standard input.
    pub fn tell(&mut self) {
        self.process.stdin.as_mut().expect("piped").write_all(b"\n").expect("the server reads");
    }

    /// Waits for the server's end; gives what else it said.
    pub fn end(mut self) -> (ExitStatus, String) {
        drop(self.process.stdin.take());
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("text");
        (self.process.wait().expect("our child"), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended
        let _ = self.process.wait();
    }
}

/// Asks for `target`.
pub fn ask(client: &mut TcpStream, target: &str) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.write_all(request.as_bytes()).expect("the server takes it");
}

/// The answer, which one receive has as a whole; empty at the end.
pub fn answer(client: &mut TcpStream) -> String {
    let mut room = [0; 1024];
    let count = client.read(&mut room).expect("an answer or the end");
    String::from_utf8_lossy(&room[..count]).into_owned()
}

/// Asks for `/` and is answered.
pub fn is_served(client: &mut TcpStream) {
    ask(client, "/");
    let answer = answer(client);
    assert!(answer.ends_with("hello"), "{answer}");
}
