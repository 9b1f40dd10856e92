//! Host and port, as Host and targets write them (RFC 3986 section 3.2, RFC 9110 section 7.2).
//!
//! Stricter than RFC 3986 in three places, each where readers are known to disagree about which host is meant:
//! * no user information (`user@host`): RFC 9110 section 4.2.4 tells recipients to be wary of it;
//! * no comma, though a registered name may have one: two Host fields joined by an intermediary look like it;
//! * not empty: `http` and `https` have no URI without a host (RFC 9110 section 4.2.1).

use super::error::Error;
use crate::http::Span;
use crate::scan::{Level, naive};
use core::net::Ipv6Addr;

/// Whether `input[authority]` has a port, and not 0. An error if it is no host, or no port below 65,536.
///
/// `plain_end` is where the letters, digits, dots and hyphens end that it begins with: nearly all hosts are no more than
/// that. Every byte that may follow an authority ends them too.
#[inline(always)]
pub(super) fn check(input: &[u8], authority: Span, plain_end: usize) -> Result<bool, Error> {
    let (start, end) = (usize::from(authority.start), usize::from(authority.end));
    debug_assert!(plain_end <= end || plain_end == start, "an authority is followed by what no host has");
    match input[..end].get(plain_end) {
        Some(b':') if plain_end > start => check_port(&input[..end], plain_end + 1),
        None if plain_end > start => Ok(false),
        _ => check_slowly(authority.of(input)),
    }
}

/// Whether these bytes are a host, perhaps with a port; and, if they are, whether they have a port other than 0.
#[inline]
pub(crate) fn is_authority(level: Level, authority: &[u8]) -> Option<bool> {
    let plain_end = level.plain_host_end(authority, 0);
    check(authority, Span::new(0, authority.len()), plain_end).ok()
}

/// Any host, and perhaps a port.
#[inline(never)]
fn check_slowly(authority: &[u8]) -> Result<bool, Error> {
    let end = match authority.first() {
        Some(b'[') => literal_end(authority)?,
        _ => registered_name_end(authority),
    };
    match &authority[end..] {
        _ if end == 0 => Err(Error::InvalidAuthority),
        [] => Ok(false),
        [b':', ..] => check_port(authority, end + 1),
        _ => Err(Error::InvalidAuthority),
    }
}

/// The bytes from `start` on: five digits at most, and RFC 3986 lets them be missing. They are taken out of the eight bytes that
/// end with them, the last digit lowest: so they compare as the number does that they make.
#[inline(always)]
fn check_port(authority: &[u8], start: usize) -> Result<bool, Error> {
    const MOST: u64 = 0x06_05_05_03_05;
    let length = authority.len() - start;
    if length == 0 {
        return Ok(false);
    }
    if length > 5 {
        return Err(Error::InvalidAuthority);
    }
    let word = match authority.last_chunk::<8>() {
        Some(last) => u64::from_be_bytes(*last),
        None => authority.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let digits = (word ^ 0x3030_3030_3030_3030) & ((1 << (8 * length)) - 1);
    let above_nine = (digits | digits.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
    if above_nine != 0 || digits > MOST {
        return Err(Error::InvalidAuthority);
    }
    Ok(digits != 0)
}

/// Where `[IPv6]` ends. Address zones and future versions name nothing on the open network.
fn literal_end(authority: &[u8]) -> Result<usize, Error> {
    let close = authority.iter().position(|byte| *byte == b']').ok_or(Error::InvalidAuthority)?;
    let address = core::str::from_utf8(&authority[1..close]).map_err(|_| Error::InvalidAuthority)?;
    match address.parse::<Ipv6Addr>() {
        Ok(_) => Ok(close + 1),
        Err(_) => Err(Error::InvalidAuthority),
    }
}

/// Whether a registered name (RFC 3986 section 3.2.2) may have this byte as it is; IPv4 addresses look the same.
const fn is_name_byte(byte: u8) -> bool {
    naive::is_plain_host(byte)
        || matches!(byte, b'_' | b'~')
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'=')
}

/// Where the name at the start ends: it consists of name bytes and percent-encoded ones.
fn registered_name_end(authority: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at = naive::end(is_name_byte, authority, at);
        if !is_percent_encoded(&authority[at..]) {
            return at;
        }
        at += 3;
    }
}

fn is_percent_encoded(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::check_slowly;
    use crate::h1::Error;
    use crate::http::Span;
    use crate::scan::Level;
    use alloc::format;
    use proptest::prelude::*;

    /// By itself, and where requests have it.
    fn check(authority: &[u8]) -> Result<bool, Error> {
        let before = b"GET / HTTP/1.1\r\nHost: ";
        let check = |input: &[u8], start: usize| {
            let plain_end = Level::BASELINE.plain_host_end(input, start);
            super::check(input, Span::new(start, start + authority.len()), plain_end)
        };
        let alone = check(authority, 0);
        assert_eq!(check(&[before, authority, b"\r\n\r\n"].concat(), before.len()), alone);
        alone
    }

    #[test]
    fn hosts_with_and_without_ports_are_accepted() {
        for (authority, has_port) in [
            (&b"example.com"[..], false),
            (b"example.com:8080", true),
            (b"example.com:", false),
            (b"example.com:0", false),
            (b"example.com:00000", false),
            (b"127.0.0.1:80", true),
            (b"xn--bcher-kva.example", false),
            (b"under_score.example", false),
            (b"a%2db", false),
            (b"[::1]", false),
            (b"[2001:db8::7]:65535", true),
            (b"[::ffff:192.0.2.1]", false),
        ] {
            assert_eq!(check(authority), Ok(has_port), "{}", authority.escape_ascii());
        }
    }

    #[test]
    fn what_readers_could_take_for_different_hosts_is_refused() {
        for authority in [
            &b""[..],
            b":80",
            b"a b",
            b"a,b",
            b"user@host",
            b"a/b",
            b"a?b",
            b"a#b",
            b"a\\b",
            b"a:b",
            b"a:80:80",
            b"a:65536",
            b"a:000080",
            b"a:-1",
            b"a%2",
            b"a%zz",
            b"\xc3\xa9.example",
            b"[::1",
            b"[]",
            b"[::1]80",
            b"[::1%25eth0]",
            b"[v1.a]",
            b"::1",
            b"<script>",
        ] {
            assert_eq!(check(authority), Err(Error::InvalidAuthority), "{}", authority.escape_ascii());
        }
    }

    #[test]
    fn a_port_is_what_its_digits_say() {
        for host in ["a", "example.com", "under_score"] {
            for port in 0..=99_999_u32 {
                let expected = if port < 65_536 { Ok(port > 0) } else { Err(Error::InvalidAuthority) };
                assert_eq!(check(format!("{host}:{port}").as_bytes()), expected, "{host}:{port}");
            }
            for byte in (0..=255).filter(|byte: &u8| !byte.is_ascii_digit()) {
                for place in 0..5 {
                    let mut authority = format!("{host}:12345").into_bytes();
                    let port = authority.len() - 5;
                    authority[port + place] = byte;
                    assert_eq!(check(&authority), Err(Error::InvalidAuthority), "{byte} at {place}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_way_says(
            host in "[a-zA-Z0-9.-]{0,40}",
            rest in "([%_~,@a-z\\[\\]:]{0,4})(:[0-9a-f]{0,6})?",
        ) {
            let authority = format!("{host}{rest}");
            prop_assert_eq!(check(authority.as_bytes()), check_slowly(authority.as_bytes()));
        }
    }
}
