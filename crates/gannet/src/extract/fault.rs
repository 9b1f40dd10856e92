//! What is wrong with a text that was to become a value, and which one it was.

use std::borrow::Cow;
use std::fmt::{self, Write};

use gannet_core::{DETAIL_BYTES, Place, Rejection, Status};
use serde_core::de;

use super::wording::{not_known, plain};

/// What is wrong, and the name of what it is wrong with, as far as that is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) detail: Cow<'static, str>,
    /// It is not there at all.
    pub(super) is_missing: bool,
}

impl Fault {
    /// Something that is wrong with a value that has no name yet.
    pub(super) fn new(detail: impl Into<Cow<'static, str>>) -> Fault {
        Fault { name: None, detail: detail.into(), is_missing: false }
    }

    /// Something that is not there.
    pub(super) fn missing(detail: &'static str) -> Fault {
        Fault { name: None, detail: detail.into(), is_missing: true }
    }

    /// Says whose value it was, unless it is known already.
    pub(super) fn named(mut self, name: &str) -> Fault {
        self.name.get_or_insert_with(|| name.to_owned().into());
        self
    }

    /// As a rejection: `what` is wrong, and in `place` of the name.
    pub(super) fn rejection(
        self,
        status: Status,
        what: &'static str,
        place: fn(Cow<'static, str>) -> Place,
    ) -> Rejection {
        match self.name {
            Some(name) => Rejection::new(status, what).with_error(place(name), self.detail),
            None => Rejection::new(status, format!("{what}: {}", self.detail)),
        }
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Fault {
        Fault::new(plain(told(message)))
    }

    fn missing_field(field: &'static str) -> Fault {
        Fault { name: Some(field.into()), detail: "is missing".into(), is_missing: true }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Fault {
        Fault::new(not_known(expected.iter().copied())).named(field)
    }

    fn duplicate_field(field: &'static str) -> Fault {
        Fault::new(REPEATED).named(field)
    }
}

/// What is said of a value that there is one of.
pub(super) const REPEATED: &str = "is there more than once";

/// A message as far as it is told: its beginning and its end. It may quote a whole body.
pub(super) fn told(message: impl fmt::Display) -> String {
    let mut text = Told::default();
    let _ = write!(text, "{message}"); // writing into memory does not fail
    text.shorten();
    if text.is_cut {
        text.begin.push('\u{2026}');
    }
    text.begin + &text.end
}

#[derive(Default)]
struct Told {
    begin: String,
    end: String,
    is_cut: bool,
}

/// As much of the end is kept: what was expected stands there.
const END_BYTES: usize = 256;

impl Write for Told {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = (DETAIL_BYTES - END_BYTES).saturating_sub(self.begin.len());
        let (begin, rest) = text.split_at(text.floor_char_boundary(room));
        // Once something is at the end nothing is put before it.
        let (begin, rest) = if self.end.is_empty() { (begin, rest) } else { ("", text) };
        self.begin.push_str(begin);
        let last = rest.ceil_char_boundary(rest.len().saturating_sub(END_BYTES));
        self.end.push_str(&rest[last..]);
        self.is_cut |= last > 0;
        // Not for each character that is written.
        if self.end.len() > 16 * END_BYTES {
            self.shorten();
        }
        Ok(())
    }
}

impl Told {
    fn shorten(&mut self) {
        let over = self.end.ceil_char_boundary(self.end.len().saturating_sub(END_BYTES));
        self.end.drain(..over);
        self.is_cut |= over > 0;
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_message_only_what_is_told_is_kept() {
        assert_eq!(told("short"), "short");
        let almost = "a".repeat(DETAIL_BYTES);
        assert_eq!(told(&almost), almost);
        let long = told(format_args!("{}, expected u8", "é".repeat(1_000_000)));
        assert!(
            long.len() <= DETAIL_BYTES + 8 && long.ends_with("\u{e9}, expected u8"),
            "{} bytes",
            long.len()
        );
        assert_eq!(long.matches('\u{2026}').count(), 1);
    }
}
