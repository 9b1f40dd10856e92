//! Every deadline of the table, on connections of many streams.

use std::time::Duration;

use gannet_server::{Command, Limits};

use super::frames::{self, ACK, PREFACE, code, frame, kind, setting};
use super::peer::Peer;
use crate::peer::serve;
use crate::site;

const SECOND: Duration = Duration::from_secs(1);

/// What the wheel of timers may be late by.
const RESOLUTION: Duration = Duration::from_millis(200);

#[test]
fn idle_timeout_a_client_is_told_which_of_its_streams_was_the_last_before_its_connection_ends() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get(1, "/plain");
        peer.run(70 * SECOND, world).await;
        peer.get(3, "/later?ms=1");
        peer.run(74 * SECOND, world).await;
        assert!(!peer.is_ended() && peer.go_aways().is_empty());
        peer.run(SECOND + RESOLUTION, world).await;
        assert!(peer.is_ended());
        assert_eq!((peer.count(200), peer.go_aways()), (2, vec![(3, code::NO_ERROR)]));
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn head_timeout_whatever_was_begun_is_given_up_after_10_s() {
    let request = frames::request(1, "GET", "/plain", &[], true);
    let unfinished = frame(kind::HEADERS, 1, 1, &frames::block(&[(":method", "GET")]));
    let beginnings: [(&str, &[u8]); 7] = [
        ("a frame's header", &request[..5]),
        ("a header block", &request[..12]),
        ("a header block that goes on", &unfinished),
        ("PING", &frames::ping([0; 8])[..12]),
        ("SETTINGS", &frames::settings(&[(4, 1), (5, 20_000)])[..17]),
        ("SETTINGS, of which a whole one has come", &frames::settings(&[(4, 1), (5, 20_000)])[..15]),
        ("an acknowledgement", &frame(kind::SETTINGS, ACK, 0, &[])[..8]),
    ];
    for (what, begun) in beginnings {
        serve(Limits::default(), async |world| {
            let mut peer = Peer::connect(world);
            peer.run(SECOND, world).await;
            peer.say(begun);
            peer.run(10 * SECOND - RESOLUTION, world).await;
            assert!(!peer.is_ended(), "{what}");
            peer.run(2 * RESOLUTION, world).await;
            assert!(peer.is_ended(), "{what}");
            assert_eq!(peer.go_aways().len(), 1, "{what}");
            drop(peer);
            world.run(SECOND).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn head_timeout_a_preface_that_trickles_is_given_up_after_10_s() {
    for length in 1..PREFACE.len() {
        serve(Limits::default(), async |world| {
            let mut peer = Peer::silent(world);
            for byte in &PREFACE[..length] {
                peer.push(&[*byte]);
                world.run(SECOND / 4).await;
            }
            world.run(10 * SECOND + RESOLUTION).await;
            assert!(!peer.wire.is_open(), "{length} bytes of it");
        });
    }
}

#[test]
fn head_timeout_runs_anew_for_each_header_block_however_they_are_cut() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.settle(world);
        let requests: Vec<u8> =
            (0..30).flat_map(|number| frames::request(number * 2 + 1, "GET", "/plain", &[], true)).collect();
        let length = requests.len() / 30;
        // Each piece ends in the middle of a block.
        let (first, rest) = requests.split_at(length / 2);
        peer.say(first);
        for piece in rest.chunks(length) {
            peer.run(SECOND, world).await;
            peer.say(piece);
        }
        peer.run(SECOND, world).await;
        assert_eq!((peer.count(200), peer.is_ended()), (30, false));
    });
}

#[test]
fn body_grace_a_body_that_comes_too_slowly_is_answered_408_and_no_other_stream_is_touched() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.post(1, "/collect");
        peer.get(3, "/later?ms=30000");
        for _ in 0..10 {
            assert_eq!(peer.status(1), None);
            peer.say(frames::data(1, b"x", false));
            peer.run(SECOND, world).await;
        }
        peer.run(SECOND / 2, world).await;
        assert_eq!((peer.status(1), peer.was_reset(1)), (Some(408), Some(code::NO_ERROR)));
        assert_eq!(site::live(), 1, "its handler is dropped");
        peer.run(30 * SECOND, world).await;
        assert_eq!((peer.status(3), peer.is_ended()), (Some(200), false));
    });
}

#[test]
fn body_grace_a_body_that_stops_behind_the_head_of_its_answer_is_told_by_a_reset() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.post(1, "/echo");
        peer.say(frames::data(1, b"abc", false));
        peer.run(11 * SECOND, world).await;
        let answer = peer.answer(1);
        assert_eq!((answer.status, answer.complete, answer.reset), (200, false, Some(code::CANCEL)));
        assert_eq!(site::live(), 0);
    });
}

#[test]
fn a_body_that_its_handler_is_slow_to_read_is_not_too_slow() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.run(SECOND, world).await;
        peer.post(1, "/slowly?ms=5000");
        let (mut sent, whole) = (0, vec![b'x'; 400_000]);
        for _ in 0..400 {
            let length = peer.witness.room(1).min(whole.len() - sent).min(16_384);
            if length > 0 {
                sent += length;
                peer.say(frames::data(1, &whole[..length], sent == whole.len()));
            }
            peer.run(SECOND, world).await;
        }
        let answer = peer.answer(1);
        assert_eq!((sent, answer.status), (whole.len(), 200));
        assert_eq!(
            (answer.body.len(), answer.reset),
            (65_535, Some(code::CANCEL)),
            "nobody opened its window"
        );
    });
}

