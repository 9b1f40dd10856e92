//! Requests: a list of field lines becomes a head (RFC 9113 sections 8.2 and 8.3, RFC 8441 section 4).

use super::fields::{Malformed, check_text, content_length, index, is_pseudo, regular};
use super::hpack::{Line, List};
use super::limits::Limits;
use super::refusal::Refusal;
use crate::h1::is_authority;
use crate::http::{BodyLength, Field, Head, Method, Priority, Span, TargetForm, Version, members};
use crate::scan::Level;

/// Why a request is not handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unfit {
    /// Its stream is reset.
    Malformed(Malformed),
    /// It is answered.
    Refused(Refusal),
}

impl From<Malformed> for Unfit {
    fn from(malformed: Malformed) -> Unfit {
        Unfit::Malformed(malformed)
    }
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Unfit {
        Unfit::Refused(refusal)
    }
}

/// What a request said that [`Head`] has no place for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Said {
    pub length: Option<u64>,
    pub priority: Option<Priority>,
    expects_continue: bool,
}

/// The pseudo-fields, and some that stand beside them.
#[derive(Clone, Copy, Default)]
struct Parts {
    method: Option<Span>,
    scheme: Option<Span>,
    authority: Option<Span>,
    path: Option<Span>,
    protocol: Option<Span>,
    host: Option<Span>,
    cookies: usize,
}

/// Reads the list as a request into `head`; `connect_protocol` says whether extended CONNECT is taken. What depends on whether content follows is for
/// [`settle`].
pub(super) fn read(
    level: Level,
    limits: &Limits,
    connect_protocol: bool,
    list: &mut List,
    head: &mut Head,
) -> Result<Said, Unfit> {
    head.clear();
    if list.too_large {
        let too_long = list.size > list.limit;
        return Err(if too_long { Refusal::FieldsTooLarge } else { Refusal::TooManyFields }.into());
    }
    check_text(level, list)?;
    let (mut parts, mut said, mut refused) = (Parts::default(), Said::default(), None);
    for line in &list.fields {
        if is_pseudo(line, &list.text) {
            if !head.fields.is_empty() {
                return Err("a pseudo-field stands behind a field".into());
            }
            parts.take(line, &list.text)?;
            continue;
        }
        let field = regular(level, line, &list.text)?;
        refused = refused.or(understand(line, &list.text, &mut parts, &mut said)?);
        head.fields.push(field);
    }
    parts.settle(level, connect_protocol, &list.text, head)?;
    if head.method == Method::Connect && said.length.is_some() {
        return Err("a CONNECT request announces content".into());
    }
    if parts.cookies > 1 {
        join_cookies(list, head);
    }
    head.version = Version::Http2;
    head.length = list.text.len() as u16;
    match too_long(limits, head).or(unknown_scheme(&parts, &list.text)).or(refused) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(said),
    }
}

impl Parts {
    /// Each once, and none that does not belong to requests (RFC 9113 section 8.3).
    #[inline]
    fn take(&mut self, line: &Line, text: &[u8]) -> Result<(), Malformed> {
        let place = match line.index {
            index::AUTHORITY => &mut self.authority,
            index::METHOD => &mut self.method,
            index::PATH => &mut self.path,
            index::SCHEME => &mut self.scheme,
            0 if line.name.of(text) == b":protocol" => &mut self.protocol,
            _ => return Err("a pseudo-field is none of a request's"),
        };
        match place.replace(line.value) {
            None => Ok(()),
            Some(_) => Err("a pseudo-field is there twice"),
        }
    }

    /// What they mean together.
    fn settle(
        &self,
        level: Level,
        connect_protocol: bool,
        text: &[u8],
        head: &mut Head,
    ) -> Result<(), Malformed> {
        let method = self.method.ok_or("a request has no :method")?;
        let name = method.of(text);
        if name.is_empty() || level.token_end(name, 0) != name.len() {
            return Err("the method is not a token");
        }
        (head.method, head.method_text) = (Method::from_bytes(name), method);
        self.authority(level, text, head)?;
        head.protocol = self.protocol;
        if let Some(protocol) = self.protocol {
            let name = protocol.of(text);
            let is_token = !name.is_empty() && level.token_end(name, 0) == name.len();
            if !connect_protocol || head.method != Method::Connect || !is_token {
                return Err(":protocol is not a token, not of CONNECT, or was not offered");
            }
            head.upgrade = true;
        } else if head.method == Method::Connect {
            return self.tunnel(level, text, head);
        }
        let (Some(scheme), Some(path)) = (self.scheme, self.path) else {
            return Err("a request has no :scheme, or no :path");
        };
        if !is_scheme(scheme.of(text)) {
            return Err(":scheme is none");
        }
        if head.authority.is_none() {
            return Err("a request has neither :authority nor Host");
        }
        target(level, text, path, head)
    }

    /// Host and :authority, which say the same if both are there (RFC 9113 section 8.3.1).
    #[inline]
    fn authority(&self, level: Level, text: &[u8], head: &mut Head) -> Result<(), Malformed> {
        let authority = self.authority.or(self.host);
        if let Some(authority) = authority
            && is_authority(level, authority.of(text)).is_none()
        {
            return Err("the host or its port is not valid");
        }
        if let (Some(authority), Some(host)) = (self.authority, self.host) {
            let scheme = self.scheme.map_or(&b""[..], |scheme| scheme.of(text));
            let is_host = is_authority(level, host.of(text)).is_some();
            if !is_host || !is_same(scheme, authority.of(text), host.of(text)) {
                return Err(":authority and Host differ");
            }
        }
        head.authority = authority;
        Ok(())
    }

