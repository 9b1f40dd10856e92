//! Checks each response's head as cheaply as it can be done without trusting the server.
//!
//! A head is parsed once: its status must be 200 and its Content-Length what the scenario expects. A head that is equal
//! byte for byte to the last one that passed has passed too, so most responses cost one comparison; a new Date, once a
//! second, is parsed again.

use memchr::memmem;

use super::LoadError;

/// The longest head that a server under test may send; no real one comes near.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// Checks the heads of one server's responses.
#[derive(Debug)]
pub struct Verifier {
    body_bytes: u64,
    passed: Vec<u8>,
}

impl Verifier {
    /// A verifier of responses whose bodies are `body_bytes` long.
    pub fn new(body_bytes: u64) -> Verifier {
        Verifier { body_bytes, passed: Vec::new() }
    }

    /// The length of every response's body.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The length of the head at the start of `bytes`, or `None` while it is incomplete.
    pub fn head_bytes(&mut self, bytes: &[u8]) -> Result<Option<usize>, LoadError> {
        if !self.passed.is_empty() && bytes.starts_with(&self.passed) {
            return Ok(Some(self.passed.len()));
        }
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            return if bytes.len() > HEAD_LIMIT_BYTES { Err(bad_head(bytes)) } else { Ok(None) };
        };
        let head = &bytes[..end + 4];
        self.check(head)?;
        head.clone_into(&mut self.passed);
        Ok(Some(head.len()))
    }

    fn check(&self, head: &[u8]) -> Result<(), LoadError> {
        if !head.starts_with(b"HTTP/1.1 200 ") {
            return Err(bad_head(head));
        }
        match content_length(head) {
            Some(length) if length == self.body_bytes => Ok(()),
            length => Err(LoadError::Length { expected: self.body_bytes, length }),
        }
    }
}

fn bad_head(head: &[u8]) -> LoadError {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or(head);
    LoadError::Status(String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned())
}

/// The value of the head's Content-Length, if it has exactly one that is a number.
fn content_length(head: &[u8]) -> Option<u64> {
    let mut values = head.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = line.split_at(colon);
        name.eq_ignore_ascii_case(b"content-length").then(|| value[1..].trim_ascii())
    });
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 13\r\n\r\n";

    #[test]
    fn a_head_is_measured_whatever_follows_it() {
        let mut verifier = Verifier::new(13);
        let response = [HEAD, b"Hello, World!"].concat();
        assert_eq!(verifier.head_bytes(&response).unwrap(), Some(HEAD.len()));
        assert_eq!(verifier.head_bytes(&response).unwrap(), Some(HEAD.len()));
    }

    #[test]
    fn a_head_cut_anywhere_is_incomplete() {
        for cut in 0..HEAD.len() {
            assert_eq!(Verifier::new(13).head_bytes(&HEAD[..cut]).unwrap(), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_new_date_is_checked_again() {
        let mut verifier = Verifier::new(13);
        verifier.head_bytes(HEAD).unwrap();
        let error = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 13\r\n\r\n";
        assert!(matches!(verifier.head_bytes(error), Err(LoadError::Status(line)) if line.contains("500")));
    }

    #[test]
    fn a_body_of_another_length_is_refused() {
        let error = Verifier::new(14).head_bytes(HEAD).unwrap_err();
        assert!(matches!(error, LoadError::Length { expected: 14, length: Some(13) }));
    }

    #[test]
    fn a_head_without_a_length_or_with_two_is_refused() {
        for head in [
            &b"HTTP/1.1 200 OK\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Length: 13\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        ] {
            let error = Verifier::new(13).head_bytes(head).unwrap_err();
            assert!(matches!(error, LoadError::Length { length: None, .. }));
        }
    }

    #[test]
    fn a_head_that_never_ends_is_refused() {
        let endless = vec![b'a'; HEAD_LIMIT_BYTES + 1];
        assert!(matches!(Verifier::new(13).head_bytes(&endless), Err(LoadError::Status(_))));
    }
}
