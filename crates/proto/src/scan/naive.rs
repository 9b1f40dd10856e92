//! What the kinds of bytes are, said plainly: the oracle of the fast searches.

/// A byte of a token (RFC 9110 section 5.6.2): methods and field names are made of these.
pub const fn is_token(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+')
        || matches!(byte, b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// A byte of a field value (RFC 9110 section 5.5): visible, space, tab, or beyond ASCII. Not CR, LF, NUL or any
/// other control character.
pub const fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// A byte of a path, or of a query between question marks: visible ASCII but `?` and `#`.
///
/// That is more than RFC 3986 allows: browsers send `|`, `{`, `"` and their like as they are. Nothing hangs on
/// them here. A fragment (`#`) never belongs in a request, and spaces, controls and bytes beyond ASCII are where
/// one reader of a request line sees another target than the next.
pub const fn is_target(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && byte != b'?' && byte != b'#'
}

/// A byte that nearly all hosts consist of: a letter, a digit, a dot or a hyphen. Others are allowed, too.
pub const fn is_plain_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
}

/// As [`Level::token_end`](super::Level::token_end).
pub fn token_end(bytes: &[u8], from: usize) -> usize {
    end(is_token, bytes, from)
}

/// As [`Level::value_end`](super::Level::value_end).
pub fn value_end(bytes: &[u8], from: usize) -> usize {
    end(is_value, bytes, from)
}

/// As [`Level::target_end`](super::Level::target_end).
pub fn target_end(bytes: &[u8], from: usize) -> usize {
    end(is_target, bytes, from)
}

/// As [`Level::plain_host_end`](super::Level::plain_host_end).
pub fn plain_host_end(bytes: &[u8], from: usize) -> usize {
    end(is_plain_host, bytes, from)
}

/// As [`Level::mask`](super::Level::mask) (RFC 6455 section 5.3).
pub fn mask(bytes: &mut [u8], mask: [u8; 4]) {
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte ^= mask[at % 4];
    }
}

#[inline(always)]
pub(crate) fn end(is_inside: fn(u8) -> bool, bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() && is_inside(bytes[at]) {
        at += 1;
    }
    at
}
