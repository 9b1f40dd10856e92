//! A first response, for what only the server knows: its ETag, and how long a body is that it encodes.

use std::net::{SocketAddr, TcpStream};

use memchr::memmem;

use super::{
    Expected, Framing, LoadError, Tls, host, request,
    response::{content_length, is_chunked, status, values},
    stream,
};

/// What is learned from is short.
const LENGTH_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// What one response tells about those that follow.
#[derive(Debug, Eq, PartialEq)]
pub struct First {
    /// What others like it will be.
    pub expected: Expected,
    /// Its ETag, quotes included.
    pub etag: Option<String>,
    /// Its body, chunks and all.
    pub body: Vec<u8>,
}

impl First {
    /// Asks once, over a connection of its own.
    pub fn ask(address: SocketAddr, tls: Option<&Tls>, path: &str, fields: &str) -> Result<First, LoadError> {
        let mut socket = stream(TcpStream::connect(address)?, tls)?;
        socket.write_all(request(&host(address, tls), path, fields).as_bytes())?;
        let (mut received, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        while received.len() < LENGTH_LIMIT_BYTES {
            match socket.read(&mut buffer)? {
                0 => return Err(LoadError::Closed),
                length => received.extend_from_slice(&buffer[..length]),
            }
            if let Some(first) = First::read(&received)? {
                return Ok(first);
            }
        }
        Err(LoadError::NoLength)
    }

    /// Reads a response; `None` while it is incomplete.
    fn read(bytes: &[u8]) -> Result<Option<First>, LoadError> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let (head, body) = bytes.split_at(end + 4);
        let length = if is_chunked(head) { chunked_bytes(body) } else { content_length(head) };
        let Some(length) = length else {
            return if is_chunked(head) { Ok(None) } else { Err(LoadError::NoLength) };
        };
        if (body.len() as u64) < length {
            return Ok(None);
        }
        let framing = if is_chunked(head) { Framing::Chunked(length) } else { Framing::Length(length) };
        let etag = values(head, "etag").next().map(|value| String::from_utf8_lossy(value).into_owned());
        let status = status(head).unwrap_or_default();
        let body = body[..length as usize].to_vec();
        Ok(Some(First { expected: Expected { status, framing }, etag, body }))
    }
}

/// The length of a chunked body with all its framing, if its last chunk is there. None of the servers sends trailers.
fn chunked_bytes(body: &[u8]) -> Option<u64> {
    let mut at = 0;
    loop {
        let line = memmem::find(body.get(at..)?, b"\r\n")?;
        let size = std::str::from_utf8(&body[at..at + line]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        at = at.checked_add(line)?.checked_add(size)?.checked_add(4)?;
        if size == 0 {
            return (at <= body.len()).then_some(at as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_as_long_as_its_framing_and_all() {
        let body = b"5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(chunked_bytes(body), Some(body.len() as u64));
        for cut in 0..body.len() {
            assert_eq!(chunked_bytes(&body[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_response_tells_its_tag_and_length() {
        let response = b"HTTP/1.1 200 OK\r\nETag: \"a b\"\r\nContent-Length: 2\r\n\r\nok";
        let first = First::read(response).unwrap().unwrap();
        let etag = Some("\"a b\"".to_owned());
        assert_eq!(first, First { expected: Expected::whole(2), etag, body: b"ok".to_vec() });
        assert_eq!(First::read(&response[..response.len() - 1]).unwrap(), None);
    }

    #[test]
    fn a_body_that_ends_with_its_connection_is_refused() {
        assert!(matches!(First::read(b"HTTP/1.1 200 OK\r\n\r\nok"), Err(LoadError::NoLength)));
    }
}
