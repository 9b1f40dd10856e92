//! What came back, and what a test says of it.

use std::fmt;
use std::rc::Rc;

use gannet_core::{Bytes, Status, Version};
use serde_core::de::DeserializeOwned;

use super::exchange::{Exchange, Failure, FieldList, Head};
use super::request::Leaving;
use super::world::World;

/// Bytes of a body that are shown where a test fails.
const SHOWN_BYTES: usize = 16 * 1024;

/// A whole answer. What it is asserted to be and is not panics, and shows all of it, and what the server logged meanwhile of what went wrong (unless the test has
/// installed a subscriber of `tracing`, which shows that itself).
#[derive(Clone)]
pub struct Answer {
    asked: String,
    interims: Vec<Head>,
    head: Head,
    body: Bytes,
    trailers: FieldList,
    /// What the server logged meanwhile of what went wrong.
    log: Vec<String>,
}

/// An answer whose body is read piece by piece. Dropping it is leaving.
pub struct StreamedAnswer {
    asked: String,
    head: Head,
    exchange: Rc<Exchange>,
    world: Rc<World>,
    /// How many lines the server had logged before.
    logged: usize,
    #[expect(dead_code, reason = "dropping it is leaving")]
    leaving: Leaving,
}

/// What a status may be compared with: its number, or a [`Status`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no status",
    note = "a status is its number, as in `assert_status(200)`, or a `Status`"
)]
pub trait IntoStatus {
    /// Makes it one.
    fn into_status(self) -> u16;
}

impl IntoStatus for u16 {
    fn into_status(self) -> u16 {
        self
    }
}

impl IntoStatus for Status {
    fn into_status(self) -> u16 {
        self.code()
    }
}

impl Answer {
    /// The status: its number.
    pub fn status(&self) -> u16 {
        self.head.status.code()
    }

    /// The version that it came by.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The first field of a name, in any case.
    ///
    /// # Panics
    /// If it is no text.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All fields of a name, in any case.
    ///
    /// # Panics
    /// If one is no text.
    #[track_caller]
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        values(&self.head.fields, name)
            .map(move |value| text(value).unwrap_or_else(|| panic!("{name} is no text:\n{self}")))
    }

    /// All fields, in the order in which they came.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The first trailer field of a name. A client that wants trailers says so: `.header("TE", "trailers")`.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        values(&self.trailers, name).next().and_then(text)
    }

    /// The statuses that came before this answer (1xx), each with its fields.
    pub fn interims(&self) -> impl Iterator<Item = (u16, Vec<(&str, &[u8])>)> {
        self.interims.iter().map(|head| {
            let fields = head.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
            (head.status.code(), fields.collect())
        })
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body, as text.
    ///
    /// # Panics
    /// If it is no UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        text(&self.body).unwrap_or_else(|| panic!("the body is no UTF-8:\n{self}"))
    }

    /// The body, which is JSON of a `T`.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| {
            panic!("the body is no JSON of a {}: {error}\n{self}", std::any::type_name::<T>())
        })
    }

    /// Asserts the status.
    #[track_caller]
    pub fn assert_status(&self, status: impl IntoStatus) -> &Answer {
        let expected = status.into_status();
        assert!(self.status() == expected, "the status is not {expected}:\n{self}");
        self
    }

    /// Asserts that the first field of a name has this value.
    #[track_caller]
    pub fn assert_header(&self, name: &str, value: &str) -> &Answer {
        let is_said = values(&self.head.fields, name).next() == Some(value.as_bytes());
        assert!(is_said, "{name} is not {value:?}:\n{self}");
        self
    }

    /// Asserts that there is no field of a name.
    #[track_caller]
    pub fn assert_no_header(&self, name: &str) -> &Answer {
        assert!(values(&self.head.fields, name).next().is_none(), "there is {name}:\n{self}");
        self
    }

    /// Asserts the body.
    #[track_caller]
    pub fn assert_text(&self, expected: &str) -> &Answer {
        assert!(self.body == expected.as_bytes(), "the body is not {expected:?}:\n{self}");
        self
    }

    /// Asserts that the body has this in it.
    #[track_caller]
    pub fn assert_text_contains(&self, part: &str) -> &Answer {
        assert!(self.text().contains(part), "the body has no {part:?} in it:\n{self}");
        self
    }

    /// Asserts the body.
    #[track_caller]
    pub fn assert_bytes(&self, expected: impl AsRef<[u8]>) -> &Answer {
        let expected = expected.as_ref();
        let at = self.body.iter().zip(expected).position(|(is, should)| is != should);
        let at = at.unwrap_or(self.body.len().min(expected.len()));
        let (is, should) = (self.body.len(), expected.len());
        assert!(
            self.body == expected,
            "the body has {is} bytes, {should} are expected; from byte {at} on they differ:\n{self}"
        );
        self
    }

    /// Asserts that the body is JSON of this value, whatever the order of its members: `assert_json(&json!({"id": 1}))`.
    #[track_caller]
    pub fn assert_json(&self, expected: &serde_json::Value) -> &Answer {
        let is = self.json::<serde_json::Value>();
        assert!(is == *expected, "the body is not\n{expected:#}\nbut\n{is:#}\nin\n{self}");
        self
    }
}

