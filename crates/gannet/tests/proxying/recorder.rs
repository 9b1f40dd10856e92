//! An upstream that reads strictly, and keeps what it saw on each of its connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::client::PATIENCE;
use crate::strict::{self, Next, Whole};

/// What one connection brought.
#[derive(Debug)]
pub struct Seen {
    pub requests: Vec<Whole>,
    /// What came behind them, and what it is the beginning of.
    pub left: Vec<u8>,
    pub next: Next,
}

pub struct Recorder {
    pub address: SocketAddr,
    is_over: Arc<AtomicBool>,
    accepting: JoinHandle<Vec<Seen>>,
}

impl Recorder {
    pub fn start() -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let accepting = std::thread::spawn(move || {
            let mut connections = Vec::new();
            loop {
                let (stream, _) = listener.accept().expect("a connection");
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                connections.push(std::thread::spawn(move || record(stream)));
            }
            connections.into_iter().map(|connection| connection.join().expect("no panic")).collect()
        });
        Recorder { address, is_over, accepting }
    }

    /// What it saw, when all its connections have ended.
    pub fn seen(self) -> Vec<Seen> {
        self.is_over.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).expect("it listens");
        self.accepting.join().expect("no panic")
    }
}

/// Answers each request, and keeps what came until the connection's end.
fn record(mut stream: TcpStream) -> Seen {
    stream.set_read_timeout(Some(PATIENCE)).expect("an option of sockets");
    let mut seen = Seen { requests: Vec::new(), left: Vec::new(), next: Next::Unfinished { waits: false } };
    let mut has_asked = false;
    let mut room = [0; 16 * 1024];
    loop {
        seen.next = strict::next(&seen.left);
        let answer: &[u8] = match &mut seen.next {
            Next::Whole(..) => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            Next::Unfinished { waits: true } if !has_asked => b"HTTP/1.1 100 Continue\r\n\r\n",
            _ => b"",
        };
        // Who has gone hears nothing, which is seen by the next read.
        let _ = stream.write_all(answer);
        has_asked = !answer.is_empty();
        if let Next::Whole(..) = seen.next {
            let next = std::mem::replace(&mut seen.next, Next::Unfinished { waits: false });
            let Next::Whole(request, length) = next else { continue };
            seen.requests.push(request);
            seen.left.drain(..length);
            has_asked = false;
            continue;
        }
        match stream.read(&mut room) {
            Ok(0) => return seen,
            Ok(count) => seen.left.extend_from_slice(&room[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return seen,
            Err(error) => panic!("a connection of the proxy does not end: {error}"),
        }
    }
}
