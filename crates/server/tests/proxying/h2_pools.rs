//! Connections of HTTP/2 that are shared, that end while requests are on them, and requests that are sent again.

use std::time::Duration;

use gannet_core::{Counter, ProxyProtocol};
use gannet_engine::sim::{Faults, Network};
use gannet_features::proxy::ProxyOptions;
use gannet_proto::h2::{self, ErrorCode};
use gannet_server::{Command, Limits};

use crate::h2_rig::{Heard, MOMENT, Stage, front, proxy, proxy_by};
use crate::peer::Peer;
use crate::rig::{SECOND, Upstream, upstream_address};
use crate::wire::Wire;
use crate::world::{Setup, World, simulate};

fn limited(change: impl FnOnce(&mut gannet_client::Limits)) -> Setup {
    let mut limits = Limits::default();
    change(&mut limits.upstream);
    Setup { limits, ..Setup::default() }
}

/// So many clients, each with a request.
async fn ask(count: usize, world: &mut World) -> Vec<Peer> {
    let mut peers: Vec<Peer> = (0..count).map(|_| Peer::connect(world)).collect();
    for (number, peer) in peers.iter_mut().enumerate() {
        peer.get(&format!("/{number}"));
    }
    world.run(MOMENT).await;
    peers
}

/// A connection that has served a request, and rests.
async fn warm_up(upstream: &Upstream, world: &mut World) -> (Peer, Stage) {
    let mut peer = ask(1, world).await.remove(0);
    let mut stage = Stage::accept(upstream);
    assert_eq!(stage.asked(), [(1, "/0".to_owned())]);
    stage.answer(1, "zero");
    world.run(MOMENT).await;
    stage.hear();
    assert_eq!(peer.statuses(), [200]);
    (peer, stage)
}

#[test]
fn upstream_h2_streams_one_more_gets_another_connection() {
    let setup = limited(|limits| limits.upstream_h2_streams = 2);
    proxy_by(&setup, ProxyOptions::default(), async |world, upstream| {
        let mut peers = ask(3, world).await;
        let (mut first, mut second) = (Stage::accept(upstream), Stage::accept(upstream));
        assert_eq!(first.asked(), [(1, "/0".to_owned()), (3, "/1".to_owned())]);
        assert_eq!(second.asked(), [(1, "/2".to_owned())]);
        // That which was found last to have room is filled first.
        let more = ask(1, world).await;
        assert_eq!((second.asked().len(), upstream.next().is_none()), (1, true));
        first.answer(1, "yes");
        world.run(MOMENT).await;
        first.hear();
        let again = ask(1, world).await;
        assert_eq!((first.asked().len(), upstream.next().is_none()), (1, true));
        assert_eq!(peers[0].statuses(), [200]);
        drop((more, again));
    });
}

#[test]
fn an_upstream_that_takes_one_at_a_time_gets_one_by_each_connection_and_what_it_refused_again() {
    proxy(async |world, upstream| {
        let mut peers = ask(2, world).await;
        let limits = h2::Limits { streams: 1, ..h2::Limits::default() };
        let mut first = Stage::accept_by(upstream, limits);
        assert_eq!(first.asked(), [(1, "/0".to_owned())], "the other is refused");
        world.run(MOMENT).await;
        let mut second = Stage::accept_by(upstream, limits);
        assert_eq!(second.asked(), [(1, "/1".to_owned())]);
        world.run(MOMENT).await;
        assert_eq!(world.counted(Counter::UpstreamRetried), 1);
        second.answer(1, "two");
        first.answer(1, "one");
        world.run(MOMENT).await;
        assert_eq!((peers[0].statuses(), peers[1].statuses()), (vec![200], vec![200]));
        let _third = ask(1, world).await;
        assert!(first.asked().len() + second.asked().len() == 1 && upstream.next().is_none());
    });
}