impl StreamedAnswer {
    pub(super) fn new(
        asked: String,
        head: Head,
        exchange: Rc<Exchange>,
        world: Rc<World>,
        logged: usize,
        leaving: Leaving,
    ) -> StreamedAnswer {
        StreamedAnswer { asked, head, exchange, world, logged, leaving }
    }

    /// The status: its number.
    pub fn status(&self) -> u16 {
        self.head.status.code()
    }

    /// The first field of a name, in any case, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        values(&self.head.fields, name).next().and_then(text)
    }

    /// The next piece of the body, as the network gave it; nothing at the end. What nobody reads holds the server up, as a slow client does.
    ///
    /// # Errors
    /// When there will be no more, and the end has not come.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let exchange = &self.exchange;
        self.world.until(|context| exchange.poll_piece(context)).await.transpose()
    }

    /// Where it was asked for.
    #[cfg(feature = "websocket")]
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// What is left of the body, of at most so many bytes, and all that was said beside it.
    ///
    /// # Errors
    /// As [`piece`](StreamedAnswer::piece).
    ///
    /// # Panics
    /// If there is more.
    pub async fn whole(mut self, limit: usize) -> Result<Answer, Failure> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            body.extend_from_slice(&piece);
            assert!(body.len() <= limit, "{}: the answer has more than {limit} bytes", self.asked);
        }
        Ok(Answer {
            interims: self.exchange.interims(),
            trailers: self.exchange.trailer_fields(),
            asked: std::mem::take(&mut self.asked),
            head: self.head.clone(),
            body: body.into(),
            log: self.world.log.since(self.logged),
        })
    }
}

fn values<'a>(fields: &'a FieldList, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let of_name = move |(other, _): &&(String, Vec<u8>)| other.eq_ignore_ascii_case(name);
    fields.iter().filter(of_name).map(|(_, value)| value.as_slice())
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// All of it, as a person reads it.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "> {}", self.asked)?;
        show(f, &self.head)?;
        writeln!(f)?;
        match text(&self.body) {
            Some(body) if body.len() > SHOWN_BYTES => {
                let end = body.floor_char_boundary(SHOWN_BYTES);
                write!(f, "{}... ({} bytes)", &body[..end], body.len())?;
            }
            Some(body) => f.write_str(body)?,
            None => write!(f, "({} bytes)", self.body.len())?,
        }
        for (name, value) in &self.trailers {
            write!(f, "\n{name}: {}", String::from_utf8_lossy(value))?;
        }
        for line in &self.log {
            write!(f, "\nthe server logged: {line}")?;
        }
        Ok(())
    }
}

fn show(f: &mut fmt::Formatter<'_>, head: &Head) -> fmt::Result {
    writeln!(f, "< {} {}", head.status.code(), head.status.reason())?;
    for (name, value) in &head.fields {
        writeln!(f, "{name}: {}", String::from_utf8_lossy(value))?;
    }
    Ok(())
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for StreamedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "> {}", self.asked)?;
        show(f, &self.head)
    }
}
