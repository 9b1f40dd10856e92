//! The protocol alone: no socket, no thread, no clock.
//!
//! A protocol is often taught as a conversation over a wire. It is easier to see as two functions: received bytes
//! go in and *events* come out; *commands* go in and bytes to send come out. Everything else about a server (who
//! brings the bytes, who decides the answer, who sends it) is another layer's, so this program can play them all:
//!
//! * the network is a list of pieces, cut where no one would cut them;
//! * the application answers every request with what it was asked;
//! * the client's screen is your terminal.
//!
//! ```text
//! cargo run -p example-layers
//! ```
//! Watch for three things. A head cut in two is one event: the first piece only made the machine ask for more. The
//! two requests that came in one piece are answered in order. And the last request, which two servers could
//! read in two ways, is not answered at its word but refused, and nothing after it is read.
#![allow(clippy::print_stdout, reason = "showing is what this program does")]

use gannet_proto::h1::{Connection, Error, Event, Misuse, ResponseToSend, date};
use gannet_proto::{Head, Limits, Status};

/// What "the network" delivers: three requests and an attempt at smuggling, in five pieces.
const PIECES: [&str; 5] = [
    "GET /hello?to=you HTTP/1.1\r\nHo",
    "st: example.com\r\n\r\nPOST /echo HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "lo\r\n7;why=not\r\n, world\r\n0\r\nX-Checksum: 17\r\n\r\nHEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0\r\n\r\nGET /secret HTTP/1.1\r\nHost: example.com\r\n\r\n",
];

fn main() -> Result<(), Misuse> {
    let mut server = Server::new();
    for piece in PIECES {
        println!("── received {} bytes", piece.len());
        if !server.receive(piece.as_bytes())? {
            println!("── closed: whatever else comes is not looked at");
            break;
        }
    }
    Ok(())
}

/// The layer above the protocol: it keeps what is not done with, answers, and "sends" by printing.
struct Server {
    connection: Connection,
    /// Bytes that were received and are not done with.
    received: Vec<u8>,
    /// The request's head; its spans point into `received` until those bytes are dropped.
    head: Head,
    /// Another one for the trailers: in a real server the first is in a handler's hands by then.
    trailers: Head,
    /// Bytes to send.
    out: Vec<u8>,
}

impl Server {
    fn new() -> Server {
        Server {
            connection: Connection::new(Limits::default()),
            received: Vec::new(),
            head: Head::default(),
            trailers: Head::default(),
            out: Vec::new(),
        }
    }

    /// Takes bytes in, and goes on until the protocol asks for more. Returns whether the connection stays open.
    fn receive(&mut self, bytes: &[u8]) -> Result<bool, Misuse> {
        self.received.extend_from_slice(bytes);
        loop {
            // The one rule of the reading half: give it what is not done with, take off what it says is.
            let head = if self.connection.responded() { &mut self.trailers } else { &mut self.head };
            let done = match self.connection.handle(&self.received, head) {
                Ok(Event::Need { consumed }) => {
                    self.received.drain(..consumed);
                    return Ok(true);
                }
                Ok(Event::Head { consumed }) => {
                    self.begin_answer()?;
                    consumed
                }
                Ok(Event::Data { start, end }) => {
                    self.echo(start, end)?;
                    end
                }
                Ok(Event::End { consumed }) => {
                    self.end_answer()?;
                    if !self.connection.keep_alive() {
                        return Ok(false);
                    }
                    self.connection.next();
                    consumed
                }
                Err(error) => {
                    self.refuse(error)?;
                    return Ok(false);
                }
            };
            self.received.drain(..done);
        }
    }

    /// A head is there: answer at once, though the body may be on its way. That is what "two halves" means.
    fn begin_answer(&mut self) -> Result<(), Misuse> {
        let (method, bytes) = (self.head.method_str(&self.received), &self.received[..]);
        println!("   head   {method} {} with {:?}", show(self.head.path.of(bytes)), self.head.body);
        let hello = (self.head.path.of(bytes) == b"/hello").then_some(&b"Hello, you.\n"[..]);
        // A length that is known is told; one that is not makes the machine choose chunks.
        self.respond(Status::OK, hello.map(|hello| hello.len() as u64));
        if let Some(hello) = hello {
            self.push(hello)?;
        }
        Ok(())
    }

    fn echo(&mut self, start: usize, end: usize) -> Result<(), Misuse> {
        println!("   data   {}", show(&self.received[start..end]));
        let piece = self.received[start..end].to_vec();
        self.push(&piece)
    }

    fn end_answer(&mut self) -> Result<(), Misuse> {
        for field in &self.trailers.fields {
            let (name, value) = (field.name.of(&self.received), field.value.of(&self.received));
            println!("   trailer {}: {}", show(name), show(value));
        }
        println!("   end");
        self.connection.finish(b"", &mut self.out)?;
        self.send();
        Ok(())
    }

    /// The error knows its status; the machine knows that nothing may follow.
    fn refuse(&mut self, error: Error) -> Result<(), Misuse> {
        println!("   error  {error}");
        let text = format!("{error}\n");
        self.respond(error.status(), Some(text.len() as u64));
        self.push(text.as_bytes())?;
        self.connection.finish(b"", &mut self.out)?;
        self.send();
        Ok(())
    }

    fn respond(&mut self, status: Status, length: Option<u64>) {
        // Time is brought from outside as well; here it stands still.
        let mut now = [0; 29];
        date(784_111_777, &mut now);
        let head =
            ResponseToSend { status, fields: b"Content-Type: text/plain\r\n", length, date: Some(&now) };
        let framing = self.connection.respond(head, &mut self.out);
        println!("   answer {status} framed as {framing:?}");
    }

    /// The machine frames the content but does not carry it: a real server sends it from wherever it lies.
    fn push(&mut self, content: &[u8]) -> Result<(), Misuse> {
        self.connection.push(content.len(), &mut self.out)?;
        self.out.extend_from_slice(content);
        self.connection.pushed(&mut self.out);
        Ok(())
    }

    fn send(&mut self) {
        for line in self.out.split_inclusive(|byte| *byte == b'\n') {
            println!("      > {}", show(line));
        }
        self.out.clear();
    }
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