#[test]
fn a_connection_that_cannot_be_made_fails_all_that_wait_for_it() {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let mut world = World::new(network, &front(ProxyOptions::default(), 1), &Setup::default());
        for mut peer in ask(3, &mut world).await {
            assert_eq!(peer.statuses(), [502]);
        }
        world.run(MOMENT).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn upstream_idle_timeout_a_connection_without_requests_is_told_so_after_60_s_and_closed() {
    proxy(async |world, upstream| {
        let (_peer, mut stage) = warm_up(upstream, world).await;
        world.run(59 * SECOND).await;
        assert_eq!((stage.hear(), stage.ended), (vec![], false));
        world.run(2 * SECOND).await;
        assert_eq!((stage.hear(), stage.ended), (vec![Heard::GoAway], true));
        assert_eq!(world.held_by_clients(), (0, 0));
    });
}

#[test]
fn upstream_idle_connections_one_more_of_http_2_is_closed_after_its_response() {
    let setup = limited(|limits| (limits.upstream_h2_streams, limits.upstream_idle_connections) = (1, 1));
    proxy_by(&setup, ProxyOptions::default(), async |world, upstream| {
        let _peers = ask(2, world).await;
        let mut stages = [Stage::accept(upstream), Stage::accept(upstream)];
        for stage in &mut stages {
            stage.asked();
            stage.answer(1, "yes");
            world.run(MOMENT).await;
            stage.hear();
        }
        assert_eq!((stages[0].ended, stages[1].ended), (false, true));
        assert_eq!(world.held_by_clients(), (1, 0));
    });
}

#[test]
fn a_connection_that_ends_in_order_answers_what_it_has_and_what_it_has_not_begun_goes_by_another() {
    proxy(async |world, upstream| {
        let mut peers = ask(3, world).await;
        let mut stage = Stage::accept(upstream);
        let asked = stage.asked();
        assert_eq!(asked.len(), 3);
        // The first was begun, the others were not (RFC 9113, 6.8).
        stage.say(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        world.run(MOMENT).await;
        let mut other = Stage::accept(upstream);
        let again: Vec<String> = other.asked().into_iter().map(|(_, target)| target).collect();
        assert_eq!(again, ["/1", "/2"]);
        assert_eq!(world.counted(Counter::UpstreamRetried), 2);
        let late = ask(1, world).await;
        assert_eq!(other.asked(), [(5, "/0".to_owned())], "nothing new goes by the first");
        stage.hear();
        stage.answer(1, "one");
        other.answer(1, "two");
        other.answer(3, "three");
        world.run(MOMENT).await;
        stage.hear();
        assert!(stage.ended, "its last response has come");
        for peer in &mut peers {
            assert_eq!(peer.statuses(), [200]);
        }
        drop(late);
    });
}

#[test]
fn a_request_that_meets_the_end_of_its_connection_on_the_way_is_sent_again_even_a_post() {
    proxy(async |world, upstream| {
        let (_peer, mut stage) = warm_up(upstream, world).await;
        let mut peer = Peer::connect(world);
        // It has ended the connection before this comes: the last stream was the first.
        stage.say(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        peer.say("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        world.run(MOMENT).await;
        let mut other = Stage::accept(upstream);
        assert_eq!(other.asked(), [(1, "/late".to_owned())]);
        other.answer(1, "yes");
        world.run(MOMENT).await;
        assert_eq!(peer.statuses(), [200]);
    });
}

#[test]
fn two_goaways_end_a_connection_gracefully() {
    proxy(async |world, upstream| {
        let mut peers = ask(1, world).await;
        let mut stage = Stage::accept(upstream);
        stage.asked();
        stage.say_with(|protocol, _, out| protocol.go_away(out));
        world.run(MOMENT).await;
        let mut late = ask(1, world).await;
        let mut other = Stage::accept(upstream);
        assert_eq!(other.asked().len(), 1);
        stage.say_with(|protocol, _, out| protocol.close(out));
        stage.answer(1, "one");
        other.answer(1, "two");
        world.run(MOMENT).await;
        stage.hear();
        assert_eq!((peers[0].statuses(), late[0].statuses(), stage.ended), (vec![200], vec![200], true));
        assert_eq!(world.counted(Counter::UpstreamRetried), 0);
    });
}

#[test]
fn a_refused_stream_is_sent_once_more_whatever_its_method_and_then_it_is_503() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.say("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        for stream in [1, 3] {
            assert_eq!(stage.asked(), [(stream, "/a".to_owned())]);
            stage.reset(stream, ErrorCode::REFUSED_STREAM);
            world.run(MOMENT).await;
        }
        assert_eq!((stage.asked(), peer.statuses()), (vec![], vec![503]));
        assert_eq!(world.counted(Counter::UpstreamRetried), 1);
    });
}

#[test]
fn a_refused_stream_whose_body_was_begun_is_not_sent_again() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/a", 10);
        peer.say("hello");
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        assert_eq!(stage.hear().len(), 2);
        stage.reset(1, ErrorCode::REFUSED_STREAM);
        world.run(MOMENT).await;
        assert_eq!((stage.hear(), peer.statuses()), (vec![], vec![503]));
    });
}

