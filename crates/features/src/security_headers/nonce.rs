//! A number used once: what marks a response's own scripts and styles (CSP level 3, 2.3.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gannet_core::{FromRequest, Rejection, Request, Status};

use crate::random::Random;

/// 128 bits, as CSP level 3, 7.1 asks for at least.
const DRAWN_BYTES: usize = 16;

/// How long its text is.
const TEXT_BYTES: usize = 22;

/// What a response's policy has its own scripts and styles marked with: `<script nonce="{nonce}">`. Each response has another, which nobody can
/// foretell; it is text that can stand in HTML as it is.
///
/// It is an argument of handlers behind a [`SecurityHeaders`](super::SecurityHeaders) whose policy has nonces; where there is none it is a
/// mistake of the application: 500. Also `request.extension::<Nonce>()`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Nonce([u8; TEXT_BYTES]);

impl Nonce {
    /// Another one.
    pub(super) fn draw(&mut self, random: &mut Random) {
        let drawn = random.bytes::<DRAWN_BYTES>();
        let written = URL_SAFE_NO_PAD.encode_slice(drawn, &mut self.0);
        debug_assert_eq!(written, Ok(TEXT_BYTES));
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64 is ASCII")
    }
}

impl FromRequest for Nonce {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Nonce, Rejection> {
        let missing =
            "this handler takes a Nonce, and is not behind SecurityHeaders with a policy that has nonces";
        let nonce = request.extension().copied();
        nonce.ok_or_else(|| Rejection::new(Status::INTERNAL_SERVER_ERROR, missing))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another_and_stands_in_html_and_in_a_policy_as_it_is() {
        let mut random = Random::new(None);
        let mut nonce = Nonce::default();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            nonce.draw(&mut random);
            assert_eq!(nonce.as_str().len(), TEXT_BYTES);
            assert!(nonce.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            assert!(seen.insert(nonce.to_string()));
        }
    }
}
