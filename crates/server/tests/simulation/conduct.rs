//! What the server does when clients, handlers and resources do not do what they should: each once went wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gannet_engine::sim::Faults;
use gannet_server::Limits;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::content::content;
use crate::peer::{Peer, serve};
use crate::site;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_client_that_leaves_drops_its_handler_at_the_next_await() {
    serve(Limits::default(), async |world| {
        let (mut leaves, mut breaks, mut stays) =
            (Peer::connect(world), Peer::connect(world), Peer::connect(world));
        for peer in [&mut leaves, &mut breaks, &mut stays] {
            peer.get("/later?ms=60000");
        }
        world.run(SECOND).await;
        assert_eq!(site::live(), 3);
        drop(leaves);
        breaks.client.reset();
        world.run(Duration::ZERO).await;
        assert_eq!((site::live(), world.connections()), (1, 1));
        world.run(60 * SECOND).await;
        assert_eq!(stays.statuses(), [200]);
    });
}

#[test]
fn a_client_that_leaves_ends_the_stream_it_was_sent() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get("/produced?length=1000&piece=1&ms=100");
        world.run(SECOND).await;
        assert!(site::live() > 0);
        drop(peer);
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn answers_before_the_one_a_client_does_not_wait_for_are_sent() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get("/plain?length=10");
        peer.get("/later?ms=60000");
        peer.client.finish();
        world.run(SECOND).await;
        assert_eq!((peer.statuses(), peer.is_ended(), site::live()), (vec![200], true, 0));
    });
}

#[test]
fn whoever_ends_its_half_behind_its_requests_gets_all_answers() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        (0..20).for_each(|_| peer.get("/plain?length=30000"));
        peer.client.finish();
        for _ in 0..1000 {
            world.run(SECOND / 1000).await;
            peer.hear();
        }
        assert_eq!((peer.statuses(), peer.is_ended()), (vec![200; 20], true));
        world.assert_nothing_leaked();
    });
}

#[test]
fn answers_before_one_that_fails_are_sent() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get("/plain?length=10");
        peer.get("/broken?length=10");
        peer.get("/plain?length=10");
        world.run(SECOND).await;
        assert_eq!((peer.statuses(), peer.hear().len(), peer.is_ended()), (vec![200], 2, true));
    });
}

#[test]
fn an_answer_is_not_taken_back_because_the_body_behind_it_is_malformed() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        peer.say("POST /ignore?length=3000 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        world.run(SECOND).await;
        peer.say("1\r\nnonsense");
        for _ in 0..10 {
            world.run(SECOND / 10).await;
            peer.hear();
        }
        assert_eq!((peer.statuses(), peer.is_ended()), (vec![200], true));
    });
}

#[test]
fn a_body_that_a_stream_answers_with_is_asked_for() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        world.run(SECOND).await;
        assert_eq!((peer.hear().len(), peer.client.is_open()), (1, true));
        peer.say("abc");
        world.run(SECOND).await;
        assert_eq!((peer.statuses(), &peer.hear()[0].body[..]), (vec![200], &b"abc"[..]));
        assert!(!peer.hear()[0].closes());
    });
}

#[test]
fn a_body_that_was_given_away_goes_on_coming_as_it_is_read_there() {
    serve(Limits::default(), async |world| {
        let (mut lends, mut borrows) = (Peer::connect(world), Peer::connect(world));
        lends.post("/lend?ms=5000", 500_000);
        let mut pushed = lends.push(200_000);
        world.run(SECOND).await;
        borrows.get("/borrow");
        for _ in 0..10 {
            world.run(SECOND / 10).await;
            pushed += lends.push(500_000 - pushed);
            borrows.hear();
        }
        assert_eq!((borrows.statuses(), borrows.hear()[0].body.len()), (vec![200], 500_000));
        world.run(5 * SECOND).await;
        assert_eq!(lends.statuses(), [200]);
    });
}

#[test]
fn a_conversation_may_end_before_its_last_words_are_sent() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        peer.say(
            "GET /speech?length=200000 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: speech\r\n\r\n",
        );
        world.run(SECOND).await;
        assert_eq!(site::live(), 0, "it has ended");
        for _ in 0..1000 {
            peer.push(1);
            world.run(SECOND / 1000).await;
            peer.hear();
        }
        assert!(peer.conversation() == content(0, 200_000) && peer.is_ended());
    });
}

#[test]
fn empty_lines_are_counted_however_they_come() {
    serve(Limits::default(), async |world| {
        let mut peer = Peer::connect(world);
        for _ in 0..3 {
            peer.say("\r\n");
            world.run(SECOND).await;
        }
        assert_eq!((peer.statuses(), peer.is_ended()), (vec![400], true));
    });
}

#[test]
fn used_up_descriptors_stop_nobody_who_is_connected_and_are_told_once() {
    let warnings = Arc::new(AtomicUsize::new(0));
    let _guard = tracing::subscriber::set_default(Warnings(warnings.clone()));
    serve(Limits::default(), async |world| {
        let mut early = Peer::connect(world);
        world.run(SECOND).await;
        world.network.set_faults(Faults { accept_failure: 1.0, ..Faults::none() });
        let mut late = Peer::connect(world);
        late.get("/plain");
        for _ in 0..3 {
            early.get("/plain");
            world.run(SECOND).await;
        }
        assert_eq!((early.statuses(), late.statuses()), (vec![200; 3], vec![]));
        assert_eq!(warnings.load(Ordering::Relaxed), 1, "told once, not with every attempt");
        world.network.set_faults(Faults::none());
        world.run(SECOND / 5).await;
        assert_eq!(late.statuses(), [200]);
        world.run(SECOND * 61).await;
        world.network.set_faults(Faults { accept_failure: 1.0, ..Faults::none() });
        let _later = Peer::connect(world);
        world.run(SECOND).await;
        assert_eq!(warnings.load(Ordering::Relaxed), 2, "told again when it happens after a quiet minute");
    });
}

/// Counts warnings.
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
