//! What a line of the access log is made from, as it goes from a worker to the writer: a head of fixed size, then the texts.
//!
//! It is begun when the request's head arrives, in memory recycled with the connection's, and completed in place when the exchange is
//! over: by then the request is gone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gannet_core::{Networks, client_address};
use gannet_proto::{Head, Version};

/// The fixed part. All numbers are little-endian.
///
/// | bytes | what |
/// |---|---|
/// | 0..4 | length of the whole record |
/// | 4..12 | when the head was complete, in nanoseconds of the engine's clock |
/// | 12..20 | how long the exchange took, in nanoseconds |
/// | 20..28 | bytes sent behind the response's head |
/// | 28..30 | status; 0: no response was begun |
/// | 30..32 | route |
/// | 32, 33 | flags; length of the method |
/// | 34..44 | lengths of target, host, referer, user agent and of the client's address where it is not the peer's; `ABSENT` where there is none |
/// | 44..60 | the peer's address, IPv4 in its first four bytes |
const FIXED: usize = 60;

const ABSENT: u16 = u16::MAX;

const CUT: u8 = 1;
const HTTP_1_0: u8 = 2;
const IPV4: u8 = 4;
const IPV6: u8 = 8;
const TLS_1_2: u8 = 16;
const TLS_1_3: u8 = 32;
const HTTP_2: u8 = 64;

/// What is said of a request.
pub(crate) struct Said<'a> {
    pub(crate) peer: Option<IpAddr>,
    /// Whom the peer asks for, if it is a trusted proxy that says so.
    pub(crate) client: Option<IpAddr>,
    /// The version of TLS that it came by, as `gannet_core::Tls` has it.
    pub(crate) tls: Option<&'static str>,
    /// Empty: the request line could not be read.
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) version: Version,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) referer: Option<&'a [u8]>,
    pub(crate) user_agent: Option<&'a [u8]>,
}

/// What is known when the exchange is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcome {
    /// When the head was complete, by the engine's clock.
    pub(crate) begun_nanoseconds: u64,
    pub(crate) duration_nanoseconds: u64,
    /// Bytes sent behind the response's head.
    pub(crate) bytes: u64,
    /// 0: no response was begun.
    pub(crate) status: u16,
    pub(crate) route: u16,
    /// The response did not reach its end.
    pub(crate) cut: bool,
}

/// A record as it is read.
pub(crate) struct Record<'a> {
    pub(crate) said: Said<'a>,
    pub(crate) outcome: Outcome,
}

