//! WebSockets to upstreams of HTTP/2 (RFC 8441), by clients of HTTP/1.1 and of HTTP/2.

use gannet_core::{Counter, ProxyProtocol, UpstreamProtocol};
use gannet_engine::sim::{Faults, Network};
use gannet_features::proxy::ProxyOptions;
use gannet_proto::h2::{self, ErrorCode};
use gannet_proto::{BodyLength, Method};
use gannet_server::Limits;

use crate::asker::{Asker, BOTH, connect};
use crate::h2_rig::{Caller2, Heard, MOMENT, Stage, field, front, proxy, proxy_by, request};
use crate::peer::Peer;
use crate::rig::{SECOND, Upstream};
use crate::wire::{Wire, server_tls};
use crate::world::{Setup, World, simulate};

/// An upstream that has not begun, by the next connection that the proxy made.
fn silent(upstream: &Upstream) -> Stage {
    Stage::silent(Wire::Clear(upstream.accept().client), h2::Server::new(h2::Limits::default(), 1))
}

/// One that does not take extended CONNECT.
fn unwilling(upstream: &Upstream) -> Stage {
    let protocol = h2::Server::new(h2::Limits::default(), 1).with_connect_protocol(false);
    let mut stage = Stage::silent(Wire::Clear(upstream.accept().client), protocol);
    stage.begin();
    stage
}

/// A client that has asked for a tunnel, and the upstream that was asked for it, by which stream.
async fn asked(
    ask: fn(&World, &str) -> Asker,
    upstream: &Upstream,
    world: &mut World,
) -> (Asker, Stage, u32) {
    let asker = ask(world, "");
    world.run(MOMENT).await;
    let mut stage = Stage::accept(upstream);
    world.run(MOMENT).await;
    let (stream, _) = connect(&mut stage);
    (asker, stage, stream)
}

/// A tunnel through the proxy, in which each side has said something, and its stream.
async fn tunnel(
    ask: fn(&World, &str) -> Asker,
    upstream: &Upstream,
    world: &mut World,
) -> (Asker, Stage, u32) {
    let (mut asker, mut stage, stream) = asked(ask, upstream, world).await;
    open(&mut stage, stream);
    stage.push(stream, b"hello", false);
    world.run(MOMENT).await;
    asker.assert_opened();
    assert_eq!((asker.say(b"early"), asker.said().as_slice()), (5, &b"hello"[..]));
    world.run(MOMENT).await;
    assert_eq!(stage.hear(), [data(stream, b"early")]);
    (asker, stage, stream)
}

fn open(stage: &mut Stage, stream: u32) {
    stage.respond(stream, 200, b"", None);
}

fn data(stream: u32, bytes: &[u8]) -> Heard {
    Heard::Data { stream, bytes: bytes.to_vec(), ended: false }
}

fn end(stream: u32) -> Heard {
    Heard::Data { stream, bytes: Vec::new(), ended: true }
}

/// Ends the connection to an upstream, on which no stream is, in good order.
async fn assert_idle_and_whole(mut stage: Stage, world: &mut World) {
    assert_eq!((stage.hear(), stage.ended, world.held_by_clients()), (vec![], false, (1, 0)));
    world.run(70 * SECOND).await;
    assert_eq!((stage.hear(), stage.ended), (vec![Heard::GoAway], true));
}

#[test]
fn a_websocket_is_asked_for_by_connect_whatever_its_client_speaks() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let fields = "Origin: http://a.example\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nCookie: a=1\r\n";
            let mut asker = ask(world, fields);
            world.run(MOMENT).await;
            let mut stage = Stage::accept(upstream);
            world.run(MOMENT).await;
            let (stream, fields) = connect(&mut stage);
            for (name, value) in [
                ("sec-websocket-version", "13"),
                ("sec-websocket-protocol", "chat, superchat"),
                ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
                ("origin", "http://a.example"),
                ("cookie", "a=1"),
                ("via", if asker.is_one() { "1.1 gannet" } else { "2.0 gannet" }),
            ] {
                assert_eq!(field(&fields, name), Some(value), "{name}");
            }
            // RFC 8441, 5; RFC 9113, 8.2.2
            for left_out in ["sec-websocket-key", "connection", "upgrade", "host", "transfer-encoding", "te"]
            {
                assert_eq!(field(&fields, left_out), None, "{left_out}");
            }
            // An answer to a key that nobody sent is nobody's.
            let answer = b"sec-websocket-protocol: chat\r\nsec-websocket-extensions: permessage-deflate\r\n\
                sec-websocket-accept: c29tZXRoaW5nIGVsc2U=\r\nset-cookie: b=2\r\n";
            stage.respond(stream, 200, answer, None);
            stage.push(stream, b"hello", false);
            world.run(MOMENT).await;
            asker.assert_opened();
            let fields = asker.fields();
            assert_eq!(field(&fields, "sec-websocket-protocol"), Some("chat"));
            assert_eq!(field(&fields, "sec-websocket-extensions"), Some("permessage-deflate"));
            assert_eq!(field(&fields, "set-cookie"), Some("b=2"));
            assert_eq!((asker.said().as_slice(), asker.say(b"world")), (&b"hello"[..], 5));
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [data(stream, b"world")]);
        });
    }
}

