//! What stands behind a proxy: `null-upstream PORT [BODY_BYTES=13]` is `null-epoll` but for one thing that it looks at, the ends
//! of requests' heads. It answers each once, whether a proxy sends a head in pieces or two heads at once. Requests have no
//! bodies.

use std::{io, os::fd::OwnedFd, process::ExitCode};

use null_servers::End;
use rustix::{
    event::epoll,
    io::Errno,
    net::{self, RecvFlags, SendFlags},
};

/// What ends a head.
const HEAD_END: &[u8; 4] = b"\r\n\r\n";

/// One accepted socket.
struct Connection {
    socket: OwnedFd,
    /// The tail of a response that the socket's buffer could not hold.
    owed: &'static [u8],
    /// Responses that are to follow it.
    due: usize,
    /// How much of a head's end the last receive ended with.
    matched: usize,
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
            eprintln!("null-upstream: {line}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16, body_bytes: usize) -> io::Result<()> {
    let response: &'static [u8] = null_servers::response(body_bytes, 1, End::Keep).leak();
    let mut scratch = vec![0; 64 * 1024];
    null_servers::serve_on_epoll(
        port,
        |socket| Connection { socket, owed: &[], due: 0, matched: 0 },
        |connection, flags| connection.ready(flags, &mut scratch, response),
    )
}

impl Connection {
    /// Answers what arrived; the scratch buffer is larger than what a proxy sends at once. An error means that the
    /// connection is over.
    fn ready(
        &mut self,
        flags: epoll::EventFlags,
        scratch: &mut [u8],
        response: &'static [u8],
    ) -> Result<(), Errno> {
        if flags.contains(epoll::EventFlags::IN) {
            match net::recv(&self.socket, &mut *scratch, RecvFlags::empty()) {
                Ok((0, _)) => return Err(Errno::CONNRESET),
                Ok((received, _)) => self.due += self.heads(&scratch[..received]),
                Err(Errno::AGAIN) => {}
                Err(error) => return Err(error),
            }
        }
        while self.due > 0 || !self.owed.is_empty() {
            if self.owed.is_empty() {
                self.owed = response;
                self.due -= 1;
            }
            match net::send(&self.socket, self.owed, SendFlags::NOSIGNAL) {
                Ok(sent) => self.owed = &self.owed[sent..],
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How many heads end in these bytes.
    fn heads(&mut self, bytes: &[u8]) -> usize {
        let mut heads = 0;
        for byte in bytes {
            self.matched = match self.matched {
                matched if *byte == HEAD_END[matched] => matched + 1,
                // A carriage return begins anew what it breaks off.
                _ => usize::from(*byte == HEAD_END[0]),
            };
            if self.matched == HEAD_END.len() {
                (self.matched, heads) = (0, heads + 1);
            }
        }
        heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_counted_wherever_they_are_cut() {
        let heads = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /\r\r\n\r\n";
        for cut in 0..=heads.len() {
            let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
            let mut connection = Connection { socket: socket.into(), owed: &[], due: 0, matched: 0 };
            let first = connection.heads(&heads[..cut]);
            assert_eq!(first + connection.heads(&heads[cut..]), 2, "cut at {cut}");
        }
    }
}
