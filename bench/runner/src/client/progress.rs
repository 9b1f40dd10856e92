//! How far the responses on one connection have come.

use super::{LoadError, response::Verifier};

/// What is known between two receives.
#[derive(Debug, Default)]
pub struct Progress {
    body_left_bytes: u64,
    /// A head that a receive cut in two.
    cut_head: Vec<u8>,
}

impl Progress {
    /// What is left of the body under way.
    pub fn body_left_bytes(&self) -> u64 {
        self.body_left_bytes
    }

    /// Counts bytes that lie within the body under way, and were not looked at.
    pub fn drop_body(&mut self, received: u64) -> u32 {
        self.body_left_bytes -= received;
        u32::from(self.body_left_bytes == 0)
    }

    /// Walks over heads and bodies, and returns how many responses end within `bytes`.
    pub fn count(&mut self, bytes: &[u8], verifier: &mut Verifier) -> Result<u32, LoadError> {
        if self.cut_head.is_empty() {
            return self.walk(bytes, verifier);
        }
        let mut joined = std::mem::take(&mut self.cut_head);
        joined.extend_from_slice(bytes);
        self.walk(&joined, verifier)
    }

    fn walk(&mut self, mut bytes: &[u8], verifier: &mut Verifier) -> Result<u32, LoadError> {
        let mut completed = 0;
        while !bytes.is_empty() {
            if self.body_left_bytes == 0 {
                let Some(head_bytes) = verifier.head_bytes(bytes)? else {
                    self.cut_head.extend_from_slice(bytes);
                    break;
                };
                bytes = &bytes[head_bytes..];
                self.body_left_bytes = verifier.body_bytes();
            }
            let taken = self.body_left_bytes.min(bytes.len() as u64);
            self.body_left_bytes -= taken;
            bytes = &bytes[taken as usize..];
            completed += u32::from(self.body_left_bytes == 0);
        }
        Ok(completed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Expected;

    #[test]
    fn responses_cut_at_every_byte_count_the_same() {
        let one = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let three = one.repeat(3);
        for cut in 0..=three.len() {
            let (mut progress, mut verifier) = (Progress::default(), Verifier::new(Expected::whole(5)));
            let first = progress.count(&three[..cut], &mut verifier).unwrap();
            let second = progress.count(&three[cut..], &mut verifier).unwrap();
            assert_eq!(first, (cut / one.len()) as u32, "cut at {cut}");
            assert_eq!(first + second, 3, "cut at {cut}");
        }
    }

    #[test]
    fn a_response_byte_by_byte_counts_once() {
        let (mut progress, mut verifier) = (Progress::default(), Verifier::new(Expected::whole(2)));
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let counts: u32 = response.chunks(1).map(|byte| progress.count(byte, &mut verifier).unwrap()).sum();
        assert_eq!(counts, 1);
    }

    #[test]
    fn an_empty_body_completes_with_its_head() {
        let (mut progress, mut verifier) = (Progress::default(), Verifier::new(Expected::whole(0)));
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(progress.count(&response.repeat(2), &mut verifier).unwrap(), 2);
    }
}
