//! What an upstream must do by when, and what happens when somebody leaves, on a clock that passes only when it is told to.

use std::time::Duration;

use gannet_core::Counter;
use gannet_engine::sim::Faults;
use gannet_server::Limits;

use crate::peer::Peer;
use crate::rig::{Link, SECOND, proxy, proxy_by};
use crate::world::{Setup, World};

/// The wheel of timers may be late by its resolution.
const LATE: Duration = Duration::from_millis(130);

/// Checks that the connection to the upstream is open until `expected` has passed from now on, and then closed.
async fn assert_closed_after(link: &Link, expected: Duration, world: &mut World) {
    world.run(expected - SECOND / 100).await;
    assert!(link.is_open(), "open until {expected:?} have passed");
    world.run(LATE).await;
    assert!(!link.is_open(), "closed when {expected:?} have passed");
}

#[test]
fn an_upstream_that_does_not_answer_to_connecting_is_504_after_5_s() {
    proxy(async |world, upstream| {
        world.network.set_faults(Faults { silence: 1.0, ..Faults::none() });
        let mut peer = Peer::connect(world);
        peer.get("/");
        world.run(5 * SECOND - SECOND / 100).await;
        assert!(peer.hear().is_empty());
        world.run(LATE).await;
        assert_eq!(peer.statuses(), [504]);
        world.network.set_faults(Faults::none());
        let mut link = upstream.asked(&mut peer, "/again", world).await;
        link.answer("yes");
        world.run(Duration::ZERO).await;
        assert_eq!(peer.statuses(), [504, 200]);
    });
}

#[test]
fn an_upstream_that_refuses_is_502_at_once() {
    proxy(async |world, _| {
        world.network.set_faults(Faults { refusal: 1.0, ..Faults::none() });
        let mut peer = Peer::connect(world);
        peer.get("/");
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), world.held_by_clients()), (vec![502], (0, 0)));
    });
}

#[test]
fn a_client_that_leaves_while_its_upstream_is_connected_to_frees_the_connection() {
    proxy(async |world, _| {
        world.network.set_faults(Faults { silence: 1.0, ..Faults::none() });
        let mut peer = Peer::connect(world);
        peer.get("/");
        world.run(SECOND).await;
        assert_eq!(world.held_by_clients(), (1, 1));
        drop(peer);
        world.run(Duration::ZERO).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn an_upstream_that_says_nothing_is_504_after_60_s() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        let link = upstream.asked(&mut peer, "/", world).await;
        assert_closed_after(&link, 60 * SECOND, world).await;
        assert_eq!(peer.statuses(), [504]);
    });
}

#[test]
fn an_upstream_whose_head_trickles_in_is_504_60_s_after_its_last_byte() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        let mut link = upstream.asked(&mut peer, "/", world).await;
        world.run(50 * SECOND).await;
        link.say("HTTP/1.1 200 OK\r\n");
        world.run(Duration::ZERO).await;
        assert_closed_after(&link, 60 * SECOND, world).await;
        assert_eq!(peer.statuses(), [504]);
    });
}

#[test]
fn the_time_for_an_answer_begins_when_the_request_is_whole() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/", 300 * 90);
        for _ in 0..90 {
            peer.push(300);
            world.run(SECOND).await;
        }
        let link = upstream.accept();
        assert!(link.is_open() && peer.hear().is_empty());
        assert_closed_after(&link, 59 * SECOND, world).await;
        assert_eq!(peer.statuses(), [504]);
    });
}

#[test]
fn an_upstream_that_takes_nothing_of_a_request_is_504_after_60_s() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/", 2_000_000);
        let mut pushed = 0;
        for _ in 0..20 {
            pushed += peer.push(2_000_000 - pushed);
            world.run(Duration::ZERO).await;
        }
        assert!(pushed < 1_500_000, "{pushed} bytes are on their way, and no more is taken");
        let link = upstream.accept();
        assert_closed_after(&link, 60 * SECOND, world).await;
        assert_eq!(peer.statuses(), [504]);
    });
}

#[test]
fn an_upstream_that_falls_silent_in_a_body_is_closed_after_60_s_and_the_body_cut() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        let mut link = upstream.asked(&mut peer, "/", world).await;
        link.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        for _ in 0..3 {
            world.run(50 * SECOND).await;
            link.say("d");
        }
        world.run(Duration::ZERO).await;
        assert_closed_after(&link, 60 * SECOND, world).await;
        assert_eq!((peer.statuses(), &peer.hear()[0].body[..]), (vec![], &b"abcddd"[..]));
        assert!(peer.is_ended());
    });
}

#[test]
fn an_upstream_may_say_what_it_wants_to_a_client_that_is_slow_to_hear() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        let mut link = upstream.asked(&mut peer, "/", world).await;
        link.answer(&"x".repeat(200_000));
        for _ in 0..230 {
            world.run(20 * SECOND).await;
            peer.hear();
        }
        assert_eq!((peer.statuses(), peer.hear()[0].body.len()), (vec![200], 200_000));
        assert!(!link.is_open(), "it has idled since");
    });
}

#[test]
fn upstream_continue_timeout_a_body_is_sent_unasked_after_1_s() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        world.run(SECOND - SECOND / 100).await;
        let mut link = upstream.accept();
        assert!(link.hear().contains("\r\nExpect: 100-continue\r\n") && !peer.is_continued());
        world.run(LATE).await;
        assert!(peer.is_continued(), "the client is asked");
        peer.say("abc");
        world.run(Duration::ZERO).await;
        assert_eq!(link.hear(), "abc");
        link.answer("yes");
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), link.is_open()), (vec![200], true));
    });
}

