//! Responses: a list of field lines becomes a head (RFC 9113 sections 8.2 and 8.3.2).

use super::fields::{Malformed, check_text, content_length, index, is_pseudo, regular};
use super::hpack::List;
use crate::http::{Method, ResponseBody, ResponseHead, Status, Version};
use crate::scan::Level;

/// Reads the list as a response to a request of this method into `head`; `ended` says that nothing follows it.
pub(super) fn read(
    level: Level,
    list: &List,
    method: Method,
    ended: bool,
    head: &mut ResponseHead,
) -> Result<(), Malformed> {
    head.clear();
    if list.too_large {
        return Err("the response's fields are too large, or too many");
    }
    check_text(level, list)?;
    let mut status = None;
    for line in &list.fields {
        if is_pseudo(line, &list.text) {
            if line.index < index::STATUS {
                return Err("a pseudo-field is none of a response's");
            }
            if status.is_some() || !head.fields.is_empty() {
                return Err(":status is there twice, or behind a field");
            }
            status = Some(read_status(line.value.of(&list.text))?);
            continue;
        }
        let field = regular(level, line, &list.text)?;
        if line.index == 0 && line.name.of(&list.text) == b"te" {
            return Err("TE is a field of requests only");
        }
        if line.index == index::CONTENT_LENGTH {
            head.content_length = content_length(head.content_length, line.value.of(&list.text))?;
        }
        head.fields.push(field);
    }
    head.status = status.ok_or("a response has no :status")?;
    head.version = Version::Http2;
    head.length = list.text.len() as u16;
    settle(method, ended, head)
}

/// Three digits. 101 has no meaning in HTTP/2 (RFC 9113 section 8.6).
fn read_status(value: &[u8]) -> Result<Status, Malformed> {
    const WRONG: Malformed = ":status is not three digits, or is none of HTTP/2";
    let &[a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9'] = value else { return Err(WRONG) };
    let digit = |byte: u8| u16::from(byte - b'0');
    let status = Status::new(digit(a) * 100 + digit(b) * 10 + digit(c));
    status.filter(|status| *status != Status::SWITCHING_PROTOCOLS).ok_or(WRONG)
}

/// Whether all that follows the head belongs to whoever is at the tunnel's ends.
pub(super) fn opens_tunnel(method: Method, status: Status) -> bool {
    method == Method::Connect && status.is_success()
}

/// What follows the head.
fn settle(method: Method, ended: bool, head: &mut ResponseHead) -> Result<(), Malformed> {
    if head.status.is_informational() {
        let announces = head.content_length.is_some_and(|length| length > 0);
        return if ended || announces {
            Err("an interim response ends the stream, or announces content")
        } else {
            Ok(())
        };
    }
    let tunnel = opens_tunnel(method, head.status);
    let bodiless = method == Method::Head || head.status.forbids_body();
    head.body = match head.content_length {
        Some(1..) if ended && !bodiless && !tunnel => return Err("the content is shorter than its length"),
        _ if ended || (bodiless && !tunnel) => ResponseBody::None,
        Some(length) if !tunnel => ResponseBody::Known(length),
        _ => ResponseBody::Chunked,
    };
    Ok(())
}
