//! What `--listen` takes: `IP:PORT`, `localhost:PORT`, or a bare `PORT` for every interface.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::str::FromStr;

/// A place to listen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// One address.
    Address(SocketAddr),
    /// A port of every interface, IPv6 and IPv4.
    EveryInterface(u16),
}

/// What may be written, for messages.
const FORMS: &str = "write IP:PORT, localhost:PORT or PORT, such as 127.0.0.1:8080";

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        if let Ok(address) = text.parse() {
            return Ok(Place::Address(address));
        }
        if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Err(format!("the address lacks a port; write {}", SocketAddr::new(ip, 8080)));
        }
        match text.rsplit_once(':') {
            // Only IPv4: with port 0, each address would be given a port of its own.
            Some(("localhost", port)) => {
                Ok(Place::Address(SocketAddr::from((Ipv4Addr::LOCALHOST, parse_port(port)?))))
            }
            None if is_number(text) => parse_port(text).map(Place::EveryInterface),
            Some((host, port)) if is_number(port) && host.parse::<IpAddr>().is_ok() => {
                Err(parse_port(port).err().unwrap_or_else(|| format!("this is no address; {FORMS}")))
            }
            _ => Err(format!("this is no address; {FORMS}")),
        }
    }
}

impl Place {
    /// The address to bind. Every interface is `[::]`, which takes IPv4 too (ipv6(7)); on a machine without IPv6 it is
    /// `0.0.0.0`.
    pub fn address(self) -> SocketAddr {
        match self {
            Place::Address(address) => address,
            Place::EveryInterface(port) if has_ipv6() => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
            Place::EveryInterface(port) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        }
    }

    /// Whether listening here is listening there, too, so that both at once cannot be had.
    pub fn covers(self, other: Place) -> bool {
        let (own, other) = (self.widest(), other.widest());
        // Port 0 is another free port each time.
        let same_port = own.port() == other.port() && own.port() != 0;
        let same_ip = match own.ip() {
            IpAddr::V6(ip) if ip.is_unspecified() => true,
            IpAddr::V4(ip) if ip.is_unspecified() => other.is_ipv4(),
            ip => ip == other.ip(),
        };
        same_port && same_ip
    }

    fn widest(self) -> SocketAddr {
        match self {
            Place::Address(address) => address,
            Place::EveryInterface(port) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Address(address) => address.fmt(f),
            Place::EveryInterface(port) => port.fmt(f),
        }
    }
}

/// Whether the kernel knows IPv6 (it is left out by `ipv6.disable=1`); nothing is sent.
fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) => Ok(port),
        Err(_) if is_number(text) => Err("the largest port is 65535".to_owned()),
        Err(_) => Err(format!("this is no address; {FORMS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Place, String> {
        Ok(Place::Address(text.parse().unwrap()))
    }

    #[test]
    fn every_form_of_an_address_is_taken() {
        for text in ["127.0.0.1:80", "0.0.0.0:0", "[::1]:8080", "[::]:65535"] {
            assert_eq!(text.parse(), address(text));
        }
        assert_eq!("localhost:8080".parse(), address("127.0.0.1:8080"));
        assert_eq!("8080".parse(), Ok(Place::EveryInterface(8080)));
    }

    #[test]
    fn a_bare_port_is_dual_stack() {
        let expected = if has_ipv6() { "[::]:8080" } else { "0.0.0.0:8080" };
        assert_eq!(Place::EveryInterface(8080).address().to_string(), expected);
    }

    #[test]
    fn a_wrong_address_is_told_with_a_right_one() {
        let no_address = "this is no address; write IP:PORT, localhost:PORT or PORT, such as 127.0.0.1:8080";
        for text in
            ["", "example.com:80", "localhost", "localhost:", "localhost:http", ":8080", "1.2.3:80", "-1"]
        {
            assert_eq!(text.parse::<Place>().unwrap_err(), no_address, "{text}");
        }
        for (text, complaint) in [
            ("127.0.0.1", "the address lacks a port; write 127.0.0.1:8080"),
            ("::1", "the address lacks a port; write [::1]:8080"),
            ("[::1]", "the address lacks a port; write [::1]:8080"),
            ("99999", "the largest port is 65535"),
            ("localhost:70000", "the largest port is 65535"),
            ("127.0.0.1:70000", "the largest port is 65535"),
        ] {
            assert_eq!(text.parse::<Place>().unwrap_err(), complaint, "{text}");
        }
    }

    #[test]
    fn an_address_covers_those_that_it_would_take_the_connections_of() {
        let covers = |wide: &str, narrow: &str| {
            wide.parse::<Place>().unwrap().covers(narrow.parse::<Place>().unwrap())
        };
        for narrow in ["127.0.0.1:80", "[::1]:80", "0.0.0.0:80", "[::]:80", "80"] {
            assert!(covers("80", narrow), "{narrow}");
        }
        assert!(covers("0.0.0.0:80", "127.0.0.1:80") && covers("[::1]:80", "[::1]:80"));
        assert!(!covers("80", "81") && !covers("0", "0"));
        assert!(!covers("0.0.0.0:80", "[::1]:80") && !covers("127.0.0.1:80", "127.0.0.2:80"));
    }
}
