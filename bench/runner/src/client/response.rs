//! Checks each response's head as cheaply as it can be done without trusting the server.
//!
//! A head is parsed once: its status and the length of its body must be what the scenario expects. A head that is equal
//! byte for byte to the last one that passed has passed too, so most responses cost one comparison; a new Date, once a
//! second, is parsed again.

use memchr::memmem;

use super::LoadError;

/// The longest head that a server under test may send; no real one comes near.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// What every response must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expected {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub framing: Framing,
}

/// How a body's length is told, and the bytes that it takes on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// By Content-Length.
    Length(u64),
    /// By its last chunk (RFC 9112, 7.1). What one server sends for one file is chunked alike each time; were it not,
    /// the next head would not be found in its place, and the server be given up.
    Chunked(u64),
    /// There is no body, whatever a Content-Length says (RFC 9110, 15.4.5).
    None,
}

impl Expected {
    /// A 200 with a body of `body_bytes`.
    pub fn whole(body_bytes: u64) -> Expected {
        Expected { status: 200, framing: Framing::Length(body_bytes) }
    }

    /// The bytes between this head's end and the next head.
    pub fn body_bytes(&self) -> u64 {
        match self.framing {
            Framing::Length(bytes) | Framing::Chunked(bytes) => bytes,
            Framing::None => 0,
        }
    }
}

/// Checks the heads of one server's responses.
#[derive(Debug)]
pub struct Verifier {
    expected: Expected,
    passed: Vec<u8>,
}

impl Verifier {
    /// A verifier of responses that are all alike.
    pub fn new(expected: Expected) -> Verifier {
        Verifier { expected, passed: Vec::new() }
    }

    /// The length of every response's body.
    pub fn body_bytes(&self) -> u64 {
        self.expected.body_bytes()
    }

    /// The length of the head at the start of `bytes`, or `None` while it is incomplete.
    pub fn head_bytes(&mut self, bytes: &[u8]) -> Result<Option<usize>, LoadError> {
        if !self.passed.is_empty() && bytes.starts_with(&self.passed) {
            return Ok(Some(self.passed.len()));
        }
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            return if bytes.len() > HEAD_LIMIT_BYTES { Err(self.bad_head(bytes)) } else { Ok(None) };
        };
        let head = &bytes[..end + 4];
        self.check(head)?;
        head.clone_into(&mut self.passed);
        Ok(Some(head.len()))
    }

    fn check(&self, head: &[u8]) -> Result<(), LoadError> {
        if status(head) != Some(self.expected.status) {
            return Err(self.bad_head(head));
        }
        match self.expected.framing {
            Framing::None => Ok(()),
            Framing::Chunked(_) if is_chunked(head) => Ok(()),
            Framing::Chunked(_) => Err(LoadError::Unchunked),
            Framing::Length(expected) => match content_length(head) {
                Some(length) if length == expected => Ok(()),
                length => Err(LoadError::Length { expected, length }),
            },
        }
    }

    fn bad_head(&self, head: &[u8]) -> LoadError {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or(head);
        let line = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        LoadError::Status { expected: self.expected.status, line }
    }
}

/// The status of a response in HTTP/1.1.
pub(super) fn status(head: &[u8]) -> Option<u16> {
    let code = head.strip_prefix(b"HTTP/1.1 ")?.split_at_checked(3)?.0;
    std::str::from_utf8(code).ok()?.parse().ok()
}

/// The values of a field, by its name in lower case.
pub(super) fn values<'a>(head: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    head.split(|byte| *byte == b'\n').filter_map(move |line| {
        let (own, value) = line.split_at(memchr::memchr(b':', line)?);
        own.eq_ignore_ascii_case(name.as_bytes()).then(|| value[1..].trim_ascii())
    })
}

/// Whether the body comes in chunks.
pub(super) fn is_chunked(head: &[u8]) -> bool {
    values(head, "transfer-encoding").any(|value| value.eq_ignore_ascii_case(b"chunked"))
}

/// The value of the head's Content-Length, if it has exactly one that is a number.
pub(super) fn content_length(head: &[u8]) -> Option<u64> {
    let mut lengths = values(head, "content-length");
    let length = lengths.next()?;
    if lengths.next().is_some() {
        return None;
    }
    std::str::from_utf8(length).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 13\r\n\r\n";

    #[test]
    fn a_head_is_measured_whatever_follows_it() {
        let mut verifier = Verifier::new(Expected::whole(13));
        let response = [HEAD, b"Hello, World!"].concat();
        assert_eq!(verifier.head_bytes(&response).unwrap(), Some(HEAD.len()));
        assert_eq!(verifier.head_bytes(&response).unwrap(), Some(HEAD.len()));
    }

    #[test]
    fn a_head_cut_anywhere_is_incomplete() {
        for cut in 0..HEAD.len() {
            assert_eq!(
                Verifier::new(Expected::whole(13)).head_bytes(&HEAD[..cut]).unwrap(),
                None,
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_new_date_is_checked_again() {
        let mut verifier = Verifier::new(Expected::whole(13));
        verifier.head_bytes(HEAD).unwrap();
        let error = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 13\r\n\r\n";
        let error = verifier.head_bytes(error).unwrap_err();
        assert!(matches!(error, LoadError::Status { expected: 200, line } if line.contains("500")));
    }

    #[test]
    fn a_body_of_another_length_is_refused() {
        let error = Verifier::new(Expected::whole(14)).head_bytes(HEAD).unwrap_err();
        assert!(matches!(error, LoadError::Length { expected: 14, length: Some(13) }));
    }

    #[test]
    fn a_head_without_a_length_or_with_two_is_refused() {
        for head in [
            &b"HTTP/1.1 200 OK\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Length: 13\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        ] {
            let error = Verifier::new(Expected::whole(13)).head_bytes(head).unwrap_err();
            assert!(matches!(error, LoadError::Length { length: None, .. }));
        }
    }

    #[test]
    fn a_head_that_never_ends_is_refused() {
        let endless = vec![b'a'; HEAD_LIMIT_BYTES + 1];
        let error = Verifier::new(Expected::whole(13)).head_bytes(&endless).unwrap_err();
        assert!(matches!(error, LoadError::Status { .. }));
    }

    #[test]
    fn a_304_has_no_body_whatever_its_length_says() {
        let head = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1024\r\n\r\n";
        let mut verifier = Verifier::new(Expected { status: 304, framing: Framing::None });
        assert_eq!(verifier.head_bytes(head).unwrap(), Some(head.len()));
        assert_eq!(verifier.body_bytes(), 0);
        assert!(verifier.head_bytes(HEAD).is_err());
    }

    #[test]
    fn a_body_that_was_chunked_once_must_stay_so() {
        let mut verifier = Verifier::new(Expected { status: 200, framing: Framing::Chunked(21) });
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(verifier.head_bytes(chunked).unwrap(), Some(chunked.len()));
        assert!(matches!(verifier.head_bytes(HEAD), Err(LoadError::Unchunked)));
    }
}
