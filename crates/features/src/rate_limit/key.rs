//! By what requests are told apart.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// What a request is counted by: a client's address, or any bytes. Of two requests with equal keys the second has what the first has left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key<'a>(Kind<'a>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind<'a> {
    Ipv4(u32),
    /// The first 64 bits: who has one address of such a network has all of them (RFC 4291, 2.5.4).
    Ipv6(u64),
    Bytes(Cow<'a, [u8]>),
}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Kind::Ipv4(address) => state.write_u32(*address),
            Kind::Ipv6(network) => state.write_u64(*network),
            // With its length, which no address has behind it.
            Kind::Bytes(bytes) => bytes.hash(state),
        }
    }
}

/// An IPv6 address stands for its network of 64 bits, and one of IPv4 that is mapped into IPv6 for itself.
impl From<IpAddr> for Key<'_> {
    fn from(address: IpAddr) -> Self {
        Key(match address.to_canonical() {
            IpAddr::V4(address) => Kind::Ipv4(address.to_bits()),
            IpAddr::V6(address) => Kind::Ipv6((address.to_bits() >> 64) as u64),
        })
    }
}

impl<'a> From<&'a [u8]> for Key<'a> {
    fn from(bytes: &'a [u8]) -> Key<'a> {
        Key(Kind::Bytes(bytes.into()))
    }
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(text: &'a str) -> Key<'a> {
        text.as_bytes().into()
    }
}

impl From<String> for Key<'_> {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Vec<u8>> for Key<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Key(Kind::Bytes(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    #[test]
    fn clients_are_told_apart_by_what_one_of_them_cannot_choose() {
        let key = |text: &str| Key::from(text.parse::<IpAddr>().expect("an address"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
        assert_eq!(key("2001:db8:0:7::1"), key("2001:db8:0:7:ffff::"));
        assert_ne!(key("2001:db8:0:7::1"), key("2001:db8:0:8::1"));
    }

    #[test]
    fn equal_keys_have_equal_hashes_and_others_have_not() {
        let seed = RandomState::new();
        let hash = |key: Key<'_>| seed.hash_one(key);
        assert_eq!(hash("alice".into()), hash(String::from("alice").into()));
        assert_eq!(hash("alice".into()), hash(b"alice"[..].into()));
        assert_ne!(hash("alice".into()), hash("alicf".into()));
        let network = Key::from(IpAddr::from([0x2001, 0xdb8, 0, 7, 0, 0, 0, 1]));
        assert_ne!(hash(network), hash(0x2001_0db8_0000_0007u64.to_ne_bytes()[..].into()));
    }
}
