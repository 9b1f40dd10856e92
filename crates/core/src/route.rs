//! What a request knows of the route that it took.

use std::borrow::Cow;

/// A route, as a request sees it. The server's site has them; a test may have its own.
pub trait Route {
    /// Its number among the routes of its site, from 0.
    fn number(&self) -> usize;

    /// Its pattern, as it was written.
    fn pattern(&self) -> &str;

    /// Name and value of a parameter, counted from the left, in a path that the pattern matches; `None` behind the last one.
    fn parameter<'a>(&'a self, index: usize, path: &'a str) -> Option<(&'a str, &'a str)>;
}

/// Percent-decoded text (RFC 3986, 2.1). `None` where that is not possible: a `%` without two hexadecimal digits, or what is no UTF-8 then.
pub fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn text_is_decoded_once_and_only_if_all_of_it_can_be() {
        for (text, expected) in [
            ("plain", Some("plain")),
            ("", Some("")),
            ("a%20b", Some("a b")),
            ("%c3%A9%2F", Some("\u{e9}/")),
            ("%2541", Some("%41")),
            ("a+b", Some("a+b")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%+1", None),
            ("%ff", None),
        ] {
            assert_eq!(percent_decoded(text).as_deref(), expected, "{text}");
        }
    }
}