#[test]
fn any_success_opens_a_tunnel_and_what_is_said_before_is_not_passed_on_before() {
    for status in [200, 201, 204, 299] {
        proxy(async |world, upstream| {
            let mut asker = Asker::one(world, "");
            assert_eq!(asker.say(b"early"), 5);
            world.run(MOMENT).await;
            let mut stage = Stage::accept(upstream);
            world.run(MOMENT).await;
            let (stream, _) = connect(&mut stage);
            world.run(SECOND).await;
            assert_eq!(stage.hear(), [], "nothing is said in a protocol that was not agreed upon");
            stage.inform(stream, 103, b"link: </a>\r\n");
            stage.respond(stream, status, b"", None);
            world.run(MOMENT).await;
            asker.assert_opened();
            assert_eq!(stage.hear(), [data(stream, b"early")], "{status}");
        });
    }
}

#[test]
fn a_tunnel_goes_on_in_one_direction_when_the_client_has_ended_the_other() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
            asker.say(b"last");
            asker.finish();
            world.run(SECOND).await;
            assert_eq!(stage.hear(), [data(stream, b"last"), end(stream)]);
            for _ in 0..3 {
                stage.push(stream, b" more", false);
                world.run(20 * SECOND).await;
            }
            assert_eq!((asker.is_ended(), asker.said().as_slice()), (false, &b"hello more more more"[..]));
            stage.finish(stream, b"");
            world.run(MOMENT).await;
            assert!(asker.is_ended());
            assert_idle_and_whole(stage, world).await;
            drop(asker);
            world.run(MOMENT).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn a_tunnel_goes_on_in_one_direction_when_the_upstream_has_ended_the_other() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
            stage.push(stream, b" last", true);
            world.run(SECOND).await;
            assert_eq!((asker.is_ended(), asker.said().as_slice()), (true, &b"hello last"[..]));
            for _ in 0..3 {
                assert_eq!(asker.say(b"more"), 4);
                world.run(20 * SECOND).await;
                assert_eq!(stage.hear(), [data(stream, b"more")]);
            }
            asker.finish();
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [end(stream)]);
            assert_idle_and_whole(stage, world).await;
            drop(asker);
            world.run(MOMENT).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn an_upstream_that_has_nothing_to_say_ends_its_half_with_its_head() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = asked(ask, upstream, world).await;
            stage.respond(stream, 200, b"", None);
            stage.finish(stream, b"");
            world.run(MOMENT).await;
            asker.assert_opened();
            assert!(asker.is_ended());
            asker.say(b"heard");
            asker.finish();
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [data(stream, b"heard"), end(stream)]);
        });
    }
}

#[test]
fn who_breaks_a_tunnel_off_breaks_it_for_the_other_and_no_other_stream() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
            let mut peer = Peer::connect(world);
            peer.get("/beside");
            world.run(MOMENT).await;
            let (beside, _) = stage.asked()[0];
            asker.reset();
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [Heard::Reset { stream, code: ErrorCode::CANCEL }]);
            stage.answer(beside, "yes");
            world.run(MOMENT).await;
            assert_eq!(peer.statuses(), [200]);
            assert_idle_and_whole(stage, world).await;
        });
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
            let mut peer = Peer::connect(world);
            peer.get("/beside");
            world.run(MOMENT).await;
            let (beside, _) = stage.asked()[0];
            stage.reset(stream, ErrorCode::INTERNAL_ERROR);
            world.run(MOMENT).await;
            assert!(asker.is_broken() && (asker.is_one() || !asker.is_ended()));
            stage.answer(beside, "yes");
            world.run(MOMENT).await;
            assert_eq!(peer.statuses(), [200]);
            assert_idle_and_whole(stage, world).await;
        });
    }
}

