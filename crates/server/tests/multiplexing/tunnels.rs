//! Streams that became conversations (RFC 8441), and those that could not.

use std::time::Duration;

use gannet_server::Limits;

use super::frames::{self, code};
use super::peer::Peer;
use crate::content::content;
use crate::peer::serve;
use crate::site;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_conversation_goes_both_ways_at_once_beside_other_streams() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.generous = true;
        peer.say(frames::connect(1, "/upgrade?id=1"));
        peer.say(frames::connect(3, "/upgrade?id=3"));
        peer.run(SECOND, world).await;
        assert_eq!((peer.answer(1).status, peer.answer(1).complete), (200, false));
        assert_eq!(peer.answer(1).field("upgrade"), None);
        for piece in 0..20 {
            for stream in [1, 3] {
                let whole = content(u64::from(stream), 20_000);
                peer.say(frames::data(stream, &whole[piece * 1000..(piece + 1) * 1000], false));
            }
            peer.get(5 + 2 * piece as u32, "/plain?length=100");
            peer.run(SECOND / 10, world).await;
            assert_eq!([1, 3].map(|stream| peer.answer(stream).body.len()), [(piece + 1) * 1000; 2]);
        }
        assert!([1, 3].into_iter().all(|stream| peer.answer(stream).body == content(stream.into(), 20_000)));
        assert_eq!(peer.count(200), 20);
    });
}

#[test]
fn a_conversation_ends_half_by_half_whoever_ends_first() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        // The client first: what it said is still said again.
        peer.say(frames::connect(1, "/upgrade?id=1"));
        peer.say(frames::data(1, b"last words", true));
        peer.run(SECOND, world).await;
        let answer = peer.answer(1);
        assert_eq!((answer.complete, answer.reset, &answer.body[..]), (true, None, &b"last words"[..]));
        // The server first: nobody reads what else the client would say.
        peer.say(frames::connect(3, "/speech?id=3&length=1000"));
        peer.run(SECOND, world).await;
        let answer = peer.answer(3);
        assert_eq!((answer.complete, answer.reset, answer.body.len()), (true, Some(code::NO_ERROR), 1000));
        peer.say(frames::data(3, b"it had not heard of that", false));
        peer.run(SECOND, world).await;
        assert!(!peer.is_ended() && site::live() == 0);
    });
}

#[test]
fn a_conversation_that_is_reset_ends_and_drops_what_holds_it() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        for stream in [1, 3, 5] {
            peer.say(frames::connect(stream, "/upgrade"));
        }
        peer.run(SECOND, world).await;
        assert_eq!(site::live(), 3);
        peer.say(frames::reset(1, code::CANCEL));
        peer.run(SECOND, world).await;
        assert_eq!(site::live(), 2);
        peer.wire.reset();
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_conversation_of_which_nobody_reads_a_word_holds_little_and_ends_at_write_timeout() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.run(SECOND, world).await;
        peer.say(frames::connect(1, "/upgrade"));
        let mut sent = 0;
        loop {
            if peer.witness.room(1) < 10_000 || sent > 2_000_000 {
                break;
            }
            peer.say(frames::data(1, &[b'x'; 10_000], false));
            sent += 10_000;
            peer.run(SECOND / 10, world).await;
        }
        // What was said again, a window's worth, what the channel and the output hold.
        assert!((250_000..=262_144 + 4 * 65_535).contains(&sent), "{sent} bytes");
        peer.run(31 * SECOND, world).await;
        assert_eq!((peer.was_reset(1), site::live(), world.blocks()), (Some(code::CANCEL), 0, 0));
    });
}

#[test]
fn who_asks_for_a_tunnel_where_there_is_none_is_answered() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say(frames::connect(1, "/plain?id=1&length=10"));
        peer.say(frames::connect(3, "/nothing"));
        peer.say(frames::connect(5, "/collect"));
        // Without a protocol it is for a host, and this is no proxy (RFC 9113, 8.5).
        peer.say(frames::headers(7, &[(":method", "CONNECT"), (":authority", "a.example:443")], false));
        // A conversation that nobody asked for.
        peer.get(9, "/upgrade");
        peer.say(frames::connect(11, "/panic"));
        peer.run(SECOND, world).await;
        let told = [1, 3, 5, 7, 9, 11].map(|stream| peer.status(stream));
        assert_eq!(told[..3], [Some(501), Some(404), Some(405)]);
        assert!(matches!(told[3], Some(404 | 405 | 421 | 501)), "{told:?}");
        assert_eq!(told[4..], [Some(400), Some(500)]);
        assert_eq!(peer.was_reset(1), Some(code::NO_ERROR), "nobody reads what it would say");
        assert!(!peer.is_ended() && site::live() == 0);
    });
}
