//! Whatever the peer sends and whatever is done on its streams, in any order: nothing panics, no slot and no part of a window is lost, and what is
//! sent is what a client understands.

use crate::end::{End, client_with, server_with};
use crate::raw::*;
use gannet_proto::h2::{ErrorCode, Limits, ServerRole};
use gannet_proto::{BodyLength, Method};
use proptest::prelude::*;

/// One thing that is done at the server, by its peer or its user. The index says on which stream.
#[derive(Clone, Debug)]
enum Step {
    Open { ends: bool },
    Send { index: usize, length: usize, ends: bool },
    Trailers { index: usize },
    PeerResets { index: usize },
    PeerOpens { index: usize, by: u32 },
    Respond { index: usize, length: Option<u64> },
    Push { index: usize, length: usize, ends: bool },
    Finish { index: usize, trailers: bool },
    Consume { index: usize },
    Reset { index: usize },
    Release { index: usize },
    Turn,
    Idle,
}

fn any_step() -> impl Strategy<Value = Step> {
    let index = 0..6_usize;
    prop_oneof![
        4 => any::<bool>().prop_map(|ends| Step::Open { ends }),
        6 => (index.clone(), 0..4000_usize, any::<bool>()).prop_map(|(index, length, ends)| Step::Send { index, length, ends }),
        1 => index.clone().prop_map(|index| Step::Trailers { index }),
        1 => index.clone().prop_map(|index| Step::PeerResets { index }),
        1 => (index.clone(), 1..5000_u32).prop_map(|(index, by)| Step::PeerOpens { index, by }),
        4 => (index.clone(), prop::option::of(0..3000_u64)).prop_map(|(index, length)| Step::Respond { index, length }),
        4 => (index.clone(), 0..4000_usize, any::<bool>()).prop_map(|(index, length, ends)| Step::Push { index, length, ends }),
        3 => (index.clone(), any::<bool>()).prop_map(|(index, trailers)| Step::Finish { index, trailers }),
        4 => index.clone().prop_map(|index| Step::Consume { index }),
        2 => index.clone().prop_map(|index| Step::Reset { index }),
        4 => index.prop_map(|index| Step::Release { index }),
        3 => Just(Step::Turn),
        1 => Just(Step::Idle),
    ]
}

/// The server, and what its peer knows of the streams: which are there, what may be sent on each, what is unread.
struct Play {
    server: End<ServerRole>,
    open: Vec<Known>,
    next: u32,
    /// What the peer may send on all streams.
    window: i64,
}

struct Known {
    id: u32,
    ended: bool,
    window: i64,
    unread: usize,
}

const CONNECTION_WINDOW: u32 = 65_535;

