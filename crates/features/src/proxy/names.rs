//! What a proxy makes of a request's field, by its name.

/// What becomes of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It goes on, unless `Connection` names it.
    EndToEnd,
    /// It goes on likewise, and says what the client would rather read.
    Accept,
    /// It names fields of this connection.
    Connection,
    /// What transfer codings, and whether trailers, are taken over this connection.
    Te,
    /// What else could be spoken over this connection.
    Upgrade,
    /// How many may pass it on.
    MaxForwards,
    /// `X-Forwarded-For`.
    ForwardedFor,
    /// `X-Forwarded-Proto`.
    ForwardedProto,
    /// `X-Forwarded-Host`.
    ForwardedHost,
    /// `Forwarded`.
    Forwarded,
    /// What only a proxy that is trusted may say of a client.
    Claim,
    /// It never goes on.
    Never,
}

/// What servers are known to believe of who asks and what was asked for, if a proxy is thought to have said it; and all that begins with
/// `X-Forwarded`.
const CLAIMS: [&[u8]; 15] = [
    b"x-real-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-original-forwarded-for",
    b"x-original-host",
    b"x-original-proto",
    b"x-original-url",
    b"x-rewrite-url",
    b"x-scheme",
    b"x-url-scheme",
    b"true-client-ip",
    b"cf-connecting-ip",
    b"fastly-client-ip",
    b"front-end-https",
    b"forwarded-for",
];

const FORWARDED: &[u8] = b"x-forwarded";

/// Length and first letter tell most names apart before any is compared.
#[inline]
pub(super) fn kind(name: &[u8]) -> Kind {
    let Some(first) = name.first() else { return Kind::Never };
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    match (first | 0x20, name.len()) {
        (b'a', 6) if is(b"accept") => Kind::Accept,
        (b'c', 10) if is(b"connection") => Kind::Connection,
        (b't', 2) if is(b"te") => Kind::Te,
        (b'u', 7) if is(b"upgrade") => Kind::Upgrade,
        (b'm', 12) if is(b"max-forwards") => Kind::MaxForwards,
        (b'h', 4) if is(b"host") => Kind::Never,
        (b'e', 6) if is(b"expect") => Kind::Never,
        // Of an offer to speak HTTP/2, which is not passed on (RFC 7540, 3.2.1).
        (b'h', 14) if is(b"http2-settings") => Kind::Never,
        // For a proxy that the client chose, which this is not (RFC 9110, 11.7).
        (b'p', 19) if is(b"proxy-authorization") => Kind::Never,
        // What CGI makes HTTP_PROXY of, by which programs find a proxy for their own requests (CVE-2016-5385).
        (b'p', 5) if is(b"proxy") => Kind::Never,
        // They frame the message, and CGI takes `Content_Length` for one of them: whoever believed it would see another message than we.
        (b'c', 14) if is_variant(name, b"content-length") => Kind::Never,
        (b't', 17) if is_variant(name, b"transfer-encoding") => Kind::Never,
        (b'f', 9) if is(b"forwarded") => Kind::Forwarded,
        (b'x', 8..) | (b't', 14) | (b'c', 16) | (b'f', 13 | 15 | 16) => claim(name),
        _ => Kind::EndToEnd,
    }
}

/// CGI and its like make one variable of `X-Real-IP` and `X_Real_IP` (RFC 3875, 4.1.18). So what is written otherwise than proxies do is not
/// let through from anybody.
fn claim(name: &[u8]) -> Kind {
    if name.len() >= FORWARDED.len() && is_variant(&name[..FORWARDED.len()], FORWARDED) {
        return match name {
            name if name.eq_ignore_ascii_case(b"x-forwarded-for") => Kind::ForwardedFor,
            name if name.eq_ignore_ascii_case(b"x-forwarded-proto") => Kind::ForwardedProto,
            name if name.eq_ignore_ascii_case(b"x-forwarded-host") => Kind::ForwardedHost,
            name if is_plain(name) => Kind::Claim,
            _ => Kind::Never,
        };
    }
    match CLAIMS.iter().any(|claim| is_variant(name, claim)) {
        true if is_plain(name) => Kind::Claim,
        true => Kind::Never,
        false => Kind::EndToEnd,
    }
}

fn is_plain(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Whether a name is this one, where every byte but letters and digits is taken for a hyphen.
fn is_variant(name: &[u8], known: &[u8]) -> bool {
    let same = |(byte, known): (&u8, &u8)| match byte.is_ascii_alphanumeric() {
        true => byte.to_ascii_lowercase() == *known,
        false => *known == b'-',
    };
    name.len() == known.len() && name.iter().zip(known).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_what_it_is_in_any_case() {
        for (name, expected) in [
            ("Connection", Kind::Connection),
            ("TE", Kind::Te),
            ("Upgrade", Kind::Upgrade),
            ("Max-Forwards", Kind::MaxForwards),
            ("Host", Kind::Never),
            ("Expect", Kind::Never),
            ("HTTP2-Settings", Kind::Never),
            ("Proxy-Authorization", Kind::Never),
            ("Proxy", Kind::Never),
            ("Forwarded", Kind::Forwarded),
            ("X-Forwarded-For", Kind::ForwardedFor),
            ("X-Forwarded-Proto", Kind::ForwardedProto),
            ("X-Forwarded-Host", Kind::ForwardedHost),
            ("X-Forwarded", Kind::Claim),
            ("X-Forwarded-Port", Kind::Claim),
            ("X-Forwarded-Server", Kind::Claim),
            ("X-Forwarded-Prefix", Kind::Claim),
            ("X-Real-IP", Kind::Claim),
            ("True-Client-IP", Kind::Claim),
            ("CF-Connecting-IP", Kind::Claim),
            ("Accept", Kind::Accept),
            ("Content-Type", Kind::EndToEnd),
            ("Cookie", Kind::EndToEnd),
            ("X-Request-Id", Kind::EndToEnd),
            ("X-Forwarder", Kind::EndToEnd),
            ("From", Kind::EndToEnd),
            ("Hosts", Kind::EndToEnd),
            ("Traceparent", Kind::EndToEnd),
        ] {
            for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                assert_eq!(kind(name.as_bytes()), expected, "{name}");
            }
        }
    }

    #[test]
    fn every_claim_is_found() {
        for claim in CLAIMS {
            assert_eq!(kind(claim), Kind::Claim, "{}", claim.escape_ascii());
        }
    }

    #[test]
    fn what_programs_would_take_for_a_proxy_s_word_is_let_through_from_nobody() {
        for name in [
            "X_Forwarded_For",
            "x-forwarded_for",
            "X_FORWARDED-PROTO",
            "X.Real.IP",
            "X_Real-IP",
            "x~forwarded~host",
            "Transfer_Encoding",
            "Content_Length",
        ] {
            assert_eq!(kind(name.as_bytes()), Kind::Never, "{name}");
        }
    }
}
