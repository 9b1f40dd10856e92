//! A response head that was read, as offsets into the bytes that it was read from.

use super::head::{Field, Span, Version};
use super::{Status, connection_options, field_values};
use alloc::vec::Vec;

/// How the end of a response's body is found (RFC 9112 section 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum ResponseBody {
    /// There is no body, whatever the fields say: HEAD, 1xx, 204, 304, 2xx to CONNECT.
    #[default]
    None,
    /// This many bytes follow the head.
    Known(u64),
    /// Any number of pieces follows, and the last one says so: chunks, or frames of HTTP/2.
    Chunked,
    /// Everything that follows, until the connection ends.
    UntilClose,
}

/// A response head: what the status line and the fields said, as offsets into the bytes they were read from.
///
/// It never borrows, and like a [`Head`](super::Head) it is recycled: reading into one that was [cleared](ResponseHead::clear)
/// allocates nothing until it has more fields than ever before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status, 100 to 599.
    pub status: Status,
    /// Where the reason phrase is. It may be empty, and is meant for people only (RFC 9112 section 4).
    pub reason: Span,
    /// The version the response is understood as.
    pub version: Version,
    /// The field lines in the order they came.
    pub fields: Vec<Field>,
    /// How many bytes the head is long, from the first byte that the spans count from to the end of the blank line.
    pub length: u16,
    /// How the end of the body is found.
    pub body: ResponseBody,
    /// What Content-Length said, also where there is no body: for HEAD and 304 it is how long the content would have been
    /// (RFC 9110 section 8.6).
    pub content_length: Option<u64>,
}

impl Default for ResponseHead {
    fn default() -> ResponseHead {
        ResponseHead {
            status: Status::OK,
            reason: Span::default(),
            version: Version::Http11,
            fields: Vec::new(),
            length: 0,
            body: ResponseBody::None,
            content_length: None,
        }
    }
}

impl ResponseHead {
    /// Forgets everything but the room for fields.
    pub fn clear(&mut self) {
        let mut fields = core::mem::take(&mut self.fields);
        fields.clear();
        *self = ResponseHead { fields, ..ResponseHead::default() };
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
}

#[cfg(test)]
mod tests {
    use super::{ResponseBody, ResponseHead};
    use crate::http::{Field, Span, Status, Version};
    use alloc::vec;

    #[test]
    fn clearing_keeps_nothing_but_the_room_for_fields() {
        let mut head = ResponseHead {
            status: Status::NOT_FOUND,
            reason: Span::new(13, 22),
            version: Version::Http10,
            fields: vec![Field::default(); 9],
            length: 40,
            body: ResponseBody::UntilClose,
            content_length: Some(7),
        };
        let room = head.fields.capacity();
        head.clear();
        assert_eq!(head, ResponseHead::default());
        assert_eq!(head.fields.capacity(), room);
    }
}
