//! What the fields that frame messages and rule connections say, in both roles (RFC 9112 sections 6, 7.6, 9.3). Which of them a
//! message may have, and what they mean together, is for [`request_fields`](super::request_fields) and
//! [`response_fields`](super::response_fields).

use super::response_error::Malformed;
use crate::http::{Version, members};

/// What Connection said that means something to the connection itself (RFC 9110 section 7.6.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Options {
    pub close: bool,
    pub keep_alive: bool,
    pub upgrade: bool,
}

impl Options {
    /// Takes a Connection field in.
    pub fn add(&mut self, value: &[u8]) {
        if is(value, b"keep-alive") {
            self.keep_alive = true;
            return;
        }
        for option in members(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// Whether the connection persists (RFC 9112 section 9.3).
    pub fn persists(self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }
}

/// Whether a name or a value is this word, without case. Since the length is known and no byte ends it early, it is compared
/// many bytes at a time.
///
/// The word consists of small letters and `-`. Setting bit 5 makes such a byte only of itself and of the letter in the
/// other case; or of control characters, which neither names nor values have.
#[inline(always)]
pub(super) fn is<const LENGTH: usize>(text: &[u8], word: &[u8; LENGTH]) -> bool {
    let Ok(text) = <&[u8; LENGTH]>::try_from(text) else { return false };
    (0..LENGTH).fold(0, |bits, index| bits | ((text[index] | 0x20) ^ word[index])) == 0
}

/// Exactly one decimal number. RFC 9112 section 6.3 would let "5, 5" pass as 5: we do not.
pub(super) fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    length_of(value).ok_or(Malformed::InvalidContentLength)
}

/// The number that these bytes are in decimal, if they are one and it is below 2^64.
pub(crate) fn length_of(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    let mut length: u64 = 0;
    for byte in value {
        if !byte.is_ascii_digit() {
            return None;
        }
        length = length.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    Some(length)
}

/// `chunked` and nothing else. Other codings are not decoded here, so they are refused (RFC 9112 section 6.1); where
/// chunked is not last the body's end cannot be found at all (section 6.3).
pub(super) fn chunked(value: &[u8]) -> Result<(), Malformed> {
    if value.eq_ignore_ascii_case(b"chunked") { Ok(()) } else { Err(refused_codings(value)) }
}

/// Unknown codings properly ended by one chunked are merely unknown; anything else is no framing at all.
#[cold]
fn refused_codings(value: &[u8]) -> Malformed {
    let is_chunked = |member: &[u8]| member.trim_ascii().eq_ignore_ascii_case(b"chunked");
    let mut codings = value.rsplit(|byte| *byte == b',');
    let last_is_chunked = codings.next().is_some_and(is_chunked);
    let others_are_not = codings.all(|coding| !coding.trim_ascii().is_empty() && !is_chunked(coding));
    if last_is_chunked && others_are_not {
        Malformed::UnknownTransferCoding
    } else {
        Malformed::InvalidTransferCoding
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
