//! From what a user calls an upstream to where it listens.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use gannet_core::{UpstreamAddress, UpstreamProtocol};

/// What a user calls an upstream, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    pub(super) place: Place,
    /// It is spoken to over TLS.
    pub(super) is_secure: bool,
    /// It is spoken to by HTTP/2 in clear text: so it was said.
    pub(super) is_http2: bool,
    /// What it calls itself: its name, and its port where that is not the scheme's own.
    pub(super) authority: String,
}

/// Where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// A name or an address, and a port.
    Internet(String, u16),
    /// The file of a Unix socket, or an abstract name.
    Unix(PathBuf),
}

/// Why there is no proxy to what was named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProxyError {
    /// Nothing was named.
    NoTarget,
    /// What was named is no upstream: what was named, and what is wrong with it.
    Target(String, &'static str),
    /// A name has no address: what was named, and what the resolver says.
    Unresolved(String, String),
    /// There are more upstreams than may be.
    TooMany(usize),
    /// TLS to an upstream cannot be set up: what was named, and why.
    Tls(String, String),
}

const FORMS: &str = "write app:3000, :3000 (on this machine), http://app:3000, https://app, h2c://app:3000 (HTTP/2 in clear text), or unix:/run/app.sock";

impl Target {
    /// Reads `app:3000`, `:3000`, `http://app`, `https://app:8443`, `h2c://app:3000`, `unix:/run/app.sock`, `h2c://unix:/run/app.sock`.
    pub(super) fn parse(text: &str) -> Result<Target, ProxyError> {
        Target::read(text).map_err(|what| ProxyError::Target(text.to_owned(), what))
    }

    fn read(text: &str) -> Result<Target, &'static str> {
        if let Some(path) = strip_scheme(text, "unix:") {
            return Target::unix(path);
        }
        if let Some(rest) = strip_scheme(text, "http://") {
            return Target::internet(rest, Some(80), false);
        }
        if let Some(rest) = strip_scheme(text, "https://") {
            return Target::internet(rest, Some(443), true);
        }
        if let Some(rest) = strip_scheme(text, "h2c://") {
            let target = match strip_scheme(rest, "unix:") {
                Some(path) => Target::unix(path),
                None => Target::internet(rest, Some(80), false),
            };
            return Ok(Target { is_http2: true, ..target? });
        }
        if text.contains("://") {
            return Err(
                "of schemes there are http:// and https:// (which WebSockets go over, too), h2c://, and unix:",
            );
        }
        Target::internet(text, None, false)
    }

    fn unix(path: &str) -> Result<Target, &'static str> {
        match path.as_bytes() {
            [b'/' | b'@', _, ..] => Ok(Target {
                place: Place::Unix(path.into()),
                is_secure: false,
                is_http2: false,
                authority: "localhost".into(),
            }),
            _ => Err(
                "behind unix: stands the whole path of a socket (unix:/run/app.sock), or an abstract name (unix:@app)",
            ),
        }
    }

    fn internet(text: &str, default_port: Option<u16>, is_secure: bool) -> Result<Target, &'static str> {
        let (authority, path) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
        if authority.contains('@') {
            return Err("a user and password in a target are sent to nobody: leave them out");
        }
        if !matches!(path, "" | "/") {
            return Err(
                "a target is a server, without path and query: each request is passed on with its own",
            );
        }
        let (host, port) = split_port(authority)?;
        let port = match (port, default_port) {
            (Some(port), _) => port,
            (None, Some(port)) => port,
            (None, None) if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err("of a port on this machine the colon belongs to it (:3000)");
            }
            (None, None) => {
                return Err("its port is missing: app:3000; or name the scheme: http://app, https://app");
            }
        };
        let host = match host {
            "" if default_port.is_none() => "127.0.0.1",
            "" => return Err("the server's name is missing"),
            host => check_host(host)?,
        };
        let authority = match default_port == Some(port) {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Target { place: Place::Internet(host, port), is_secure, is_http2: false, authority })
    }

    /// Which HTTP it is spoken to by, where upstreams are by `protocol`.
    pub(super) fn protocol(&self, protocol: UpstreamProtocol) -> UpstreamProtocol {
        if self.is_http2 { UpstreamProtocol::Http2 } else { protocol }
    }

    /// The name that its certificate must have.
    pub(super) fn server_name(&self) -> &str {
        match &self.place {
            Place::Internet(host, _) => host,
            Place::Unix(_) => &self.authority,
        }
    }

    /// Where it listens; a name may have several addresses. Asks the system's resolver, and waits for it.
    pub(super) fn resolve(&self) -> Result<Vec<UpstreamAddress>, ProxyError> {
        let (host, port) = match &self.place {
            Place::Unix(path) => return Ok(vec![UpstreamAddress::Unix(path.clone())]),
            Place::Internet(host, port) => (host, *port),
        };
        let unresolved = |why: String| ProxyError::Unresolved(host.clone(), why);
        let found = (host.as_str(), port).to_socket_addrs().map_err(|error| unresolved(error.to_string()))?;
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        match addresses.is_empty() {
            true => Err(unresolved("it has none".to_owned())),
            false => Ok(addresses.into_iter().map(UpstreamAddress::Internet).collect()),
        }
    }
}

