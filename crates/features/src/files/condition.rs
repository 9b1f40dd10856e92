//! Conditional requests (RFC 9110, 13): is the client's copy, or its idea of what is here, still right?

use gannet_core::{Method, Request};

use super::asked::Asked;
use super::representation::Representation;

/// What the conditions come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// As if there were none.
    Proceed,
    /// The client has it already: 304.
    NotModified,
    /// The client meant something else: 412.
    Failed,
}

/// Evaluates the conditions, in the order of RFC 9110, 13.2.2.
pub(super) fn evaluate(asked: Asked, request: &Request, representation: &Representation) -> Outcome {
    let reads = matches!(request.method(), Method::Get | Method::Head);
    if asked.if_match {
        if !any_tag(request, "if-match", |tag| tag == representation.etag.as_bytes()) {
            return Outcome::Failed;
        }
    } else if asked.if_unmodified_since
        && let Some(date) = date(request, "if-unmodified-since")
        && representation.modified > date
    {
        return Outcome::Failed;
    }
    if asked.if_none_match {
        // Compared weakly: a tag's mark of weakness does not count (8.8.3.2).
        let same = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag) == representation.etag.as_bytes();
        return match any_tag(request, "if-none-match", same) {
            true if reads => Outcome::NotModified,
            true => Outcome::Failed,
            false => Outcome::Proceed,
        };
    }
    if asked.if_modified_since
        && reads
        && let Some(date) = date(request, "if-modified-since")
        && representation.modified <= date
    {
        return Outcome::NotModified;
    }
    Outcome::Proceed
}

/// Whether a range may be answered (13.1.5): what the client has a part of is what is here. Tags are compared strongly, and a date
/// counts only when nothing can have changed within its second (8.8.2.2).
pub(super) fn range_applies(
    asked: Asked,
    request: &Request,
    representation: &Representation,
    now: u64,
) -> bool {
    if !asked.if_range {
        return true;
    }
    let value = request.field("if-range").unwrap_or_default();
    if value.starts_with(b"\"") || value.starts_with(b"W/") {
        return value == representation.etag.as_bytes();
    }
    date(request, "if-range") == Some(representation.modified) && representation.modified < now
}

/// Whether a list of tags, perhaps of several lines, is `*` or has one that `is_same`.
fn any_tag(request: &Request, name: &str, is_same: impl Fn(&[u8]) -> bool) -> bool {
    let lines = request.fields().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    lines.map(|(_, value)| value).any(|value| value == b"*" || tags(value).any(&is_same))
}

/// The tags of a list. A comma may be in a tag: they are told apart by their quotes (8.8.3).
fn tags(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
        rest = &rest[start..];
        let quote = if rest.starts_with(b"W/") { 2 } else { 0 };
        if rest.get(quote) != Some(&b'"') {
            return None; // this is no list of tags: what comes behind it means nothing
        }
        let end = quote + 2 + rest[quote + 1..].iter().position(|byte| *byte == b'"')?;
        let (tag, behind) = rest.split_at(end);
        rest = behind;
        Some(tag)
    })
}

/// A date, in seconds since 1970; one that cannot be read is as good as none (13.1.3).
fn date(request: &Request, name: &str) -> Option<u64> {
    let mut lines = request.fields().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let (_, value) = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    let moment = httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()?;
    moment.duration_since(std::time::SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_apart_by_their_quotes_rfc_9110_8_8_3() {
        let list = |text: &'static str| {
            tags(text.as_bytes()).map(|tag| std::str::from_utf8(tag).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(list(r#""a", W/"b" ,"c,d","""#), [r#""a""#, r#"W/"b""#, r#""c,d""#, r#""""#]);
        assert_eq!(list(r#", ,"a""#), [r#""a""#]);
        assert_eq!(list(r#""a", b, "c""#), [r#""a""#]);
        assert_eq!(list("a"), [""; 0]);
        assert_eq!(list(r#"w/"a""#), [""; 0]);
    }
}
