//! What comes before a response, and what comes in its place: interim responses, bodies that wait to be asked for, and tunnels.

use std::time::Duration;

use crate::peer::Peer;
use crate::rig::{Link, SECOND, Upstream, proxy};
use crate::world::World;

const EXPECTS: &str = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

/// A request that waits to be asked for its body.
async fn expect(upstream: &Upstream, world: &mut World) -> (Peer, Link) {
    let mut peer = Peer::connect(world);
    peer.say(EXPECTS);
    world.run(SECOND / 10).await;
    let mut link = upstream.accept();
    let heard = link.hear();
    assert_eq!(heard.matches("\r\nExpect: 100-continue\r\n").count(), 1, "{heard}");
    assert!(heard.ends_with("\r\n\r\n") && !peer.is_continued());
    (peer, link)
}

#[test]
fn a_client_is_asked_for_its_body_when_the_upstream_asks() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = expect(upstream, world).await;
        link.say("HTTP/1.1 100 Continue\r\n\r\n");
        world.run(Duration::ZERO).await;
        assert!(peer.is_continued());
        peer.say("hello");
        world.run(Duration::ZERO).await;
        assert_eq!(link.hear(), "hello");
        link.answer("yes");
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), link.is_open()), (vec![200], true));
    });
}

#[test]
fn a_client_is_not_asked_for_a_body_that_the_upstream_answers_without() {
    for body in ["Content-Length: 2\r\n\r\nno", "Content-Length: 20\r\n\r\nno"] {
        proxy(async |world, upstream| {
            let (mut peer, mut link) = expect(upstream, world).await;
            link.say(format!("HTTP/1.1 403 Forbidden\r\n{body}"));
            world.run(Duration::ZERO).await;
            world.run(5 * SECOND).await;
            assert!(!peer.is_continued() && link.hear().is_empty());
            if body.contains("20") {
                link.say("x".repeat(18));
                world.run(Duration::ZERO).await;
            }
            assert_eq!((peer.statuses(), link.is_open()), (vec![403], false));
            assert!(!peer.is_continued());
            let mut other = Peer::connect(world);
            let mut fresh = upstream.asked(&mut other, "/2", world).await;
            fresh.answer("two");
            world.run(Duration::ZERO).await;
            assert_eq!(other.statuses(), [200]);
        });
    }
}

#[test]
fn interim_responses_are_passed_on_and_ask_for_no_body() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = expect(upstream, world).await;
        link.say(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n",
        );
        world.run(SECOND / 2).await;
        let hints = [(103, vec![("link".to_owned(), "</a>; rel=preload".to_owned())])];
        assert_eq!((peer.is_continued(), peer.interims()), (false, &hints[..]));
        assert!(link.hear().is_empty());
        link.say("HTTP/1.1 100 Continue\r\n\r\n");
        world.run(Duration::ZERO).await;
        assert!(peer.is_continued());
        peer.say("hello");
        world.run(Duration::ZERO).await;
        link.answer("yes");
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), peer.interims().len()), (vec![200], 1));
    });
}

#[test]
fn a_client_of_http_1_0_is_told_no_interim_response() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.say("GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
        world.run(Duration::ZERO).await;
        let mut link = upstream.accept();
        link.say("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
        world.run(SECOND).await;
        assert_eq!(peer.client.unread(), 0);
        link.answer("yes");
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), peer.interims().len()), (vec![200], 0));
    });
}

#[test]
fn an_offer_of_http_2_is_not_taken_up_where_the_request_is_passed_on_nor_passed_on_itself() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.say("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n");
        peer.say("Upgrade: h2c\r\nHTTP2-Settings: AAQAAABk\r\n\r\n");
        world.run(Duration::ZERO).await;
        let mut link = upstream.accept();
        let heard = link.hear().to_lowercase();
        assert!(!heard.contains("upgrade") && !heard.contains("http2-settings"), "{heard}");
        link.answer("yes");
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), peer.interims().len()), (vec![200], 0));
    });
}

