//! What the tests and the fuzz targets share: a peer's bytes go in, cut anyhow; what they were comes out.
#![allow(dead_code, reason = "each test uses its part")]

pub mod asker;
pub mod corpus;
pub mod deflate;
pub mod exercise;
pub mod exercise_client;
pub mod exercise_h2;
pub mod exercise_hpack;
pub mod exercise_proxy;
pub mod exercise_talk;
pub mod exercise_ws;
pub mod text;

use gannet_proto::h1::{Connection, Error, Event, ResponseToSend};
use gannet_proto::{BodyLength, Head, Limits, Status, TargetForm, Version};

pub const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// One thing that a peer said; pieces of a body that follow each other are one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Head(Box<Request>),
    Body(Vec<u8>),
    End { trailers: Vec<(Vec<u8>, Vec<u8>)>, keep_alive: bool },
    Wrong(Error),
}

/// A request head, spelled out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub method: String,
    pub version: Version,
    pub form: TargetForm,
    pub target: Vec<u8>,
    pub path: Vec<u8>,
    pub query: Option<Vec<u8>>,
    pub authority: Option<Vec<u8>>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: BodyLength,
    pub expects_continue: bool,
    pub upgrade: bool,
}

impl Request {
    fn of(head: &Head, bytes: &[u8]) -> Request {
        assert_eq!(head.method_text.of(bytes), head.method_str(bytes).as_bytes());
        Request {
            method: head.method_str(bytes).to_owned(),
            version: head.version,
            form: head.form,
            target: head.target.of(bytes).to_vec(),
            path: head.path.of(bytes).to_vec(),
            query: head.query.map(|span| span.of(bytes).to_vec()),
            authority: head.authority.map(|span| span.of(bytes).to_vec()),
            fields: spelled_out(head, bytes),
            body: head.body,
            expects_continue: head.expects_continue,
            upgrade: head.upgrade,
        }
    }
}

fn spelled_out(head: &Head, bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    head.fields.iter().map(|field| (field.name.of(bytes).to_vec(), field.value.of(bytes).to_vec())).collect()
}

/// The server's side of one connection: it answers each request with an empty 404 as soon as its head is there.
pub struct Listener {
    connection: Connection,
    head: Head,
    spare: Head,
    kept: Vec<u8>,
    pub said: Vec<Said>,
    over: bool,
}

impl Listener {
    pub fn new(connection: Connection) -> Listener {
        let (head, spare) = (Head::default(), Head::default());
        Listener { connection, head, spare, kept: Vec::new(), said: Vec::new(), over: false }
    }

    /// Takes bytes in and notes what they were. Holds the connection to its contract on the way.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        while !self.over && self.step() {}
    }

    /// Whether the request in progress is not whole.
    pub fn waits_within_a_request(&self) -> bool {
        !self.over && (!self.kept.is_empty() || self.connection.is_reading_body())
    }

    /// Whether the connection is over: closed after an answer, or by an error.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// One call; whether there may be more to find without more bytes.
    fn step(&mut self) -> bool {
        let in_head = !self.connection.responded();
        let head = if in_head { &mut self.head } else { &mut self.spare };
        match self.connection.handle(&self.kept, head) {
            Err(error) => {
                self.over = true;
                self.said.push(Said::Wrong(error));
                self.answer(error.status());
                assert!(!self.connection.keep_alive(), "nothing follows an error");
            }
            Ok(Event::Need { consumed }) => {
                self.kept.drain(..consumed);
                self.asks_for_nothing_it_has(in_head);
                return false;
            }
            Ok(Event::Head { consumed }) => {
                assert_eq!(usize::from(self.head.length), consumed);
                self.said.push(Said::Head(Box::new(Request::of(&self.head, &self.kept))));
                self.kept.drain(..consumed);
                self.answer(Status::NOT_FOUND);
            }
            Ok(Event::Data { start, end }) => {
                assert!(start < end, "no piece of a body is empty");
                self.data(start, end);
                self.kept.drain(..end);
            }
            Ok(Event::End { consumed }) => {
                let (trailers, keep_alive) =
                    (spelled_out(&self.spare, &self.kept), self.connection.keep_alive());
                self.said.push(Said::End { trailers, keep_alive });
                self.kept.drain(..consumed);
                self.end(keep_alive);
            }
        }
        true
    }

    /// "More is needed" is only said when calling again with the rest would find nothing.
    fn asks_for_nothing_it_has(&mut self, in_head: bool) {
        let head = if in_head { &mut self.head } else { &mut self.spare };
        assert_eq!(self.connection.handle(&self.kept, head), Ok(Event::Need { consumed: 0 }));
    }

    fn data(&mut self, start: usize, end: usize) {
        let piece = &self.kept[start..end];
        match self.said.last_mut() {
            Some(Said::Body(body)) => body.extend_from_slice(piece),
            _ => self.said.push(Said::Body(piece.to_vec())),
        }
    }

    fn end(&mut self, keep_alive: bool) {
        assert_eq!(self.connection.handle(&self.kept, &mut self.spare), Ok(Event::Need { consumed: 0 }));
        self.over = !keep_alive;
        if keep_alive {
            self.connection.next();
        }
    }

    fn answer(&mut self, status: Status) {
        if self.connection.responded() {
            return;
        }
        let mut out = Vec::new();
        self.connection
            .respond(ResponseToSend { status, fields: b"", length: Some(0), date: Some(DATE) }, &mut out);
        self.connection.finish(b"", &mut out).expect("a response without content is whole");
        assert!(out.ends_with(b"\r\n\r\n") && self.connection.writing_ended());
    }
}

/// What the bytes were, given in one piece.
pub fn whole(limits: Limits, bytes: &[u8]) -> Vec<Said> {
    pieces(limits, [bytes])
}

/// What the bytes were, given in these pieces.
pub fn pieces<'a>(limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Said> {
    let mut listener = Listener::new(Connection::new(limits));
    pieces.into_iter().for_each(|piece| listener.receive(piece));
    listener.said
}