#[test]
fn who_breaks_a_tunnel_off_that_the_upstream_has_ended_has_not_ended_it() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
            stage.finish(stream, b"");
            world.run(MOMENT).await;
            assert!(asker.is_ended());
            asker.reset();
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [Heard::Reset { stream, code: ErrorCode::CANCEL }]);
            assert_idle_and_whole(stage, world).await;
        });
    }
}

#[test]
fn a_connection_that_ends_in_the_middle_breaks_all_its_tunnels() {
    for ask in BOTH {
        for resets in [false, true] {
            proxy(async |world, upstream| {
                let (mut asker, mut stage, _) = tunnel(ask, upstream, world).await;
                let mut other = ask(world, "");
                world.run(MOMENT).await;
                let (stream, _) = connect(&mut stage);
                open(&mut stage, stream);
                world.run(MOMENT).await;
                other.assert_opened();
                match resets {
                    true => stage.client.reset(),
                    false => stage.client.finish(),
                }
                world.run(MOMENT).await;
                assert!(asker.is_broken() && !asker.is_ended() || asker.is_one());
                assert!(other.is_broken());
                drop((asker, other, stage));
                world.run(MOMENT).await;
                world.assert_nothing_leaked();
            });
        }
    }
}

#[test]
fn a_refusal_is_passed_on_as_it_is_and_hurts_no_other() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = asked(ask, upstream, world).await;
            stage.respond(stream, 403, b"x-why: b\r\n", Some(2));
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [end(stream)], "nothing is to be said any more");
            stage.push(stream, b"no", true);
            world.run(MOMENT).await;
            assert_eq!((asker.status(), asker.said().as_slice()), (Some(403), &b"no"[..]));
            assert_eq!(field(&asker.fields(), "x-why"), Some("b"));
            assert_idle_and_whole(stage, world).await;
        });
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = asked(ask, upstream, world).await;
            stage.respond(stream, 404, b"", Some(0));
            world.run(MOMENT).await;
            assert_eq!((stage.hear(), asker.status()), (vec![end(stream)], Some(404)));
            assert_idle_and_whole(stage, world).await;
        });
    }
}

#[test]
fn an_upstream_that_does_not_take_connect_is_not_asked_and_the_client_told_501() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let mut asker = ask(world, "");
            world.run(MOMENT).await;
            let mut stage = unwilling(upstream);
            world.run(MOMENT).await;
            assert_eq!((stage.hear(), asker.status()), (vec![], Some(501)));
            // Now it is known.
            let mut asker = ask(world, "");
            world.run(MOMENT).await;
            assert_eq!((stage.hear(), asker.status()), (vec![], Some(501)));
            assert!(upstream.next().is_none());
            let mut peer = Peer::connect(world);
            peer.get("/a");
            world.run(MOMENT).await;
            assert_eq!(stage.asked(), [(1, "/a".to_owned())]);
            stage.answer(1, "yes");
            world.run(MOMENT).await;
            assert_eq!((peer.statuses(), world.counted(Counter::UpstreamFailed)), (vec![200], 2));
        });
    }
}

#[test]
fn a_websocket_waits_for_the_upstream_s_settings_and_other_requests_do_not() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let mut asker = ask(world, "");
            let mut peer = Peer::connect(world);
            peer.get("/a");
            world.run(MOMENT).await;
            let mut stage = silent(upstream);
            assert_eq!(stage.asked(), [(1, "/a".to_owned())]);
            let mut later = ask(world, "");
            world.run(30 * SECOND).await;
            assert_eq!(stage.hear(), []);
            stage.begin();
            world.run(MOMENT).await;
            let heard = stage.hear();
            let asked = |heard: &Heard| matches!(heard, Heard::Request { method, .. } if method == "CONNECT");
            assert!(heard.len() == 2 && heard.iter().all(asked), "{heard:?}");
            for stream in [3, 5] {
                open(&mut stage, stream);
            }
            stage.answer(1, "yes");
            world.run(MOMENT).await;
            asker.assert_opened();
            later.assert_opened();
            assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![200], true));
        });
    }
}

