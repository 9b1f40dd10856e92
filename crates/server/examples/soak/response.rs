//! Reads responses as a client must: the head, then the body by its framing.

use std::io::{self, Read};
use std::net::TcpStream;

/// A connection's bytes that were received and not read yet.
pub struct Reader {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Reader {
    pub fn new(stream: TcpStream) -> Reader {
        Reader { stream, buffer: Vec::new() }
    }

    /// One response, whole.
    pub fn response(&mut self) -> io::Result<Response> {
        let head = self.until(b"\r\n\r\n")?;
        let head = String::from_utf8(head).map_err(|_| invalid("a head is text"))?;
        let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or(invalid("no status"))?;
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
        };
        let body = match field("Content-Length").map(str::parse) {
            _ if status == 101 => Vec::new(),
            Some(Ok(length)) => self.exactly(length)?,
            Some(Err(_)) => return Err(invalid("a length is a number")),
            None if field("Transfer-Encoding") == Some("chunked") => self.chunks()?,
            None => return Err(invalid("a body without framing")),
        };
        Ok(Response { status, body })
    }

    /// So many bytes.
    pub fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            self.fill()?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n")?;
            let size = std::str::from_utf8(&line)
                .ok()
                .and_then(|line| usize::from_str_radix(line.trim_end(), 16).ok());
            let size = size.ok_or(invalid("a chunk has a size"))?;
            let chunk = self.exactly(size + 2)?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    /// Everything up to `end`, and that.
    fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            let found = self.buffer.windows(end.len()).position(|window| window == end);
            match found {
                Some(at) => return Ok(self.buffer.drain(..at + end.len()).collect()),
                None => self.fill()?,
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut room = [0; 64 * 1024];
        match self.stream.read(&mut room)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.buffer.extend_from_slice(&room[..count]);
                Ok(())
            }
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