#[test]
fn who_waits_for_100_continue_does_not_dawdle() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say(frames::request(1, "POST", "/ignore-later?ms=20000", &[("expect", "100-continue")], false));
        peer.run(25 * SECOND, world).await;
        let answer = peer.answer(1);
        assert_eq!((answer.status, answer.interims.len(), answer.reset), (200, 0, Some(code::NO_ERROR)));
    });
}

#[test]
fn a_tunnel_that_takes_its_time_to_be_opened_is_not_too_slow() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say(frames::connect(1, "/upgrade-later?ms=20000"));
        peer.run(15 * SECOND, world).await;
        assert_eq!(peer.answer(1).status, 0);
        peer.run(6 * SECOND, world).await;
        peer.say(frames::data(1, b"abc", true));
        peer.run(SECOND, world).await;
        let answer = peer.answer(1);
        assert_eq!((answer.status, answer.complete, &answer.body[..]), (200, true, &b"abc"[..]));
    });
}

#[test]
fn write_timeout_a_window_that_stays_closed_ends_its_stream_after_30_s_and_no_other() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 0)]);
        peer.get(1, "/plain?length=10");
        peer.get(3, "/produced?length=10&piece=1");
        peer.get(5, "/file?length=10");
        peer.run(20 * SECOND, world).await;
        peer.get(7, "/plain?length=0");
        peer.get(9, "/plain?length=10");
        peer.run(9 * SECOND, world).await;
        assert!([1, 3, 5].into_iter().all(|stream| peer.was_reset(stream).is_none()));
        peer.run(SECOND + RESOLUTION, world).await;
        assert!([1, 3, 5].into_iter().all(|stream| peer.was_reset(stream) == Some(code::CANCEL)));
        assert_eq!((peer.status(7), peer.was_reset(9), site::live()), (Some(200), None, 0));
        peer.say(frames::window_update(9, 10));
        peer.run(SECOND, world).await;
        assert_eq!(peer.status(9), Some(200));
    });
}

#[test]
fn write_timeout_a_window_that_opens_now_and_then_keeps_its_stream() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 0)]);
        peer.get(1, "/plain?length=10");
        for _ in 0..10 {
            peer.run(25 * SECOND, world).await;
            peer.say(frames::window_update(1, 1));
        }
        peer.run(SECOND, world).await;
        assert_eq!((peer.status(1), peer.answer(1).pieces), (Some(200), vec![1; 10]));
    });
}

#[test]
fn write_timeout_a_client_that_reads_nothing_is_gone_after_30_s() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        if let crate::wire::Wire::Clear(client) = &mut peer.wire {
            client.set_capacity(1000);
        }
        peer.get(1, "/plain?length=60000");
        peer.get(3, "/later?ms=100000");
        world.run(29 * SECOND).await;
        assert_eq!((world.connections(), site::live()), (1, 1));
        world.run(SECOND + RESOLUTION).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn draining_says_so_twice_finishes_what_was_begun_and_deals_with_nothing_behind_that() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get(1, "/later?ms=20000&id=1");
        peer.post(3, "/collect?id=3");
        peer.run(SECOND, world).await;
        world.command(Command::Drain);
        peer.run(SECOND / 10, world).await;
        assert_eq!(peer.go_aways(), [(0x7fff_ffff, code::NO_ERROR)]);
        // It had not heard of it.
        peer.get(5, "/plain?id=5");
        peer.run(SECOND, world).await;
        assert_eq!(peer.status(5), Some(200));
        assert_eq!(peer.go_aways(), [(0x7fff_ffff, code::NO_ERROR), (5, code::NO_ERROR)]);
        // And had not heard of this either: neither of the request nor of its body is taken any notice.
        peer.post(7, "/collect?id=7");
        peer.say(frames::data(7, &[b'x'; 1000], false));
        peer.say(frames::data(7, &[b'x'; 1000], true));
        peer.say(frames::data(3, b"abc", true));
        peer.run(SECOND, world).await;
        assert_eq!((peer.status(3), peer.status(7)), (Some(200), None));
        assert_eq!((peer.go_aways().len(), world.is_done()), (2, false));
        peer.run(20 * SECOND, world).await;
        assert_eq!(peer.status(1), Some(200));
        assert!(peer.is_ended());
        drop(peer);
        world.run(SECOND).await;
        assert!(world.is_done());
        world.assert_nothing_leaked();
    });
}

#[test]
fn draining_an_idle_connection_ends_after_its_grace() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get(1, "/plain");
        peer.run(SECOND, world).await;
        world.command(Command::Drain);
        peer.run(SECOND / 10 * 4, world).await;
        assert!(!peer.is_ended());
        peer.run(SECOND / 2, world).await;
        assert_eq!(peer.go_aways(), [(0x7fff_ffff, code::NO_ERROR), (1, code::NO_ERROR)]);
        assert!(peer.is_ended());
    });
}

#[test]
fn drain_timeout_streams_that_are_not_finished_after_30_s_are_aborted() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get(1, "/later?ms=100000");
        peer.run(SECOND, world).await;
        world.command(Command::Drain);
        peer.run(29 * SECOND, world).await;
        assert!(!world.is_done() && site::live() == 1);
        peer.run(SECOND + RESOLUTION, world).await;
        assert!(world.is_done() && peer.is_over() && peer.status(1).is_none());
        world.assert_nothing_leaked();
    });
}
