//! Host and port, as Host and targets write them (RFC 3986 section 3.2, RFC 9110 section 7.2).
//!
//! Stricter than RFC 3986 in three places, each where readers are known to disagree about which host is meant:
//! * no user information (`user@host`): RFC 9110 section 4.2.4 tells recipients to be wary of it;
//! * no comma, though a registered name may have one: two Host fields joined by an intermediary look like it;
//! * not empty: `http` and `https` have no URI without a host (RFC 9110 section 4.2.1).

use super::error::Error;
use core::net::Ipv6Addr;

/// The port, if one is given and not empty. An error if this is no host, or no port below 65,536.
pub(super) fn check(authority: &[u8]) -> Result<Option<u16>, Error> {
    if authority.first() == Some(&b'[') {
        return check_literal(authority);
    }
    match registered_name_end(authority) {
        0 => Err(Error::InvalidAuthority),
        end => check_port(&authority[end..]),
    }
}

/// `[IPv6]` and perhaps a port. Address zones and future versions name nothing on the open network.
fn check_literal(authority: &[u8]) -> Result<Option<u16>, Error> {
    let close = authority.iter().position(|byte| *byte == b']').ok_or(Error::InvalidAuthority)?;
    let address = core::str::from_utf8(&authority[1..close]).map_err(|_| Error::InvalidAuthority)?;
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(Error::InvalidAuthority);
    }
    check_port(&authority[close + 1..])
}

/// Nothing, or a colon and up to five digits. RFC 3986 lets the digits be missing.
fn check_port(port: &[u8]) -> Result<Option<u16>, Error> {
    let digits = match port {
        [] | [b':'] => return Ok(None),
        [b':', digits @ ..] if digits.len() <= 5 => digits,
        _ => return Err(Error::InvalidAuthority),
    };
    let mut number = 0;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return Err(Error::InvalidAuthority);
        }
        number = number * 10 + u32::from(value);
    }
    u16::try_from(number).map(Some).map_err(|_| Error::InvalidAuthority)
}

/// Whether a registered name (RFC 3986 section 3.2.2) may have this byte as it is; IPv4 addresses look the same.
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~')
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'=')
}

/// [`is_name_byte`] for each byte: every request has a host, so this is looked up, not worked out.
static NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_name_byte(byte as u8);
        byte += 1;
    }
    table
};

/// Where the name at the start ends: it consists of name bytes and percent-encoded ones.
fn registered_name_end(authority: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &authority[at..];
        at += rest.iter().position(|byte| !NAME_BYTES[usize::from(*byte)]).unwrap_or(rest.len());
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
    use super::check;
    use crate::h1::Error;

    #[test]
    fn hosts_with_and_without_ports_are_accepted() {
        for (authority, port) in [
            (&b"example.com"[..], None),
            (b"example.com:8080", Some(8080)),
            (b"example.com:", None),
            (b"127.0.0.1:80", Some(80)),
            (b"xn--bcher-kva.example", None),
            (b"under_score.example", None),
            (b"a%2db", None),
            (b"[::1]", None),
            (b"[2001:db8::7]:65535", Some(65_535)),
            (b"[::ffff:192.0.2.1]", None),
        ] {
            assert_eq!(check(authority), Ok(port), "{}", authority.escape_ascii());
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
}
