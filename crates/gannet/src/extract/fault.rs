//! What is wrong with a text that was to become a value, and which one it was.

use std::borrow::Cow;
use std::fmt::{self, Write};

use gannet_core::{DETAIL_BYTES, Place, Rejection, Status};
use serde_core::de;

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
        Fault::new(told(message))
    }

    fn missing_field(field: &'static str) -> Fault {
        Fault { name: Some(field.into()), detail: "is missing".into(), is_missing: true }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Fault {
        let known = if expected.is_empty() { "none".to_owned() } else { expected.join(", ") };
        Fault::new(format!("is not known; known: {known}")).named(field)
    }

    fn duplicate_field(field: &'static str) -> Fault {
        Fault::new(REPEATED).named(field)
    }
}

/// What is said of a value that there is one of.
pub(super) const REPEATED: &str = "is there more than once";

/// A message as far as it is told (and some, so that it can be seen to go on): it may quote a whole body.
pub(super) fn told(message: impl fmt::Display) -> String {
    let mut text = Told(String::new());
    // An error: the text is long enough.
    let _ = write!(text, "{message}");
    text.0
}

struct Told(String);

impl Write for Told {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = (DETAIL_BYTES + 1).saturating_sub(self.0.len());
        self.0.push_str(&text[..text.ceil_char_boundary(room)]);
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
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
        let long = told("é".repeat(1_000_000));
        assert!(long.len() > DETAIL_BYTES && long.len() < DETAIL_BYTES + 8, "{} bytes", long.len());
    }
}
