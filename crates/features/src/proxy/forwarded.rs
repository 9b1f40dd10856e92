//! Whom a request came from, told to the upstream: `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto`, `-Host`.
//!
//! What a client says of itself was left out. What a trusted proxy says is kept, and whom *it* is is added: then whoever reads the upstream's
//! list from its end finds first us, then our peer. Where a proxy wrote one of both styles only, the other is begun with the client that
//! it vouches for, so that both say the same.

use std::io::Write;
use std::net::IpAddr;

use gannet_core::{Fields, ForwardedClient, Request, forwarded_client};

use super::names::{Kind, kind};
use super::{ForwardedStyle, ProxyOptions};

/// What a request says beside what is passed on as it is: also of whom it came from, if that is believed.
#[derive(Default)]
pub(super) struct Said<'a> {
    /// `Accept`.
    pub(super) accept: Option<&'a [u8]>,
    /// `Connection` names fields.
    pub(super) names_fields: bool,
    /// It has `X-Forwarded-For`.
    pub(super) addresses: bool,
    /// It has `Forwarded`.
    pub(super) elements: bool,
    /// `X-Forwarded-Proto`.
    pub(super) proto: Option<&'a [u8]>,
    /// `X-Forwarded-Host`.
    pub(super) host: Option<&'a [u8]>,
}

/// Whom a request came from.
pub(super) struct Origin<'a> {
    request: &'a Request,
    said: Said<'a>,
    peer: Option<IpAddr>,
    /// Whom the peer vouches for, where it is a trusted proxy.
    client: Option<ForwardedClient<'a>>,
}

impl<'a> Origin<'a> {
    pub(super) fn new(request: &'a Request, said: Said<'a>, options: &ProxyOptions) -> Origin<'a> {
        let peer = request.peer().map(|peer| peer.ip().to_canonical());
        let is_told = said.addresses || said.elements;
        let told = peer.filter(|_| is_told);
        let client = told.map(|peer| forwarded_client(peer, request.fields(), &options.trusted));
        Origin { request, said, peer, client: client.filter(|client| Some(client.address) != peer) }
    }

    /// Adds the fields of the style that is wanted. `scratch` is memory that is used again.
    pub(super) fn append(&self, style: ForwardedStyle, fields: &mut Fields, scratch: &mut Vec<u8>) {
        if matches!(style, ForwardedStyle::XForwarded | ForwardedStyle::Both) {
            self.append_x_forwarded(fields, scratch);
        }
        if matches!(style, ForwardedStyle::Forwarded | ForwardedStyle::Both) {
            scratch.clear();
            self.write_elements(scratch);
            fields.forward("Forwarded", scratch);
        }
    }

    fn append_x_forwarded(&self, fields: &mut Fields, scratch: &mut Vec<u8>) {
        scratch.clear();
        self.write_addresses(scratch);
        if !scratch.is_empty() {
            fields.forward("X-Forwarded-For", scratch);
        }
        fields.forward("X-Forwarded-Proto", self.proto());
        if let Some(host) = self.host() {
            fields.forward("X-Forwarded-Host", host);
        }
    }

    /// `client, proxy`
    fn write_addresses(&self, text: &mut Vec<u8>) {
        if self.said.addresses {
            self.write_lines(Kind::ForwardedFor, text);
        } else if let Some(client) = self.client {
            write_address(text, client.address);
        }
        if let Some(peer) = self.peer {
            separate(text);
            write_address(text, peer);
        }
    }

    /// `for=client;host=...;proto=..., for=proxy;...`
    fn write_elements(&self, text: &mut Vec<u8>) {
        if self.said.elements {
            self.write_lines(Kind::Forwarded, text);
            // Ours would be a part of what they left open.
            if !is_whole(text) {
                text.clear();
            }
        }
        let (proto, host) = (self.proto(), self.host());
        match self.client.filter(|_| text.is_empty()) {
            Some(client) => {
                write_element(text, Some(client.address), host, proto);
                write_element(text, self.peer, self.authority(), self.scheme());
            }
            None if text.is_empty() => write_element(text, self.peer, host, proto),
            None => write_element(text, self.peer, self.authority(), self.scheme()),
        }
    }

    /// All of a list, which may stand in several lines.
    fn write_lines(&self, wanted: Kind, text: &mut Vec<u8>) {
        let lines = self.request.fields().filter(|(name, _)| kind(name.as_bytes()) == wanted);
        for (_, value) in lines.filter(|(_, value)| !value.is_empty()) {
            separate(text);
            text.extend_from_slice(value);
        }
    }

    fn scheme(&self) -> &'static [u8] {
        if self.request.is_secure() { b"https" } else { b"http" }
    }

    fn authority(&self) -> Option<&[u8]> {
        self.request.authority().map(str::as_bytes)
    }

    /// How the client speaks, as far as it is known.
    fn proto(&self) -> &[u8] {
        self.said.proto.or(self.client.and_then(|client| client.proto)).unwrap_or(self.scheme())
    }

    /// The host that it asked for.
    fn host(&self) -> Option<&[u8]> {
        self.said.host.or(self.client.and_then(|client| client.host)).or(self.authority())
    }
}

