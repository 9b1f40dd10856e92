//! How a connection comes to speak HTTP/2: by prior knowledge, or by an offer in HTTP/1.1, and how it does not.

use std::time::Duration;

use gannet_link::Offer;
use gannet_server::Limits;

use super::frames::{self, PREFACE, code, setting};
use super::peer::Peer;
use super::witness::Witness;
use crate::content::content;
use crate::peer::serve;
use crate::wire::{Wire, client_tls};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// SETTINGS of a client in base64url: INITIAL_WINDOW_SIZE is 100.
const SETTINGS: &str = "AAQAAABk";

fn offer(target: &str, settings: &str, more: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: {settings}\r\n{more}\r\n"
    )
}

/// What the server says by HTTP/1.1, as text, as far as it has come.
fn text(wire: &mut Wire) -> String {
    let mut room = vec![0; 64 * 1024];
    let count = wire.read(&mut room).unwrap_or(0);
    String::from_utf8_lossy(&room[..count]).into_owned()
}

/// A client whose offer was taken up.
async fn upgraded(world: &mut World, request: &str) -> Peer {
    let mut wire = Wire::Clear(world.connect());
    wire.write(request.as_bytes()).expect("there is room");
    world.run(SECOND).await;
    let mut room = vec![0; 64 * 1024];
    let count = wire.read(&mut room).expect("an answer");
    let end = room.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&room[..end]).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("upgrade: h2c"), "{head}");
    let mut peer = Peer::of(wire);
    peer.witness = Witness::upgraded(&request[..request.find(' ').expect("a method")]);
    peer.witness.heard(&room[end..count]).expect("it is in order");
    peer
}

#[test]
fn a_preface_may_be_cut_anywhere_and_what_follows_too() {
    let said = [
        &PREFACE[..],
        &frames::settings(&[]),
        &frames::request(1, "GET", "/plain?id=1&length=10", &[], true),
    ]
    .concat();
    for cut in 0..=said.len() {
        serve(Limits::default(), async |world| {
            let mut peer = Peer::silent(world);
            peer.push(&said[..cut]);
            world.run(SECOND).await;
            peer.push(&said[cut..]);
            peer.run(SECOND, world).await;
            assert_eq!(peer.status(1), Some(200), "cut at {cut}");
        });
    }
}

#[test]
fn what_only_begins_as_the_preface_is_a_request_of_http_1_1_or_none() {
    let cases: [(&[u8], &str); 4] = [
        (b"PRI /plain HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405"),
        (b"PRI * HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"),
        (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "HTTP/1.1 505"),
        (b"GET /plain HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505"),
    ];
    for (said, told) in cases {
        for cut in 1..said.len() {
            serve(Limits::default(), async |world| {
                let mut peer = Peer::silent(world);
                peer.wire.write(&said[..cut]).expect("there is room");
                world.run(SECOND).await;
                let _ = peer.wire.write(&said[cut..]); // it may have been told already
                world.run(SECOND).await;
                let answer = text(&mut peer.wire);
                assert!(answer.starts_with(told), "{}: {answer}", String::from_utf8_lossy(said));
            });
        }
    }
}

#[test]
fn behind_a_request_of_http_1_1_there_is_no_preface() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::silent(world);
        peer.wire.write(b"GET /plain?length=3 HTTP/1.1\r\nHost: a\r\n\r\n").expect("there is room");
        world.run(SECOND).await;
        assert!(text(&mut peer.wire).starts_with("HTTP/1.1 200"));
        peer.wire.write(PREFACE).expect("there is room");
        world.run(SECOND).await;
        assert!(text(&mut peer.wire).starts_with("HTTP/1.1 505"));
    });
}

#[test]
fn a_request_of_http_1_1_behind_the_preface_is_told_what_is_wrong_by_http_2() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::silent(world);
        peer.push(&[&PREFACE[..], b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
        peer.run(SECOND, world).await;
        assert_eq!(peer.go_aways(), [(0, code::PROTOCOL_ERROR)]);
        assert!(peer.is_ended());
    });
}

