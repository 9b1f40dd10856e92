//! Every bound of the table: connections, and the memory that one of them may have.

use std::net::SocketAddr;
use std::time::Duration;

use gannet_server::Limits;

use crate::peer::{Peer, serve, serve_by};
use crate::site;
use crate::world::{Setup, address};

const SECOND: Duration = Duration::from_secs(1);

/// What a connection's socket holds before the server receives it.
const CAPACITY: usize = 4096;

#[test]
fn connections_beyond_the_limit_wait_until_another_is_gone() {
    let limits = Limits { connections: 2, ..Limits::default() };
    for workers in 1..=3 {
        serve_by(&Setup { limits, workers, ..Setup::default() }, async |world| {
            let mut peers: Vec<Peer> = (0..5).map(|_| Peer::connect(world)).collect();
            peers.iter_mut().for_each(|peer| peer.get("/plain"));
            world.run(SECOND).await;
            let served =
                |peers: &mut [Peer]| peers.iter_mut().map(|peer| peer.hear().len().min(1)).sum::<usize>();
            assert_eq!((served(&mut peers), world.connections(), world.admission.open()), (2, 2, 2));
            for waiting in (0..3).rev() {
                let gone = peers.iter_mut().position(|peer| !peer.hear().is_empty());
                drop(peers.remove(gone.expect("two were served")));
                world.run(SECOND / 5).await;
                assert_eq!((served(&mut peers), peers.len()), (2, 2 + waiting), "the next one's turn");
            }
            assert!(peers.iter_mut().all(|peer| !peer.is_ended()), "nobody was turned away");
            assert!(world.admission.refused() > 0, "they were counted");
            drop(peers);
            world.run(SECOND).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn connections_per_address_beyond_the_limit_are_closed_and_other_addresses_served() {
    let limits = Limits { connections_per_address: 1, ..Limits::default() };
    serve(limits, async |world| {
        let from = |host, port| {
            let from = SocketAddr::from(([192, 0, 2, host], port));
            Peer::of(world.network.connect_from(from, address()).expect("somebody listens"))
        };
        let (mut first, mut second, mut other) = (from(1, 1000), from(1, 1001), from(2, 1000));
        for peer in [&mut first, &mut other] {
            peer.get("/plain");
        }
        world.run(SECOND).await;
        assert_eq!((first.statuses(), other.statuses()), (vec![200], vec![200]));
        assert!(second.is_ended() && !first.is_ended() && world.admission.refused() == 1);
    });
}

#[test]
fn discard_bytes_a_body_that_nobody_reads_is_discarded_or_else_the_connection_closed() {
    let limits = Limits { discard_bytes: 1000, ..Limits::default() };
    serve(limits, async |world| {
        let mut peer = Peer::connect(world);
        peer.post("/ignore", 1000);
        peer.say([b'x'; 1000]);
        world.run(SECOND).await;
        peer.post("/ignore", 1001);
        world.run(SECOND).await;
        let answers = peer.hear();
        assert_eq!((answers.len(), answers[0].closes(), answers[1].closes()), (2, false, true));
        assert!(peer.is_ended());
    });
}

#[test]
fn discard_bytes_a_body_in_chunks_is_discarded_up_to_the_limit() {
    let limits = Limits { discard_bytes: 1000, ..Limits::default() };
    serve(limits, async |world| {
        let mut peer = Peer::connect(world);
        peer.say("POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n");
        peer.say([b'x'; 1000]);
        world.run(SECOND).await;
        assert!(peer.statuses() == [200] && !peer.is_ended());
        peer.say("\r\n1\r\nx\r\n");
        world.run(SECOND).await;
        assert!(peer.is_ended());
    });
}

#[test]
fn discard_bytes_a_body_dropped_early_is_discarded_up_to_the_limit_while_its_handler_works() {
    let setup = Setup { block_bytes: 4096, ..Setup::default() };
    serve_by(&setup, async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_send_capacity(CAPACITY);
        peer.post("/drop?ms=5000", 10_000_000);
        let mut pushed = 0;
        for _ in 0..2000 {
            pushed += peer.push(1000);
            world.settle();
        }
        let most = 256 * 1024 + 4 * setup.block_bytes + 16 * 1024 + CAPACITY;
        assert!((256 * 1024..=most).contains(&pushed), "{pushed} bytes were taken");
        world.run(6 * SECOND).await;
        let answers = peer.hear();
        assert_eq!((answers.len(), answers[0].closes()), (1, true));
    });
}

#[test]
fn output_bytes_a_reader_that_stops_does_not_let_a_stream_run_ahead() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(CAPACITY);
        peer.get("/produced?length=500000&piece=1000");
        world.run(10 * SECOND).await;
        // In the engine, in our output, in the channel; each may exceed its bound by one piece.
        let most = 3 * (64 * 1024 + 1000) + CAPACITY;
        assert!(site::produced_bytes() <= most, "{} bytes", site::produced_bytes());
        let before = site::produced_bytes();
        world.run(10 * SECOND).await;
        assert_eq!(site::produced_bytes(), before, "a standstill");
        for _ in 0..1000 {
            world.run(SECOND / 1000).await;
            peer.hear();
        }
        assert_eq!((peer.statuses(), site::produced_bytes()), (vec![200], 500_000));
    });
}

#[test]
fn output_bytes_requests_behind_answers_that_nobody_reads_are_not_begun() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(CAPACITY);
        (0..200).for_each(|_| peer.get("/plain?length=2000"));
        world.run(10 * SECOND).await;
        // One output in the engine, of 64 KiB and an answer.
        assert!(site::calls() <= 40, "{} requests were begun", site::calls());
        for _ in 0..1000 {
            world.run(SECOND / 1000).await;
            peer.hear();
        }
        assert_eq!(peer.statuses(), [200; 200]);
    });
}

#[test]
fn body_window_bytes_a_body_that_is_not_read_is_not_received() {
    let setup = Setup { block_bytes: 4096, ..Setup::default() };
    serve_by(&setup, async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_send_capacity(CAPACITY);
        peer.post("/ignore-later?ms=5000", 1_000_000);
        let mut pushed = 0;
        for _ in 0..1000 {
            pushed += peer.push(1000);
            world.settle();
        }
        // The window, and a turn's worth beyond it; what waits to be parsed; what the socket holds.
        let most = 64 * 1024 + 4 * setup.block_bytes + 16 * 1024 + CAPACITY;
        assert!((64 * 1024..=most).contains(&pushed), "{pushed} bytes were taken");
        assert!(world.blocks() <= most / setup.block_bytes + 1, "{} blocks", world.blocks());
        world.run(6 * SECOND).await;
        assert_eq!(peer.statuses(), [200]);
    });
}

#[test]
fn an_idle_connection_holds_no_block() {
    serve(Limits::default(), async |world| {
        let mut peers: Vec<Peer> = (0..50).map(|_| Peer::connect(world)).collect();
        for peer in &mut peers {
            peer.get("/later?ms=10");
            peer.post("/collect", 3);
            peer.say("abc");
        }
        world.run(SECOND).await;
        assert!(peers.iter_mut().all(|peer| peer.statuses() == [200, 200]));
        assert_eq!((world.connections(), world.blocks(), site::live()), (50, 0, 0));
    });
}