fn separate(text: &mut Vec<u8>) {
    if !text.is_empty() {
        text.extend_from_slice(b", ");
    }
}

fn write_element(text: &mut Vec<u8>, node: Option<IpAddr>, host: Option<&[u8]>, proto: &[u8]) {
    separate(text);
    text.extend_from_slice(b"for=");
    match node {
        Some(IpAddr::V6(address)) => {
            text.extend_from_slice(b"\"[");
            write_address(text, IpAddr::V6(address));
            text.extend_from_slice(b"]\"");
        }
        Some(address) => write_address(text, address),
        // A client of a Unix socket has no address (RFC 7239, 6.2).
        None => text.extend_from_slice(b"unknown"),
    }
    if let Some(host) = host {
        text.extend_from_slice(b";host=");
        write_value(text, host);
    }
    text.extend_from_slice(b";proto=");
    write_value(text, proto);
}

/// A token, or what is none in quotes (RFC 7239, 4).
fn write_value(text: &mut Vec<u8>, value: &[u8]) {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if !value.is_empty() && value.iter().all(is_token) {
        return text.extend_from_slice(value);
    }
    text.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
}

/// Each of the four numbers by itself: what is formatted by the library's own means takes several times as many instructions.
fn write_address(text: &mut Vec<u8>, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        return write!(text, "{address}").expect("memory takes all that is written");
    };
    for (place, number) in address.octets().into_iter().enumerate() {
        if place > 0 {
            text.push(b'.');
        }
        if number >= 100 {
            text.push(b'0' + number / 100);
        }
        if number >= 10 {
            text.push(b'0' + number / 10 % 10);
        }
        text.push(b'0' + number % 10);
    }
}

/// Whether every quoted string is closed (RFC 9110, 5.6.4).
fn is_whole(text: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    !quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_the_library_writes_it() {
        for text in ["0.0.0.0", "9.10.99.100", "255.254.199.200", "192.0.2.1", "2001:db8::1", "::1"] {
            let mut written = Vec::new();
            write_address(&mut written, text.parse().expect("an address"));
            assert_eq!(written, text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_token_is_quoted() {
        for (value, written) in [
            ("a.example", "a.example"),
            ("a.example:80", "\"a.example:80\""),
            ("[::1]:80", "\"[::1]:80\""),
            ("", "\"\""),
            ("a\"b\\c", r#""a\"b\\c""#),
        ] {
            let mut text = Vec::new();
            write_value(&mut text, value.as_bytes());
            assert_eq!(text, written.as_bytes());
        }
    }

    #[test]
    fn a_quoted_string_that_is_not_closed_is_found() {
        for whole in ["", "for=a", "for=\"a\"", r#"a="\"""#, r#"a="\\""#] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
        for open in ["\"", "for=\"a", r#"a="\""#, r#"a="b", c=""#] {
            assert!(!is_whole(open.as_bytes()), "{open}");
        }
    }
}