impl<'a> Said<'a> {
    /// What a head, with the bytes it was read from, says. Its fields are gone through once.
    pub(crate) fn of(head: &Head, text: &'a [u8], peer: Option<IpAddr>, trusted: &Networks) -> Said<'a> {
        let (mut referer, mut user_agent) = (None, None);
        for field in &head.fields {
            let place = match field.name.len() {
                7 if field.name.of(text).eq_ignore_ascii_case(b"referer") => &mut referer,
                10 if field.name.of(text).eq_ignore_ascii_case(b"user-agent") => &mut user_agent,
                _ => continue,
            };
            place.get_or_insert(field.value.of(text));
        }
        Said {
            peer,
            client: peer.and_then(|peer| client(head, text, peer, trusted)),
            tls: None,
            method: head.method_text.of(text),
            target: head.target.of(text),
            version: head.version,
            host: head.authority.map(|span| span.of(text)),
            referer,
            user_agent,
        }
    }

    /// What is known of a head that could not be read as a whole: its request line, if that was read.
    pub(crate) fn of_unread(head: &Head, text: &'a [u8], peer: Option<IpAddr>) -> Said<'a> {
        let span = |span: gannet_proto::Span| text.get(usize::from(span.start)..usize::from(span.end));
        let (method, target) = match (span(head.method_text), span(head.target)) {
            (Some(method), Some(target)) if !target.is_empty() => (method, target),
            _ => (&b""[..], &b""[..]),
        };
        let version = head.version;
        Said {
            peer,
            client: None,
            tls: None,
            method,
            target,
            version,
            host: None,
            referer: None,
            user_agent: None,
        }
    }
}

/// Whom a trusted proxy asks for, if it says so.
fn client(head: &Head, text: &[u8], peer: IpAddr, trusted: &Networks) -> Option<IpAddr> {
    if !trusted.contains(peer) {
        return None;
    }
    let fields = head
        .fields
        .iter()
        .filter_map(|field| Some((std::str::from_utf8(field.name.of(text)).ok()?, field.value.of(text))));
    Some(client_address(peer, fields, trusted)).filter(|client| *client != peer)
}

/// Begins a record behind those in `records`, each text cut off at `most` bytes. Gives its length.
pub(crate) fn begin(records: &mut Vec<u8>, said: &Said<'_>, most: usize) -> u32 {
    let start = records.len();
    let most = most.min(usize::from(ABSENT - 1));
    records.extend_from_slice(&[0; FIXED]);
    let method = &said.method[..said.method.len().min(usize::from(u8::MAX))];
    records.extend_from_slice(method);
    let mut octets = [0; 16];
    let client = said.client.map(|client| octets_of(client, &mut octets));
    let mut lengths = [ABSENT; 5];
    for (length, text) in
        lengths.iter_mut().zip([Some(said.target), said.host, said.referer, said.user_agent, client])
    {
        let Some(text) = text else { continue };
        let text = &text[..text.len().min(most)];
        *length = text.len() as u16;
        records.extend_from_slice(text);
    }
    let length = (records.len() - start) as u32;
    let fixed = &mut records[start..start + FIXED];
    fixed[..4].copy_from_slice(&length.to_le_bytes());
    let version = match said.version {
        Version::Http10 => HTTP_1_0,
        Version::Http11 => 0,
        Version::Http2 => HTTP_2,
    };
    fixed[32] = version | tls_flag(said.tls) | address(said.peer, &mut fixed[44..60]);
    fixed[33] = method.len() as u8;
    for (place, length) in fixed[34..44].chunks_exact_mut(2).zip(lengths) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    length
}

fn tls_flag(version: Option<&'static str>) -> u8 {
    match version {
        Some("TLSv1.3") => TLS_1_3,
        Some("TLSv1.2") => TLS_1_2,
        _ => 0,
    }
}

fn tls(flags: u8) -> Option<&'static str> {
    match flags & (TLS_1_2 | TLS_1_3) {
        TLS_1_3 => Some("TLSv1.3"),
        TLS_1_2 => Some("TLSv1.2"),
        _ => None,
    }
}

fn address(peer: Option<IpAddr>, place: &mut [u8]) -> u8 {
    let Some(peer) = peer else { return 0 };
    octets_of(peer, place);
    if peer.is_ipv4() { IPV4 } else { IPV6 }
}

/// Puts an address at the beginning of a place, and gives what it takes of it.
fn octets_of(address: IpAddr, place: &mut [u8]) -> &[u8] {
    let length = match address {
        IpAddr::V4(address) => {
            place[..4].copy_from_slice(&address.octets());
            4
        }
        IpAddr::V6(address) => {
            place[..16].copy_from_slice(&address.octets());
            16
        }
    };
    &place[..length]
}

fn address_of(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

/// Completes a record.
pub(crate) fn complete(record: &mut [u8], outcome: &Outcome) {
    record[4..12].copy_from_slice(&outcome.begun_nanoseconds.to_le_bytes());
    record[12..20].copy_from_slice(&outcome.duration_nanoseconds.to_le_bytes());
    record[20..28].copy_from_slice(&outcome.bytes.to_le_bytes());
    record[28..30].copy_from_slice(&outcome.status.to_le_bytes());
    record[30..32].copy_from_slice(&outcome.route.to_le_bytes());
    if outcome.cut {
        record[32] |= CUT;
    }
}

impl<'a> Record<'a> {
    /// The first record of `bytes`, and what follows it; `None` at the end.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<(Record<'a>, &'a [u8])> {
        let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
        let (record, rest) = bytes.split_at_checked(length)?;
        let fixed: &[u8; FIXED] = record.first_chunk()?;
        let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| fixed[at + index]));
        let (method, mut texts) = record[FIXED..].split_at_checked(usize::from(fixed[33]))?;
        let mut text = |at: usize| {
            let length = Some(short(at)).filter(|length| *length != ABSENT)?;
            let (text, rest) = texts.split_at_checked(usize::from(length))?;
            texts = rest;
            Some(text)
        };
        let flags = fixed[32];
        let target = text(34)?;
        let (host, referer, user_agent) = (text(36), text(38), text(40));
        let said = Said {
            peer: peer(flags, fixed),
            client: text(42).and_then(address_of),
            tls: tls(flags),
            method,
            target,
            version: match flags & (HTTP_1_0 | HTTP_2) {
                0 => Version::Http11,
                HTTP_2 => Version::Http2,
                _ => Version::Http10,
            },
            host,
            referer,
            user_agent,
        };
        let outcome = Outcome {
            begun_nanoseconds: long(4),
            duration_nanoseconds: long(12),
            bytes: long(20),
            status: short(28),
            route: short(30),
            cut: flags & CUT != 0,
        };
        Some((Record { said, outcome }, rest))
    }

    /// Whether the request line could not be read.
    pub(crate) fn is_unread(&self) -> bool {
        self.said.method.is_empty()
    }
}