#[test]
fn an_upstream_that_never_tells_of_itself_is_waited_for_as_long_as_for_a_head() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let mut asker = ask(world, "");
            world.run(MOMENT).await;
            let mut stage = silent(upstream);
            world.run(30 * SECOND).await;
            let mut later = ask(world, "");
            world.run(29 * SECOND).await;
            assert_eq!((asker.status(), stage.hear()), (None, vec![]));
            world.run(2 * SECOND).await;
            assert_eq!((asker.status(), later.status()), (Some(504), None));
            world.run(30 * SECOND).await;
            assert_eq!((later.status(), stage.ended), (Some(504), false));
            assert_eq!((stage.hear(), stage.ended), (vec![Heard::GoAway], true), "it gets no more requests");
            drop((asker, later, stage));
            world.run(MOMENT).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn who_leaves_while_the_settings_are_waited_for_is_forgotten() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let asker = ask(world, "");
            let mut other = ask(world, "");
            world.run(MOMENT).await;
            let mut stage = silent(upstream);
            drop(asker);
            world.run(MOMENT).await;
            assert_eq!(world.held_by_clients(), (1, 1));
            stage.begin();
            world.run(MOMENT).await;
            let (stream, _) = connect(&mut stage);
            open(&mut stage, stream);
            world.run(MOMENT).await;
            other.assert_opened();
        });
    }
}

