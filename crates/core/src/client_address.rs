//! Who a client is, as far as the proxies in between can be believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Networks;

/// What is known of a client that proxies are in between of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForwardedClient<'a> {
    /// Its address.
    pub address: IpAddr,
    /// How it spoke (`http`, `https`), if `Forwarded` is what told of it and says so.
    pub proto: Option<&'a [u8]>,
    /// The host that it asked for, likewise.
    pub host: Option<&'a [u8]>,
}

/// The client's address: `peer`'s, unless that is a trusted proxy, which vouches for whom it was sent the request by.
///
/// That is said by `X-Forwarded-For` where a request has one, and else by `Forwarded` (RFC 7239). Each proxy adds to the list's end whom it
/// was connected to, so the list is believed from its end on, as long as it names trusted proxies; the first address that is none is the
/// client's. What stands before it anybody may have written. Where a proxy names none (`unknown`, `_hidden`, RFC 7239, 6.3) or nothing that
/// can be read, the client is whoever is vouched for last: a proxy, rather than an address that somebody made up.
///
/// A trusted proxy vouches for what it passes on: one that writes `Forwarded` and lets a client's `X-Forwarded-For` by must not be trusted.
///
/// An IPv4 address mapped into IPv6 is said as one of IPv4.
pub fn client_address<'a>(
    peer: IpAddr,
    fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    trusted: &Networks,
) -> IpAddr {
    forwarded_client(peer, fields, trusted).address
}

/// The same, with what else is vouched for.
pub fn forwarded_client<'a>(
    peer: IpAddr,
    fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    trusted: &Networks,
) -> ForwardedClient<'a> {
    let peer = peer.to_canonical();
    let bare = |address| ForwardedClient { address, proto: None, host: None };
    if !trusted.contains(peer) {
        return bare(peer);
    }
    let (mut addresses, mut elements) = (Chain::default(), Chain::default());
    for (name, value) in fields {
        if name.eq_ignore_ascii_case("x-forwarded-for") {
            let nodes = value.split(|byte| *byte == b',');
            nodes.for_each(|node| addresses.add(address(node).map(bare), trusted));
        } else if name.eq_ignore_ascii_case("forwarded") {
            read_elements(value, |element| elements.add(element.and_then(Element::client), trusted));
        }
    }
    let told = if addresses.is_there { addresses } else { elements };
    told.client.unwrap_or(bare(peer))
}

/// A list, read from its beginning: who the client is, if what follows vouches for it.
#[derive(Default)]
struct Chain<'a> {
    is_there: bool,
    client: Option<ForwardedClient<'a>>,
}

impl<'a> Chain<'a> {
    /// The next node: a client or proxy, or none that can be told.
    fn add(&mut self, node: Option<ForwardedClient<'a>>, trusted: &Networks) {
        self.is_there = true;
        self.client = match (node, self.client) {
            // It vouches for who came before it.
            (Some(proxy), Some(client)) if trusted.contains(proxy.address) => Some(client),
            (node, _) => node,
        };
    }
}

/// A node's address (RFC 7239, 6), its port left out; also as `X-Forwarded-For` is written: an IPv6 address without brackets.
fn address(node: &[u8]) -> Option<IpAddr> {
    let node = std::str::from_utf8(node).ok()?.trim_matches([' ', '\t']);
    let bare = match node.strip_prefix('[') {
        Some(rest) => {
            let (bare, port) = rest.split_once(']')?;
            return (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
                .then(|| bare.parse::<Ipv6Addr>())?
                .ok()
                .map(|address| IpAddr::V6(address).to_canonical());
        }
        None => node,
    };
    match bare.split_once(':') {
        Some((address, port)) if is_port(port) && address.contains('.') => {
            address.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
        _ => bare.parse::<IpAddr>().ok().map(|address| address.to_canonical()),
    }
}

/// A number, or an obfuscated port (RFC 7239, 6.2).
fn is_port(text: &str) -> bool {
    let is_number = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number || text.strip_prefix('_').is_some_and(|name| !name.is_empty())
}

/// What an element of a `Forwarded` says.
#[derive(Default)]
struct Element<'a> {
    node: Option<&'a [u8]>,
    proto: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
}

impl<'a> Element<'a> {
    /// Adds a parameter; false: it was said already, and so says nothing (RFC 7239, 4).
    fn add(&mut self, name: &[u8], content: &'a [u8]) -> bool {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let place = match () {
            () if is("for") => &mut self.node,
            () if is("proto") => &mut self.proto,
            () if is("host") => &mut self.host,
            () => return true,
        };
        place.replace(content).is_none()
    }

    fn client(self) -> Option<ForwardedClient<'a>> {
        // What has to be escaped no scheme and no host has.
        let plain = |content: &&[u8]| !content.contains(&b'\\') && !content.is_empty();
        let (proto, host) = (self.proto.filter(plain), self.host.filter(plain));
        Some(ForwardedClient { address: address(self.node?)?, proto, host })
    }
}

