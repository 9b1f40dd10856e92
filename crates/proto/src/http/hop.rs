//! What of a message is for one connection only, so that who forwards it leaves it out (RFC 9110 section 7.6.1).

use super::{Field, field_values};

/// Fields that are for one connection, whether Connection names them or not: those of RFC 9110 section 7.6.1, then Trailer, which speaks
/// of a coding that the next connection may not have, and HTTP2-Settings (RFC 7540 section 3.2.1). Not among them: Proxy-Authenticate
/// and Proxy-Authorization, which are for the next proxy that asks for them (RFC 9110 section 11.7).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
    "trailer",
    "http2-settings",
];

/// Whether a field of this name is for one connection only, by itself. Those that Connection names are so, too:
/// [`connection_options`] tells them.
#[inline]
pub fn is_hop_by_hop(name: &[u8]) -> bool {
    // Most fields are none of them, which their first letter shows.
    matches!(name.first().map(|letter| letter | 0x20), Some(b'c' | b'h' | b'k' | b'p' | b't' | b'u'))
        && HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop.as_bytes()))
}

/// What the Connection fields among these say, option by option, in whatever case the peer wrote them.
pub fn connection_options<'a>(fields: &[Field], bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    field_values(fields, bytes, "connection").flat_map(members)
}

/// The members of a comma-separated list, empty ones left out (RFC 9110 section 5.6.1.2).
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(|member| member.trim_ascii()).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{connection_options, is_hop_by_hop};
    use crate::http::{Field, Span};
    use alloc::vec::Vec;

    #[test]
    fn what_is_for_one_connection_is_so_in_any_case() {
        for name in [
            "Connection",
            "KEEP-ALIVE",
            "Proxy-Connection",
            "te",
            "Trailer",
            "Transfer-Encoding",
            "upgrade",
            "HTTP2-Settings",
        ] {
            assert!(is_hop_by_hop(name.as_bytes()), "{name}");
        }
        for name in [
            "Content-Length",
            "Cookie",
            "Host",
            "Proxy-Authorization",
            "Tea",
            "Upgrade-Insecure-Requests",
            "",
        ] {
            assert!(!is_hop_by_hop(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn connection_options_are_those_of_every_connection_field() {
        let bytes = b"Connection: close, X-a \r\nconnection:, ,TE\r\nConnections: no";
        let field = |a, b, c, d| Field { name: Span::new(a, b), value: Span::new(c, d) };
        let fields = [field(0, 10, 12, 22), field(25, 35, 36, 41), field(43, 54, 56, 58)];
        let options: Vec<&[u8]> = connection_options(&fields, bytes).collect();
        assert_eq!(options, [&b"close"[..], b"X-a", b"TE"]);
    }
}
