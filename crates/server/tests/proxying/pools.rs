//! Connections that are used again, requests that are sent again, connections that change workers, and what becomes of all of them at the end.

use std::sync::Arc;
use std::time::Duration;

use gannet_core::{Body, Counter, Method, Request, Response, UpstreamAddress, UpstreamRequest};
use gannet_engine::sim::{Faults, Network};
use gannet_server::{Command, Limits, SiteBuilder};

use crate::peer::Peer;
use crate::rig::{Link, SECOND, Upstream, proxy, proxy_by, upstream_address};
use crate::world::{Setup, World, simulate};

/// So many clients' requests at once, each on a connection of its own.
async fn ask_at_once(count: usize, upstream: &Upstream, world: &mut World) -> Vec<(Peer, Link)> {
    let mut asked = Vec::new();
    for number in 0..count {
        let mut peer = Peer::connect(world);
        let link = upstream.asked(&mut peer, &format!("/{number}"), world).await;
        asked.push((peer, link));
    }
    asked
}

/// An exchange, after which the connection waits in its pool.
async fn warm_up(upstream: &Upstream, world: &mut World) -> (Peer, Link) {
    let mut peer = Peer::connect(world);
    let mut link = upstream.asked(&mut peer, "/0", world).await;
    link.answer("zero");
    world.run(Duration::ZERO).await;
    assert_eq!(peer.statuses(), [200]);
    (peer, link)
}

#[test]
fn the_connection_that_was_used_last_is_used_next() {
    proxy(async |world, upstream| {
        let mut asked = ask_at_once(3, upstream, world).await;
        for (_, link) in &mut asked {
            link.answer("yes");
            world.run(SECOND).await;
        }
        let mut peers = [Peer::connect(world), Peer::connect(world)];
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.get(&format!("/again{number}"));
            world.run(Duration::ZERO).await;
            asked[2 - number].1.assert_asked("GET", &format!("/again{number}"));
        }
        assert!(upstream.next().is_none() && asked[0].1.hear().is_empty());
        assert_eq!(
            (world.counted(Counter::UpstreamConnected), world.counted(Counter::UpstreamReused)),
            (3, 2)
        );
    });
}

#[test]
fn an_upstream_of_http_1_0_that_keeps_connections_is_kept() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        let mut link = upstream.asked(&mut peer, "/1", world).await;
        for number in 2..5 {
            link.say("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc");
            world.run(Duration::ZERO).await;
            peer.get(&format!("/{number}"));
            world.run(Duration::ZERO).await;
            link.assert_asked("GET", &format!("/{number}"));
        }
        assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![200; 3], true));
    });
}

#[test]
fn upstream_idle_connections_one_more_is_closed_after_its_response() {
    let mut limits = Limits::default();
    limits.upstream.upstream_idle_connections = 2;
    proxy_by(&Setup { limits, ..Setup::default() }, async |world, upstream| {
        let mut asked = ask_at_once(3, upstream, world).await;
        for (_, link) in &mut asked {
            link.answer("yes");
            world.run(Duration::ZERO).await;
        }
        let open: Vec<bool> = asked.iter().map(|(_, link)| link.is_open()).collect();
        assert_eq!((open, world.held_by_clients()), (vec![true, true, false], (2, 0)));
        assert!(asked.iter_mut().all(|(peer, _)| peer.statuses() == [200]));
    });
}

#[test]
fn upstream_connections_one_more_is_503() {
    let mut limits = Limits::default();
    limits.upstream.upstream_connections = 2;
    proxy_by(&Setup { limits, ..Setup::default() }, async |world, upstream| {
        let mut asked = ask_at_once(2, upstream, world).await;
        let mut late = Peer::connect(world);
        late.get("/late");
        world.run(Duration::ZERO).await;
        assert_eq!((late.statuses(), upstream.next().is_none()), (vec![503], true));
        asked[0].1.answer("yes");
        world.run(Duration::ZERO).await;
        late.get("/again");
        world.run(Duration::ZERO).await;
        asked[0].1.assert_asked("GET", "/again");
    });
}

