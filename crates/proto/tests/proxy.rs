//! The PROXY protocol: what is written is read, however it is cut; and headers that lie.

mod common;

use common::exercise_proxy::proxy as hold;
use gannet_proto::proxy::{Error, HEADER_BYTES, LINE_BYTES, Read, Version, read, write};
use proptest::prelude::*;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2: command, family, the length it says, what follows.
fn binary(command: u8, family: u8, length: usize, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(length).expect("a length of two bytes").to_be_bytes();
    [SIGNATURE, &[command, family], &length, rest].concat()
}

/// Twelve bytes of two addresses of IPv4 and their ports.
const IPV4: &[u8] = &[192, 0, 2, 1, 192, 0, 2, 9, 0xdc, 4, 1, 0xbb];

fn socket(text: &str) -> Option<SocketAddr> {
    Some(text.parse().expect("an address and a port"))
}

fn found(consumed: usize, source: &str, destination: &str) -> Result<Read, Error> {
    Ok(Read::Header { consumed, source: socket(source), destination: socket(destination) })
}

fn nameless(consumed: usize) -> Result<Read, Error> {
    Ok(Read::Header { consumed, source: None, destination: None })
}

#[test]
fn a_line_says_whose_connection_is_relayed_and_ends_there() {
    let line = b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\r\nGET / HTTP/1.1\r\n";
    assert_eq!(read(line), found(42, "192.0.2.1:56324", "192.0.2.9:443"));
    let line = b"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.9 0 65535\r\n";
    assert_eq!(read(line), found(line.len(), "[2001:db8::1]:0", "[::ffff:192.0.2.9]:65535"));
    for line in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 what ever\0 1 2\r\n"] {
        assert_eq!(read(line.as_bytes()), nameless(line.len()));
    }
}

#[test]
fn a_binary_header_says_whose_connection_is_relayed_and_ends_there() {
    let header = [&binary(0x21, 0x11, 12, IPV4)[..], b"\x16\x03\x01"].concat();
    assert_eq!(read(&header), found(28, "192.0.2.1:56324", "192.0.2.9:443"));
    let (source, destination) = ("[2001:db8::1]:1", "[2001:db8::2]:2");
    let mut out = Vec::new();
    write(Version::V2, socket(source), socket(destination), &mut out);
    assert_eq!(read(&out), found(52, source, destination));
}

#[test]
fn tagged_values_behind_the_addresses_are_skipped() {
    let rest = [IPV4, b"\x01\x00\x02h2\x04\x00\x03\0\0\0"].concat();
    let header = binary(0x21, 0x11, rest.len(), &rest);
    assert_eq!(read(&header), found(header.len(), "192.0.2.1:56324", "192.0.2.9:443"));
}

#[test]
fn what_no_address_of_tcp_is_said_of_keeps_the_connection_s_own() {
    for (command, family, length) in [
        (0x20, 0x00, 0),
        // LOCAL: its family and its length are discarded, whatever they are.
        (0x20, 0x11, 0),
        (0x20, 0x11, 12),
        (0x20, 0xff, 7),
        (0x21, 0x00, 0),
        (0x21, 0x00, 20),
        // Datagrams, and Unix sockets of either kind.
        (0x21, 0x12, 12),
        (0x21, 0x22, 36),
        (0x21, 0x31, 216),
        (0x21, 0x32, 300),
    ] {
        let header = binary(command, family, length, &vec![0; length]);
        assert_eq!(read(&header), nameless(header.len()), "{command:x} {family:x} {length}");
    }
}

