//! What the fields of a request mean for its framing and for the connection (RFC 9112 sections 3.2, 6, 7.6, 9.3).
//!
//! Each field is understood as it is read; what they mean together is settled at the blank line. Whatever could
//! mean two things to two readers is an error.

use super::authority;
use super::error::Error;
use super::fields::Meaning;
use crate::http::{BodyLength, Field, Head, Method, Version};
use crate::scan::{Blocks, Vector};

/// What has been said so far that [`Head`] has no place for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Said {
    host: bool,
    close: bool,
    keep_alive: bool,
    upgrade_option: bool,
    upgrade_field: bool,
    expects_continue: bool,
}

impl Meaning for Said {
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
                self.connection(value());
                Ok(())
            }
            (14, b'c') if is(name, b"content-length") => content_length(value(), head),
            (17, b't') if is(name, b"transfer-encoding") => transfer_encoding(value(), head),
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

    fn connection(&mut self, value: &[u8]) {
        if is(value, b"keep-alive") {
            self.keep_alive = true;
            return;
        }
        for option in members(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade_option |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// What all the fields mean together; returns whether the connection persists (RFC 9112 section 9.3).
    pub(super) fn settle(self, head: &mut Head) -> Result<bool, Error> {
        let http11 = head.version == Version::Http11;
        if http11 && !self.host {
            return Err(Error::MissingHost);
        }
        let has_body = !matches!(head.body, BodyLength::None | BodyLength::Known(0));
        head.expects_continue = self.expects_continue && has_body;
        head.upgrade = http11 && self.upgrade_option && self.upgrade_field;
        Ok(!self.close && (http11 || self.keep_alive))
    }
}

/// Whether a name or a value is this word, without case. Since the length is known and no byte ends it early, it is compared
/// many bytes at a time.
///
/// The word consists of small letters and `-`. Setting bit 5 makes such a byte only of itself and of the letter in the
/// other case; or of control characters, which neither names nor values have.
#[inline(always)]
fn is<const LENGTH: usize>(text: &[u8], word: &[u8; LENGTH]) -> bool {
    let Ok(text) = <&[u8; LENGTH]>::try_from(text) else { return false };
    (0..LENGTH).fold(0, |bits, index| bits | ((text[index] | 0x20) ^ word[index])) == 0
}

/// The members of a comma-separated list, empty ones left out (RFC 9110 section 5.6.1.2).
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(|member| member.trim_ascii()).filter(|member| !member.is_empty())
}

/// Exactly one decimal number. RFC 9112 section 6.3 would let "5, 5" pass as 5: we do not.
fn content_length(value: &[u8], head: &mut Head) -> Result<(), Error> {
    may_frame(head, Error::RepeatedContentLength, Error::LengthAndCoding)?;
    if value.is_empty() {
        return Err(Error::InvalidContentLength);
    }
    let mut length: u64 = 0;
    for byte in value {
        if !byte.is_ascii_digit() {
            return Err(Error::InvalidContentLength);
        }
        let shifted = length.checked_mul(10).and_then(|length| length.checked_add(u64::from(byte - b'0')));
        length = shifted.ok_or(Error::InvalidContentLength)?;
    }
    head.body = BodyLength::Known(length);
    Ok(())
}

/// `chunked` and nothing else. Other codings are not decoded here, so they are refused (RFC 9112 section 6.1); where
/// chunked is not last the body's end cannot be found at all (section 6.3).
fn transfer_encoding(value: &[u8], head: &mut Head) -> Result<(), Error> {
    may_frame(head, Error::LengthAndCoding, Error::InvalidTransferCoding)?;
    if head.version == Version::Http10 {
        return Err(Error::CodingInHttp10);
    }
    if !value.eq_ignore_ascii_case(b"chunked") {
        return Err(refused_codings(value));
    }
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

/// Unknown codings properly ended by one chunked are merely unknown; anything else is no framing at all.
#[cold]
fn refused_codings(value: &[u8]) -> Error {
    let is_chunked = |member: &[u8]| member.trim_ascii().eq_ignore_ascii_case(b"chunked");
    let mut codings = value.rsplit(|byte| *byte == b',');
    let last_is_chunked = codings.next().is_some_and(is_chunked);
    let others_are_not = codings.all(|coding| !coding.trim_ascii().is_empty() && !is_chunked(coding));
    if last_is_chunked && others_are_not {
        Error::UnknownTransferCoding
    } else {
        Error::InvalidTransferCoding
    }
}

#[cfg(test)]
mod tests {
    use super::is;
    use crate::scan::naive;

    #[test]
    fn a_word_is_itself_in_either_case_and_nothing_else() {
        for (index, letter) in b"transfer-encoding".iter().enumerate() {
            for byte in (0..=255).filter(|byte| naive::is_token(*byte) || naive::is_value(*byte)) {
                let mut text = *b"Transfer-ENCODING";
                text[index] = byte;
                assert_eq!(
                    is(&text, b"transfer-encoding"),
                    byte.eq_ignore_ascii_case(letter),
                    "{byte} for {letter}"
                );
            }
        }
        assert!(!is(b"transfer-encodin", b"transfer-encoding"));
        assert!(!is(b"transfer-encodings", b"transfer-encoding"));
    }
}
