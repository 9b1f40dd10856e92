//! The request line: method, target, version (RFC 9112 section 3).

use super::authority;
use super::error::Error;
use crate::http::{Head, Method, Span, TargetForm, Version};
use crate::limits::Limits;
use crate::scan::Level;

/// Reads the request line that begins at `at` into `head`, and returns where the next line begins; `None` if the
/// line is not whole. `input` ends at the limit of the whole head.
pub(super) fn read(
    level: Level,
    limits: &Limits,
    input: &[u8],
    at: usize,
    head: &mut Head,
) -> Result<Option<usize>, Error> {
    let Some(at) = method(level, limits, input, at, head)? else { return Ok(None) };
    let Some(at) = target(level, limits, input, at, head)? else { return Ok(None) };
    let Some(at) = version(input, at, head)? else { return Ok(None) };
    form(level, input, head)?;
    Ok(Some(at))
}

/// A token and one space.
#[inline]
fn method(
    level: Level,
    limits: &Limits,
    input: &[u8],
    at: usize,
    head: &mut Head,
) -> Result<Option<usize>, Error> {
    // Most requests: seen at a glance.
    if input[at..].starts_with(b"GET ") && limits.method_bytes >= 3 {
        head.method_text = Span::new(at, at + 3);
        head.method = Method::Get;
        return Ok(Some(at + 4));
    }
    let window = window(input, at, limits.method_bytes);
    let end = level.token_end(window, at);
    match window.get(end) {
        Some(b' ') if end > at => {}
        None if end - at > usize::from(limits.method_bytes) => return Err(Error::MethodTooLong),
        None => return Ok(None),
        Some(_) => return Err(Error::InvalidMethod),
    }
    head.method_text = Span::new(at, end);
    head.method = Method::from_bytes(&input[at..end]);
    Ok(Some(end + 1))
}

/// Visible ASCII and one space. The first `?` ends the path.
#[inline]
fn target(
    level: Level,
    limits: &Limits,
    input: &[u8],
    at: usize,
    head: &mut Head,
) -> Result<Option<usize>, Error> {
    let window = window(input, at, limits.target_bytes);
    let mut end = level.target_end(window, at);
    head.path = Span::new(at, end);
    head.query = None;
    if window.get(end) == Some(&b'?') {
        let query = end + 1;
        while window.get(end) == Some(&b'?') {
            end = level.target_end(window, end + 1);
        }
        head.query = Some(Span::new(query, end));
    }
    match window.get(end) {
        Some(b' ') if end > at => {}
        None if end - at > usize::from(limits.target_bytes) => return Err(Error::TargetTooLong),
        None => return Ok(None),
        Some(_) => return Err(Error::InvalidTarget),
    }
    head.target = Span::new(at, end);
    Ok(Some(end + 1))
}

/// The input, ended where one byte more than the limit has been seen.
fn window(input: &[u8], at: usize, limit: u16) -> &[u8] {
    &input[..input.len().min(at + usize::from(limit) + 1)]
}

/// `HTTP/1.x` and the line's end.
#[inline]
fn version(input: &[u8], at: usize, head: &mut Head) -> Result<Option<usize>, Error> {
    let rest = &input[at..];
    if rest.starts_with(b"HTTP/1.1\r\n") {
        head.version = Version::Http11;
        return Ok(Some(at + 10));
    }
    other_version(rest, head).map(|length| length.map(|length| at + length))
}

/// The same, byte by byte: any version, and any beginning of one. An HTTP/1.x above 1.1 is read as 1.1
/// (RFC 9110 section 2.5); other major versions have other message formats.
fn other_version(rest: &[u8], head: &mut Head) -> Result<Option<usize>, Error> {
    const PATTERN: &[u8] = b"HTTP/0.0\r\n";
    for (index, pattern) in PATTERN.iter().enumerate() {
        let Some(byte) = rest.get(index) else { return Ok(None) };
        let fits = if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern };
        match index {
            _ if fits => {}
            9 => return Err(Error::BareCarriageReturn),
            8 if *byte == b'\n' => return Err(Error::BareLineFeed),
            _ => return Err(Error::InvalidVersion),
        }
        if index == 7 && rest[5] != b'1' {
            return Err(Error::UnsupportedVersion);
        }
    }
    head.version = if rest[7] == b'0' { Version::Http10 } else { Version::Http11 };
    Ok(Some(PATTERN.len()))
}

/// Which form the target has, and whether its method can have it (RFC 9112 section 3.2).
#[inline]
fn form(level: Level, input: &[u8], head: &mut Head) -> Result<(), Error> {
    if head.method != Method::Connect && input[usize::from(head.target.start)] == b'/' {
        head.form = TargetForm::Origin;
        return Ok(());
    }
    other_form(level, input, head)
}

/// The same for what is not a path.
#[inline(never)]
fn other_form(level: Level, input: &[u8], head: &mut Head) -> Result<(), Error> {
    if head.method == Method::Connect {
        return authority_form(level, input, head);
    }
    if head.target.of(input) == b"*" && head.method == Method::Options {
        head.form = TargetForm::Asterisk;
        head.path = Span::default();
        return Ok(());
    }
    absolute_form(level, input, head)
}

/// `host:port`, both of them (RFC 9110 section 9.3.6).
fn authority_form(level: Level, input: &[u8], head: &mut Head) -> Result<(), Error> {
    if head.query.is_some() || head.target.of(input).contains(&b'/') {
        return Err(Error::TargetForm);
    }
    if !check_authority(level, input, head.target)? {
        return Err(Error::TargetForm);
    }
    head.form = TargetForm::Authority;
    head.authority = Some(head.target);
    head.path = Span::default();
    Ok(())
}

/// `http://host:port/path?query`. We answer for no other schemes (RFC 9112 section 3.2.2).
fn absolute_form(level: Level, input: &[u8], head: &mut Head) -> Result<(), Error> {
    let before_query = head.path.of(input);
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        before_query.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let Some(scheme) = scheme else { return Err(Error::TargetForm) };
    let after = &before_query[scheme.len()..];
    let host = usize::from(head.path.start) + scheme.len();
    let path = host + after.iter().position(|byte| *byte == b'/').unwrap_or(after.len());
    let authority = Span::new(host, path);
    check_authority(level, input, authority)?;
    head.form = TargetForm::Absolute;
    head.authority = Some(authority);
    head.path = Span { start: authority.end, end: head.path.end };
    Ok(())
}

/// As [`authority::check`], of a part of the target.
fn check_authority(level: Level, input: &[u8], authority: Span) -> Result<bool, Error> {
    authority::check(input, authority, level.plain_host_end(input, usize::from(authority.start)))
}
