//! What `--listen` takes: `IP:PORT`, `localhost:PORT`, a bare `PORT` for every interface, `unix:PATH`, or `systemd` for the sockets
//! that a service manager hands over.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::str::FromStr;

use gannet::App;

/// A place to listen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// One address.
    Address(SocketAddr),
    /// A port of every interface, IPv6 and IPv4.
    EveryInterface(u16),
    /// A port of this machine's own address, IPv4 and IPv6.
    Localhost(u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// What was handed over (sd_listen_fds(3)).
    Systemd,
}

/// What may be written, for messages.
const FORMS: &str = "write IP:PORT, localhost:PORT, PORT or unix:PATH, such as 127.0.0.1:8080";

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        if let Ok(address) = text.parse() {
            return Ok(Place::Address(address));
        }
        match text.strip_prefix("unix:") {
            Some("") => return Err("the socket's path is missing; write unix:/run/gannet/socket".to_owned()),
            Some(path) => return Ok(Place::Unix(path.into())),
            None if text == "systemd" => return Ok(Place::Systemd),
            None => {}
        }
        if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Err(format!("the address lacks a port; write {}", SocketAddr::new(ip, 8080)));
        }
        match text.rsplit_once(':') {
            Some(("localhost", port)) => parse_port(port).map(Place::Localhost),
            None if is_number(text) => parse_port(text).map(Place::EveryInterface),
            Some((host, port)) if is_number(port) && host.parse::<IpAddr>().is_ok() => {
                Err(parse_port(port).err().unwrap_or_else(|| format!("this is no address; {FORMS}")))
            }
            _ => Err(format!("this is no address; {FORMS}")),
        }
    }
}

impl Place {
    /// Makes the application listen here.
    pub fn listened_on_by(&self, app: App) -> App {
        match self {
            Place::Unix(path) => app.listen_unix(path),
            Place::Systemd => app.listen_inherited(),
            place => app.listen(place.addresses().as_slice()),
        }
    }

    /// Makes the application lead those who come here to TLS.
    pub fn redirected_by(&self, app: App) -> App {
        match self {
            Place::Unix(path) => app.redirect_unix(path),
            place => app.redirect(place.addresses().as_slice()),
        }
    }

    /// The one address of an admin listener: of this machine's own, that of IPv4.
    ///
    /// # Errors
    /// When it is a Unix socket, or was handed over.
    pub fn admin_address(&self) -> Result<SocketAddr, String> {
        let address = self.addresses().first().copied();
        address.ok_or_else(|| {
            "the admin listener takes no Unix socket; write IP:PORT, localhost:PORT or PORT".to_owned()
        })
    }

    /// The addresses of TCP to bind. Every interface is `[::]`, which takes IPv4 too (ipv6(7)); on a machine without IPv6 it is
    /// `0.0.0.0`. The machine's own address is of both families where it has both, but of IPv4 alone for port 0: each would be given
    /// a port of its own.
    fn addresses(&self) -> Vec<SocketAddr> {
        match self {
            Place::Address(address) => vec![*address],
            Place::EveryInterface(port) if has_ipv6(Ipv6Addr::UNSPECIFIED) => {
                vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, *port))]
            }
            Place::EveryInterface(port) => vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, *port))],
            Place::Localhost(port) => {
                let mut addresses = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, *port))];
                if *port != 0 && has_ipv6(Ipv6Addr::LOCALHOST) {
                    addresses.push(SocketAddr::from((Ipv6Addr::LOCALHOST, *port)));
                }
                addresses
            }
            Place::Unix(_) | Place::Systemd => Vec::new(),
        }
    }

    /// Whether listening here is listening there, too, so that both at once cannot be had.
    pub fn covers(&self, other: &Place) -> bool {
        let others = other.widest();
        self == other && !self.takes_free_port()
            || self.widest().iter().any(|own| others.iter().any(|other| covers(*own, *other)))
    }

    fn takes_free_port(&self) -> bool {
        self.widest().iter().any(|address| address.port() == 0)
    }

    /// What would be bound on a machine that has all.
    fn widest(&self) -> Vec<SocketAddr> {
        match self {
            Place::EveryInterface(port) => vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, *port))],
            Place::Localhost(port) => vec![
                SocketAddr::from((Ipv4Addr::LOCALHOST, *port)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, *port)),
            ],
            place => place.addresses(),
        }
    }
}