/// Schemes have no case (RFC 3986, 3.1).
fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (first, rest) = text.split_at_checked(scheme.len())?;
    first.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Host, and port if there is one.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let host_end = match authority.starts_with('[') {
        true => authority.find(']').ok_or("its bracket is never closed")? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(host_end);
    let digits = match rest.strip_prefix(':') {
        None if rest.is_empty() => return Ok((host, None)),
        None => return Err("behind the bracket stands a colon and the port"),
        Some(rest) if rest.contains(':') => {
            return Err("an IPv6 address stands in brackets: [::1]:3000");
        }
        Some(digits) => digits,
    };
    match digits.parse::<u16>() {
        Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok((host, Some(port))),
        _ => Err("a port is a number from 1 to 65535"),
    }
}

fn check_host(host: &str) -> Result<&str, &'static str> {
    if let Some(literal) = host.strip_prefix('[') {
        let is_address = literal.trim_end_matches(']').parse::<Ipv6Addr>().is_ok();
        return if is_address { Ok(host) } else { Err("what stands in the brackets is no IPv6 address") };
    }
    if !host.is_ascii() {
        return Err("a name in other than ASCII letters is written as the DNS has it (xn--...)");
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.bytes().all(fits) {
        Ok(host)
    } else {
        Err("a server's name has letters, digits, dots and hyphens")
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyError::NoTarget => write!(f, "a proxy needs an upstream; {FORMS}"),
            ProxyError::Target(target, what) => write!(f, "{target:?} is no upstream: {what}; {FORMS}"),
            ProxyError::Unresolved(name, why) => write!(
                f,
                "the upstream's name {name:?} has no address: {why}; mend the name, or write an address"
            ),
            ProxyError::TooMany(most) => {
                write!(f, "there are more than {most} upstreams, with all addresses of all names; name fewer")
            }
            ProxyError::Tls(target, why) => {
                write!(f, "TLS to the upstream {target:?} cannot be set up: {why}")
            }
        }
    }
}

