//! A request head, as offsets into the bytes that it was read from.

use super::{Method, connection_options};
use alloc::vec::Vec;

/// Offsets into the bytes a head was read from. Four bytes: heads are at most 65,535 bytes long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u16,
    /// Offset of the byte after the last.
    pub end: u16,
}

impl Span {
    /// The span of these offsets. The readers clip what they read to 65,535 bytes, so both fit.
    #[inline]
    pub(crate) fn new(start: usize, end: usize) -> Span {
        debug_assert!(start <= end && end <= usize::from(u16::MAX), "a span lies inside a clipped head");
        Span { start: start as u16, end: end as u16 }
    }

    /// The bytes that this span covers.
    ///
    /// # Panics
    /// If `bytes` is shorter than what the span was taken from.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[usize::from(self.start)..usize::from(self.end)]
    }

    /// The same in bytes that begin so much further in front, within a head.
    #[inline]
    pub(crate) fn moved_on(self, by: u16) -> Span {
        Span { start: self.start + by, end: self.end + by }
    }

    /// The same counted from an offset that is not behind it.
    #[inline]
    pub(crate) fn moved_back(self, by: u16) -> Span {
        Span { start: self.start - by, end: self.end - by }
    }

    /// How many bytes it covers.
    #[inline]
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it covers none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// One field line: a name and a value without the whitespace around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Field {
    /// The name as the peer wrote it; names compare without case.
    pub name: Span,
    /// The value, without the whitespace before and after it (RFC 9112 section 5.1).
    pub value: Span,
}

/// The version a message is understood as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945).
    Http10,
    /// HTTP/1.1, and any later HTTP/1.x (RFC 9110 section 2.5).
    #[default]
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
}

/// How the request target is written (RFC 9112 section 3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum TargetForm {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`
    Absolute,
    /// `host:port`, of CONNECT only.
    Authority,
    /// `*`, of OPTIONS only.
    Asterisk,
}

/// How the end of a request's body is found (RFC 9112 section 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum BodyLength {
    /// There is no body: neither Content-Length nor Transfer-Encoding was said.
    #[default]
    None,
    /// This many bytes follow the head.
    Known(u64),
    /// Any number of pieces follows, and the last one says so: chunks, or frames of HTTP/2.
    Chunked,
}

/// A request head: what the request line and the fields said, as offsets into the bytes they were read from.
///
/// It never borrows, so it can wait beside a copy of those bytes. Reading into one that was
/// [cleared](Head::clear) allocates nothing until it has more fields than ever before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// Where the method's text is: the only place of it for [`Method::Other`].
    pub method_text: Span,
    /// The version the request is understood as.
    pub version: Version,
    /// How the target is written.
    pub form: TargetForm,
    /// The whole target.
    pub target: Span,
    /// The path, without the query. Empty for authority-form and asterisk-form, and for an absolute-form without
    /// a path, which means `/` (RFC 9110 section 4.2.3).
    pub path: Span,
    /// What follows the first `?`, without it.
    pub query: Option<Span>,
    /// Host and port: of an absolute-form or authority-form target, else of the Host field (RFC 9112 section 3.3).
    /// `None` only for an HTTP/1.0 request without Host.
    pub authority: Option<Span>,
    /// The field lines in the order they came.
    pub fields: Vec<Field>,
    /// How many bytes the head is long, from the first byte that the spans count from to the end of the blank line.
    pub length: u16,
    /// How the end of the body is found.
    pub body: BodyLength,
    /// The client waits for 100 (Continue) before it sends the body (RFC 9110 section 10.1.1). Never true where
    /// there is nothing to wait for: without a body, or for HTTP/1.0.
    pub expects_continue: bool,
    /// The client offers another protocol: an Upgrade field, named by Connection, in HTTP/1.1 (RFC 9110 section 7.8), or [`protocol`](Head::protocol).
    pub upgrade: bool,
    /// What an extended CONNECT asks for instead of a tunnel: `:protocol` (RFC 8441 section 4). Never there in HTTP/1.
    pub protocol: Option<Span>,
}

impl Head {
    /// Forgets everything but the room for fields.
    pub fn clear(&mut self) {
        let mut fields = core::mem::take(&mut self.fields);
        fields.clear();
        *self = Head { fields, ..Head::default() };
    }

    /// The first value of this name, compared without case.
    pub fn field<'a>(&self, bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
        self.field_values(bytes, name).next()
    }

    /// Every value of this name, in the order they came.
    pub fn field_values<'a>(&self, bytes: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
        field_values(&self.fields, bytes, name)
    }

    /// What Connection says, option by option: among them the names of fields that are for this connection only
    /// (RFC 9110 section 7.6.1).
    pub fn connection_options<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        connection_options(&self.fields, bytes)
    }

    /// The method's text.
    pub fn method_str<'a>(&self, bytes: &'a [u8]) -> &'a str {
        match self.method.as_str() {
            Some(text) => text,
            None => core::str::from_utf8(self.method_text.of(bytes))
                .expect("a method consists of token bytes, which are ASCII"),
        }
    }
}

/// Every value of this name among the fields, in the order they came.
pub(super) fn field_values<'a>(
    fields: &[Field],
    bytes: &'a [u8],
    name: &str,
) -> impl Iterator<Item = &'a [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()))
        .map(move |field| field.value.of(bytes))
}

#[cfg(test)]
mod tests {
    use super::{Field, Head, Span};
    use crate::http::Method;
    use alloc::vec::Vec;

    const BYTES: &[u8] = b"BREW\r\nA: 1\r\na: 2\r\nb: 3\r\n";

    fn head() -> Head {
        let fields = [(6, 7, 9, 10), (12, 13, 15, 16), (18, 19, 21, 22)]
            .map(|(a, b, c, d)| Field { name: Span::new(a, b), value: Span::new(c, d) });
        Head { method: Method::Other, method_text: Span::new(0, 4), fields: fields.into(), ..Head::default() }
    }

    #[test]
    fn fields_are_found_without_case_and_in_order() {
        let head = head();
        assert_eq!(head.field(BYTES, "a"), Some(&b"1"[..]));
        assert_eq!(head.field_values(BYTES, "A").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(head.field(BYTES, "c"), None);
    }

    #[test]
    fn the_text_of_an_unnamed_method_is_what_the_request_said() {
        assert_eq!(head().method_str(BYTES), "BREW");
        assert_eq!(Head::default().method_str(b""), "GET");
    }

    #[test]
    fn clearing_keeps_nothing_but_the_room_for_fields() {
        let mut head = head();
        let room = head.fields.capacity();
        head.clear();
        assert_eq!(head, Head::default());
        assert_eq!(head.fields.capacity(), room);
    }
}