#[test]
fn an_offer_is_taken_up_and_its_request_answered_as_the_first_stream() {
    serve(Limits::default(), async |world| {
        let mut peer = upgraded(world, &offer("/plain?id=1&length=300", SETTINGS, "")).await;
        assert_eq!(peer.answer(1).body.len(), 100, "as far as its settings allow");
        peer.say([&PREFACE[..], &frames::settings(&[(setting::INITIAL_WINDOW_SIZE, 200)])].concat());
        peer.run(SECOND, world).await;
        assert_eq!(peer.answer(1).body.len(), 200);
        peer.say(frames::window_update(1, 1000));
        peer.get(3, "/plain?id=3&length=10");
        peer.run(SECOND, world).await;
        assert!(peer.answer(1).complete && peer.answer(1).body == content(1, 300));
        assert_eq!((peer.status(3), peer.go_aways()), (Some(200), vec![]));
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn an_offer_of_any_method_without_content_is_taken_up() {
    serve(Limits::default(), async |world| {
        let head = offer("/plain?id=1&length=300", SETTINGS, "").replacen("GET", "HEAD", 1);
        let mut peer = upgraded(world, &head).await;
        assert_eq!((peer.status(1), peer.answer(1).body.len()), (Some(200), 0));
        let later = offer("/later?id=1&ms=3000", SETTINGS, "");
        let mut peer = upgraded(world, &later).await;
        peer.say([&PREFACE[..], &frames::settings(&[])].concat());
        peer.run(4 * SECOND, world).await;
        assert_eq!(peer.status(1), Some(200));
    });
}

#[test]
fn whoever_offers_and_says_no_preface_then_is_given_up() {
    serve(Limits::default(), async |world| {
        let mut peer = upgraded(world, &offer("/plain?id=1", SETTINGS, "")).await;
        peer.run(11 * SECOND, world).await;
        assert!(peer.is_ended());
        let mut peer = upgraded(world, &offer("/later?ms=60000", SETTINGS, "")).await;
        peer.push(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
        peer.run(SECOND, world).await;
        assert_eq!(peer.go_aways(), [(1, code::PROTOCOL_ERROR)]);
        assert!(peer.is_ended());
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn an_offer_that_is_not_in_order_is_not_taken_up_and_its_request_answered_by_http_1_1() {
    let whole = offer("/plain?id=1&length=3", SETTINGS, "");
    let cases = [
        ("settings that are no base64url", offer("/plain?id=1&length=3", "AAQ!", "")),
        (
            "settings that are there twice",
            offer("/plain?id=1&length=3", SETTINGS, "HTTP2-Settings: AAQAAABk\r\n"),
        ),
        ("settings that are not for this hop", whole.replace(", HTTP2-Settings", "")),
        ("no settings", whole.replace("HTTP2-Settings: AAQAAABk\r\n", "")),
        ("another protocol", whole.replace("h2c", "h3c")),
        ("not of HTTP/1.1", whole.replace("HTTP/1.1", "HTTP/1.0")),
        ("TLS by another name", whole.replace("Upgrade: h2c", "Upgrade: h2")),
    ];
    for (what, said) in cases {
        serve(Limits::default(), async |world| {
            let mut peer = Peer::silent(world);
            peer.wire.write(said.as_bytes()).expect("there is room");
            world.run(SECOND).await;
            let told = text(&mut peer.wire);
            assert!(told.starts_with("HTTP/1.1 200") && told.len() > 50, "{what}: {told}");
        });
    }
    serve(Limits::default(), async |world| {
        let mut peer = Peer::silent(world);
        let post =
            offer("/collect?id=1", SETTINGS, "Content-Length: 3\r\n").replacen("GET", "POST", 1) + "abc";
        peer.wire.write(post.as_bytes()).expect("there is room");
        world.run(SECOND).await;
        let told = text(&mut peer.wire);
        assert!(told.starts_with("HTTP/1.1 200") && told.ends_with("abc"), "with a body: {told}");
    });
}

#[test]
fn settings_of_an_offer_that_cannot_be_are_told_by_http_2() {
    for (settings, expected) in [("AAQAAAA", 6), ("AAT_____", 3)] {
        serve(Limits::default(), async |world| {
            let mut peer = upgraded(world, &offer("/plain?id=1", settings, "")).await;
            peer.run(SECOND, world).await;
            assert_eq!(peer.go_aways().iter().map(|told| told.1).collect::<Vec<_>>(), [expected]);
            assert!(peer.is_ended());
        });
    }
}

#[test]
fn over_tls_no_offer_is_taken_up_but_prior_knowledge_is_and_what_was_chosen_in_the_handshake() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::of(Wire::secure(&world.network, &client_tls()).expect("the server listens"));
        peer.settle(world);
        assert!(peer.push(offer("/plain?id=1&length=3", SETTINGS, "").as_bytes()) > 0);
        world.run(SECOND).await;
        let told = text(&mut peer.wire);
        assert!(told.starts_with("HTTP/1.1 200"), "{told}");
        let mut peer = Peer::of(Wire::secure(&world.network, &client_tls()).expect("the server listens"));
        peer.settle(world);
        peer.say([&PREFACE[..], &frames::settings(&[])].concat());
        peer.get(1, "/plain?id=1&length=3000");
        peer.run(SECOND, world).await;
        assert!(peer.answer(1).complete && peer.answer(1).body == content(1, 3000));
        for offer in [Offer::Http2, Offer::Either] {
            let wire = Wire::secure_with(&world.network, &client_tls(), offer).expect("the server listens");
            let mut peer = Peer::of(wire);
            peer.settle(world);
            assert!(!peer.witness.settings.is_empty(), "it is told before it has said anything");
            peer.say([&PREFACE[..], &frames::settings(&[])].concat());
            peer.get(1, "/plain?id=1&length=3000");
            peer.run(SECOND, world).await;
            assert!(peer.answer(1).complete && peer.answer(1).body == content(1, 3000));
        }
        // Who chose HTTP/2 has to speak it.
        let wire =
            Wire::secure_with(&world.network, &client_tls(), Offer::Http2).expect("the server listens");
        let mut peer = Peer::of(wire);
        peer.settle(world);
        peer.push(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
        peer.run(SECOND, world).await;
        assert_eq!(peer.go_aways(), [(0, code::PROTOCOL_ERROR)]);
        assert!(peer.is_ended());
    });
}