/// What follows `PROXY ` in lines that are none, and why.
const LINES: &[(&str, Error)] = &[
    ("TCP5 ", Error::UnknownProtocol),
    ("TCP4\t", Error::UnknownProtocol),
    ("tcp4 ", Error::UnknownProtocol),
    (" TCP4 ", Error::UnknownProtocol),
    ("UDP4 ", Error::UnknownProtocol),
    ("\r\n", Error::UnknownProtocol),
    ("UNKNOWNS", Error::UnknownProtocol),
    ("TCP4  192.0.2.1", Error::InvalidAddress),
    ("TCP4 192.0.2.256 ", Error::InvalidAddress),
    ("TCP4 192.0.2 ", Error::InvalidAddress),
    ("TCP4 192.0.2.01 ", Error::InvalidAddress),
    ("TCP4 0300.0.2.1 ", Error::InvalidAddress),
    ("TCP4 192.0.2.1.1.1.1.1", Error::InvalidAddress),
    ("TCP4 ::1 ", Error::InvalidAddress),
    ("TCP4 example.com ", Error::InvalidAddress),
    ("TCP4 192.0.2.1,", Error::InvalidAddress),
    ("TCP4 192.0.2.1\r\n", Error::InvalidAddress),
    ("TCP4 192.0.2.1 192.0.2.9\r\n", Error::InvalidAddress),
    ("TCP6 192.0.2.1 ", Error::InvalidAddress),
    ("TCP6 [::1] ", Error::InvalidAddress),
    ("TCP6 fe80::1%eth0 ", Error::InvalidAddress),
    ("TCP6 ::1::1 ", Error::InvalidAddress),
    ("TCP6 1:2:3:4:5:6:7:8:9 ", Error::InvalidAddress),
    ("TCP4 192.0.2.1 192.0.2.9 65536 1\r\n", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 1 65536\r\n", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 01 1\r\n", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 000001", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 +1 ", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 1  2\r\n", Error::UnterminatedLine),
    ("TCP4 192.0.2.1 192.0.2.9  1", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 1\r\n", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 1 2\n", Error::UnterminatedLine),
    ("TCP4 192.0.2.1 192.0.2.9 1 2 \r\n", Error::UnterminatedLine),
    ("TCP4 192.0.2.1 192.0.2.9 1 \r\n", Error::InvalidPort),
    ("TCP4 192.0.2.1 192.0.2.9 1 2\rGET", Error::UnterminatedLine),
    ("UNKNOWN\n", Error::UnknownProtocol),
    ("UNKNOWN \n", Error::UnterminatedLine),
    ("UNKNOWN\rX", Error::UnterminatedLine),
];

/// What no header begins with.
const OTHERS: [&[u8]; 7] = [
    b"GET / HTTP/1.1\r\n",
    b"PUT /",
    b"PRI * HTTP/2.0",
    b"PROXY\t",
    b"proxy ",
    b"\x16\x03\x01",
    b"\r\n\r\n\r",
];

/// Headers that are none, and why.
fn lies() -> Vec<(Vec<u8>, Error)> {
    let line = |rest: &str| format!("PROXY {rest}").into_bytes();
    let mut lies: Vec<(Vec<u8>, Error)> = LINES.iter().map(|(rest, error)| (line(rest), *error)).collect();
    lies.extend(OTHERS.map(|bytes| (bytes.to_vec(), Error::Missing)));
    lies.push((line(&format!("UNKNOWN {}", "x".repeat(200))), Error::LineTooLong));
    lies.extend([
        (binary(0x11, 0x11, 12, IPV4), Error::UnsupportedVersion),
        (binary(0x31, 0x11, 12, IPV4), Error::UnsupportedVersion),
        (binary(0x22, 0x11, 12, IPV4), Error::UnknownCommand),
        (binary(0x21, 0x41, 12, IPV4), Error::UnknownFamily),
        (binary(0x21, 0x13, 12, IPV4), Error::UnknownFamily),
        (binary(0x21, 0x10, 12, IPV4), Error::UnknownFamily),
        (binary(0x21, 0x01, 12, IPV4), Error::UnknownFamily),
        (binary(0x21, 0x11, 11, &IPV4[..11]), Error::TooShort),
        (binary(0x21, 0x11, 0, IPV4), Error::TooShort),
        (binary(0x21, 0x21, 12, IPV4), Error::TooShort),
        (binary(0x21, 0x31, 215, &[0; 215]), Error::TooShort),
        (binary(0x21, 0x11, 65_535, IPV4), Error::TooLong),
        (binary(0x20, 0x00, 65_535, b""), Error::TooLong),
    ]);
    lies
}

#[test]
fn headers_that_lie_are_refused_with_what_is_wrong() {
    for (bytes, error) in lies() {
        assert_eq!(read(&bytes), Err(error), "{}", bytes.escape_ascii());
    }
    let reached: HashSet<Error> = lies().iter().map(|(_, error)| *error).collect();
    assert_eq!(reached.len(), Error::ALL.len(), "every error is reached");
}

#[test]
fn an_error_shows_at_one_prefix_and_stays() {
    for (bytes, error) in lies() {
        let first =
            (0..=bytes.len()).find(|end| read(&bytes[..*end]) != Ok(Read::Need)).expect("it is wrong");
        for end in first..=bytes.len() {
            assert_eq!(read(&bytes[..end]), Err(error), "{} up to {end}", bytes.escape_ascii());
        }
        hold(&bytes);
    }
}

#[test]
fn a_byte_that_belongs_nowhere_is_refused_at_once() {
    for (bytes, length) in [
        (&b"GET "[..], 1),
        (b"POST ", 2),
        (b"PROXY TCP5", 10),
        (b"PROXY TCP4 1.2.3.x", 18),
        (b"PROXY TCP4 1111111111111111", 27),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 123456", 33),
        (b"\r\n\r\n\0\r\nQUIT\r", 12),
        (b"\r\n\r\n\0\r\nQUIT\n\x31", 13),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x41", 14),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0b", 16),
    ] {
        assert_eq!(bytes.len().min(length), length);
        assert_eq!(read(&bytes[..length - 1]), Ok(Read::Need), "{}", bytes.escape_ascii());
        assert!(read(&bytes[..length]).is_err(), "{}", bytes.escape_ascii());
    }
}

