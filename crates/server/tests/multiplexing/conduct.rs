//! What the server does on a connection of many streams, when clients and handlers do not do what they should.

use std::time::Duration;

use gannet_server::Limits;

use super::frames::{self, code, frame, kind, setting};
use super::peer::Peer;
use crate::content::content;
use crate::peer::serve;
use crate::site;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn streams_of_every_kind_are_answered_each_with_its_own() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.generous = true;
        let targets = [
            ("/plain?id=1&length=10", 10),
            ("/later?id=3&length=3000&ms=5", 3000),
            ("/large?id=5&length=200000", 200_000),
            ("/file?id=7&length=100000", 100_000),
            ("/produced?id=9&length=50000&piece=700&told=1", 50_000),
            ("/produced?id=11&length=5000&piece=700&trailers=1", 5000),
        ];
        for (number, (target, _)) in targets.iter().enumerate() {
            peer.get(number as u32 * 2 + 1, target);
        }
        peer.post(13, "/echo?id=13");
        peer.say(frames::data(13, &content(13, 5000), false));
        peer.say(frames::data(13, &[], true));
        peer.get(15, "/panic");
        peer.get(17, "/broken?id=17&length=100");
        peer.get(19, "/nothing");
        peer.run(SECOND, world).await;
        for (number, (target, length)) in targets.iter().enumerate() {
            let stream = number as u32 * 2 + 1;
            let answer = peer.answer(stream);
            assert_eq!((answer.status, answer.complete), (200, true), "{target}");
            assert!(answer.body == content(u64::from(stream), *length), "{target}");
        }
        assert_eq!(peer.answer(11).trailer("x-check"), Some("11"));
        assert!(peer.answer(13).body == content(13, 5000) && peer.answer(13).complete);
        assert_eq!((peer.status(15), peer.status(19)), (Some(500), Some(404)));
        assert_eq!(peer.was_reset(17), Some(code::INTERNAL_ERROR));
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_client_that_leaves_drops_all_its_handlers() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        (0..10).for_each(|number| peer.get(number * 2 + 1, "/later?ms=60000"));
        peer.run(SECOND, world).await;
        assert_eq!(site::live(), 10);
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_client_that_breaks_the_protocol_is_told_how_and_its_handlers_are_dropped() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get(1, "/later?ms=60000");
        peer.get(3, "/produced?length=1000&piece=1&ms=100");
        peer.run(SECOND, world).await;
        assert!(site::live() > 1);
        peer.say(frame(kind::PING, 0, 1, &[0; 8]));
        peer.run(SECOND, world).await;
        assert_eq!(peer.go_aways(), [(3, code::PROTOCOL_ERROR)]);
        assert!(peer.is_ended());
        assert_eq!(site::live(), 0);
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_stream_that_is_reset_drops_its_handler_and_no_other() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get(1, "/later?ms=5000&id=1");
        peer.get(3, "/later?ms=5000&id=3");
        peer.run(SECOND, world).await;
        peer.say(frames::reset(1, code::CANCEL));
        peer.run(SECOND, world).await;
        assert_eq!(site::live(), 1);
        peer.run(5 * SECOND, world).await;
        assert_eq!((peer.status(1), peer.status(3)), (None, Some(200)));
    });
}

#[test]
fn a_request_that_is_refused_is_answered_also_where_the_window_has_no_room_yet() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 0)]);
        let long = "x".repeat(9000);
        peer.get(1, &format!("/{long}"));
        peer.get(3, "/plain?id=3&length=10");
        peer.run(SECOND, world).await;
        assert_eq!((peer.answer(1).status, peer.answer(3).status), (414, 200));
        peer.say(frames::window_update(1, 1000));
        peer.say(frames::window_update(3, 1000));
        peer.run(SECOND, world).await;
        assert_eq!((peer.status(1), peer.status(3)), (Some(414), Some(200)));
        assert!(!peer.answer(1).body.is_empty());
    });
}

#[test]
fn what_comes_for_a_tunnel_that_never_begins_is_not_held() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say(frames::connect(1, "/later?ms=60000"));
        peer.say(frames::data(1, &[b'x'; 1000], false));
        peer.run(SECOND, world).await;
        assert_eq!((site::live(), world.blocks()), (1, 1));
        peer.say(frames::reset(1, code::CANCEL));
        peer.run(SECOND, world).await;
        assert_eq!((site::live(), world.blocks()), (0, 0));
    });
}

#[test]
fn a_request_that_is_refused_is_no_heir_to_the_one_before_it() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say(frames::connect(1, "/upgrade"));
        peer.run(SECOND, world).await;
        peer.say(frames::reset(1, code::CANCEL));
        peer.run(SECOND, world).await;
        peer.get(3, &format!("/{}", "x".repeat(9000)));
        peer.run(SECOND, world).await;
        assert_eq!(peer.status(3), Some(414));
        assert!(peer.answer(3).interims.is_empty());
    });
}