    /// CONNECT: host and port, and nothing else (RFC 9113 section 8.5).
    fn tunnel(&self, level: Level, text: &[u8], head: &mut Head) -> Result<(), Malformed> {
        if self.scheme.is_some() || self.path.is_some() {
            return Err("a CONNECT request has :scheme or :path");
        }
        let authority = self.authority.ok_or("a CONNECT request has no :authority")?;
        if is_authority(level, authority.of(text)) != Some(true) {
            return Err("a CONNECT request names no port");
        }
        (head.form, head.target) = (TargetForm::Authority, authority);
        Ok(())
    }
}

/// RFC 3986 section 3.1.
#[inline]
fn is_scheme(scheme: &[u8]) -> bool {
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    scheme.first().is_some_and(u8::is_ascii_alphabetic) && scheme.iter().all(belongs)
}

/// Whether two authorities are the same once the letters' case and the scheme's own port are left out (RFC 3986 section 6.2.3).
fn is_same(scheme: &[u8], one: &[u8], other: &[u8]) -> bool {
    let port: &[u8] = if scheme.eq_ignore_ascii_case(b"https") { b":443" } else { b":80" };
    let plain = |authority| {
        let authority = <[u8]>::strip_suffix(authority, b":").unwrap_or(authority);
        authority.strip_suffix(port).unwrap_or(authority)
    };
    plain(one).eq_ignore_ascii_case(plain(other))
}

/// `/path?query`, or `*` of OPTIONS (RFC 9113 section 8.3.1).
#[inline]
fn target(level: Level, text: &[u8], path: Span, head: &mut Head) -> Result<(), Malformed> {
    let (start, end) = (usize::from(path.start), usize::from(path.end));
    let input = &text[..end];
    head.target = path;
    match input.get(start) {
        Some(b'/') => {}
        Some(b'*') if path.len() == 1 && head.method == Method::Options => {
            head.form = TargetForm::Asterisk;
            return Ok(());
        }
        _ => return Err(":path does not begin with a slash"),
    }
    let mut at = level.target_end(input, start);
    head.path = Span::new(start, at);
    if input.get(at) == Some(&b'?') {
        head.query = Some(Span::new(at + 1, end));
        while input.get(at) == Some(&b'?') {
            at = level.target_end(input, at + 1);
        }
    }
    if at == end { Ok(()) } else { Err(":path holds a byte that no URI has") }
}

/// What a field means to us, if anything. A refusal is told only if nothing is malformed.
#[inline]
fn understand(
    line: &Line,
    text: &[u8],
    parts: &mut Parts,
    said: &mut Said,
) -> Result<Option<Refusal>, Malformed> {
    let value = || line.value.of(text);
    match line.index {
        0 if line.name.of(text) == b"priority" => {
            said.priority = Some(Priority::parse(value()));
        }
        0 => {}
        index::CONTENT_LENGTH => said.length = content_length(said.length, value())?,
        index::COOKIE => parts.cookies += 1,
        index::HOST if parts.host.replace(line.value).is_some() => {
            return Err("there is more than one Host field");
        }
        index::EXPECT => {
            let known = |expectation: &[u8]| expectation.eq_ignore_ascii_case(b"100-continue");
            said.expects_continue |= members(value()).any(known);
            if members(value()).any(|expectation| !known(expectation)) {
                return Ok(Some(Refusal::UnknownExpectation));
            }
        }
        _ => {}
    }
    Ok(None)
}

fn too_long(limits: &Limits, head: &Head) -> Option<Refusal> {
    if head.method_text.len() > usize::from(limits.method_bytes) {
        return Some(Refusal::MethodTooLong);
    }
    (head.target.len() > usize::from(limits.target_bytes)).then_some(Refusal::TargetTooLong)
}

/// We answer for no other schemes.
fn unknown_scheme(parts: &Parts, text: &[u8]) -> Option<Refusal> {
    let scheme = parts.scheme?.of(text);
    let is_known = scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https");
    (!is_known).then_some(Refusal::UnknownScheme)
}

/// Makes one field of the crumbs that a client may have made of its cookies (RFC 9113 section 8.2.3), where the first one stood. Its text goes behind all other text.
#[cold]
fn join_cookies(list: &mut List, head: &mut Head) {
    let is_cookie = |field: &Field, text: &[u8]| field.name.of(text) == b"cookie";
    let start = list.text.len();
    for field in &head.fields {
        if is_cookie(field, &list.text) {
            if list.text.len() > start {
                list.text.extend_from_slice(b"; ");
            }
            list.text.extend_from_within(usize::from(field.value.start)..usize::from(field.value.end));
        }
    }
    let joined = Span::new(start, list.text.len());
    let mut is_first = true;
    head.fields.retain_mut(|field| {
        if !is_cookie(field, &list.text) {
            return true;
        }
        field.value = joined;
        core::mem::take(&mut is_first)
    });
}

/// What depends on whether content follows.
#[inline]
pub(super) fn settle(said: &Said, ended: bool, head: &mut Head) -> Result<(), Malformed> {
    head.body = match said.length {
        Some(1..) if ended => return Err("the content is shorter than its length"),
        _ if ended => BodyLength::None,
        Some(length) => BodyLength::Known(length),
        None => BodyLength::Chunked,
    };
    head.expects_continue =
        said.expects_continue && !matches!(head.body, BodyLength::None | BodyLength::Known(0));
    Ok(())
}