/// Gives each element of a `Forwarded`; none for what cannot be read.
///
/// Behind what cannot be read it goes on at the next comma: a client that leaves a quoted string open cannot swallow what proxies add.
fn read_elements<'a>(mut value: &'a [u8], mut each: impl FnMut(Option<Element<'a>>)) {
    loop {
        let rest = match element(value) {
            Some((element, rest)) => {
                each(Some(element));
                rest
            }
            None => {
                each(None);
                let comma = value.iter().position(|byte| *byte == b',');
                comma.map(|comma| &value[comma + 1..])
            }
        };
        match rest {
            Some(rest) => value = rest,
            None => return,
        }
    }
}

/// The element that a text begins with, and what follows its comma if it has one; none if it cannot be read.
fn element(mut text: &[u8]) -> Option<(Element<'_>, Option<&[u8]>)> {
    let mut element = Element::default();
    loop {
        let (name, content, rest) = pair(text)?;
        if !element.add(name, content) {
            return None;
        }
        match rest.split_first() {
            Some((b';', rest)) => text = rest,
            Some((_, rest)) => return Some((element, Some(rest))),
            None => return Some((element, None)),
        }
    }
}

/// `name=value`, and what follows: nothing, or from a separator on. Blanks around it are passed over.
fn pair(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let ends = |byte: &u8| b"=;,\" \t".contains(byte);
    let text = text.trim_ascii_start();
    let (name, text) = text.split_at(text.iter().position(ends)?);
    let text = text.strip_prefix(b"=")?;
    let (content, rest) = match text.strip_prefix(b"\"") {
        Some(quoted) => {
            let end = quoted_end(quoted)?;
            (&quoted[..end], &quoted[end + 1..])
        }
        None => text.split_at(text.iter().position(ends).unwrap_or(text.len())),
    };
    let rest = rest.trim_ascii_start();
    (!name.is_empty() && matches!(rest.first(), None | Some(b';' | b','))).then_some((name, content, rest))
}

