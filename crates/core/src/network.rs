//! Networks: which addresses are meant by `10.0.0.0/8`.

use std::fmt;
use std::net::{AddrParseError, IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The addresses that begin with the same bits: `10.0.0.0/8`, `fd00::/8`; a bare address is the network of itself.
///
/// Those of IPv4 and of IPv6 are apart: `::/0` has none of IPv4. An IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`, as a socket of both
/// says it) is one of IPv4, here and in [`Networks::contains`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network {
    /// The first address.
    address: IpAddr,
    /// How many bits its addresses have in common.
    prefix: u8,
}

/// Several networks: those that are trusted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Networks(Vec<Network>);

/// Why a text is no network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvalidNetwork {
    /// It does not begin with an address.
    Address(String),
    /// What follows the slash is no number, or more than the address has bits.
    Prefix(String, u8),
    /// Its address has bits beyond the prefix: the network that it is in.
    HostBits(String, Network),
}

/// Bits that an IPv4 address has in front of it when it is mapped into IPv6.
const MAPPED: u8 = 96;

impl Network {
    fn new(text: &str, address: IpAddr, prefix: u8) -> Result<Network, InvalidNetwork> {
        let (address, prefix) = match address.to_canonical() {
            IpAddr::V4(mapped) if address.is_ipv6() => match prefix.checked_sub(MAPPED) {
                Some(prefix) => (IpAddr::V4(mapped), prefix),
                None => (address, prefix),
            },
            _ => (address, prefix),
        };
        let network = Network { address: masked(address, prefix), prefix };
        if network.address == address {
            Ok(network)
        } else {
            Err(InvalidNetwork::HostBits(text.to_owned(), network))
        }
    }

    /// Whether an address, not a mapped one, is one of its.
    fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

/// An address without the bits beyond a prefix.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Network, InvalidNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr =
            address.parse().map_err(|_: AddrParseError| InvalidNetwork::Address(text.to_owned()))?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            // Not what `parse` takes besides: a sign.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= bits)
                .ok_or_else(|| InvalidNetwork::Prefix(text.to_owned(), bits))?,
            Some(_) => return Err(InvalidNetwork::Prefix(text.to_owned(), bits)),
        };
        Network::new(text, address, prefix)
    }
}

impl Networks {
    /// None: no address is one of these.
    pub const fn none() -> Networks {
        Networks(Vec::new())
    }

    /// Whether an address is in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Networks {
        Networks(networks.into_iter().collect())
    }
}

/// What is short for several networks: this machine, and the networks that lead nowhere from outside (RFC 1918, RFC 4193).
const NAMED: [(&str, &[&str]); 2] = [
    ("loopback", &["127.0.0.0/8", "::1"]),
    ("private", &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]),
];

/// Networks separated by commas; `loopback` and `private` are short for those.
impl FromStr for Networks {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Networks, InvalidNetwork> {
        let mut networks = Vec::new();
        for part in text.split(',').map(str::trim) {
            match NAMED.iter().find(|(name, _)| *name == part) {
                Some((_, several)) => {
                    for one in *several {
                        networks.push(one.parse()?);
                    }
                }
                None => networks.push(part.parse()?),
            }
        }
        Ok(Networks(networks))
    }
}

impl Extend<Network> for Networks {
    fn extend<I: IntoIterator<Item = Network>>(&mut self, networks: I) {
        self.0.extend(networks);
    }
}

impl IntoIterator for Networks {
    type Item = Network;
    type IntoIter = std::vec::IntoIter<Network>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidNetwork::Address(text) => write!(
                f,
                "{text:?} is no network: write an address (10.0.0.1, ::1), one with how many bits count (10.0.0.0/8, fd00::/8), loopback or private"
            ),
            InvalidNetwork::Prefix(text, bits) => {
                write!(f, "{text:?} is no network: behind the slash stands how many bits count, 0 to {bits}")
            }
            InvalidNetwork::HostBits(text, network) => write!(
                f,
                "{text:?} has bits beyond its prefix: write {network} for the network, or the address alone for one machine"
            ),
        }
    }
}

impl std::error::Error for InvalidNetwork {}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Networks {
        texts.iter().map(|text| text.parse::<Network>().expect("a network")).collect()
    }

    fn contains(network: &str, address: &str) -> bool {
        networks(&[network]).contains(address.parse().expect("an address"))
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.0"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("fd00::/8", "fd12:3456::1", "fe80::1"),
            ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
            ("::1", "::1", "::2"),
        ] {
            assert!(contains(network, inside), "{network} has {inside}");
            assert!(!contains(network, outside), "{network} has not {outside}");
        }
        assert!(!Networks::none().contains("::1".parse().expect("an address")));
    }

    #[test]
    fn an_ipv4_address_mapped_into_ipv6_is_one_of_ipv4() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(!contains("::ffff:10.0.0.0/104", "11.1.2.3"));
        assert!(!contains("::/0", "::ffff:10.1.2.3"));
    }

    #[test]
    fn a_list_has_the_networks_of_all_its_parts_and_names_stand_for_several() {
        let list = |text: &str| text.parse::<Networks>().expect("networks");
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(list("10.0.0.0/8, ::1"), networks(&["10.0.0.0/8", "::1"]));
        for inside in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(list("loopback").contains(address(inside)), "{inside}");
            assert!(!list("private").contains(address(inside)), "{inside}");
        }
        for inside in ["10.1.1.1", "172.31.0.1", "192.168.7.7", "fd00::1"] {
            assert!(list("loopback,private").contains(address(inside)), "{inside}");
            assert!(!list("loopback").contains(address(inside)), "{inside}");
        }
        assert!(!list("private").contains(address("172.32.0.1")));
        assert!("10.0.0.0/8,".parse::<Networks>().is_err() && "".parse::<Networks>().is_err());
    }

    #[test]
    fn what_is_no_network_is_told_with_what_would_be_one() {
        for (text, expected) in [
            ("", "write an address"),
            ("localhost", "write an address"),
            ("10.0.0", "write an address"),
            ("10.0.0.1:80", "write an address"),
            ("[::1]", "write an address"),
            ("10.0.0.0/33", "0 to 32"),
            ("10.0.0.0/", "0 to 32"),
            ("10.0.0.0/+8", "0 to 32"),
            ("10.0.0.0/8/8", "0 to 32"),
            ("::/129", "0 to 128"),
            ("::/999", "0 to 128"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("fd00::1/8", "write fd00::/8"),
            ("::ffff:10.0.0.1/104", "write 10.0.0.0/8"),
        ] {
            let error = text.parse::<Network>().expect_err(text).to_string();
            assert!(error.contains(expected) && error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