#[test]
fn a_connection_that_ends_before_its_settings_is_made_once_more() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let mut asker = ask(world, "");
            world.run(MOMENT).await;
            drop(silent(upstream));
            world.run(MOMENT).await;
            drop(silent(upstream));
            world.run(MOMENT).await;
            assert_eq!((asker.status(), upstream.next().is_none()), (Some(502), true));
            drop(asker);
            world.run(MOMENT).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn what_an_upstream_refused_or_said_goodbye_to_is_asked_for_once_more() {
    for says_goodbye in [false, true] {
        proxy(async |world, upstream| {
            let mut asker = Asker::one(world, "");
            world.run(MOMENT).await;
            let mut stage = Stage::accept(upstream);
            world.run(MOMENT).await;
            let (stream, _) = connect(&mut stage);
            let mut second = match says_goodbye {
                true => {
                    stage.say(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0");
                    world.run(MOMENT).await;
                    Stage::accept(upstream)
                }
                false => {
                    stage.reset(stream, ErrorCode::REFUSED_STREAM);
                    stage
                }
            };
            world.run(MOMENT).await;
            let heard = second.hear();
            let [.., Heard::Request { stream, .. }] = heard[..] else { panic!("{heard:?}") };
            open(&mut second, stream);
            world.run(MOMENT).await;
            asker.assert_opened();
        });
    }
}

#[test]
fn many_tunnels_share_a_connection_beside_other_requests() {
    proxy(async |world, upstream| {
        let mut askers: Vec<Asker> = (0..50).map(|number| BOTH[number % 2](world, "")).collect();
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        world.run(MOMENT).await;
        let mut streams = Vec::new();
        for heard in stage.hear() {
            let Heard::Request { stream, .. } = heard else { panic!("{heard:?}") };
            streams.push(stream);
        }
        streams.iter().for_each(|stream| open(&mut stage, *stream));
        let mut peers: Vec<Peer> = (0..40).map(|_| Peer::connect(world)).collect();
        peers.iter_mut().for_each(|peer| peer.get("/a"));
        world.run(MOMENT).await;
        askers.iter_mut().for_each(Asker::assert_opened);
        for (stream, _) in stage.asked() {
            stage.answer(stream, "yes");
        }
        for (number, asker) in askers.iter_mut().enumerate() {
            assert_eq!(asker.say(number.to_string().as_bytes()), number.to_string().len());
        }
        world.run(MOMENT).await;
        assert!(peers.iter_mut().all(|peer| peer.statuses() == [200]));
        for heard in stage.hear() {
            let Heard::Data { stream, bytes, ended: false } = heard else { panic!("{heard:?}") };
            stage.push(stream, &bytes, false);
        }
        world.run(MOMENT).await;
        for (number, asker) in askers.iter_mut().enumerate() {
            assert_eq!(asker.said(), number.to_string().into_bytes());
        }
        assert!(upstream.next().is_none());
        askers.iter_mut().for_each(Asker::reset);
        drop(peers);
        world.run(MOMENT).await;
        assert_eq!((stage.hear().len(), world.held_by_clients()), (50, (1, 0)));
    });
}

#[test]
fn tunnels_count_among_the_streams_and_one_more_gets_another_connection() {
    let mut limits = Limits::default();
    limits.upstream.upstream_h2_streams = 2;
    let setup = Setup { limits, ..Setup::default() };
    let few = h2::Limits { streams: 2, ..h2::Limits::default() };
    for (setup, of_upstream) in [(setup, h2::Limits::default()), (Setup::default(), few)] {
        proxy_by(&setup, ProxyOptions::default(), async |world, upstream| {
            let mut askers: Vec<Asker> = (0..5).map(|_| Asker::one(world, "")).collect();
            let mut opened = 0;
            let mut stages = Vec::new();
            for _ in 0..6 {
                world.run(MOMENT).await;
                while let Some(link) = upstream.next() {
                    stages.push(Stage::of(Wire::Clear(link.client), of_upstream));
                }
                for stage in &mut stages {
                    for heard in stage.hear() {
                        let Heard::Request { stream, .. } = heard else { panic!("{heard:?}") };
                        open(stage, stream);
                        opened += 1;
                    }
                }
            }
            assert_eq!((opened, stages.len()), (5, 3));
            askers.iter_mut().for_each(Asker::assert_opened);
            let mut peer = Peer::connect(world);
            peer.get("/a");
            world.run(MOMENT).await;
            let asked: usize = stages.iter_mut().map(|stage| stage.asked().len()).sum();
            assert_eq!(asked, 1, "one connection has room for another");
        });
    }
}

#[test]
fn an_upstream_that_takes_no_stream_at_all_is_busy() {
    proxy(async |world, upstream| {
        let mut asker = Asker::one(world, "");
        let none = h2::Limits { streams: 0, ..h2::Limits::default() };
        let mut stages = Vec::new();
        for _ in 0..6 {
            world.run(MOMENT).await;
            while let Some(link) = upstream.next() {
                stages.push(Stage::of(Wire::Clear(link.client), none));
            }
        }
        assert_eq!((asker.status(), stages.len()), (Some(503), 2));
    });
}

#[test]
fn a_connection_that_names_its_client_carries_one_websocket() {
    let options = ProxyOptions { proxy_protocol: Some(ProxyProtocol::V1), ..ProxyOptions::default() };
    proxy_by(&Setup::default(), options, async |world, upstream| {
        let mut askers = [Asker::one(world, ""), Asker::two(world, "")];
        world.run(MOMENT).await;
        for asker in &mut askers {
            let mut link = upstream.accept();
            let header_end = {
                let mut room = [0; 1024];
                let count = link.client.read(&mut room).expect("the header");
                let header = String::from_utf8_lossy(&room[..count]);
                assert!(header.starts_with("PROXY TCP4 "), "{header}");
                (room[..count].to_vec(), header.find("\r\n").expect("a line") + 2)
            };
            let protocol = h2::Server::new(h2::Limits::default(), 1);
            let mut stage = Stage::silent(Wire::Clear(link.client), protocol);
            stage.hear_first(&header_end.0[header_end.1..]);
            stage.begin();
            world.run(MOMENT).await;
            let (stream, _) = connect(&mut stage);
            open(&mut stage, stream);
            stage.finish(stream, b"");
            world.run(MOMENT).await;
            asker.assert_opened();
            asker.finish();
            world.run(MOMENT).await;
            assert_eq!((stage.hear()[0].clone(), stage.ended), (end(stream), true));
        }
    });
}

#[test]
fn large_amounts_go_through_a_tunnel_both_ways_at_the_pace_of_who_reads() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
            if let Asker::One(peer) = &mut asker {
                peer.client.set_capacity(1000);
            }
            stage.client.client().set_capacity(10_000);
            let (mut said, mut told, mut heard) = (0, 0, 0);
            for _ in 0..3000 {
                let most = (200_000 - said).min(500);
                said += asker.say(&vec![b'y'; most]);
                let room = stage.protocol.room(stage.key(stream)).min(200_000 - told).min(500);
                if room > 0 {
                    stage.push(stream, &vec![b'x'; room], false);
                    told += room;
                }
                world.run(SECOND / 100).await;
                for event in stage.hear() {
                    let Heard::Data { bytes, .. } = event else { panic!("{event:?}") };
                    heard += bytes.len();
                }
                asker.said();
            }
            assert_eq!((said, told, heard), (200_000, 200_000, 200_000));
            assert_eq!(asker.said().len(), 200_005);
            assert!(world.blocks() <= 4, "{} blocks", world.blocks());
        });
    }
}