#[test]
fn an_idempotent_request_is_sent_once_more_when_its_connection_had_died_in_the_pool() {
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        for resets in [false, true] {
            proxy(async |world, upstream| {
                let (mut peer, mut link) = warm_up(upstream, world).await;
                peer.say(format!("{method} /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
                world.run(Duration::ZERO).await;
                link.assert_asked(method, "/1");
                if resets {
                    link.client.reset();
                }
                drop(link);
                world.run(Duration::ZERO).await;
                let mut other = upstream.accept();
                other.assert_asked(method, "/1");
                other.say("HTTP/1.1 204 No Content\r\n\r\n");
                world.run(Duration::ZERO).await;
                assert_eq!((peer.statuses(), world.counted(Counter::UpstreamRetried)), (vec![200, 204], 1));
            });
        }
    }
}

#[test]
fn a_request_that_is_not_idempotent_or_whose_body_was_begun_is_not_sent_again() {
    for request in [
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "PATCH /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        proxy(async |world, upstream| {
            let (mut peer, mut link) = warm_up(upstream, world).await;
            peer.say(request);
            world.run(Duration::ZERO).await;
            assert!(link.hear().contains("/1 HTTP/1.1\r\n"), "{request}");
            drop(link);
            world.run(Duration::ZERO).await;
            assert!(upstream.next().is_none(), "{request}");
            assert_eq!(peer.statuses(), [200, 502], "{request}");
        });
    }
}

#[test]
fn a_request_is_sent_twice_at_most_and_only_when_its_connection_was_used_before() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = warm_up(upstream, world).await;
        peer.get("/1");
        world.run(Duration::ZERO).await;
        link.assert_asked("GET", "/1");
        drop(link);
        world.run(Duration::ZERO).await;
        drop(upstream.accept());
        world.run(SECOND).await;
        assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![200, 502], true));
        let link = upstream.asked(&mut peer, "/2", world).await;
        drop(link);
        world.run(SECOND).await;
        assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![200, 502, 502], true));
    });
}

#[test]
fn a_request_that_was_answered_in_part_is_not_sent_again() {
    for part in ["H", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\n"] {
        proxy(async |world, upstream| {
            let (mut peer, mut link) = warm_up(upstream, world).await;
            peer.get("/1");
            world.run(Duration::ZERO).await;
            link.say(part);
            drop(link);
            world.run(SECOND).await;
            assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![200, 502], true), "{part}");
        });
    }
}

/// The upstream resets a connection that waits; the proxy is told only when it has tried to send a request by it.
async fn die_unnoticed(mut link: Link, world: &mut World) {
    let late = Faults { late_receive: 1.0, late_at_most: SECOND, ..Faults::none() };
    world.network.set_faults(late);
    link.client.reset();
    drop(link);
}

#[test]
fn any_request_of_which_nothing_was_sent_is_sent_again_with_its_body() {
    for method in ["POST", "PUT"] {
        proxy(async |world, upstream| {
            let (mut peer, link) = warm_up(upstream, world).await;
            die_unnoticed(link, world).await;
            peer.say(format!("{method} /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"));
            world.run(5 * SECOND).await;
            world.network.set_faults(Faults::none());
            peer.say("hello");
            world.run(5 * SECOND).await;
            let mut other = upstream.accept();
            let heard = other.hear();
            assert!(heard.starts_with(method) && heard.ends_with("\r\n\r\nhello"), "{heard}");
            other.answer("yes");
            world.run(SECOND).await;
            assert_eq!(peer.statuses(), [200, 200]);
        });
    }
}