/// A tunnel through the proxy, in which each side has said something.
async fn tunnel(upstream: &Upstream, world: &mut World) -> (Peer, Link) {
    let mut peer = Peer::connect(world);
    peer.say("GET /t HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly");
    world.run(Duration::ZERO).await;
    let mut link = upstream.accept();
    let heard = link.hear();
    assert!(
        heard.contains("\r\nUpgrade: echo\r\n")
            && heard.to_lowercase().contains("\r\nconnection: upgrade\r\n"),
        "{heard}"
    );
    assert!(heard.ends_with("\r\n\r\n"), "nothing is said in a protocol that was not agreed upon: {heard}");
    link.say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello");
    world.run(Duration::ZERO).await;
    assert_eq!((peer.conversation(), link.hear().as_str()), (&b"hello"[..], "early"));
    (peer, link)
}

#[test]
fn a_tunnel_goes_on_in_one_direction_when_the_client_has_ended_the_other() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = tunnel(upstream, world).await;
        peer.say("last");
        peer.client.finish();
        world.run(SECOND).await;
        assert_eq!((link.hear().as_str(), link.is_open()), ("last", false));
        for _ in 0..3 {
            link.say(" and more");
            world.run(20 * SECOND).await;
        }
        assert_eq!((peer.is_ended(), peer.conversation()), (false, &b"hello and more and more and more"[..]));
        link.client.finish();
        world.run(Duration::ZERO).await;
        assert!(peer.is_ended());
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_tunnel_goes_on_in_one_direction_when_the_upstream_has_ended_the_other() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = tunnel(upstream, world).await;
        link.say(" last");
        link.client.finish();
        world.run(SECOND).await;
        assert_eq!((peer.is_ended(), peer.conversation()), (true, &b"hello last"[..]));
        for _ in 0..3 {
            peer.say("more");
            world.run(20 * SECOND).await;
        }
        assert_eq!((link.hear().as_str(), link.is_open()), ("moremoremore", true));
        peer.client.finish();
        world.run(Duration::ZERO).await;
        assert!(!link.is_open());
        world.assert_nothing_leaked();
    });
}

#[test]
fn large_amounts_go_through_a_tunnel_both_ways_at_the_pace_of_who_reads() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = tunnel(upstream, world).await;
        peer.client.set_capacity(1000);
        link.client.set_capacity(1000);
        link.say("x".repeat(200_000));
        peer.say("y".repeat(200_000));
        let mut heard = 0;
        for _ in 0..3000 {
            world.run(SECOND / 100).await;
            heard += link.hear().len();
            peer.hear();
        }
        assert_eq!((peer.conversation().len(), heard), (200_005, 200_000));
        assert!(world.blocks() <= 2, "{} blocks", world.blocks());
    });
}

#[test]
fn a_tunnel_in_which_nothing_is_said_for_60_s_is_closed() {
    for ends in [false, true] {
        proxy(async |world, upstream| {
            let (mut peer, mut link) = tunnel(upstream, world).await;
            for _ in 0..3 {
                world.run(50 * SECOND).await;
                peer.say("x");
                world.run(50 * SECOND).await;
                link.say("x");
            }
            if ends {
                link.client.finish();
            }
            world.run(59 * SECOND).await;
            assert!(link.is_open() && world.connections() == 1);
            world.run(3 * SECOND).await;
            assert!(!link.is_open() && !peer.client.is_open());
            drop(peer);
            world.run(Duration::ZERO).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn who_leaves_a_tunnel_ends_it_for_the_other_at_once() {
    proxy(async |world, upstream| {
        let (mut peer, link) = tunnel(upstream, world).await;
        peer.client.reset();
        drop(peer);
        world.run(Duration::ZERO).await;
        assert!(!link.is_open());
        world.assert_nothing_leaked();
        let (mut peer, mut link) = tunnel(upstream, world).await;
        link.client.reset();
        drop(link);
        world.run(Duration::ZERO).await;
        assert!(!peer.client.is_open());
        peer.client.reset();
        world.run(Duration::ZERO).await;
        world.assert_nothing_leaked();
    });
}