/// Where a quoted string ends (RFC 9110, 5.6.4).
fn quoted_end(quoted: &[u8]) -> Option<usize> {
    let mut escaped = false;
    quoted.iter().position(|byte| {
        let ends = !escaped && *byte == b'"';
        escaped = !escaped && *byte == b'\\';
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn trusted() -> Networks {
        ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().expect("a network")).into_iter().collect()
    }

    fn client_of(peer: &str, fields: &[(&str, &str)]) -> String {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        client_address(peer.parse().expect("an address"), fields, &trusted()).to_string()
    }

    /// Whom the proxy, whose element is the last, vouches for.
    fn listed(value: &str) -> String {
        client_of(PROXY, &[("X-Forwarded-For", value)])
    }

    fn forwarded(value: &str) -> String {
        client_of(PROXY, &[("Forwarded", value)])
    }

    #[test]
    fn who_is_not_trusted_is_the_client_whatever_it_says() {
        let lies = [("X-Forwarded-For", "1.1.1.1"), ("Forwarded", "for=1.1.1.1")];
        assert_eq!(client_of("203.0.113.9", &lies), "203.0.113.9");
        assert_eq!(client_of("::ffff:203.0.113.9", &lies), "203.0.113.9");
        let nobody = Networks::none();
        let fields = [("x-forwarded-for", &b"1.1.1.1"[..])];
        assert_eq!(client_address(PROXY.parse().expect("an address"), fields, &nobody).to_string(), PROXY);
    }

    #[test]
    fn a_trusted_proxy_says_who_the_client_is() {
        assert_eq!(listed("203.0.113.9"), "203.0.113.9");
        assert_eq!(forwarded("for=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
        assert_eq!(client_of("::ffff:10.0.0.1", &[("x-forwarded-for", "203.0.113.9")]), "203.0.113.9");
        assert_eq!(client_of("fd00::1", &[("x-FORWARDED-for", "203.0.113.9")]), "203.0.113.9");
        assert_eq!(client_of(PROXY, &[]), PROXY);
    }

    #[test]
    fn what_a_client_wrote_before_what_proxies_added_is_not_believed() {
        assert_eq!(listed("1.1.1.1, 203.0.113.9"), "203.0.113.9");
        assert_eq!(listed("1.1.1.1, 10.0.0.7, 203.0.113.9"), "203.0.113.9");
        assert_eq!(listed("10.9.9.9, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
        assert_eq!(forwarded("for=1.1.1.1, for=203.0.113.9, for=\"[fd00::7]:4711\""), "203.0.113.9");
        assert_eq!(forwarded("for=\"10.0.0.7, for=1.1.1.1\", for=203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [("X-Forwarded-For", "1.1.1.1"), ("x-other", "2.2.2.2"), ("X-Forwarded-For", "10.0.0.2")];
        assert_eq!(client_of(PROXY, &lines), "1.1.1.1");
        let lines = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "203.0.113.9")];
        assert_eq!(client_of(PROXY, &lines), "203.0.113.9");
    }

    #[test]
    fn where_all_are_trusted_the_first_is_the_client() {
        assert_eq!(listed("10.0.0.3, 10.0.0.2"), "10.0.0.3");
        assert_eq!(forwarded("for=\"[fd00::3]\",for=10.0.0.2"), "fd00::3");
    }

    #[test]
    fn who_is_hidden_or_cannot_be_read_is_whoever_is_vouched_for_last() {
        for hidden in ["unknown", "_hidden", "", "1.1.1", "1.1.1.1.1", "a.example", "\u{e9}", "1.1.1.1;", "-"]
        {
            assert_eq!(listed(hidden), PROXY, "{hidden}");
            assert_eq!(listed(&format!("1.1.1.1, {hidden}")), PROXY, "{hidden}");
            assert_eq!(listed(&format!("1.1.1.1, {hidden}, 10.0.0.2")), "10.0.0.2", "{hidden}");
            assert_eq!(listed(&format!("{hidden}, 203.0.113.9")), "203.0.113.9", "{hidden}");
        }
        for hidden in [
            "for=unknown",
            "for=_hidden",
            "for=\"_hidden:_port\"",
            "proto=https",
            "",
            "for",
            "for=\"1.1.1.1",
            "for=1.1.1.1;for=2.2.2.2",
            "for=\"\\1.1.1.1\"",
            "for=1.1.1.1\"\"",
            "for=2001:db8::zz",
            "=1.1.1.1",
        ] {
            assert_eq!(forwarded(hidden), PROXY, "{hidden}");
            assert_eq!(forwarded(&format!("{hidden}, for=10.0.0.2")), "10.0.0.2", "{hidden}");
            assert_eq!(forwarded(&format!("{hidden}, for=203.0.113.9")), "203.0.113.9", "{hidden}");
        }
        assert_eq!(forwarded("for=1.1.1.1;for=2.2.2.2, for=203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn a_quoted_string_that_a_client_leaves_open_swallows_nothing() {
        for open in ["for=\"", "for=\"1.1.1.1", "x=\"\\", "for=1.1.1.1;x=\""] {
            for added in ["for=203.0.113.9", "for=\"[2001:db8::1]:80\""] {
                let client = forwarded(&format!("{open}, {added}"));
                assert!(added.contains(&client), "{open}, {added}: {client}");
            }
        }
    }

    #[test]
    fn ports_and_brackets_are_left_out() {
        for (node, address) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("203.0.113.9:_port", "203.0.113.9"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
            (" \t203.0.113.9 ", "203.0.113.9"),
        ] {
            assert_eq!(listed(node), address, "{node}");
            assert_eq!(forwarded(&format!("for=\"{node}\"")), address, "{node}");
        }
        for bad in [
            "203.0.113.9:",
            "203.0.113.9:123456",
            "[2001:db8::1",
            "[2001:db8::1]x",
            "[203.0.113.9]",
            "203.0.113.9:x",
        ] {
            assert_eq!(listed(bad), PROXY, "{bad}");
        }
    }

    #[test]
    fn x_forwarded_for_comes_first_since_nearly_all_proxies_write_it_and_not_all_take_forwarded_out() {
        let both = [("Forwarded", "for=1.1.1.1"), ("X-Forwarded-For", "203.0.113.9")];
        assert_eq!(client_of(PROXY, &both), "203.0.113.9");
        let both = [("Forwarded", "for=1.1.1.1"), ("X-Forwarded-For", "unknown")];
        assert_eq!(client_of(PROXY, &both), PROXY);
    }

    #[test]
    fn scheme_and_host_are_those_that_the_client_s_own_element_says() {
        let told = |value: &'static str| {
            let fields = [("Forwarded", value.as_bytes())];
            let client = forwarded_client(PROXY.parse().expect("an address"), fields, &trusted());
            (
                client.proto.map(|proto| proto.escape_ascii().to_string()),
                client.host.map(|host| host.escape_ascii().to_string()),
            )
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told(
                "for=1.1.1.1;proto=ftp;host=evil, for=203.0.113.9;proto=https;host=\"a:8443\", for=10.0.0.7;proto=http"
            ),
            (some("https"), some("a:8443"))
        );
        assert_eq!(told("for=203.0.113.9;proto=;host=\"a\\\"b\""), (None, None));
        assert_eq!(told("for=unknown;proto=https"), (None, None), "nobody is known to have spoken so");
        assert_eq!(told("for=203.0.113.9;proto=https;proto=http"), (None, None));
    }

    #[test]
    fn names_and_blanks_are_as_loose_as_the_rfc_has_them() {
        for value in [
            "For=203.0.113.9",
            "proto=http;FOR=203.0.113.9",
            "proto=http ; for=\"203.0.113.9\" ",
            " for=203.0.113.9",
        ] {
            assert_eq!(forwarded(value), "203.0.113.9", "{value}");
        }
    }
}
