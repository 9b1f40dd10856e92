//! What goes wrong with one exchange of many, and what with all of a connection's: who is told what, and who is not concerned.

use gannet_proto::h2::ErrorCode;

use crate::h2_rig::{Heard, MOMENT, Stage, proxy};
use crate::peer::Peer;
use crate::rig::{SECOND, Upstream};
use crate::world::World;

/// Two clients' requests on one connection.
async fn two(upstream: &Upstream, world: &mut World) -> ([Peer; 2], Stage) {
    let mut peers = [Peer::connect(world), Peer::connect(world)];
    peers[0].get("/0");
    peers[1].get("/1");
    world.run(MOMENT).await;
    let mut stage = Stage::accept(upstream);
    assert_eq!(stage.asked(), [(1, "/0".to_owned()), (3, "/1".to_owned())]);
    (peers, stage)
}

/// The second request gets its answer, by the same connection, which is kept.
async fn assert_unconcerned(peer: &mut Peer, stage: &mut Stage, world: &mut World) {
    stage.answer(3, "hello");
    world.run(MOMENT).await;
    assert_eq!(peer.statuses(), [200]);
    peer.get("/again");
    world.run(MOMENT).await;
    assert_eq!(stage.asked(), [(5, "/again".to_owned())]);
    stage.answer(5, "hello");
    world.run(MOMENT).await;
    assert_eq!(peer.statuses(), [200, 200]);
}

#[test]
fn a_stream_that_is_reset_before_its_head_is_502_and_nobody_else_is_concerned() {
    for code in
        [ErrorCode::INTERNAL_ERROR, ErrorCode::CANCEL, ErrorCode::NO_ERROR, ErrorCode::ENHANCE_YOUR_CALM]
    {
        proxy(async |world, upstream| {
            let ([mut first, mut second], mut stage) = two(upstream, world).await;
            stage.reset(1, code);
            world.run(MOMENT).await;
            assert_eq!((first.statuses(), stage.hear()), (vec![502], vec![]), "{code}");
            assert_unconcerned(&mut second, &mut stage, world).await;
        });
    }
}

#[test]
fn a_stream_that_is_reset_in_its_body_cuts_that_body_and_no_other() {
    proxy(async |world, upstream| {
        let ([mut first, mut second], mut stage) = two(upstream, world).await;
        stage.respond(1, 200, b"", Some(10));
        stage.push(1, b"hello", false);
        stage.reset(1, ErrorCode::INTERNAL_ERROR);
        world.run(MOMENT).await;
        let answers = first.hear();
        assert_eq!((&answers[0].body[..], answers[0].complete), (&b"hello"[..], false));
        assert!(first.is_ended(), "the client notices");
        assert_unconcerned(&mut second, &mut stage, world).await;
    });
}

#[test]
fn a_connection_that_ends_fails_all_that_is_on_it() {
    for resets in [false, true] {
        proxy(async |world, upstream| {
            let ([mut first, mut second], mut stage) = two(upstream, world).await;
            stage.respond(3, 200, b"", Some(10));
            stage.push(3, b"hello", false);
            world.run(MOMENT).await;
            if resets {
                stage.client.reset();
            }
            drop(stage);
            world.run(MOMENT).await;
            assert_eq!((first.statuses(), second.hear()[0].complete), (vec![502], false));
            drop((first, second));
            world.run(MOMENT).await;
            world.assert_nothing_leaked();
        });
    }
}

#[test]
fn a_client_that_leaves_resets_its_stream_and_hurts_nobody_else() {
    for has_begun in [false, true] {
        proxy(async |world, upstream| {
            let ([mut first, mut second], mut stage) = two(upstream, world).await;
            if has_begun {
                stage.respond(1, 200, b"", Some(10));
                stage.push(1, b"hello", false);
                world.run(MOMENT).await;
            }
            first.client.reset();
            drop(first);
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [Heard::Reset { stream: 1, code: ErrorCode::CANCEL }]);
            assert_unconcerned(&mut second, &mut stage, world).await;
        });
    }
}

#[test]
fn a_client_that_breaks_off_its_body_resets_its_stream() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/a", 100);
        peer.say("hello");
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        assert_eq!(stage.hear().len(), 2);
        peer.client.reset();
        drop(peer);
        world.run(MOMENT).await;
        assert_eq!(stage.hear(), [Heard::Reset { stream: 1, code: ErrorCode::CANCEL }]);
        assert_eq!(world.held_by_clients(), (1, 0));
    });
}

#[test]
fn a_head_that_does_not_come_within_60_s_is_504_and_the_connection_is_kept_where_others_are_answered() {
    proxy(async |world, upstream| {
        let ([mut first, mut second], mut stage) = two(upstream, world).await;
        world.run(30 * SECOND).await;
        stage.respond(3, 200, b"", Some(10));
        world.run(29 * SECOND).await;
        assert!(first.statuses().is_empty());
        world.run(2 * SECOND).await;
        assert_eq!(first.statuses(), [504]);
        assert_eq!(stage.hear(), [Heard::Reset { stream: 1, code: ErrorCode::CANCEL }]);
        stage.push(3, b"helloworld", true);
        let key = stage.key(3);
        stage.release(key);
        world.run(MOMENT).await;
        second.get("/again");
        world.run(MOMENT).await;
        assert_eq!((second.statuses(), stage.asked().len(), upstream.next().is_none()), (vec![200], 1, true));
    });
}