impl Play {
    fn new() -> Play {
        let limits = Limits {
            streams: 6,
            stream_window_bytes: 5000,
            connection_window_bytes: CONNECTION_WINDOW,
            ..Limits::default()
        };
        let window = i64::from(CONNECTION_WINDOW);
        Play { server: server_with(limits), open: Vec::new(), next: 1, window }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Open { ends } => self.open(ends),
            Step::Send { index, length, ends } => self.with(index, |play, at| play.send(at, length, ends)),
            Step::Trailers { index } => self.with(index, Play::trailers),
            Step::PeerResets { index } => self.with(index, |play, at| {
                play.open[at].ended = true;
                play.receive(&reset(play.open[at].id, 8));
            }),
            Step::PeerOpens { index, by } => self.with(index, |play, at| {
                play.receive(&window_update(play.open[at].id, by));
            }),
            Step::Respond { index, length } => self.with(index, |play, at| {
                let id = play.open[at].id;
                if !play.server.connection.responded(play.server.key(id)) {
                    play.server.begin(id, length);
                }
            }),
            Step::Push { index, length, ends } => self.with(index, |play, at| play.push(at, length, ends)),
            Step::Finish { index, trailers } => self.with(index, |play, at| {
                let key = play.server.key(play.open[at].id);
                if play.server.connection.responded(key) {
                    let trailers: &[u8] = if trailers { b"X: y\r\n" } else { b"" };
                    _ = play.server.connection.finish(key, trailers, &mut play.server.out);
                }
            }),
            Step::Consume { index } => self.with(index, |play, at| {
                let unread = std::mem::take(&mut play.open[at].unread);
                play.server.connection.consumed(play.server.key(play.open[at].id), unread);
            }),
            Step::Reset { index } => self.with(index, |play, at| {
                let key = play.server.key(play.open[at].id);
                play.server.connection.reset(key, ErrorCode::CANCEL, &mut play.server.out);
            }),
            Step::Release { index } => self.with(index, Play::release),
            Step::Turn => self.turn(),
            Step::Idle => {
                let memory = self.server.connection.idle();
                self.server.connection.resume(memory);
            }
        }
        self.server.connection.refill();
    }

    fn with(&mut self, index: usize, then: impl FnOnce(&mut Play, usize)) {
        if index < self.open.len() {
            then(self, index);
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.server.receive(bytes);
        assert!(!self.server.over, "{:?}", self.server.said.last());
    }

    fn open(&mut self, ends: bool) {
        let id = self.next;
        if self.open.len() == 6 {
            return;
        }
        self.next += 2;
        self.receive(&if ends { get_on(id) } else { post_on(id) });
        self.open.push(Known { id, ended: ends, window: 5000, unread: 0 });
    }

    /// A peer that keeps to its windows. The server may have reset the stream: then nobody takes the content.
    fn send(&mut self, at: usize, length: usize, ends: bool) {
        let known = &self.open[at];
        let fits = length as i64 <= known.window && length as i64 <= self.window;
        if known.ended || !fits {
            return;
        }
        let (id, is_open) = (known.id, self.server.connection.is_open(self.server.key(known.id)));
        self.receive(&frame(DATA, u8::from(ends), id, &vec![0; length]));
        let known = &mut self.open[at];
        known.window -= length as i64;
        known.ended = ends;
        known.unread += if is_open { length } else { 0 };
        self.window -= length as i64;
    }

    fn trailers(&mut self, at: usize) {
        if !std::mem::replace(&mut self.open[at].ended, true) {
            let id = self.open[at].id;
            self.receive(&frame(HEADERS, END_HEADERS | END_STREAM, id, &block(&[("x", "y")])));
        }
    }

    fn push(&mut self, at: usize, length: usize, ends: bool) {
        let id = self.open[at].id;
        let key = self.server.key(id);
        let length = length.min(self.server.connection.room(key));
        let may = self.server.connection.responded(key) && (length > 0 || ends);
        if may && self.server.connection.push(key, length, ends, &mut self.server.out).is_ok() {
            self.server.out.resize(self.server.out.len() + length, b'x');
        }
    }

    fn release(&mut self, at: usize) {
        let key = self.server.key(self.open[at].id);
        if self.server.connection.receiving_ended(key) && self.server.connection.sending_ended(key) {
            assert!((key.slot as usize) < 6, "slots are used again");
            self.server.connection.release(key);
            self.open.remove(at);
        }
    }

    /// The end of a turn: what the peer is told of its windows.
    fn turn(&mut self) {
        self.server.connection.update_windows(&mut self.server.out);
        for frame in self.server.sent().iter().filter(|frame| frame.kind == WINDOW_UPDATE) {
            match self.open.iter_mut().find(|known| known.id == frame.stream) {
                Some(known) => known.window += i64::from(frame.number()),
                None if frame.stream == 0 => self.window += i64::from(frame.number()),
                None => {}
            }
        }
        assert!(self.window <= i64::from(CONNECTION_WINDOW), "no more is opened than there was");
    }

    /// Ends all streams; then all that was sent can be sent again.
    fn end(mut self) {
        for known in std::mem::take(&mut self.open) {
            self.server.reset(known.id, ErrorCode::CANCEL);
        }
        self.turn();
        assert_eq!(self.server.connection.streams(), 0);
        assert!(self.window >= i64::from(CONNECTION_WINDOW / 2), "{} is left of the window", self.window);
    }
}

proptest! {
    #[test]
    fn whatever_is_done_on_streams_nothing_of_a_window_is_lost_and_no_slot(
        steps in prop::collection::vec(any_step(), 1..400),
    ) {
        let mut play = Play::new();
        steps.iter().for_each(|step| play.step(step));
        play.end();
    }

    #[test]
    fn what_a_server_sends_whatever_is_done_a_client_understands(
        steps in prop::collection::vec(any_step(), 1..100),
    ) {
        let mut play = Play::new();
        let mut client = client_with(Limits::default());
        for step in &steps {
            if let Step::Open { .. } = step && play.open.len() < 6 {
                // A client that has made the same requests.
                client.ask(Method::Get, BodyLength::Chunked);
            }
            // What the peer alone does would have to be done at the client, too.
            if !matches!(step, Step::PeerResets { .. } | Step::PeerOpens { .. } | Step::Turn) {
                play.step(step);
            }
            client.receive(&std::mem::take(&mut play.server.out));
            prop_assert!(!client.over, "{:?}", client.said.last());
        }
    }
}