fn covers(own: SocketAddr, other: SocketAddr) -> bool {
    // Port 0 is another free port each time.
    let same_port = own.port() == other.port() && own.port() != 0;
    let same_ip = match own.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => true,
        IpAddr::V4(ip) if ip.is_unspecified() => other.is_ipv4(),
        ip => ip == other.ip(),
    };
    same_port && same_ip
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Address(address) => address.fmt(f),
            Place::EveryInterface(port) => port.fmt(f),
            Place::Localhost(port) => write!(f, "localhost:{port}"),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
            Place::Systemd => f.write_str("systemd"),
        }
    }
}

/// Whether the machine has the address: IPv6 may be left out of the kernel (`ipv6.disable=1`), or off. Nothing is sent.
fn has_ipv6(ip: Ipv6Addr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
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
        assert_eq!("localhost:8080".parse(), Ok(Place::Localhost(8080)));
        assert_eq!("8080".parse(), Ok(Place::EveryInterface(8080)));
        assert_eq!("unix:/run/a b".parse(), Ok(Place::Unix("/run/a b".into())));
        assert_eq!("systemd".parse(), Ok(Place::Systemd));
    }

    #[test]
    fn a_bare_port_is_dual_stack() {
        let expected = if has_ipv6(Ipv6Addr::UNSPECIFIED) { "[::]:8080" } else { "0.0.0.0:8080" };
        assert_eq!(Place::EveryInterface(8080).addresses(), [expected.parse().unwrap()]);
    }

    #[test]
    fn localhost_is_of_both_families_but_for_port_0() {
        let mut expected = vec!["127.0.0.1:8080".parse().unwrap()];
        if has_ipv6(Ipv6Addr::LOCALHOST) {
            expected.push("[::1]:8080".parse().unwrap());
        }
        assert_eq!(Place::Localhost(8080).addresses(), expected);
        assert_eq!(Place::Localhost(0).addresses(), ["127.0.0.1:0".parse().unwrap()]);
    }

    #[test]
    fn a_wrong_address_is_told_with_a_right_one() {
        let no_address = format!("this is no address; {FORMS}");
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
            ("unix:", "the socket's path is missing; write unix:/run/gannet/socket"),
        ] {
            assert_eq!(text.parse::<Place>().unwrap_err(), complaint, "{text}");
        }
    }

    #[test]
    fn an_address_covers_those_that_it_would_take_the_connections_of() {
        let covers = |wide: &str, narrow: &str| {
            wide.parse::<Place>().unwrap().covers(&narrow.parse::<Place>().unwrap())
        };
        for narrow in ["127.0.0.1:80", "[::1]:80", "0.0.0.0:80", "[::]:80", "localhost:80", "80"] {
            assert!(covers("80", narrow), "{narrow}");
        }
        assert!(covers("localhost:80", "127.0.0.1:80") && covers("localhost:80", "[::1]:80"));
        assert!(covers("unix:/a", "unix:/a") && covers("systemd", "systemd"));
        assert!(!covers("unix:/a", "unix:/b") && !covers("localhost:0", "localhost:0"));
        assert!(covers("0.0.0.0:80", "127.0.0.1:80") && covers("[::1]:80", "[::1]:80"));
        assert!(!covers("80", "81") && !covers("0", "0"));
        assert!(!covers("0.0.0.0:80", "[::1]:80") && !covers("127.0.0.1:80", "127.0.0.2:80"));
    }
}