#[test]
fn a_side_that_does_not_read_stops_the_other_and_what_waits_is_bounded() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
            stage.credits = false;
            match &mut asker {
                Asker::One(peer) => peer.client.set_capacity(1000),
                Asker::Two(caller, _) => caller.credits = false,
            }
            let (mut said, mut told) = (0, 0);
            for _ in 0..4000 {
                said += asker.say(&[b'y'; 1000]);
                let room = stage.protocol.room(stage.key(stream)).min(1000);
                if room > 0 {
                    stage.push(stream, &vec![b'x'; room], false);
                    told += room;
                }
                world.run(SECOND / 1000).await;
                stage.hear();
            }
            // What is on its way: the windows of both sides, what is between them, and what the network's own buffers take.
            assert!((65_000..800_000).contains(&said), "{said} bytes were taken of the client");
            assert!((65_000..800_000).contains(&told), "{told} bytes were taken of the upstream");
            assert!(world.blocks() < 60, "{} blocks", world.blocks());
            // Others are not held up.
            let mut peer = Peer::connect(world);
            peer.get("/beside");
            world.run(MOMENT).await;
            let heard = stage.hear();
            let asked = heard.iter().find_map(|heard| match heard {
                Heard::Request { stream, .. } => Some(*stream),
                _ => None,
            });
            stage.answer(asked.expect("it came"), "yes");
            world.run(MOMENT).await;
            assert_eq!(peer.statuses(), [200]);
            asker.reset();
            drop((asker, peer));
            world.run(MOMENT).await;
            assert_eq!((world.held_by_clients(), world.blocks()), ((1, 0), 0));
        });
    }
}

#[test]
fn a_tunnel_in_which_nothing_is_said_for_60_s_is_broken_off_and_the_connection_kept() {
    for ask in BOTH {
        for ends in [false, true] {
            proxy(async |world, upstream| {
                let (mut asker, mut stage, stream) = tunnel(ask, upstream, world).await;
                for _ in 0..3 {
                    world.run(50 * SECOND).await;
                    assert_eq!(asker.say(b"x"), 1);
                    world.run(50 * SECOND).await;
                    assert_eq!(stage.hear(), [data(stream, b"x")]);
                    stage.push(stream, b"x", false);
                }
                if ends {
                    stage.finish(stream, b"");
                }
                world.run(59 * SECOND).await;
                assert_eq!(stage.hear(), []);
                assert!(!asker.is_broken() || ends && asker.is_ended());
                world.run(3 * SECOND).await;
                assert_eq!(stage.hear(), [Heard::Reset { stream, code: ErrorCode::CANCEL }]);
                assert!(asker.is_broken() || ends && asker.is_ended());
                let mut peer = Peer::connect(world);
                peer.get("/a");
                world.run(MOMENT).await;
                assert_eq!((stage.asked().len(), upstream.next().is_none()), (1, true));
            });
        }
    }
}

#[test]
fn another_protocol_goes_from_http_2_to_http_2_and_from_http_1_1_it_is_not_offered() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let mut head = request(Method::Connect, "/a", BodyLength::None);
        head.protocol = Some("echo");
        let call = caller.ask(head);
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        world.run(MOMENT).await;
        let heard = stage.hear();
        let [Heard::Request { stream, protocol: Some(protocol), ended: false, .. }] = &heard[..] else {
            panic!("{heard:?}")
        };
        assert_eq!(protocol, "echo");
        open(&mut stage, *stream);
        world.run(MOMENT).await;
        assert_eq!(caller.hear(call).status, 200);
        let mut peer = Peer::connect(world);
        peer.say("GET /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo, websocket2\r\n\r\n");
        world.run(MOMENT).await;
        let heard = stage.hear();
        let [Heard::Request { fields, method, ended: true, .. }] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!((field(fields, "upgrade"), method.as_str()), (None, "GET"));
        stage.answer(3, "yes");
        world.run(MOMENT).await;
        assert_eq!(peer.statuses(), [200]);
    });
}

