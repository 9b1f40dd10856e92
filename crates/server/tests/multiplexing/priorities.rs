//! Who sends next: by urgency, and among equals in turns (RFC 9218).

use std::time::Duration;

use gannet_server::Limits;

use super::frames::{self, frame, kind, setting};
use super::peer::Peer;
use crate::peer::serve;
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// A client whose streams have all the room they want, and whose connection has none yet.
async fn closed(world: &mut World) -> Peer {
    let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 1_000_000)]);
    peer.get(1, "/plain?length=65535");
    peer.run(SECOND, world).await;
    assert_eq!(peer.status(1), Some(200), "the connection's window is used up");
    peer.witness.order.clear();
    peer
}

fn ask(peer: &mut Peer, stream: u32, priority: &str, length: usize) {
    let target = format!("/large?length={length}");
    peer.say(frames::request(stream, "GET", &target, &[("priority", priority)], true));
}

#[test]
fn the_most_urgent_goes_first_whoever_asked_first() {
    serve(Limits::default(), async |world| {
        let mut peer = closed(world).await;
        for (stream, urgency) in [(3, 7), (5, 3), (7, 0), (9, 5), (11, 1)] {
            ask(&mut peer, stream, &format!("u={urgency}"), 40_000);
        }
        peer.run(SECOND, world).await;
        assert!(peer.witness.order.is_empty());
        peer.say(frames::window_update(0, 1_000_000));
        peer.run(SECOND, world).await;
        let mut order = peer.witness.order.clone();
        order.dedup();
        assert_eq!(order, [7, 11, 5, 9, 3]);
    });
}

#[test]
fn those_that_are_equally_urgent_take_turns_frame_by_frame() {
    serve(Limits::default(), async |world| {
        let mut peer = closed(world).await;
        for stream in [3, 5, 7] {
            ask(&mut peer, stream, "u=2, i", 60_000);
        }
        peer.run(SECOND, world).await;
        peer.say(frames::window_update(0, 1_000_000));
        peer.run(SECOND, world).await;
        let order = &peer.witness.order;
        assert_eq!(order.len(), 12, "each in four frames: {order:?}");
        for round in order.chunks(3) {
            let mut round = round.to_vec();
            round.sort_unstable();
            assert_eq!(round, [3, 5, 7], "{order:?}");
        }
    });
}

#[test]
fn a_client_that_changes_its_mind_is_heard_before_its_request_and_after() {
    serve(Limits::default(), async |world| {
        let mut peer = closed(world).await;
        let update = |stream: u32, value: &str| {
            frame(kind::PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes()[..], value.as_bytes()].concat())
        };
        peer.say(update(7, "u=0"));
        for stream in [3, 5, 7] {
            ask(&mut peer, stream, "u=4", 40_000);
        }
        peer.run(SECOND, world).await;
        peer.say(update(5, "u=1"));
        peer.say(frames::window_update(0, 1_000_000));
        peer.run(SECOND, world).await;
        let mut order = peer.witness.order.clone();
        order.dedup();
        assert_eq!(order, [7, 5, 3]);
    });
}

#[test]
fn a_stream_that_nobody_reads_or_whose_handler_dawdles_holds_up_no_other() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::with(world, &[(setting::INITIAL_WINDOW_SIZE, 1000)]);
        peer.say(frames::window_update(0, 1_000_000));
        peer.say(frames::request(1, "GET", "/large?length=100000", &[("priority", "u=0")], true));
        peer.say(frames::request(3, "GET", "/later?ms=20000", &[("priority", "u=0")], true));
        let target = "/produced?length=100000&piece=100&ms=1000";
        peer.say(frames::request(5, "GET", target, &[("priority", "u=0")], true));
        peer.post(7, "/collect");
        for round in 0..10 {
            let stream = 9 + 2 * round;
            peer.say(frames::request(stream, "GET", "/file?length=900", &[("priority", "u=7")], true));
            peer.run(SECOND / 10, world).await;
            assert_eq!(peer.status(stream), Some(200));
        }
        assert_eq!(peer.answer(1).body.len(), 1000);
    });
}
