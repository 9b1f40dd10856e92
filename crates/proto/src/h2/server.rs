//! The server's end: requests open streams (RFC 9113 sections 5.1.1, 5.1.2, 8.1).

use super::budget::Kind;
use super::connection::Connection;
use super::error::{Error, ErrorCode};
use super::event::Event;
use super::hpack::{self, TableSize};
use super::request::{self, Said, Unfit};
use super::role::{Opening, Part, ServerRole};
use super::settings::ENTRY_BYTES;
use super::state::{Receiving, Sending};
use super::streams::{Stream, StreamKey, UNKNOWN};
use crate::http::{Head, Method, Priority};
use alloc::vec::Vec;

impl Part for ServerRole {
    type Head = Head;
    const SERVER: bool = true;

    fn new(_: u64) -> ServerRole {
        ServerRole { table: TableSize::default() }
    }

    fn resize_table(&mut self, peers: u32, _: u32) {
        self.table.set(peers, hpack::INITIAL_SIZE);
    }

    #[inline]
    fn begin_block(&mut self, out: &mut Vec<u8>) {
        self.table.begin(out);
    }

    fn message(
        connection: &mut Connection<ServerRole>,
        _: Option<StreamKey>,
        opening: Opening<'_>,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Error> {
        connection.request(opening, head, out)
    }
}

impl Connection<ServerRole> {
    /// A stream is opened by a request.
    fn request(
        &mut self,
        opening: Opening<'_>,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Error> {
        let Opening { stream: id, ended, consumed, .. } = opening;
        let read = self.read_request(opening, head)?;
        self.skip_to(id);
        if self.our_last.is_some_and(|last| id > last) {
            // The peer may not have seen yet that the connection ends (RFC 9113 section 6.8).
            self.streams.last_odd = id;
            self.budgets.spend(Kind::Useless, &self.limits)?;
            self.left_out(ended);
            return Ok(None);
        }
        let priority = self.early_priority(id);
        let is_full = self.streams.count().0 >= self.limits.streams as usize;
        let (said, refusal) = match read {
            _ if is_full => return self.not_begun(id, ErrorCode::REFUSED_STREAM, ended, out),
            Err(Unfit::Malformed(_)) => return self.not_begun(id, ErrorCode::PROTOCOL_ERROR, ended, out),
            Ok(said) => (said, None),
            Err(Unfit::Refused(refusal)) => (Said::default(), Some(refusal)),
        };
        let priority = priority.or(said.priority).unwrap_or_default();
        let stream = self.open_request(id, ended, head.method, priority, said.length);
        self.budgets.earn();
        Ok(Some(match refusal {
            None => Event::Head { stream, ended, consumed },
            Some(refusal) => Event::Refused { stream, refusal, ended, consumed },
        }))
    }

    /// Reads a request, or recalls it.
    #[inline]
    fn read_request(&mut self, opening: Opening<'_>, head: &mut Head) -> Result<Result<Said, Unfit>, Error> {
        let generation = self.decoder.generation();
        let Opening { block, ended, .. } = opening;
        let recalled =
            self.scratch.repeated.as_mut().and_then(|repeated| repeated.recall(block, generation, head));
        let said = match recalled {
            Some(said) => {
                self.scratch.recalled = true;
                said
            }
            None => {
                self.decode(block)?;
                let list = &mut self.scratch.list;
                match request::read(self.level, &self.limits, self.connect_protocol, list, head) {
                    Ok(said) => self.note_request(block, generation, head, said),
                    Err(unfit) => return Ok(Err(unfit)),
                }
            }
        };
        Ok(request::settle(&said, ended, head).map(|()| said).map_err(Unfit::from))
    }

    fn note_request(&mut self, block: &[u8], generation: u64, head: &Head, said: Said) -> Said {
        if self.decoder.generation() == generation {
            let repeated = self.scratch.repeated.get_or_insert_default();
            repeated.note(block, generation, &self.scratch.list.text, head, said);
        }
        said
    }

    /// Identifiers that are left out can be used no more (RFC 9113 section 5.1.1).
    #[inline]
    fn skip_to(&mut self, id: u32) {
        let last = self.streams.last_odd;
        if id > last + 2 {
            self.skipped = (last, id);
        }
    }

    /// The request is not told to anybody: the peer broke the rules, or opens too many streams.
    #[cold]
    fn not_begun(
        &mut self,
        id: u32,
        error: ErrorCode,
        ended: bool,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Error> {
        self.streams.last_odd = id;
        self.refuse(id, error, ended, out)?;
        Ok(None)
    }

    #[inline]
    fn open_request(
        &mut self,
        id: u32,
        ended: bool,
        method: Method,
        priority: Priority,
        length: Option<u64>,
    ) -> StreamKey {
        self.streams.open(Stream {
            id,
            receiving: if ended { Receiving::Ended } else { Receiving::Content },
            sending: Sending::Head,
            method,
            priority,
            is_due: false,
            was_cut_off: false,
            is_tunnel: method == Method::Connect,
            interim_responses: 0,
            send_window: self.applied_window,
            receive_window: self.stream_window,
            unread_bytes: 0,
            unreturned_bytes: 0,
            to_receive: length.unwrap_or(UNKNOWN),
            to_send: UNKNOWN,
        })
    }

    /// The connection began as HTTP/1.1, whose request asked for an `Upgrade: h2c` and was answered with 101: that request is stream 1, and is
    /// answered on it. `settings` are the payload that HTTP2-Settings had, base64url undone (RFC 7540 section 3.2). To be called before
    /// [`start`](Connection::start); the client sends its preface then.
    ///
    /// # Errors
    /// The settings are wrong. [`fail`](Connection::fail) tells it.
    pub fn upgraded(&mut self, settings: &[u8], method: Method) -> Result<StreamKey, Error> {
        let (entries, rest) = settings.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() {
            return Err(Error::InvalidFrameSize);
        }
        entries.iter().try_for_each(|entry| self.peer.take(entry, false))?;
        self.applied_window = self.peer.initial_window_size;
        self.resize_table();
        Ok(self.open_request(1, true, method, Priority::default(), None))
    }
}
