//! A server under test, and a client that says exactly what it is told to.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use gannet::{App, BackendChoice, Running};

pub(crate) use crate::common::on_each_backend;

/// No wait is longer than this; a test that waits so long fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Serves on a free port of loopback, by one worker.
pub fn serve(app: App, backend: BackendChoice) -> Running {
    app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("the application is sound")
}

/// Runs a future to its end, as a client with Tokio does.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime on this thread");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("not so long") })
}

/// Says so when it is dropped.
pub struct TellWhenDropped(pub mpsc::Sender<&'static str>);

impl Drop for TellWhenDropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped"); // the test may have heard enough
    }
}

/// A client on a raw socket.
pub struct Client {
    stream: TcpStream,
    /// Received and not looked at yet.
    received: Vec<u8>,
}

/// A response as it was received.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Status line and fields as they came, without the empty line.
    pub head: String,
    pub body: Vec<u8>,
    /// The trailer section as it came.
    pub trailers: String,
}

impl Client {
    pub fn connect(server: &Running) -> Client {
        Client::to(server.socket_addresses()[0]).expect("the server listens")
    }

    pub fn to(address: SocketAddr) -> std::io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, received: Vec::new() })
    }

    /// A second handle on the connection, for another thread.
    pub fn stream(&self) -> TcpStream {
        self.stream.try_clone().expect("a descriptor")
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.stream.write_all(bytes.as_ref()).expect("the server takes what is sent");
        self
    }

    /// Asks for `target` and gives the answer.
    pub fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")).answer()
    }

    /// Ends our half.
    pub fn finish(&mut self) -> &mut Client {
        self.stream.shutdown(Shutdown::Write).expect("still connected");
        self
    }

    /// Breaks the connection.
    pub fn reset(self) {
        // No lingering: what close(2) does then is a reset (socket(7), SO_LINGER).
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("an option of TCP");
    }

    /// One receive; false at the end.
    fn receive(&mut self) -> bool {
        let mut room = [0; 64 * 1024];
        let count = self.stream.read(&mut room).expect("an answer or the end, in time and not a reset");
        self.received.extend_from_slice(&room[..count]);
        count > 0
    }

    /// Everything one receive gives.
    pub fn receive_once(&mut self) -> String {
        assert!(self.receive(), "the connection ended");
        String::from_utf8_lossy(&std::mem::take(&mut self.received)).into_owned()
    }

    /// Everything until the server ends the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.receive() {}
        std::mem::take(&mut self.received)
    }

    /// As [`rest`](Client::rest), whether the connection ends or breaks.
    pub fn rest_of_broken(&mut self) -> Vec<u8> {
        let mut room = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut room) {
                Ok(0) => break,
                Ok(count) => self.received.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("{error}"),
            }
        }
        std::mem::take(&mut self.received)
    }

    /// The server ends the connection, and has nothing else to say.
    pub fn ends(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            assert!(self.receive(), "the connection ended after {} of {length} bytes", self.received.len());
        }
        self.received.drain(..length).collect()
    }

    /// Everything up to `end`, and `end`.
    fn take_until(&mut self, end: &[u8]) -> String {
        let mut looked = 0;
        loop {
            if let Some(found) = self.received[looked..].windows(end.len()).position(|window| window == end) {
                let taken = self.received.drain(..looked + found + end.len()).collect();
                return String::from_utf8(taken).expect("heads are text");
            }
            looked = self.received.len().saturating_sub(end.len());
            assert!(self.receive(), "the connection ended: {:?}", String::from_utf8_lossy(&self.received));
        }
    }

    /// The next response's head: of a response to HEAD, an informational one, or one whose body is looked at by hand.
    pub fn head(&mut self) -> Answer {
        let head = self.take_until(b"\r\n\r\n");
        let head = head.trim_end().to_owned();
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        assert!(head.starts_with("HTTP/1.1 "), "{head:?}");
        Answer { status: status.expect("a status"), head, body: Vec::new(), trailers: String::new() }
    }

    /// The next response, with its body.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        if let Some(length) = answer.field("content-length") {
            answer.body = self.take(length.parse().expect("a length"));
        } else if answer.field("transfer-encoding") == Some("chunked") {
            self.take_chunks(&mut answer);
        } else if !matches!(answer.status, 100..200 | 204 | 304) {
            answer.body = self.rest();
        }
        answer
    }

    fn take_chunks(&mut self, answer: &mut Answer) {
        loop {
            let size = self.take_until(b"\r\n");
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk size");
            if size == 0 {
                break;
            }
            answer.body.extend(self.take(size));
            assert_eq!(self.take(2), b"\r\n");
        }
        loop {
            match self.take_until(b"\r\n") {
                line if line == "\r\n" => break,
                line => answer.trailers += &line,
            }
        }
    }
}

impl Answer {
    /// The first field of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// Status and body.
    pub fn says(&self) -> (u16, &str) {
        (self.status, self.text())
    }
}
