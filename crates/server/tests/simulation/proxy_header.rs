//! Connections that begin with a header of the PROXY protocol.

use std::net::SocketAddr;
use std::time::Duration;

use gannet_proto::proxy::{Version, write};
use gannet_server::{Limits, Preamble};

use crate::peer::{Peer, serve_by};
use crate::world::{Setup, World};

const SECOND: Duration = Duration::from_secs(1);
const CLIENT: &str = "203.0.113.9:4711";
const REQUEST: &str = "GET /client HTTP/1.1\r\nHost: a\r\n\r\n";

/// A server that expects the header, and believes these.
fn expecting(trusted: &str, limits: Limits) -> Setup {
    let preamble = Preamble { proxy_protocol: true, ..Preamble::default() };
    let trusted = trusted.parse().expect("networks");
    Setup { preamble, trusted, limits, ..Setup::default() }
}

/// Whoever connects to it is trusted.
fn believing() -> Setup {
    expecting("0.0.0.0/0, ::/0", Limits::default())
}

fn header(version: Version, client: Option<&str>) -> Vec<u8> {
    let mut header = Vec::new();
    let client = client.map(|client| client.parse::<SocketAddr>().expect("an address"));
    write(version, client, client.and("198.51.100.1:80".parse().ok()), &mut header);
    header
}

/// What the first answer says.
fn told(peer: &mut Peer) -> String {
    let answer = peer.hear().first().expect("there is an answer");
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body.clone()).expect("text")
}

/// Nothing is said, and the connection is gone.
fn assert_closed(peer: &mut Peer) {
    assert!(!peer.client.is_open(), "it is closed");
    assert_eq!(peer.client.read(&mut [0; 16]).ok().unwrap_or(0), 0, "nothing is answered");
}

#[test]
fn whom_the_header_names_is_the_client_however_it_is_cut() {
    serve_by(&believing(), async |world| {
        for version in [Version::V1, Version::V2] {
            for (client, address) in [(CLIENT, "203.0.113.9"), ("[2001:db8::7]:1", "2001:db8::7")] {
                let header = header(version, Some(client));
                for cut in 0..=header.len() {
                    let mut peer = Peer::connect(world);
                    world.settle();
                    peer.say(&header[..cut]);
                    world.settle();
                    assert!(peer.hear().is_empty());
                    peer.say([&header[cut..], REQUEST.as_bytes()].concat());
                    world.settle();
                    assert_eq!(told(&mut peer), format!("Some({client}) Some({address})"), "cut at {cut}");
                    peer.client.reset();
                }
                let mut peer = Peer::connect(world);
                for byte in header.iter().chain(REQUEST.as_bytes()) {
                    peer.say([*byte]);
                    world.settle();
                }
                assert_eq!(told(&mut peer), format!("Some({client}) Some({address})"));
                peer.client.reset();
            }
        }
        world.settle();
        world.assert_nothing_leaked();
    });
}

#[test]
fn the_client_of_a_header_may_be_a_trusted_proxy_itself() {
    serve_by(&expecting("loopback, 192.0.2.0/24, 203.0.113.0/24", Limits::default()), async |world| {
        let mut peer = Peer::connect(world);
        peer.say(header(Version::V2, Some(CLIENT)));
        peer.say("GET /client HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 9.9.9.9\r\n\r\n");
        world.settle();
        assert_eq!(told(&mut peer), format!("Some({CLIENT}) Some(9.9.9.9)"));
    });
}

#[test]
fn a_header_that_names_nobody_leaves_the_proxy_s_own_address() {
    serve_by(&believing(), async |world| {
        for version in [Version::V1, Version::V2] {
            let mut peer = Peer::connect(world);
            peer.say(header(version, None));
            peer.say(REQUEST);
            world.settle();
            let told = told(&mut peer);
            assert!(told.starts_with("Some(") && !told.contains("203.0.113.9"), "{told}");
        }
    });
}

#[test]
fn a_header_that_does_not_come_ends_the_connection_when_a_head_would_have_to_be_complete() {
    serve_by(&believing(), async |world| {
        for begun in [&b""[..], b"PROXY TCP4 203.0", &header(Version::V2, Some(CLIENT))[..20]] {
            let mut peer = Peer::connect(world);
            peer.say(begun);
            peer.assert_ends_after(10 * SECOND, world).await;
            assert!(peer.hear().is_empty());
        }
        world.assert_nothing_leaked();
    });
}

#[test]
fn what_is_no_header_ends_the_connection_without_an_answer() {
    serve_by(&believing(), async |world| {
        for garbage in
            ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PROXY TCP4 a b 1 2\r\n", "\r\n\r\nHELLO", "\x16\x03\x01"]
        {
            let mut peer = Peer::connect(world);
            peer.say(garbage);
            world.settle();
            assert_closed(&mut peer);
        }
        let long = format!("PROXY UNKNOWN {}", "x".repeat(200));
        let mut peer = Peer::connect(world);
        peer.say(long);
        world.settle();
        assert_closed(&mut peer);
        world.assert_nothing_leaked();
    });
}

#[test]
fn nobody_who_is_not_trusted_says_whose_connection_it_is() {
    serve_by(&expecting("10.9.9.9", Limits::default()), async |world| {
        let mut peer = Peer::connect(world);
        world.settle();
        assert_closed(&mut peer);
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_peer_that_leaves_before_its_header_is_whole_leaves_nothing() {
    serve_by(&believing(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say("PROXY ");
        world.settle();
        peer.client.reset();
        world.settle();
        world.assert_nothing_leaked();
    });
}

#[test]
fn connections_per_address_counts_whom_the_header_names_and_not_the_proxy() {
    let limits = Limits { connections_per_address: 1, ..Limits::default() };
    serve_by(&expecting("0.0.0.0/0, ::/0", limits), async |world| {
        let begin = |world: &mut World, client: Option<&str>| {
            let mut peer = Peer::connect(world);
            peer.say(header(Version::V1, client));
            peer.say(REQUEST);
            world.settle();
            peer
        };
        // Those of whom nothing is known yet are nobody's.
        let mut silent = [Peer::connect(world), Peer::connect(world)];
        world.settle();
        assert!(silent.iter_mut().all(|peer| !peer.is_ended()));
        let mut first = begin(world, Some(CLIENT));
        let mut second = begin(world, Some(CLIENT));
        let mut other = begin(world, Some("203.0.113.10:1"));
        assert_eq!((first.statuses(), other.statuses()), (vec![200], vec![200]));
        assert_closed(&mut second);
        for peer in &mut silent {
            peer.client.reset(); // which takes nobody else's place away, nor gives it back
        }
        world.settle();
        assert_closed(&mut begin(world, Some(CLIENT)));
        first.client.reset();
        world.settle();
        assert_eq!(begin(world, Some(CLIENT)).statuses(), [200]);
    });
}
