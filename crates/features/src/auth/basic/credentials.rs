//! The name and the password that a request has (RFC 7617, 2).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gannet_core::Request;

use crate::auth::challenge;

/// Longer credentials are nobody's.
const MOST_BYTES: usize = 1024;

/// A name and a password.
pub(super) struct Credentials {
    /// The name, a colon, the password: UTF-8, as the challenge asks for.
    both: String,
    /// Where the colon is: the first, for no name has one.
    colon: usize,
}

impl Credentials {
    /// Those of a request, if it has any that can be somebody's.
    pub(super) fn of(request: &Request) -> Option<Credentials> {
        let mut fields = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let (_, field) = fields.next()?;
        if fields.next().is_some() {
            return None;
        }
        Credentials::read(challenge::credentials(field, "Basic")?)
    }

    fn read(encoded: &[u8]) -> Option<Credentials> {
        if encoded.len() > MOST_BYTES.div_ceil(3) * 4 {
            return None;
        }
        let both = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let colon = both.find(':')?;
        // RFC 7617, 2: neither has control characters.
        (!both.chars().any(char::is_control)).then_some(Credentials { both, colon })
    }

    pub(super) fn name(&self) -> &str {
        &self.both[..self.colon]
    }

    pub(super) fn password(&self) -> &str {
        &self.both[self.colon + 1..]
    }

    /// Both, which no others make.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.both.as_bytes()
    }
}

/// Without the password, wherever this is written to.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        let credentials = Credentials::read(text.as_bytes())?;
        Some((credentials.name().to_owned(), credentials.password().to_owned()))
    }

    fn both(name: &str, password: &str) -> Option<(String, String)> {
        Some((name.to_owned(), password.to_owned()))
    }

    #[test]
    fn the_examples_of_rfc_7617_are_read() {
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), both("Aladdin", "open sesame"));
        assert_eq!(read("dGVzdDoxMjPCow=="), both("test", "123£"));
    }

    #[test]
    fn a_password_may_have_colons_and_both_may_be_empty() {
        assert_eq!(read(&STANDARD.encode("a:b:c")), both("a", "b:c"));
        assert_eq!(read(&STANDARD.encode(":")), both("", ""));
    }

    #[test]
    fn what_nobody_can_have_is_not_read() {
        for bad in ["", "?", "YTpi=", "YQ=="] {
            assert_eq!(read(bad), None, "{bad}");
        }
        for bad in [&b"a:\xff"[..], b"a:\0", b"a\n:b", b"nobody"] {
            assert_eq!(read(&STANDARD.encode(bad)), None, "{bad:?}");
        }
        let long = |bytes: usize| read(&STANDARD.encode(format!("a:{}", "b".repeat(bytes - 2))));
        assert!(long(1024).is_some() && long(1030).is_none());
    }

    #[test]
    fn a_password_is_not_written_anywhere() {
        let credentials = Credentials::read(STANDARD.encode("alice:secret").as_bytes()).expect("well-formed");
        assert_eq!(format!("{credentials:?}"), "Credentials(\"alice\")");
    }
}