#[test]
fn an_idempotent_request_whose_connection_died_without_a_word_is_sent_once_more() {
    for (method, repeated) in
        [("GET", true), ("PUT", true), ("DELETE", true), ("POST", false), ("PATCH", false)]
    {
        proxy(async |world, upstream| {
            let (_peer, mut stage) = warm_up(upstream, world).await;
            let mut peer = Peer::connect(world);
            peer.say(format!("{method} /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
            world.run(MOMENT).await;
            assert_eq!(stage.asked(), [(3, "/1".to_owned())]);
            drop(stage);
            world.run(MOMENT).await;
            if !repeated {
                assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![502], true), "{method}");
                return;
            }
            let mut other = Stage::accept(upstream);
            assert_eq!(other.asked(), [(1, "/1".to_owned())], "{method}");
            drop(other);
            world.run(MOMENT).await;
            assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![502], true), "{method}");
        });
    }
}

#[test]
fn a_request_whose_connection_said_something_before_it_died_is_not_sent_again() {
    proxy(async |world, upstream| {
        let (_peer, mut stage) = warm_up(upstream, world).await;
        let mut peers = ask(1, world).await;
        assert_eq!(stage.asked().len(), 1);
        stage.say(&[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]); // PING
        world.run(MOMENT).await;
        drop(stage);
        world.run(MOMENT).await;
        assert_eq!((peers[0].statuses(), upstream.next().is_none()), (vec![502], true));
    });
}

#[test]
fn with_a_proxy_header_each_connection_serves_one_request() {
    let options = ProxyOptions { proxy_protocol: Some(ProxyProtocol::V1), ..ProxyOptions::default() };
    proxy_by(&Setup::default(), options, async |world, upstream| {
        let mut peers = ask(2, world).await;
        for peer in &mut peers {
            let mut client = upstream.accept().client;
            let mut header = Vec::new();
            while !header.ends_with(b"\r\n") {
                let mut byte = [0];
                assert_eq!(client.read(&mut byte).expect("the header is there"), 1);
                header.push(byte[0]);
            }
            assert!(header.starts_with(b"PROXY TCP4 "), "{}", header.escape_ascii());
            let mut stage = Stage::of(Wire::Clear(client), h2::Limits::default());
            assert_eq!(stage.asked().len(), 1);
            stage.answer(1, "yes");
            world.run(MOMENT).await;
            stage.hear();
            assert_eq!((peer.statuses(), stage.ended), (vec![200], true));
        }
        assert_eq!(world.held_by_clients(), (0, 0));
    });
}

#[test]
fn a_server_that_ends_lets_its_requests_finish_and_closes_their_connections() {
    proxy(async |world, upstream| {
        let mut peers = ask(2, world).await;
        let mut stage = Stage::accept(upstream);
        assert_eq!(stage.asked().len(), 2);
        world.command(Command::Drain);
        world.run(Duration::from_millis(10)).await;
        stage.answer(1, "one");
        world.run(Duration::from_millis(10)).await;
        assert_eq!((stage.hear(), stage.ended), (vec![], false));
        stage.answer(3, "two");
        world.run(Duration::from_millis(10)).await;
        stage.hear();
        assert!(stage.ended);
        assert_eq!((peers[0].statuses(), peers[1].statuses()), (vec![200], vec![200]));
    });
}

#[test]
fn a_request_whose_upstream_is_gone_goes_elsewhere_by_http_2_too() {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let upstream = Upstream::listen(&network);
        let mut world = World::new(network, &front(ProxyOptions::default(), 2), &Setup::default());
        let _gone = upstream_address(1);
        let mut peers = ask(2, &mut world).await;
        let mut stage = Stage::accept(&upstream);
        let asked = stage.asked();
        assert_eq!(asked.len(), 2, "that which went to the other came here");
        for (stream, target) in asked {
            stage.answer(stream, &target);
        }
        world.run(MOMENT).await;
        for (number, peer) in peers.iter_mut().enumerate() {
            assert_eq!(peer.hear()[0].body, format!("/{number}").as_bytes());
        }
    });
}
