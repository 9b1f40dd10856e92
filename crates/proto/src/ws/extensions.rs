//! Sec-WebSocket-Extensions (RFC 6455 section 9.1): what it lists, as it is written.
//!
//! ```text
//! extension *( "," extension )     extension = token *( ";" parameter )     parameter = token [ "=" ( token | quoted token ) ]
//! ```

use crate::scan::naive::is_token;

/// The field is not a list of extensions: the handshake fails (section 9.1), and a server answers with 400.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Malformed;

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sec-WebSocket-Extensions is not a list of extensions")
    }
}

impl core::error::Error for Malformed {}

/// An extension of a list: its name, and its parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extension<'a> {
    pub name: &'a [u8],
    parameters: &'a [u8],
}

/// A parameter, and its value if it has one.
pub(super) type Parameter<'a> = (&'a [u8], Option<Value<'a>>);

/// A value, as it was written between its quotation marks, if it had any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Value<'a>(&'a [u8]);

impl Value<'_> {
    /// The number that it is, if it is one of at most two digits, the first of which is not 0.
    pub fn number(self) -> Option<u8> {
        match *self.0 {
            [digit @ b'1'..=b'9'] => Some(digit - b'0'),
            [ten @ b'1'..=b'9', digit @ b'0'..=b'9'] => Some((ten - b'0') * 10 + digit - b'0'),
            _ => None,
        }
    }
}

impl<'a> Extension<'a> {
    /// Its parameters, in their order.
    pub fn parameters(self) -> impl Iterator<Item = Parameter<'a>> {
        let mut rest = Rest(self.parameters);
        core::iter::from_fn(move || rest.parameter().ok().flatten())
    }
}

/// Tells each extension of the list; empty members are left out (RFC 9110 section 5.6.1.2).
pub(super) fn each<'a>(line: &'a [u8], mut tell: impl FnMut(Extension<'a>)) -> Result<(), Malformed> {
    let mut rest = Rest(line);
    loop {
        while rest.skip_blanks().take(b',') {}
        if rest.0.is_empty() {
            return Ok(());
        }
        let name = rest.token()?;
        let parameters = rest.0;
        while rest.parameter()?.is_some() {}
        let parameters = &parameters[..parameters.len() - rest.0.len()];
        tell(Extension { name, parameters });
        if !rest.0.is_empty() && rest.0.first() != Some(&b',') {
            return Err(Malformed);
        }
    }
}

/// What is to be read still.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// The next parameter, if the extension has one more; the blanks behind it.
    fn parameter(&mut self) -> Result<Option<Parameter<'a>>, Malformed> {
        if !self.skip_blanks().take(b';') {
            return Ok(None);
        }
        self.skip_blanks();
        let name = self.token()?;
        let value = if self.skip_blanks().take(b'=') { Some(self.skip_blanks().value()?) } else { None };
        self.skip_blanks();
        Ok(Some((name, value)))
    }

    /// A token, or one in quotation marks. Nobody has a reason to write `\` there: a token has none of what must be escaped.
    fn value(&mut self) -> Result<Value<'a>, Malformed> {
        let quoted = self.take(b'"');
        let token = self.token()?;
        if quoted && !self.take(b'"') { Err(Malformed) } else { Ok(Value(token)) }
    }

    fn token(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|byte| !is_token(*byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        if token.is_empty() { Err(Malformed) } else { Ok(token) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn skip_blanks(&mut self) -> &mut Self {
        while self.take(b' ') || self.take(b'\t') {}
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, each};
    use alloc::string::String;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn listed(line: &str) -> Result<Vec<String>, Malformed> {
        let mut all = Vec::new();
        each(line.as_bytes(), |extension| {
            let mut text = String::from_utf8_lossy(extension.name).into_owned();
            for (name, value) in extension.parameters() {
                text.push(';');
                text.push_str(&String::from_utf8_lossy(name));
                if let Some(value) = value {
                    text.push('=');
                    text.push_str(&String::from_utf8_lossy(value.0));
                }
            }
            all.push(text);
        })?;
        Ok(all)
    }

    #[test]
    fn a_list_is_read_whatever_stands_between_its_parts() {
        for (line, expected) in [
            ("", &[][..]),
            (" , ,\t", &[]),
            ("foo", &["foo"]),
            ("foo, bar; baz=2", &["foo", "bar;baz=2"]),
            ("foo;a;b=\"c\" ,,bar ;\tx = 1 ; y", &["foo;a;b=c", "bar;x=1;y"]),
            (
                "permessage-deflate; client_max_window_bits, permessage-deflate",
                &["permessage-deflate;client_max_window_bits", "permessage-deflate"],
            ),
        ] {
            assert_eq!(
                listed(line).as_deref(),
                Ok(&expected.iter().map(|text| String::from(*text)).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_no_list_is_malformed() {
        for line in [
            "foo bar",
            "foo;",
            "foo;;a",
            "foo;a=",
            "foo;=1",
            "foo;a=\"b",
            "foo;a=\"\"",
            "foo;a=\"b c\"",
            "=",
            "foo;a=b c",
            "\"foo\"",
            "foo\0",
            "f\u{e9}",
        ] {
            assert_eq!(listed(line), Err(Malformed), "{line}");
        }
    }

    #[test]
    fn numbers_have_no_zeros_before_them() {
        for (text, expected) in [
            ("8", Some(8)),
            ("15", Some(15)),
            ("99", Some(99)),
            ("08", None),
            ("0", None),
            ("150", None),
            ("1x", None),
            ("-8", None),
        ] {
            assert_eq!(super::Value(text.as_bytes()).number(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_a_list_or_none_and_a_list_is_what_was_read(line in "[ab;=, \\t\"1\\\\\0]{0,40}") {
            if let Ok(all) = listed(&line) {
                prop_assert_eq!(listed(&all.join(",")), Ok(all));
            }
        }
    }
}
