//! What one connection of many streams may cost: each flood ends it before it costs, and whoever reads nothing holds bounded memory.

use std::time::Duration;

use gannet_proto::h2;
use gannet_server::Limits;

use super::frames::{self, ACK, code, frame, kind, setting};
use super::peer::Peer;
use crate::peer::{serve, serve_by};
use crate::site;
use crate::world::Setup;

const SECOND: Duration = Duration::from_secs(1);

/// Frames of each flood: many more than any limit allows.
const MANY: u32 = 20_000;

/// Sends `flood`, frame by frame, until the server has had enough; returns how many frames it took.
fn flood(peer: &mut Peer, world: &mut crate::world::World, flood: impl Fn(u32) -> Vec<u8>) -> u32 {
    for number in 0..MANY {
        if peer.push(&flood(number)) == 0 || !peer.witness.go_aways.is_empty() {
            return number;
        }
        if number % 16 == 0 {
            peer.settle(world);
        }
    }
    MANY
}

/// A flood: what comes before it, its frames, how many of them are too many, and what the server says then.
struct Flood {
    limit: &'static str,
    before: fn() -> Vec<u8>,
    frame: fn(u32) -> Vec<u8>,
    most: u32,
    says: h2::Error,
}

fn nothing() -> Vec<u8> {
    Vec::new()
}

fn upload() -> Vec<u8> {
    frames::request(1, "POST", "/ignore-later?ms=60000", &[], false)
}

/// A request that is waited for: frames that are about its stream have one.
fn waiting() -> Vec<u8> {
    frames::request(1, "GET", "/later?ms=60000", &[], true)
}

/// Every row whose consequence is the connection's end for too many frames.
fn floods() -> Vec<Flood> {
    [floods_of_the_connection(), floods_of_streams()].into_iter().flatten().collect()
}

fn flood_of(
    limit: &'static str,
    before: fn() -> Vec<u8>,
    frame: fn(u32) -> Vec<u8>,
    most: u16,
    says: h2::Error,
) -> Flood {
    Flood { limit, before, frame, most: most.into(), says }
}

fn floods_of_the_connection() -> Vec<Flood> {
    let limits = h2::Limits::default();
    vec![
        flood_of("pings", nothing, |_| frames::ping([7; 8]), limits.pings, h2::Error::TooManyPings),
        flood_of("settings", nothing, |_| frames::settings(&[]), limits.settings, h2::Error::TooManySettings),
        flood_of(
            "priorities",
            nothing,
            |_| frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 16]),
            limits.priorities,
            h2::Error::TooManyPriorities,
        ),
        flood_of(
            "priority_updates",
            waiting,
            |_| frame(kind::PRIORITY_UPDATE, 0, 0, b"\0\0\0\x01u=1"),
            limits.priority_updates,
            h2::Error::TooManyPriorityUpdates,
        ),
        flood_of(
            "window_updates",
            nothing,
            |_| frames::window_update(0, 1),
            limits.window_updates,
            h2::Error::TooManyWindowUpdates,
        ),
        flood_of(
            "useless_frames",
            nothing,
            |_| frame(99, 0, 0, b"what nobody knows"),
            limits.useless_frames,
            h2::Error::TooManyUselessFrames,
        ),
        flood_of(
            "useless_frames",
            nothing,
            |_| frame(kind::PING, ACK, 0, &[0; 8]),
            limits.useless_frames,
            h2::Error::TooManyUselessFrames,
        ),
    ]
}

fn floods_of_streams() -> Vec<Flood> {
    let limits = h2::Limits::default();
    vec![
        flood_of(
            "empty_data_frames",
            upload,
            |_| frames::data(1, b"", false),
            limits.empty_data_frames,
            h2::Error::TooManyEmptyDataFrames,
        ),
        flood_of(
            "resets",
            nothing,
            |number| {
                let stream = number * 2 + 1;
                let request = frames::request(stream, "GET", "/later?ms=60000", &[], true);
                [request, frames::reset(stream, code::CANCEL)].concat()
            },
            limits.resets,
            h2::Error::TooManyResets,
        ),
        flood_of(
            "faults",
            nothing,
            |number| {
                let stream = number * 2 + 1;
                let request = frames::request(stream, "GET", "/later?ms=60000", &[], true);
                [request, frames::window_update(stream, 0)].concat()
            },
            limits.faults,
            h2::Error::TooManyFaults,
        ),
        flood_of(
            "faults",
            nothing,
            |number| frames::request(number * 2 + 1, "GET", "/plain", &[("te", "gzip")], true),
            limits.faults,
            h2::Error::TooManyFaults,
        ),
        flood_of(
            "continuations",
            || frame(kind::HEADERS, 0, 1, &[]),
            |_| frame(kind::CONTINUATION, 0, 1, &[]),
            limits.continuations,
            h2::Error::TooManyContinuations,
        ),
    ]
}

