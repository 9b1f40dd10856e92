//! Server push (RFC 9113, 8.4).

use std::time::Duration;

use gannet_server::Limits;

use super::frames::{self, code, setting};
use super::peer::Peer;
use crate::content::content;
use crate::peer::serve;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_was_promised_is_sent_unasked_beside_the_answer() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get(1, "/promises?id=10&promises=3&length=5000");
        peer.run(SECOND, world).await;
        let promises = peer.witness.promises.clone();
        assert_eq!(promises.keys().copied().collect::<Vec<_>>(), [2, 4, 6]);
        for (number, (stream, (on, lines))) in promises.into_iter().enumerate() {
            let id = 11 + number as u64;
            let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let path = format!("/plain?id={id}&length=5000");
            let expected = [
                line(":method", "GET"),
                line(":scheme", "http"),
                line(":path", &path),
                line(":authority", "a"),
            ];
            assert_eq!((on, &lines[..]), (1, &expected[..]));
            let answer = peer.answer(stream);
            assert!(answer.complete && answer.body == content(id, 5000), "{answer:?}");
        }
        assert!(peer.answer(1).complete);
    });
}

#[test]
fn who_takes_no_promises_is_made_none_and_told_no_less() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::ENABLE_PUSH, 0)]);
        peer.get(1, "/promises?id=10&promises=3");
        peer.run(SECOND, world).await;
        assert_eq!((peer.status(1), peer.witness.promises.len()), (Some(200), 0));
        // Nor who takes no more of them at once.
        let mut peer = Peer::with(world, &[(3, 2), (setting::INITIAL_WINDOW_SIZE, 0)]);
        peer.get(1, "/promises?id=10&promises=3&length=10");
        peer.run(SECOND, world).await;
        assert_eq!(peer.witness.promises.len(), 2);
        for stream in [1, 2, 4] {
            peer.say(frames::window_update(stream, 100));
        }
        peer.run(SECOND, world).await;
        assert_eq!(peer.count(200), 3);
    });
}

#[test]
fn a_promise_that_is_refused_is_not_kept_and_the_answer_is() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 0)]);
        peer.get(1, "/promises?id=10&promises=2&length=5000");
        peer.run(SECOND, world).await;
        assert_eq!(peer.witness.promises.len(), 2);
        peer.say(frames::reset(2, code::CANCEL));
        for stream in [1, 2, 4] {
            peer.say(frames::window_update(stream, 10_000));
        }
        peer.run(SECOND, world).await;
        assert!(!peer.answer(2).complete && peer.answer(2).body.is_empty());
        assert!(peer.answer(1).complete && peer.answer(4).complete && !peer.is_ended());
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_client_that_leaves_while_it_is_promised_something_leaves_nothing_behind() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 0)]);
        peer.get(1, "/promises?id=10&promises=16&length=5000");
        peer.run(SECOND, world).await;
        assert_eq!(peer.witness.promises.len(), 16);
        peer.wire.reset();
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}