impl std::error::Error for ProxyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_named_as_people_name_servers() {
        for (text, host, port, is_secure, authority) in [
            ("app:3000", "app", 3000, false, "app:3000"),
            (":3000", "127.0.0.1", 3000, false, "127.0.0.1:3000"),
            ("192.0.2.1:80", "192.0.2.1", 80, false, "192.0.2.1:80"),
            ("[::1]:3000", "::1", 3000, false, "[::1]:3000"),
            ("http://app", "app", 80, false, "app"),
            ("http://app:80/", "app", 80, false, "app"),
            ("HTTP://app.example:8080", "app.example", 8080, false, "app.example:8080"),
            ("https://app.example", "app.example", 443, true, "app.example"),
            ("https://[2001:db8::1]:8443", "2001:db8::1", 8443, true, "[2001:db8::1]:8443"),
            ("my_app:1", "my_app", 1, false, "my_app:1"),
        ] {
            let target = Target::parse(text).expect(text);
            assert_eq!(target.place, Place::Internet(host.to_owned(), port), "{text}");
            assert_eq!((target.is_secure, target.authority.as_str()), (is_secure, authority), "{text}");
            assert_eq!(target.server_name(), host, "{text}");
        }
        for (text, path) in [("unix:/run/app.sock", "/run/app.sock"), ("unix:@app", "@app")] {
            let target = Target::parse(text).expect(text);
            assert_eq!(target.place, Place::Unix(path.into()));
            assert_eq!((target.is_secure, target.authority.as_str()), (false, "localhost"));
            assert_eq!(target.resolve(), Ok(vec![UpstreamAddress::Unix(path.into())]));
        }
    }

    #[test]
    fn an_upstream_is_spoken_to_by_http_2_in_clear_text_where_that_is_said() {
        use UpstreamProtocol::{Http1, Http2, Negotiated};
        for (text, place, authority) in [
            ("h2c://app", Place::Internet("app".to_owned(), 80), "app"),
            ("H2C://app:50051/", Place::Internet("app".to_owned(), 50051), "app:50051"),
            ("h2c://[::1]:50051", Place::Internet("::1".to_owned(), 50051), "[::1]:50051"),
            ("h2c://unix:/run/app.sock", Place::Unix("/run/app.sock".into()), "localhost"),
            ("h2c://unix:@app", Place::Unix("@app".into()), "localhost"),
        ] {
            let target = Target::parse(text).expect(text);
            assert_eq!((&target.place, target.authority.as_str()), (&place, authority), "{text}");
            assert!(!target.is_secure, "{text}");
            assert_eq!([Negotiated, Http1, Http2].map(|said| target.protocol(said)), [Http2; 3], "{text}");
        }
        for text in ["app:3000", "https://app", "unix:/run/app.sock"] {
            let target = Target::parse(text).expect(text);
            assert_eq!(
                [Negotiated, Http1, Http2].map(|said| target.protocol(said)),
                [Negotiated, Http1, Http2]
            );
        }
    }

    #[test]
    fn what_is_no_upstream_is_told_with_the_way_out() {
        for (text, what) in [
            ("", "port is missing"),
            ("app", "port is missing"),
            ("3000", "colon belongs to it (:3000)"),
            ("app:", "1 to 65535"),
            ("app:0", "1 to 65535"),
            ("app:65536", "1 to 65535"),
            ("app:+80", "1 to 65535"),
            ("app:http", "1 to 65535"),
            ("::1:3000", "brackets: [::1]:3000"),
            ("[::1", "never closed"),
            ("[::1]3000", "colon and the port"),
            ("[app]:3000", "no IPv6 address"),
            ("http://", "name is missing"),
            ("http://:3000", "name is missing"),
            ("app:3000/api", "without path and query"),
            ("http://app/api/", "without path and query"),
            ("http://app?a=b", "without path and query"),
            ("http://user:secret@app", "leave them out"),
            ("ws://app", "http:// and https://"),
            ("ftp://app", "http:// and https://"),
            ("h2://app", "h2c://"),
            ("grpc://app", "h2c://"),
            ("h2c://", "name is missing"),
            ("h2c://app/api", "without path and query"),
            ("h2c://unix:app.sock", "whole path"),
            ("https://b\u{fc}cher.example", "xn--"),
            ("a b:80", "letters, digits"),
            ("a,b:80", "letters, digits"),
            ("unix:app.sock", "whole path"),
            ("unix:", "whole path"),
            ("unix:/", "whole path"),
        ] {
            let error = Target::parse(text).expect_err(text).to_string();
            assert!(error.contains(what) && error.contains(&format!("{text:?}")), "{text}: {error}");
            assert!(error.contains("unix:/run/app.sock"), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_is_where_it_says_and_a_name_that_leads_nowhere_is_told() {
        let resolved = |text: &str| Target::parse(text).expect(text).resolve();
        let address = |text: &str| UpstreamAddress::Internet(text.parse().expect("an address"));
        assert_eq!(resolved(":3000"), Ok(vec![address("127.0.0.1:3000")]));
        assert_eq!(resolved("https://[::1]"), Ok(vec![address("[::1]:443")]));
        // Longer than a label of the DNS may be: no resolver has to be asked (RFC 1035, 2.3.4).
        let name = "a".repeat(64);
        let error = resolved(&format!("http://{name}")).expect_err("no address").to_string();
        assert!(error.contains(&format!("{name:?}")), "{error}");
    }
}