#[test]
fn every_flood_ends_its_connection_with_its_code_and_before_it_costs() {
    for Flood { limit, before, frame, most, says } in floods() {
        serve(Limits::default(), async |world| {
            let mut peer = Peer::connect(world);
            peer.settle(world);
            peer.say(before());
            peer.settle(world);
            let (calls, heard) = (site::calls() + site::begun(), peer.heard_bytes());
            let taken = flood(&mut peer, world, frame);
            peer.settle(world);
            assert!((most..=most + 64).contains(&taken), "{limit}: {taken} frames were taken");
            let told: Vec<u32> = peer.go_aways().iter().map(|told| told.1).collect();
            assert_eq!(told, [code::ENHANCE_YOUR_CALM], "{limit}");
            assert_eq!(peer.witness.reasons, [says.message()], "{limit}");
            assert!(peer.is_ended(), "{limit}");
            // An answer to each frame, and no handler for more streams than may be reset.
            let heard = peer.heard_bytes() - heard;
            assert!(heard <= 30 * (most as usize + 8) + 200, "{limit}: {heard} bytes");
            let calls = site::calls() + site::begun() - calls;
            assert!(calls <= most as usize + 1, "{limit}: {calls} handlers");
            assert_eq!((site::live(), world.blocks()), (0, 0), "{limit}");
            drop(peer);
            world.run(SECOND).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn a_flood_of_tiny_pieces_that_nobody_reads_ends_the_connection_and_one_that_is_read_does_not() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.run(SECOND, world).await;
        for stream in (1..80).step_by(2) {
            peer.say(frames::request(stream, "POST", "/ignore-later?ms=60000", &[], false));
        }
        let mut sent = 0;
        while peer.witness.go_aways.is_empty() && sent < 400_000 {
            let pieces: Vec<u8> =
                (0..40).flat_map(|number| frames::data(number * 2 + 1, b"x", false)).collect();
            peer.push(&pieces);
            sent += 40;
            peer.settle(world);
        }
        assert_eq!(peer.go_aways().first().map(|told| told.1), Some(code::ENHANCE_YOUR_CALM));
        // What a byte is held in is a share of blocks that others are in, too.
        let most = h2::Limits::default().tiny_data_frames;
        assert!((most..=most + 80).contains(&sent), "{sent} frames");
        assert_eq!(world.blocks(), 0);
    });
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.run(SECOND, world).await;
        peer.generous = true;
        peer.post(1, "/echo");
        for _ in 0..50 {
            for _ in 0..100 {
                peer.say(frames::data(1, b"abcde", false));
            }
            peer.run(SECOND / 10, world).await;
        }
        peer.say(frames::data(1, b"", true));
        peer.run(SECOND, world).await;
        assert_eq!((peer.answer(1).body.len(), peer.go_aways()), (25_000, vec![]));
    });
}

#[test]
fn a_header_bomb_is_answered_431_and_costs_no_more_than_a_list_may() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        // An entry of 3,000 bytes, and then a byte for each time that it is there again.
        let mut block = frames::block(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/plain"),
            (":authority", "a"),
        ]);
        block.extend_from_slice(b"\x40\x01a\x7f\xb9\x16");
        block.extend_from_slice(&[b'b'; 3000]);
        block.extend_from_slice(&[0xbe; 10_000]);
        peer.say(frame(kind::HEADERS, 5, 1, &block));
        peer.get(3, "/plain?id=3");
        peer.run(SECOND, world).await;
        assert_eq!((peer.status(1), peer.status(3)), (Some(431), Some(200)));
    });
}

#[test]
fn streams_beyond_the_limit_are_refused_and_may_be_asked_for_again() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        for number in 0..130 {
            peer.get(number * 2 + 1, "/later?ms=1000");
        }
        peer.run(SECOND / 2, world).await;
        assert_eq!(site::live(), 128);
        assert_eq!([257, 259].map(|stream| peer.was_reset(stream)), [Some(code::REFUSED_STREAM); 2]);
        peer.run(SECOND, world).await;
        peer.get(261, "/plain");
        peer.run(SECOND, world).await;
        assert_eq!((peer.count(200), peer.status(261)), (129, Some(200)));
    });
}

#[test]
fn output_bytes_a_reader_that_stops_does_not_let_streams_run_ahead() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 10_000_000)]);
        peer.say(frames::window_update(0, 100_000_000));
        if let crate::wire::Wire::Clear(client) = &mut peer.wire {
            client.set_capacity(4096);
        }
        for stream in 0..20 {
            peer.get(stream * 2 + 1, "/produced?length=500000&piece=1000");
        }
        world.run(10 * SECOND).await;
        // In the engine, in our output, and a piece that each body has given: and what each channel holds.
        let most = 2 * (64 * 1024 + 17_000) + 20 * (64 * 1024 + 2000) + 4096;
        assert!(site::produced_bytes() <= most, "{} bytes", site::produced_bytes());
        let before = site::produced_bytes();
        world.run(10 * SECOND).await;
        assert_eq!(site::produced_bytes(), before, "a standstill");
    });
}