fn peer(flags: u8, fixed: &[u8; FIXED]) -> Option<IpAddr> {
    let octets: [u8; 16] = std::array::from_fn(|index| fixed[44 + index]);
    match flags & (IPV4 | IPV6) {
        IPV4 => Some(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]).into()),
        IPV6 => Some(Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request of which everything is said.
    pub(crate) fn said<'a>() -> Said<'a> {
        Said {
            peer: Some(IpAddr::from([192, 0, 2, 7])),
            client: None,
            tls: None,
            method: b"GET",
            target: b"/a?b=c",
            version: Version::Http11,
            host: Some(b"a.example"),
            referer: Some(b"http://b.example/"),
            user_agent: Some(b"test/1.0"),
        }
    }

    pub(crate) fn recorded(said: &Said<'_>, outcome: &Outcome) -> Vec<u8> {
        let mut records = Vec::new();
        let length = begin(&mut records, said, 100);
        assert_eq!(length as usize, records.len());
        complete(&mut records, outcome);
        records
    }

    #[test]
    fn what_is_recorded_is_read_again_and_what_follows_is_left() {
        let outcome = Outcome {
            begun_nanoseconds: 1,
            duration_nanoseconds: 2,
            bytes: u64::MAX,
            status: 404,
            route: 5,
            cut: true,
        };
        let nothing = Said {
            peer: Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])),
            client: Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2])),
            tls: Some("TLSv1.2"),
            method: b"",
            target: b"",
            version: Version::Http10,
            host: None,
            referer: Some(b""),
            user_agent: None,
        };
        let records = [recorded(&said(), &outcome), recorded(&nothing, &Outcome::default())].concat();
        let (first, rest) = Record::read(&records).expect("the first");
        assert_eq!((first.outcome, first.said.peer), (outcome, said().peer));
        assert_eq!((first.said.target, first.said.user_agent), (said().target, said().user_agent));
        let (second, rest) = Record::read(rest).expect("the second");
        assert!(second.is_unread() && !first.is_unread());
        assert_eq!(
            (second.said.referer, second.said.host, second.said.peer),
            (Some(&b""[..]), None, nothing.peer)
        );
        assert_eq!((first.said.client, second.said.client), (None, nothing.client));
        assert_eq!((first.said.tls, second.said.tls), (None, Some("TLSv1.2")));
        assert!(second.said.version == Version::Http10 && rest.is_empty() && Record::read(rest).is_none());
    }

    #[test]
    fn long_texts_are_cut_off_at_the_limit() {
        let long = [b'x'; 300];
        let mut records = Vec::new();
        begin(&mut records, &Said { method: &long, target: &long, host: Some(&long), ..said() }, 100);
        let (record, _) = Record::read(&records).expect("one");
        assert_eq!((record.said.method.len(), record.said.target.len()), (255, 100));
        assert_eq!(record.said.host.map(<[u8]>::len), Some(100));
    }
}