#[test]
fn a_connection_by_which_nothing_came_while_a_request_took_too_long_gets_no_more_of_them() {
    proxy(async |world, upstream| {
        let ([mut first, mut second], mut stage) = two(upstream, world).await;
        stage.hear();
        world.run(MOMENT).await;
        world.run(61 * SECOND).await;
        assert_eq!((first.statuses(), second.statuses()), (vec![504], vec![504]));
        stage.hear();
        assert!(stage.ended);
        first.get("/again");
        world.run(MOMENT).await;
        assert_eq!(Stage::accept(upstream).asked(), [(1, "/again".to_owned())]);
    });
}

#[test]
fn a_body_that_pauses_for_60_s_is_cut_and_no_other() {
    proxy(async |world, upstream| {
        let ([mut first, mut second], mut stage) = two(upstream, world).await;
        stage.respond(1, 200, b"", Some(10));
        stage.push(1, b"hello", false);
        world.run(50 * SECOND).await;
        stage.push(1, b"wo", false);
        stage.respond(3, 200, b"", Some(10));
        world.run(30 * SECOND).await;
        stage.push(3, b"hello", false);
        world.run(20 * SECOND).await;
        assert!(!first.hear()[0].complete && !first.is_ended());
        world.run(11 * SECOND).await;
        assert!(first.is_ended() && !first.hear()[0].complete);
        assert_eq!(stage.hear(), [Heard::Reset { stream: 1, code: ErrorCode::CANCEL }]);
        stage.push(3, b"world", true);
        world.run(MOMENT).await;
        assert_eq!(second.statuses(), [200]);
    });
}

#[test]
fn an_upstream_that_opens_no_window_for_60_s_is_504_and_others_are_not_concerned() {
    proxy(async |world, upstream| {
        let mut peers = [Peer::connect(world), Peer::connect(world)];
        peers[0].post("/0", 200_000);
        peers[1].get("/1");
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        stage.credits = false;
        for _ in 0..4 {
            peers[0].push(50_000);
            world.run(MOMENT).await;
            stage.hear();
        }
        world.run(30 * SECOND).await;
        stage.respond(3, 200, b"", Some(10));
        world.run(29 * SECOND).await;
        assert!(peers[0].statuses().is_empty());
        world.run(2 * SECOND).await;
        assert_eq!(peers[0].statuses(), [504]);
        stage.push(3, b"helloworld", true);
        world.run(MOMENT).await;
        assert_eq!(peers[1].statuses(), [200]);
    });
}

#[test]
fn an_upstream_that_takes_nothing_from_its_socket_for_60_s_is_504_for_all() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/0", 50_000);
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        stage.client.client().set_capacity(100);
        assert_eq!(peer.push(50_000), 50_000);
        world.run(59 * SECOND).await;
        assert!(peer.statuses().is_empty());
        world.run(3 * SECOND).await;
        assert_eq!(peer.statuses(), [504]);
        drop(stage);
    });
}

#[test]
fn upstream_continue_timeout_a_body_is_sent_unasked_after_1_s_by_http_2_too() {
    for asks in [false, true] {
        proxy(async |world, upstream| {
            let mut peer = Peer::connect(world);
            peer.say("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
            world.run(SECOND / 2).await;
            let mut stage = Stage::accept(upstream);
            let heard = stage.hear();
            let [Heard::Request { fields, ended: false, .. }] = &heard[..] else { panic!("{heard:?}") };
            assert_eq!(crate::h2_rig::field(fields, "expect"), Some("100-continue"));
            assert!(!peer.is_continued());
            if asks {
                stage.inform(1, 103, b"Link: </a>\r\n");
                stage.inform(1, 100, b"");
                world.run(MOMENT).await;
                assert_eq!(peer.interims().len(), 1);
            } else {
                world.run(SECOND * 6 / 10).await;
            }
            assert!(peer.is_continued(), "{asks}");
            peer.say("hello");
            world.run(MOMENT).await;
            let bytes: Vec<u8> = stage
                .hear()
                .into_iter()
                .flat_map(|heard| match heard {
                    Heard::Data { bytes, .. } => bytes,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(bytes, b"hello");
            stage.answer(1, "yes");
            world.run(MOMENT).await;
            assert_eq!(peer.statuses(), [200]);
        });
    }
}

#[test]
fn a_response_that_comes_before_all_of_the_request_ends_the_stream_and_not_the_connection() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/0", 100);
        peer.say("hello");
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        assert_eq!(stage.hear().len(), 2);
        stage.answer(1, "no");
        world.run(MOMENT).await;
        assert_eq!(peer.statuses(), [200]);
        assert_eq!(stage.hear(), [Heard::Reset { stream: 1, code: ErrorCode::CANCEL }]);
        let mut other = Peer::connect(world);
        other.get("/1");
        world.run(MOMENT).await;
        assert_eq!((stage.asked(), upstream.next().is_none()), (vec![(3, "/1".to_owned())], true));
    });
}

#[test]
fn an_upstream_that_answers_and_asks_for_no_more_of_the_request_has_answered() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/0", 100);
        peer.say("hello");
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        stage.hear();
        // Response and RST_STREAM with NO_ERROR in one go (RFC 9113, 8.1).
        let key = stage.key(1);
        stage.say_with(|protocol, blocks, out| {
            let head = gannet_proto::h2::ResponseToSend {
                status: gannet_proto::Status::OK,
                fields: b"",
                length: Some(2),
                date: None,
            };
            protocol.respond(key, head, blocks, out);
            protocol.push(key, 2, true, out).expect("announced");
            out.extend_from_slice(b"no");
            protocol.reset(key, ErrorCode::NO_ERROR, out);
        });
        world.run(MOMENT).await;
        let answers = peer.hear();
        assert_eq!((answers[0].status, &answers[0].body[..], answers[0].complete), (200, &b"no"[..], true));
    });
}