#[test]
fn a_request_that_waits_to_be_asked_for_its_body_is_sent_again_as_it_was() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = warm_up(upstream, world).await;
        peer.say("PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        world.run(Duration::ZERO).await;
        let first = link.hear();
        drop(link);
        world.run(Duration::ZERO).await;
        let mut other = upstream.accept();
        assert_eq!(other.hear(), first);
        other.say("HTTP/1.1 100 Continue\r\n\r\n");
        world.run(Duration::ZERO).await;
        assert!(peer.is_continued());
        peer.say("hello");
        world.run(Duration::ZERO).await;
        assert_eq!(other.hear(), "hello");
    });
}

/// That what has been sent may have been taken, also where the kernel has not said so yet.
#[test]
fn a_request_whose_sending_was_not_told_yet_counts_as_sent() {
    proxy(async |world, upstream| {
        let (mut peer, mut link) = warm_up(upstream, world).await;
        world.network.set_faults(Faults { late_send: 1.0, late_at_most: SECOND, ..Faults::none() });
        peer.say("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
        world.settle();
        assert!(link.hear().starts_with("POST /1 "), "it was taken");
        link.client.reset();
        world.run(5 * SECOND).await;
        assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![200, 502], true));
    });
}

#[test]
fn upstream_takeover_delay_what_a_worker_has_not_needed_for_1_s_serves_another() {
    proxy_by(&Setup { workers: 2, ..Setup::default() }, async |world, upstream| {
        let (mut one, mut first) = warm_up(upstream, world).await;
        let mut other = Peer::connect(world);
        for _ in 0..20 {
            world.run(Duration::ZERO).await;
            if world.usage().all(|(_, connections, _)| connections > 0) {
                break;
            }
            other = Peer::connect(world);
        }
        let mut second = upstream.asked(&mut other, "/early", world).await;
        second.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        world.run(2 * SECOND).await;
        other.get("/late");
        world.run(Duration::ZERO).await;
        first.assert_asked("GET", "/late");
        first.answer("yes");
        world.run(2 * SECOND).await;
        assert_eq!((other.statuses(), world.counted(Counter::UpstreamTakenOver)), (vec![200, 200], 1));
        one.get("/back");
        world.run(Duration::ZERO).await;
        first.assert_asked("GET", "/back");
        first.answer("yes");
        world.run(Duration::ZERO).await;
        assert_eq!((one.statuses(), world.counted(Counter::UpstreamTakenOver)), (vec![200, 200], 2));
        assert_eq!(world.counted(Counter::UpstreamConnected), 2);
    });
}

