//! What the fields of a request mean for its framing and for the connection (RFC 9112 sections 3.2, 6, 7.6, 9.3).
//!
//! Each field is understood as it is read; what they mean together is settled at the blank line. Whatever could
//! mean two things to two readers is an error.

use super::authority;
use super::error::Error;
use super::fields::Meaning;
use super::framing::{Options, chunked, content_length, is};
use crate::http::{BodyLength, Field, Head, Method, Version, members};
use crate::scan::{Blocks, Vector};

/// What has been said so far that [`Head`] has no place for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Said {
    host: bool,
    options: Options,
    upgrade_field: bool,
    expects_continue: bool,
}

impl Meaning for Said {
    type Head = Head;
    type Error = Error;

    /// Nearly all fields mean nothing here, so length and first letter tell most of them apart before a name is compared.
    #[inline(always)]
    fn field<V: Vector>(
        &mut self,
        blocks: &Blocks<'_, V>,
        name: &[u8],
        field: Field,
        head: &mut Head,
    ) -> Result<(), Error> {
        let value = || field.value.of(blocks.bytes());
        match (name.len(), name[0] | 0x20) {
            (4, b'h') if is(name, b"host") => self.host(blocks, field, head),
            (6, b'e') if is(name, b"expect") => self.expect(value(), head.version),
            (7, b'u') if is(name, b"upgrade") => {
                self.upgrade_field = true;
                Ok(())
            }
            (10, b'c') if is(name, b"connection") => {
                self.options.add(value());
                Ok(())
            }
            (14, b'c') if is(name, b"content-length") => length(value(), head),
            (17, b't') if is(name, b"transfer-encoding") => coding(value(), head),
            _ => Ok(()),
        }
    }
}

impl Said {
    /// One Host, and a valid one, even where the target's own authority is what counts.
    #[inline(always)]
    fn host<V: Vector>(
        &mut self,
        blocks: &Blocks<'_, V>,
        field: Field,
        head: &mut Head,
    ) -> Result<(), Error> {
        if self.host {
            return Err(Error::RepeatedHost);
        }
        self.host = true;
        let plain_end = blocks.plain_host_end(usize::from(field.value.start));
        authority::check(blocks.bytes(), field.value, plain_end)?;
        head.authority = head.authority.or(Some(field.value));
        Ok(())
    }

    /// The only expectation there is; a client of HTTP/1.0 cannot mean it (RFC 9110 section 10.1.1).
    fn expect(&mut self, value: &[u8], version: Version) -> Result<(), Error> {
        for expectation in members(value) {
            match expectation {
                _ if version == Version::Http10 => {}
                _ if expectation.eq_ignore_ascii_case(b"100-continue") => self.expects_continue = true,
                _ => return Err(Error::UnknownExpectation),
            }
        }
        Ok(())
    }

    /// What all the fields mean together; returns whether the connection persists (RFC 9112 section 9.3).
    pub(super) fn settle(self, head: &mut Head) -> Result<bool, Error> {
        let http11 = head.version == Version::Http11;
        if http11 && !self.host {
            return Err(Error::MissingHost);
        }
        let has_body = !matches!(head.body, BodyLength::None | BodyLength::Known(0));
        head.expects_continue = self.expects_continue && has_body;
        head.upgrade = http11 && self.options.upgrade && self.upgrade_field;
        Ok(self.options.persists(head.version))
    }
}

/// A body of known length.
fn length(value: &[u8], head: &mut Head) -> Result<(), Error> {
    may_frame(head, Error::RepeatedContentLength, Error::LengthAndCoding)?;
    head.body = BodyLength::Known(content_length(value)?);
    Ok(())
}

/// A chunked body.
fn coding(value: &[u8], head: &mut Head) -> Result<(), Error> {
    may_frame(head, Error::LengthAndCoding, Error::InvalidTransferCoding)?;
    if head.version == Version::Http10 {
        return Err(Error::CodingInHttp10);
    }
    chunked(value)?;
    head.body = BodyLength::Chunked;
    Ok(())
}

/// A body is framed once, and CONNECT has none: RFC 9110 section 9.3.6 gives content there no meaning, so one server
/// would read it as a body and another as the tunnel's first bytes.
fn may_frame(head: &Head, after_length: Error, after_coding: Error) -> Result<(), Error> {
    match head.body {
        BodyLength::None if head.method == Method::Connect => Err(Error::ConnectWithBody),
        BodyLength::None => Ok(()),
        BodyLength::Known(_) => Err(after_length),
        BodyLength::Chunked => Err(after_coding),
    }
}
