//! The floor of HTTP/2 in clear text: `null-h2 PORT [BODY_BYTES=13]` looks for the ends of frames and at nothing that is in
//! them. For each HEADERS frame it sends a HEADERS frame and the DATA frames of a body, which are constants but for the
//! number of their stream. As the protocol demands it, it says a SETTINGS frame first and acknowledges SETTINGS and PING. All that
//! answers one receive leaves in one send. It heeds no window: the load's are wide enough.

use std::{io, os::fd::OwnedFd, process::ExitCode};

use rustix::{
    event::epoll,
    io::Errno,
    net::{self, RecvFlags, SendFlags},
};

/// What a client sends before its first frame (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;
/// The header of a frame (RFC 9113, 4.1), in which the stream's number comes last.
const HEADER_BYTES: usize = 9;
/// The most that a frame may carry by default (RFC 9113, 6.5.2).
const PAYLOAD_BYTES: usize = 16_384;

/// Types of frames (RFC 9113, 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

/// Flags.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// What answers each request.
struct Response {
    bytes: Vec<u8>,
    /// Where the number of the stream belongs.
    places: Vec<usize>,
}

/// One accepted socket.
struct Connection {
    socket: OwnedFd,
    /// What is left of the preface.
    preface_bytes: usize,
    /// The beginning of a frame whose end has not come.
    cut: Vec<u8>,
    /// What has not been sent, from `sent` on.
    owed: Vec<u8>,
    sent: usize,
}

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| given.get(index).map(|text| text.parse::<usize>());
    let served = match (number(0), number(1).unwrap_or(Ok(13))) {
        (Some(Ok(port)), Ok(body_bytes)) if port <= usize::from(u16::MAX) => {
            serve(port as u16, body_bytes).map_err(|error| error.to_string())
        }
        _ => Err("expected PORT [BODY_BYTES]".to_owned()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("null-h2: {line}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16, body_bytes: usize) -> io::Result<()> {
    let response = Response::new(body_bytes);
    let mut scratch = vec![0; 64 * 1024];
    null_servers::serve_on_epoll(port, Connection::new, |connection, flags| {
        connection.ready(flags, &mut scratch, &response)
    })
}

impl Response {
    /// The fields are those of the other null servers' response, as literals that go into no table.
    fn new(body_bytes: usize) -> Response {
        // `:status: 200` of the static table (RFC 7541, appendix A).
        let mut block = vec![0x88];
        for (name, value) in [
            ("server", "null"),
            ("date", "Fri, 20 Nov 2026 12:00:00 GMT"),
            ("content-type", "text/plain"),
            ("content-length", &body_bytes.to_string()),
        ] {
            // A literal with a new name (RFC 7541, 6.2.2); all are short enough for a length of one byte.
            block.push(0);
            for text in [name, value] {
                block.push(text.len() as u8);
                block.extend_from_slice(text.as_bytes());
            }
        }
        let mut response = Response { bytes: Vec::new(), places: Vec::new() };
        response.put(HEADERS, END_HEADERS | if body_bytes == 0 { END_STREAM } else { 0 }, &block);
        let body = vec![b'x'; body_bytes];
        let mut left = body_bytes;
        for piece in body.chunks(PAYLOAD_BYTES) {
            left -= piece.len();
            response.put(DATA, if left == 0 { END_STREAM } else { 0 }, piece);
        }
        response
    }

    fn put(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        self.places.push(self.bytes.len() + HEADER_BYTES - 4);
        put(&mut self.bytes, kind, flags, payload);
    }
}

/// Appends a frame of the connection.
fn put(bytes: &mut Vec<u8>, kind: u8, flags: u8, payload: &[u8]) {
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(&[kind, flags, 0, 0, 0, 0]);
    bytes.extend_from_slice(payload);
}

impl Connection {
    fn new(socket: OwnedFd) -> Connection {
        let mut owed = Vec::new();
        put(&mut owed, SETTINGS, 0, &[]);
        Connection { socket, preface_bytes: PREFACE_BYTES, cut: Vec::new(), owed, sent: 0 }
    }

    /// Answers what arrived; the scratch buffer is larger than what a client sends at once. An error means that the
    /// connection is over.
    fn ready(
        &mut self,
        flags: epoll::EventFlags,
        scratch: &mut [u8],
        response: &Response,
    ) -> Result<(), Errno> {
        if flags.contains(epoll::EventFlags::IN) {
            match net::recv(&self.socket, &mut *scratch, RecvFlags::empty()) {
                Ok((0, _)) => return Err(Errno::CONNRESET),
                Ok((received, _)) => self.take(&scratch[..received], response),
                Err(Errno::AGAIN) => {}
                Err(error) => return Err(error),
            }
        }
        self.send()
    }

    fn take(&mut self, bytes: &[u8], response: &Response) {
        let (preface, bytes) = bytes.split_at(self.preface_bytes.min(bytes.len()));
        self.preface_bytes -= preface.len();
        if self.cut.is_empty() {
            self.walk(bytes, response);
        } else {
            let mut joined = std::mem::take(&mut self.cut);
            joined.extend_from_slice(bytes);
            self.walk(&joined, response);
        }
    }

    fn walk(&mut self, mut bytes: &[u8], response: &Response) {
        while let Some(([a, b, c, kind, flags, stream @ ..], rest)) =
            bytes.split_first_chunk::<HEADER_BYTES>()
        {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let Some((payload, rest)) = rest.split_at_checked(length) else { break };
            match *kind {
                HEADERS => self.answer(*stream, response),
                SETTINGS if flags & ACK == 0 => put(&mut self.owed, SETTINGS, ACK, &[]),
                PING if flags & ACK == 0 => put(&mut self.owed, PING, ACK, payload),
                _ => {}
            }
            bytes = rest;
        }
        self.cut.extend_from_slice(bytes);
    }

    fn answer(&mut self, stream: [u8; 4], response: &Response) {
        let start = self.owed.len();
        self.owed.extend_from_slice(&response.bytes);
        for place in &response.places {
            self.owed[start + place..][..4].copy_from_slice(&stream);
        }
    }

    fn send(&mut self) -> Result<(), Errno> {
        if self.sent == self.owed.len() {
            return Ok(());
        }
        match net::send(&self.socket, &self.owed[self.sent..], SendFlags::NOSIGNAL) {
            Ok(sent) => self.sent += sent,
            Err(Errno::AGAIN) => {}
            Err(error) => return Err(error),
        }
        if self.sent == self.owed.len() {
            self.owed.clear();
            self.sent = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types and streams of frames.
    fn frames(mut bytes: &[u8]) -> Vec<(u8, u8)> {
        let mut frames = Vec::new();
        while let Some(([_, b, c, kind, _, .., stream], rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
            frames.push((*kind, *stream));
            bytes = &rest[usize::from(*b) << 8 | usize::from(*c)..];
        }
        frames
    }

    #[test]
    fn each_head_is_answered_on_its_stream_wherever_bytes_are_cut() {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        put(&mut bytes, SETTINGS, 0, &[0, 2, 0, 0, 0, 0]);
        for stream in [1, 3] {
            let start = bytes.len();
            put(&mut bytes, HEADERS, END_HEADERS | END_STREAM, &[0x82, 0x86, 0x84]);
            bytes[start + 8] = stream;
        }
        put(&mut bytes, PING, 0, b"12345678");
        let response = Response::new(PAYLOAD_BYTES + 1);
        let answer = |stream| [(HEADERS, stream), (DATA, stream), (DATA, stream)];
        let settings = [(SETTINGS, 0), (SETTINGS, 0)];
        let expected = [&settings[..], &answer(1), &answer(3), &[(PING, 0)]].concat();
        for cut in 0..=bytes.len() {
            let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
            let mut connection = Connection::new(socket.into());
            connection.take(&bytes[..cut], &response);
            connection.take(&bytes[cut..], &response);
            assert_eq!(frames(&connection.owed), expected, "cut at {cut}");
        }
    }
}