#[test]
fn what_ended_while_no_worker_had_it_is_noticed_before_it_is_used() {
    for says in ["", "evil"] {
        proxy_by(&Setup { workers: 2, ..Setup::default() }, async |world, upstream| {
            let (mut peer, mut link) = warm_up(upstream, world).await;
            world.run(2 * SECOND).await;
            link.say(says);
            if says.is_empty() {
                drop(link);
            }
            let mut other = upstream.asked(&mut peer, "/1", world).await;
            other.answer("yes");
            world.run(Duration::ZERO).await;
            assert_eq!((peer.statuses(), world.counted(Counter::UpstreamRetried)), (vec![200, 200], 0));
            drop(peer);
            world.run(61 * SECOND).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn draining_finishes_what_is_under_way_and_closes_what_waits() {
    for workers in [1, 2] {
        proxy_by(&Setup { workers, ..Setup::default() }, async |world, upstream| {
            let (idle_peer, idle) = warm_up(upstream, world).await;
            let mut busy = Peer::connect(world);
            let mut held = Peer::connect(world);
            held.get("/held");
            world.run(Duration::ZERO).await;
            // One of them has it by now; the other makes a connection.
            busy.get("/busy");
            world.run(Duration::ZERO).await;
            let mut links = vec![idle];
            links.extend(std::iter::from_fn(|| upstream.next()));
            let left_over = Peer::connect(world);
            world.run(2 * SECOND).await;
            world.command(Command::Drain);
            world.run(SECOND).await;
            assert!(!world.is_done());
            for link in &mut links {
                if link.hear().is_empty() {
                    assert!(!link.is_open(), "what waits is closed");
                } else {
                    assert!(link.is_open());
                    link.answer("yes");
                }
            }
            world.run(SECOND).await;
            assert_eq!((busy.statuses(), held.statuses()), (vec![200], vec![200]));
            assert!(links.iter().all(|link| !link.is_open()), "nothing is kept");
            drop((busy, held, left_over, idle_peer));
            world.run(3 * SECOND).await;
            assert!(world.is_done());
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn what_workers_have_left_to_each_other_is_closed_when_they_drain_or_stop() {
    for command in [Command::Drain, Command::Stop] {
        proxy_by(&Setup { workers: 2, ..Setup::default() }, async |world, upstream| {
            let (peer, link) = warm_up(upstream, world).await;
            drop(peer);
            world.run(5 * SECOND).await;
            assert!(link.is_open() && world.held_by_clients() == (0, 0), "no worker has it");
            world.command(command);
            world.run(SECOND).await;
            assert!(!link.is_open() && world.is_done());
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn stopping_ends_requests_to_upstreams_wherever_they_are() {
    proxy_by(&Setup::default(), async |world, upstream| {
        let asked = ask_at_once(1, upstream, world).await;
        let mut peers: Vec<Peer> = (0..4).map(|_| Peer::connect(world)).collect();
        peers[0].get("/body");
        world.run(Duration::ZERO).await;
        let mut body = upstream.accept();
        body.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        peers[1].say("GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        world.run(Duration::ZERO).await;
        let mut tunnel = upstream.accept();
        tunnel.say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        peers[2].post("/upload", 100);
        world.run(Duration::ZERO).await;
        let upload = upstream.accept();
        world.network.set_faults(Faults { silence: 1.0, ..Faults::none() });
        peers[3].get("/connecting");
        world.run(SECOND).await;
        world.network.set_faults(Faults::none());
        let (_idle, waits) = warm_up(upstream, world).await;
        assert_eq!(world.held_by_clients().1, 5);
        peers[0].get("/begun-in-the-last-turn");
        world.command(Command::Stop);
        world.run(Duration::ZERO).await;
        assert!(world.is_done());
        let links = [&waits, &asked[0].1, &body, &tunnel, &upload];
        assert!(links.iter().all(|link| !link.is_open()));
        world.assert_nothing_leaked();
    });
}

/// What a handler of one's own sends from memory is begun when it is given to the socket, and cannot be taken back.
#[test]
fn a_body_from_memory_that_was_begun_is_not_sent_again_without_it() {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let upstream = Upstream::listen(&network);
        let target = Arc::new(gannet_core::Upstream::new(UpstreamAddress::Internet(upstream_address(0))));
        let mut site = SiteBuilder::new();
        site.route(None, "/*", move |request: Request| put(target.clone(), request));
        let mut world = World::new(network, &Arc::new(site.build().expect("one pattern")), &Setup::default());
        let mut peer = Peer::connect(&world);
        peer.get("/0");
        world.run(Duration::ZERO).await;
        let mut link = upstream.accept();
        assert!(link.hear().ends_with("Content-Length: 5\r\n\r\nhello"));
        link.answer("zero");
        world.run(Duration::ZERO).await;
        peer.get("/1");
        world.run(Duration::ZERO).await;
        assert!(link.hear().ends_with("Content-Length: 5\r\n\r\nhello"));
        drop(link);
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), upstream.next().is_none()), (vec![200, 502], true));
    });
}

/// Sends something that it has.
async fn put(target: Arc<gannet_core::Upstream>, request: Request) -> Result<Response, Response> {
    let mut sent = UpstreamRequest::new(request.ports(), Method::Put, "PUT", request.target());
    sent.fields.forward("Host", b"a");
    sent.body = Body::Bytes("hello".into());
    target.send(sent).await.map_err(|failure| Response::new(failure.error.status()))
}