#[test]
fn a_handshake_that_is_none_is_refused_before_an_upstream_that_could_not_say_why() {
    proxy(async |world, upstream| {
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        for (line, fields) in [
            ("GET", ""),
            ("GET", "Sec-WebSocket-Key: \r\n"),
            ("GET", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n"),
            ("GET", "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n"),
            ("GET", &format!("{key}{key}")),
            ("GET", &format!("{key}Content-Length: 1\r\n")),
            ("POST", key),
        ] {
            let mut peer = Peer::connect(world);
            peer.say(format!(
                "{line} / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n{fields}\r\n"
            ));
            if fields.contains("Length") {
                peer.say("x");
            }
            world.run(MOMENT).await;
            assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![400], true), "{line} {fields}");
        }
    });
}

/// A proxy to an upstream over TLS that may choose.
fn proxy_over_tls(test: impl AsyncFnOnce(&mut World, &Upstream)) {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let upstream = Upstream::listen(&network);
        let site = crate::proxy_h2_tls::front(UpstreamProtocol::Negotiated);
        let mut world = World::new(network, &site, &Setup::default());
        test(&mut world, &upstream).await;
    });
}

#[test]
fn an_upstream_that_chooses_http_2_over_tls_is_asked_by_connect_if_it_takes_that() {
    for ask in BOTH {
        proxy_over_tls(async |world, upstream| {
            let mut asker = ask(world, "");
            world.run(MOMENT).await;
            let wire = Wire::serving(upstream.accept().client, &server_tls());
            let mut stage = Stage::of(wire, h2::Limits::default());
            let mut heard = Vec::new();
            for _ in 0..8 {
                heard.extend(stage.hear());
                world.run(MOMENT).await;
            }
            let [Heard::Request { stream, method, .. }] = &heard[..] else { panic!("{heard:?}") };
            assert_eq!(method, "CONNECT");
            open(&mut stage, *stream);
            stage.push(*stream, b"hello", false);
            world.run(MOMENT).await;
            asker.assert_opened();
            assert_eq!((asker.said().as_slice(), upstream.next().is_none()), (&b"hello"[..], true));
        });
    }
}

#[test]
fn an_upstream_that_chooses_http_2_over_tls_and_does_not_take_connect_is_asked_by_http_1_1() {
    for ask in BOTH {
        proxy_over_tls(async |world, upstream| {
            let mut asker = ask(world, "");
            world.run(MOMENT).await;
            let protocol = h2::Server::new(h2::Limits::default(), 1).with_connect_protocol(false);
            let wire = Wire::serving(upstream.accept().client, &server_tls());
            let mut stage = Stage::silent(wire, protocol);
            stage.begin();
            for _ in 0..8 {
                assert_eq!(stage.hear(), []);
                world.run(MOMENT).await;
            }
            let mut other = Wire::serving(upstream.accept().client, &server_tls());
            let mut said = Vec::new();
            for _ in 0..10 {
                let mut room = [0; 4096];
                if let Ok(count) = other.read(&mut room) {
                    said.extend_from_slice(&room[..count]);
                }
                world.run(MOMENT).await;
            }
            let said = String::from_utf8(said).expect("a head");
            assert!(said.starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{said}");
            other.write(crate::proxy_handshakes::accepted(&said).as_bytes()).expect("it is open");
            world.run(MOMENT).await;
            asker.assert_opened();
            assert_eq!(world.counted(Counter::UpstreamConnected), 2);
        });
    }
}

#[test]
fn while_nothing_is_begun_the_server_ends_without_waiting_for_settings() {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let upstream = Upstream::listen(&network);
        let mut world = World::new(network, &front(ProxyOptions::default(), 1), &Setup::default());
        let mut asker = Asker::one(&world, "");
        world.run(MOMENT).await;
        let _stage = silent(&upstream);
        world.command(gannet_server::Command::Stop);
        world.run(SECOND).await;
        assert!(world.is_done() && asker.is_broken());
        world.assert_nothing_leaked();
    });
}