#[test]
fn upstream_idle_timeout_a_connection_that_waits_is_closed_after_60_s() {
    for workers in [1, 2] {
        proxy_by(&Setup { workers, ..Setup::default() }, async |world, upstream| {
            let mut peer = Peer::connect(world);
            let mut link = upstream.asked(&mut peer, "/", world).await;
            link.answer("yes");
            world.run(Duration::ZERO).await;
            assert_closed_after(&link, 60 * SECOND, world).await;
            assert_eq!(world.held_by_clients(), (0, 0));
        });
    }
}

#[test]
fn a_client_that_leaves_before_the_answer_frees_its_upstream_at_once() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        let link = upstream.asked(&mut peer, "/", world).await;
        drop(peer);
        world.run(Duration::ZERO).await;
        assert!(!link.is_open());
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_client_that_leaves_in_its_own_body_frees_its_upstream_at_once() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/", 1000);
        peer.push(10);
        world.run(SECOND).await;
        let link = upstream.accept();
        drop(peer);
        world.run(Duration::ZERO).await;
        assert!(!link.is_open());
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_client_that_leaves_in_a_body_or_a_silent_stream_frees_its_upstream_at_once() {
    for (framing, body) in [
        ("Content-Length: 1000000", "abc".to_owned()),
        ("Content-Length: 1000000", "x".repeat(200_000)),
        ("Transfer-Encoding: chunked", String::new()),
        ("Transfer-Encoding: chunked", "3\r\nabc\r\n".to_owned()),
        ("X-A: b", "abc".to_owned()),
    ] {
        proxy(async |world, upstream| {
            let mut peer = Peer::connect(world);
            peer.client.set_capacity(1000);
            let mut link = upstream.asked(&mut peer, "/", world).await;
            link.say(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{body}"));
            world.run(SECOND).await;
            assert!(link.is_open());
            peer.client.reset();
            drop(peer);
            world.run(Duration::ZERO).await;
            assert!(!link.is_open(), "{framing}, {} bytes", body.len());
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn an_upstream_that_leaves_in_a_body_breaks_it_so_that_nobody_takes_it_for_whole() {
    for resets in [false, true] {
        for (version, framing, body) in [
            ("1.1", "Content-Length: 10", "abc"),
            ("1.1", "Transfer-Encoding: chunked", "3\r\nabc\r\n"),
            ("1.0", "Content-Length: 10", "abc"),
            ("1.0", "Transfer-Encoding: chunked", "3\r\nabc\r\n"),
        ] {
            proxy(async |world, upstream| {
                let mut peer = Peer::connect(world);
                peer.say(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n"));
                world.run(Duration::ZERO).await;
                let mut link = upstream.accept();
                link.say(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{body}"));
                world.run(SECOND).await;
                let mut room = [0; 1000];
                let heard = peer.client.read(&mut room).expect("what has come");
                let heard = String::from_utf8_lossy(&room[..heard]).to_ascii_lowercase();
                assert!(heard.contains("abc"), "{heard}");
                if resets {
                    link.client.reset();
                }
                drop(link);
                world.run(Duration::ZERO).await;
                let rest = peer.client.read(&mut room);
                let framed = heard.contains("content-length: 10") || heard.contains("chunked");
                let told = if framed { matches!(rest, Ok(0)) } else { rest.is_err() };
                assert!(told, "HTTP/{version}, {framing}, reset {resets}: {heard}, and then {rest:?}");
                world.run(3 * SECOND).await;
                drop(peer);
                world.run(Duration::ZERO).await;
                world.assert_nothing_leaked();
            });
        }
    }
}

#[test]
fn upstream_window_bytes_what_is_not_passed_on_is_not_received() {
    let mut limits = Limits::default();
    limits.upstream.upstream_window_bytes = 10_000;
    limits.output_bytes = 10_000;
    let setup = Setup { limits, block_bytes: 1000, ..Setup::default() };
    proxy_by(&setup, async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        let mut link = upstream.asked(&mut peer, "/", world).await;
        link.say("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
        link.say([b'x'; 200_000]);
        world.run(SECOND).await;
        assert!((10..60).contains(&world.blocks()), "{} blocks", world.blocks());
        for _ in 0..400 {
            peer.hear();
            world.run(SECOND / 100).await;
        }
        assert_eq!((peer.statuses(), world.blocks()), (vec![200], 0));
    });
}

#[test]
fn upstream_output_bytes_what_is_not_taken_is_not_asked_of_the_client() {
    let mut limits = Limits::default();
    limits.upstream.upstream_output_bytes = 10_000;
    limits.body_window_bytes = 10_000;
    let setup = Setup { limits, ..Setup::default() };
    proxy_by(&setup, async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.client.set_send_capacity(1000);
        peer.post("/", 1_000_000);
        let (mut pushed, mut link) = (0, None);
        for _ in 0..2000 {
            pushed += peer.push(1_000_000 - pushed);
            world.run(Duration::ZERO).await;
            link = link.or_else(|| upstream.next());
        }
        // The network holds 256 KiB.
        assert!((256 * 1024..320 * 1024).contains(&pushed), "{pushed} bytes are on their way");
        let mut link = link.expect("the proxy has connected");
        let mut heard = 0;
        for _ in 0..20_000 {
            heard += link.hear().len();
            pushed += peer.push(1_000_000 - pushed);
            world.run(Duration::ZERO).await;
        }
        assert!(pushed == 1_000_000 && heard > 1_000_000, "{pushed} bytes pushed, {heard} heard");
        assert_eq!(world.counted(Counter::UpstreamConnected), 1);
    });
}