#[test]
fn output_bytes_requests_behind_answers_that_nobody_reads_are_not_begun() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 10_000_000)]);
        peer.say(frames::window_update(0, 100_000_000));
        if let crate::wire::Wire::Clear(client) = &mut peer.wire {
            client.set_capacity(4096);
        }
        for stream in 0..1000 {
            peer.push(&frames::request(stream * 2 + 1, "GET", "/plain?length=3000", &[], true));
            world.settle();
        }
        assert!(site::calls() <= 2 * 64 * 1024 / 3000 + 4, "{} requests were begun", site::calls());
        peer.push(&vec![frames::ping([1; 8]); 100].concat());
        world.settle();
        peer.run(SECOND, world).await;
        assert_eq!(peer.count(200), site::calls(), "all is sent once it is read");
    });
}

#[test]
fn stream_window_bytes_a_body_that_is_not_read_is_not_sent_for_and_more_of_it_is_the_clients_fault() {
    let setup = Setup { block_bytes: 4096, ..Setup::default() };
    serve_by(&setup, async |world| {
        let mut peer = Peer::connect(world);
        peer.run(SECOND, world).await;
        peer.post(1, "/ignore-later?ms=5000");
        for _ in 0..16 {
            peer.say(frames::data(1, &[b'x'; 16_384], false));
            peer.run(SECOND / 10, world).await;
        }
        assert_eq!(peer.witness.opened.get(&1), None, "nothing was read");
        assert!(world.blocks() <= 2 * 262_144 / 4096 + 3, "{} blocks", world.blocks());
        peer.say(frames::data(1, b"x", false));
        peer.run(SECOND, world).await;
        assert_eq!((peer.was_reset(1), world.blocks(), site::live()), (Some(3), 0, 0));
        assert!(!peer.is_ended());
    });
}

#[test]
fn connection_window_bytes_all_bodies_together_hold_no_more_than_the_connections_window() {
    let limits = Limits {
        h2: h2::Limits { connection_window_bytes: 200_000, ..h2::Limits::default() },
        ..Limits::default()
    };
    let setup = Setup { limits, block_bytes: 4096, ..Setup::default() };
    serve_by(&setup, async |world| {
        let mut peer = Peer::connect(world);
        peer.run(SECOND, world).await;
        for stream in 0..20 {
            peer.post(stream * 2 + 1, "/ignore-later?ms=5000");
        }
        let (mut sent, mut stream) = (0, 0);
        while sent + 10_000 <= 200_000 {
            peer.say(frames::data(stream % 20 * 2 + 1, &[b'x'; 10_000], false));
            (sent, stream) = (sent + 10_000, stream + 1);
            peer.settle(world);
        }
        assert_eq!(peer.witness.opened.get(&0), Some(&(200_000 - 65_535)), "nothing more");
        assert!(world.blocks() <= 2 * 200_000 / 4096 + 20, "{} blocks", world.blocks());
        peer.say(frames::data(1, b"x", false));
        peer.run(SECOND, world).await;
        assert_eq!(peer.go_aways(), [(39, 3)]);
        assert_eq!((site::live(), world.blocks()), (0, 0));
    });
}

#[test]
fn what_a_dropped_body_would_still_bring_is_bounded_while_its_handler_works() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.run(SECOND, world).await;
        peer.post(1, "/drop?ms=5000");
        let mut sent = 0;
        for _ in 0..2000 {
            let length = peer.witness.room(1).min(10_000);
            if length == 0 {
                break;
            }
            peer.say(frames::data(1, &vec![b'x'; length], false));
            sent += length;
            peer.settle(world);
        }
        assert!(sent <= 2 * 256 * 1024, "{sent} bytes were taken for nothing");
        peer.run(6 * SECOND, world).await;
        assert_eq!((peer.status(1), peer.was_reset(1)), (Some(200), Some(code::NO_ERROR)));
    });
}

#[test]
fn an_idle_connection_of_many_streams_holds_no_block() {
    serve(Limits::default(), async |world| {
        let mut peers: Vec<Peer> = (0..50).map(|_| Peer::connect(world)).collect();
        for peer in &mut peers {
            peer.get(1, "/later?ms=10");
            peer.post(3, "/collect");
            peer.say(frames::data(3, b"abc", true));
        }
        world.run(SECOND).await;
        assert!(peers.iter_mut().all(|peer| peer.count(200) == 2));
        assert_eq!((world.connections(), world.blocks(), site::live()), (50, 0, 0));
    });
}