#[test]
fn the_longest_line_is_read_and_no_longer_one() {
    let line = |bytes: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(bytes - "PROXY UNKNOWN \r\n".len()));
    assert_eq!(read(line(LINE_BYTES).as_bytes()), nameless(LINE_BYTES));
    assert_eq!(read(line(LINE_BYTES + 1).as_bytes()), Err(Error::LineTooLong));
    assert_eq!(read(&line(LINE_BYTES + 1).as_bytes()[..LINE_BYTES - 1]), Ok(Read::Need));
}

#[test]
fn the_longest_binary_header_is_read_and_no_longer_one() {
    let header = |bytes: usize| {
        let mut rest = IPV4.to_vec();
        rest.resize(bytes - 16, 0);
        binary(0x21, 0x11, rest.len(), &rest)
    };
    assert_eq!(read(&header(HEADER_BYTES)), found(HEADER_BYTES, "192.0.2.1:56324", "192.0.2.9:443"));
    assert_eq!(read(&header(HEADER_BYTES)[..HEADER_BYTES - 1]), Ok(Read::Need));
    assert_eq!(read(&header(HEADER_BYTES + 1)[..16]), Err(Error::TooLong));
}

#[test]
fn what_is_written_is_what_the_specification_shows() {
    let written = |version, source: &str, destination: &str| {
        let mut out = Vec::new();
        write(version, socket(source), socket(destination), &mut out);
        out
    };
    let line = written(Version::V1, "255.255.255.255:65535", "255.255.255.255:65535");
    assert_eq!(line, b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n");
    let header = written(Version::V2, "192.0.2.1:56324", "192.0.2.9:443");
    assert_eq!(header, binary(0x21, 0x11, 12, IPV4));
    for (version, expected) in
        [(Version::V1, b"PROXY UNKNOWN\r\n".to_vec()), (Version::V2, binary(0x21, 0, 0, b""))]
    {
        for (source, destination) in
            [(None, None), (socket("192.0.2.1:1"), None), (None, socket("192.0.2.1:1"))]
        {
            let mut out = Vec::new();
            write(version, source, destination, &mut out);
            assert_eq!(out, expected);
        }
    }
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let ip = prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits))),
        any::<u32>().prop_map(|bits| IpAddr::V6(Ipv4Addr::from(bits).to_ipv6_mapped())),
    ];
    (ip, any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

/// As it comes back where the other address is of the other family.
fn as_ipv6(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(IpAddr::V6(ip.to_ipv6_mapped()), address.port()),
        IpAddr::V6(_) => address,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_it_is_cut(
        source in address(),
        destination in address(),
        is_text in any::<bool>(),
        behind in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let version = if is_text { Version::V1 } else { Version::V2 };
        let mut out = Vec::new();
        write(version, Some(source), Some(destination), &mut out);
        let consumed = out.len();
        prop_assert!(!is_text || consumed <= LINE_BYTES);
        for end in 0..consumed {
            prop_assert_eq!(read(&out[..end]), Ok(Read::Need), "up to {}", end);
        }
        out.extend(behind);
        let same = source.is_ipv4() == destination.is_ipv4();
        let expected = |address| Some(if same { address } else { as_ipv6(address) });
        let (source, destination) = (expected(source), expected(destination));
        prop_assert_eq!(read(&out), Ok(Read::Header { consumed, source, destination }));
    }

    #[test]
    fn any_bytes_are_a_header_or_none(
        start in prop::sample::select(vec![&b""[..], b"PROXY ", b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN", b"\r\n\r\n\0\r\nQUIT\n", b"\r\n\r\n\0\r\nQUIT\n\x21"]),
        rest in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "[0-9a-f.: \r\n]{0,80}".prop_map(String::into_bytes),
        ],
    ) {
        hold(&[start, &rest].concat());
    }
}
