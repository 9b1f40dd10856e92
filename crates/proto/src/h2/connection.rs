//! The connection: what both roles know of it, and what can be asked of it. How it reads is in [`receive`](super::receive), how it writes in [`send`](super::send).

use super::budget::Budgets;
use super::error::{Error, ErrorCode};
use super::frame;
use super::hpack::{self, Decoder};
use super::limits::Limits;
use super::receive::{Block, Reading};
use super::resets::Resets;
use super::role::{ClientRole, Role, ServerRole};
use super::scratch::Scratch;
use super::settings::{self, INITIAL_WINDOW, Peer};
use super::state::{Receiving, Sending};
use super::streams::{Stream, StreamKey, Streams};
use crate::http::{Method, Priority};
use crate::scan::Level;
use alloc::vec::Vec;

/// An HTTP/2 connection, seen by the server.
pub type Server = Connection<ServerRole>;

/// An HTTP/2 connection, seen by the client.
pub type Client = Connection<ClientRole>;

/// The last identifier that a stream can have (RFC 9113 section 5.1.1).
const LARGEST_STREAM: u32 = 0x7fff_ffff;

/// One HTTP/2 connection, seen by one of its ends: all its streams, both halves of each.
#[derive(Debug)]
pub struct Connection<R: Role> {
    pub(super) role: R,
    pub(super) limits: Limits,
    pub(super) level: Level,
    pub(super) reading: Reading,
    /// The header block that has begun and not ended.
    pub(super) block: Option<Block>,
    pub(super) decoder: Decoder,
    pub(super) scratch: Scratch,
    pub(super) peer: Peer,
    /// The peer's initial window size, as the windows of the streams have it.
    pub(super) applied_window: i32,
    /// SETTINGS of ours that the peer has not acknowledged.
    pub(super) unacknowledged: u8,
    pub(super) connect_protocol: bool,
    pub(super) streams: Streams,
    pub(super) resets: Resets,
    /// Slots of streams whose windows are to be opened.
    pub(super) due: Vec<u32>,
    /// What we may send on all streams together.
    pub(super) send_window: i32,
    /// What the peer may send on all streams together.
    pub(super) receive_window: i32,
    /// What may come again, but was not told to the peer.
    pub(super) unreturned_bytes: u32,
    /// What may still come on streams that we reset, or did not begin, and is discarded.
    pub(super) discardable_bytes: u64,
    /// What our next stream's window is, in the peer's eyes.
    pub(super) stream_window: i32,
    pub(super) budgets: Budgets,
    /// Identifiers between two streams that the peer opened, which it can open no more.
    pub(super) skipped: (u32, u32),
    /// Priorities of requests that have not come (RFC 9218 section 7.1), the oldest first.
    pub(super) early: Vec<(u32, Priority)>,
    /// What the peer's GOAWAY said.
    pub(super) peers_last: Option<u32>,
    /// The last of the peer's streams that we deal with, once that was said.
    pub(super) our_last: Option<u32>,
}

impl<R: Role> Connection<R> {
    /// A connection on which nothing has happened yet. `seed` is of the hash by which what was encoded before is found.
    pub fn new(limits: Limits, seed: u64) -> Connection<R> {
        let limits = limits.bounded();
        Connection {
            role: R::new(seed),
            limits,
            level: Level::BASELINE,
            reading: if R::SERVER { Reading::Preface { matched: 0 } } else { Reading::FirstFrame },
            block: None,
            decoder: Decoder::new(hpack::INITIAL_SIZE),
            scratch: Scratch::default(),
            peer: Peer::START,
            applied_window: INITIAL_WINDOW,
            unacknowledged: 0,
            connect_protocol: true,
            streams: Streams::default(),
            resets: Resets::default(),
            due: Vec::new(),
            send_window: INITIAL_WINDOW,
            receive_window: INITIAL_WINDOW,
            unreturned_bytes: 0,
            discardable_bytes: 0,
            stream_window: INITIAL_WINDOW,
            budgets: Budgets::default(),
            skipped: (0, 0),
            early: Vec::new(),
            peers_last: None,
            our_last: None,
        }
    }

    /// The same, scanning with this level instead of [`Level::BASELINE`].
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Connection<R> {
        self.level = level;
        self
    }

    /// The same, taking extended CONNECT (RFC 8441) or not; servers do unless told otherwise. To be said before [`start`](Connection::start).
    #[must_use]
    pub fn with_connect_protocol(mut self, taken: bool) -> Connection<R> {
        self.connect_protocol = taken;
        self
    }

