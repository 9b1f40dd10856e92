//! HTTP/1.1, as it is on the wire.

use std::io::{self, Read, Write};

use super::Answer;

/// What it is spoken over.
pub trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

pub struct Http1 {
    wire: Box<dyn Wire>,
    /// Received and not looked at yet.
    received: Vec<u8>,
}

impl Http1 {
    pub fn new(wire: impl Wire + 'static) -> Http1 {
        Http1 { wire: Box::new(wire), received: Vec::new() }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.wire.write_all(bytes).expect("the server takes what is sent");
        self.wire.flush().expect("the server takes what is sent");
    }

    /// One receive; false at the end.
    fn receive(&mut self) -> bool {
        self.try_receive().expect("an answer or the end, in time and not a reset")
    }

    fn try_receive(&mut self) -> io::Result<bool> {
        let mut room = [0; 64 * 1024];
        let count = self.wire.read(&mut room)?;
        self.received.extend_from_slice(&room[..count]);
        Ok(count > 0)
    }

    pub fn receive_once(&mut self) -> String {
        assert!(self.receive(), "the connection ended");
        String::from_utf8_lossy(&std::mem::take(&mut self.received)).into_owned()
    }

    pub fn rest(&mut self) -> Vec<u8> {
        while self.receive() {}
        std::mem::take(&mut self.received)
    }

    /// As [`rest`](Http1::rest), whether the connection ends or breaks.
    pub fn rest_of_broken(&mut self) -> Vec<u8> {
        loop {
            match self.try_receive() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if is_end(&error) => break,
                Err(error) => panic!("{error}"),
            }
        }
        std::mem::take(&mut self.received)
    }

    pub fn take(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            assert!(self.receive(), "the connection ended after {} of {length} bytes", self.received.len());
        }
        self.received.drain(..length).collect()
    }

    /// Everything up to `end`, and `end`; nothing where the connection ends before.
    fn take_until(&mut self, end: &[u8]) -> Option<String> {
        let mut looked = 0;
        loop {
            if let Some(found) = self.received[looked..].windows(end.len()).position(|window| window == end) {
                let taken = self.received.drain(..looked + found + end.len()).collect();
                return Some(String::from_utf8(taken).expect("heads are text"));
            }
            looked = self.received.len().saturating_sub(end.len() - 1);
            match self.try_receive() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) if is_end(&error) => return None,
                Err(error) => panic!("an answer or the end, in time: {error}; so far {:?}", self.shown()),
            }
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.received[..self.received.len().min(300)]).into_owned()
    }

    /// The next response's head, unless the connection ends before.
    pub fn head(&mut self) -> Option<Answer> {
        let head = self.take_until(b"\r\n\r\n")?.trim_end_matches("\r\n").to_owned();
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        assert!(head.starts_with("HTTP/1.1 "), "{head:?}");
        Some(Answer { status: status.expect("a status"), head, ..Answer::default() })
    }

    /// Receives the body that follows a head.
    pub fn body(&mut self, answer: &mut Answer) {
        if matches!(answer.status, 100..200 | 204 | 304) {
        } else if let Some(length) = answer.field("content-length") {
            answer.body = self.take(length.parse().expect("a length"));
        } else if answer.field("transfer-encoding") == Some("chunked") {
            self.chunks(answer);
        } else {
            answer.body = self.rest();
        }
    }

    fn line(&mut self) -> String {
        self.take_until(b"\r\n").expect("the connection does not end within a response")
    }

    fn chunks(&mut self, answer: &mut Answer) {
        loop {
            let size = usize::from_str_radix(self.line().trim_end(), 16).expect("a chunk size");
            if size == 0 {
                break;
            }
            answer.body.extend(self.take(size));
            assert_eq!(self.take(2), b"\r\n");
        }
        loop {
            match self.line() {
                line if line == "\r\n" => break,
                line => answer.trailers += &line,
            }
        }
    }
}

/// Whether that is how a connection ends that the other side closed, however it did.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionReset | BrokenPipe | UnexpectedEof)
}