    /// The beginning of what we send: of a client the preface, then SETTINGS, and what opens the connection's window as far as the limits
    /// have it.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        if !R::SERVER {
            out.extend_from_slice(frame::PREFACE);
        }
        settings::write(&self.limits, R::SERVER, self.connect_protocol, out);
        self.unacknowledged += 1;
        let more = self.limits.connection_window_bytes.saturating_sub(INITIAL_WINDOW as u32);
        if more > 0 {
            self.receive_window += more as i32;
            frame::write_window_update(0, more, out);
        }
    }

    /// The text that the spans of the head count in that was told last: of requests, responses and trailers. Good until the next
    /// [`handle`](Connection::handle).
    #[inline]
    pub fn text(&self) -> &[u8] {
        self.scratch.text()
    }

    /// How many streams there are that were not [released](Connection::release).
    #[inline]
    pub fn streams(&self) -> usize {
        let (odd, even) = self.streams.count();
        odd + even
    }

    /// Whether the stream was not released and neither half of it was reset: something may still come, or be sent, or both have ended in order.
    pub fn is_open(&self, key: StreamKey) -> bool {
        self.streams.get(key).is_some_and(|stream| stream.receiving != Receiving::Reset)
    }

    /// Whether nothing more comes on this stream.
    #[inline]
    pub fn receiving_ended(&self, key: StreamKey) -> bool {
        let is_over = |stream: &Stream| matches!(stream.receiving, Receiving::Ended | Receiving::Reset);
        self.streams.get(key).is_none_or(is_over)
    }

    /// Whether nothing more can be sent on this stream.
    #[inline]
    pub fn sending_ended(&self, key: StreamKey) -> bool {
        let is_over = |stream: &Stream| matches!(stream.sending, Sending::Ended | Sending::Reset);
        self.streams.get(key).is_none_or(is_over)
    }

    /// Whether the final response's head was sent, of a server; of a client, whether it came.
    pub fn responded(&self, key: StreamKey) -> bool {
        let awaits_head =
            |stream: &Stream| stream.sending == Sending::Head || stream.receiving == Receiving::Head;
        !self.streams.get(key).is_some_and(awaits_head)
    }

    /// How much content is still to come on this stream, to decide whether it is worth discarding. `None` if that is not known.
    pub fn content_remaining(&self, key: StreamKey) -> Option<u64> {
        match self.streams.get(key) {
            Some(stream) if stream.receiving == Receiving::Content => {
                Some(stream.to_receive).filter(|length| *length != super::streams::UNKNOWN)
            }
            Some(Stream { receiving: Receiving::Head, .. }) => None,
            _ => Some(0),
        }
    }

    /// The method of the stream's request.
    pub fn method(&self, key: StreamKey) -> Method {
        self.streams.get(key).map_or(Method::Get, |stream| stream.method)
    }

    /// How urgent the stream's response is (RFC 9218): what the request's Priority field said, or PRIORITY_UPDATE after it.
    pub fn priority(&self, key: StreamKey) -> Priority {
        self.streams.get(key).map_or(Priority::default(), |stream| stream.priority)
    }

    /// Whether the connection is to end: no request follows those that are under way. A client's identifiers run out, too.
    pub fn is_draining(&self) -> bool {
        let has_run_out = !R::SERVER && self.streams.last_odd == LARGEST_STREAM;
        self.our_last.is_some() || self.peers_last.is_some() || has_run_out
    }

    /// Whether the peer was told which of its streams were the last: by [`close`](Connection::close) or [`fail`](Connection::fail).
    pub fn is_closing(&self) -> bool {
        self.our_last.is_some()
    }

    /// Whether the peer has begun what we have to wait for as a whole, and of which something is read already: its preface, a header block,
    /// or SETTINGS.
    pub fn is_within_head(&self) -> bool {
        let begins = matches!(
            self.reading,
            Reading::Preface { .. }
                | Reading::FirstFrame
                | Reading::Fragment { .. }
                | Reading::Settings { .. }
        );
        begins || self.block.is_some()
    }

    /// The caller is done with a stream, both halves of which have ended or were reset: its slot may be used again. A stream counts
    /// against the limit until then, also when it was reset: that is what makes resetting no cheaper than waiting.
    ///
    /// # Panics
    /// If the stream has neither ended nor was [reset](Connection::reset).
    pub fn release(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get(key) else { return };
        assert!(
            self.receiving_ended(key) && self.sending_ended(key),
            "a stream is released that has ended or was reset"
        );
        let (unread_bytes, is_due, was_cut_off) = (stream.unread_bytes, stream.is_due, stream.was_cut_off);
        self.return_to_connection(unread_bytes);
        self.budgets.taken(unread_bytes);
        if is_due {
            self.due.retain(|slot| *slot != key.slot);
        }
        if was_cut_off {
            self.resets.remember(key.id, &self.limits);
        }
        self.streams.remove(key);
    }

    /// Some time has passed, say ten seconds: what the peer may send without need is as much again as at first ([`limits`](super::limits)).
    pub fn refill(&mut self) {
        self.budgets.refill();
    }

    /// The code of a graceful end: that this connection takes no more streams, which its peer may not know yet. The first of two: streams are
    /// still taken, until [`close`](Connection::close).
    pub fn go_away(&mut self, out: &mut Vec<u8>) {
        frame::write_go_away(LARGEST_STREAM, ErrorCode::NO_ERROR, "", out);
    }

    /// The second: streams that the peer opens from here on are not dealt with, and it can tell which these are.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        let last = self.peers_last_stream();
        self.our_last = Some(last);
        frame::write_go_away(last, ErrorCode::NO_ERROR, "", out);
    }

    /// The connection ends with this error.
    pub fn fail(&mut self, error: Error, out: &mut Vec<u8>) {
        self.reading = Reading::Failed;
        let last = self.peers_last_stream();
        self.our_last = Some(last);
        frame::write_go_away(last, error.code(), error.message(), out);
    }

    /// The last stream that the peer opened.
    fn peers_last_stream(&self) -> u32 {
        let last = if R::SERVER { self.streams.last_odd } else { self.streams.last_even };
        self.our_last.map_or(last, |said| said.min(last))
    }
}
