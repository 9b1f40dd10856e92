//! One end of a connection under test: bytes go in, cut anyhow; what they were comes out, and what is said to them.

use crate::raw::{Frame, PREFACE, frames, settings, settings_ack};
use gannet_proto::h2::{
    Blocks, ClientRole, Connection, Error, ErrorCode, Event, Framing, Limits, RequestToSend, ResponseToSend,
    Role, ServerRole, StreamKey,
};
use gannet_proto::{BodyLength, Head, Method, ResponseBody, ResponseHead, Status};
use std::collections::HashMap;

pub const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// One thing that the peer said. Pieces of content that come together on a stream are one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// Pseudo-fields first, then what the head says of the body, then the fields.
    Head {
        stream: u32,
        lines: Vec<(String, String)>,
        ended: bool,
    },
    Interim {
        stream: u32,
        lines: Vec<(String, String)>,
    },
    Data {
        stream: u32,
        content: Vec<u8>,
        ended: bool,
    },
    Trailers {
        stream: u32,
        lines: Vec<(String, String)>,
    },
    Reset {
        stream: u32,
        error: ErrorCode,
        fault: Option<&'static str>,
    },
    Refused {
        stream: u32,
        status: u16,
        ended: bool,
    },
    Window {
        stream: Option<u32>,
    },
    Priority {
        stream: u32,
        urgency: u8,
        incremental: bool,
    },
    GoAway {
        last_stream: u32,
        error: ErrorCode,
    },
    Wrong(Error),
}

/// A head, spelled out.
pub trait Spelled: Default {
    fn spell(&self, text: &[u8]) -> Vec<(String, String)>;
    fn fields(&self, text: &[u8]) -> Vec<(String, String)>;
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn line(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

impl Spelled for Head {
    fn spell(&self, text: &[u8]) -> Vec<(String, String)> {
        let mut lines =
            vec![line(":method", self.method_str(text)), line(":path", string(self.target.of(text)))];
        lines.extend(self.authority.map(|authority| line(":authority", string(authority.of(text)))));
        lines.extend(self.protocol.map(|protocol| line(":protocol", string(protocol.of(text)))));
        match self.body {
            BodyLength::None => {}
            BodyLength::Known(length) => lines.push(line(":body", length.to_string())),
            BodyLength::Chunked => lines.push(line(":body", "open")),
        }
        if self.expects_continue {
            lines.push(line(":expects", "100-continue"));
        }
        lines.extend(self.fields(text));
        lines
    }

    fn fields(&self, text: &[u8]) -> Vec<(String, String)> {
        self.fields.iter().map(|field| (string(field.name.of(text)), string(field.value.of(text)))).collect()
    }
}

impl Spelled for ResponseHead {
    fn spell(&self, text: &[u8]) -> Vec<(String, String)> {
        let mut lines = vec![line(":status", self.status.to_string())];
        match self.body {
            ResponseBody::Known(length) => lines.push(line(":body", length.to_string())),
            ResponseBody::Chunked => lines.push(line(":body", "open")),
            _ => {}
        }
        lines.extend(self.fields(text));
        lines
    }

    fn fields(&self, text: &[u8]) -> Vec<(String, String)> {
        self.fields.iter().map(|field| (string(field.name.of(text)), string(field.value.of(text)))).collect()
    }
}

/// One end of a connection.
pub struct End<R: Role> {
    pub connection: Connection<R>,
    head: R::Head,
    kept: Vec<u8>,
    pub out: Vec<u8>,
    pub said: Vec<Said>,
    /// How many things had been said before the bytes that are being taken in.
    before: usize,
    keys: HashMap<u32, StreamKey>,
    pub over: bool,
    pub blocks: Blocks,
}

/// A server that has heard the client's preface and settings, and whose own were acknowledged.
pub fn server() -> End<ServerRole> {
    server_with(Limits { stream_window_bytes: 65_535, ..Limits::default() })
}

pub fn server_with(limits: Limits) -> End<ServerRole> {
    let mut end = End::new(Connection::new(limits, 7));
    end.receive(PREFACE);
    end.receive(&settings(&[]));
    end.receive(&settings_ack());
    end.sent();
    end
}

/// A client that has heard the server's settings, and whose own were acknowledged.
pub fn client() -> End<ClientRole> {
    client_with(Limits { stream_window_bytes: 65_535, ..Limits::default() })
}

pub fn client_with(limits: Limits) -> End<ClientRole> {
    let mut end = End::new(Connection::new(limits, 7));
    end.receive(&settings(&[]));
    end.receive(&settings_ack());
    end.sent();
    end
}

impl<R: Role> End<R>
where
    R::Head: Spelled,
{
    /// An end that has said its first words.
    pub fn new(mut connection: Connection<R>) -> End<R> {
        let mut out = Vec::new();
        connection.start(&mut out);
        End {
            connection,
            head: R::Head::default(),
            kept: Vec::new(),
            out,
            said: Vec::new(),
            before: 0,
            keys: HashMap::new(),
            over: false,
            blocks: Blocks::new(7),
        }
    }

    /// Takes bytes in, and returns what they were. Holds the connection to its contract on the way.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Said> {
        self.before = self.said.len();
        self.kept.extend_from_slice(bytes);
        while !self.over && self.step() {}
        self.said[self.before..].to_vec()
    }

    /// The one thing that these bytes were.
    pub fn one(&mut self, bytes: &[u8]) -> Said {
        let mut said = self.receive(bytes);
        assert_eq!(said.len(), 1, "{said:?}");
        said.remove(0)
    }

    /// What is wrong with these bytes; whatever came before it was in order. The peer is told so, by the error's code.
    pub fn wrong(&mut self, bytes: &[u8]) -> Error {
        let said = self.receive(bytes);
        let Some(Said::Wrong(error)) = said.last() else { panic!("nothing is wrong: {said:?}") };
        let goaway = self.sent().pop().expect("the peer is told");
        assert_eq!((goaway.kind, goaway.stream), (crate::raw::GOAWAY, 0));
        assert_eq!(goaway.payload[4..8], error.code().0.to_be_bytes());
        *error
    }

    /// How these bytes end the stream, of which the peer is told so and the connection's user, too.
    pub fn stream_error(&mut self, stream: u32, bytes: &[u8]) -> ErrorCode {
        let said = self.receive(bytes);
        let told = said.iter().find_map(|said| match said {
            Said::Reset { stream: reset, error, fault: Some(_) } if *reset == stream => Some(*error),
            _ => None,
        });
        let told = told.unwrap_or_else(|| panic!("no stream error: {said:?}"));
        assert_eq!(self.reset_code(stream), told);
        told
    }

    /// How a stream that was opened by these bytes is refused, without anybody but the peer being told.
    pub fn refusal(&mut self, stream: u32, bytes: &[u8]) -> ErrorCode {
        let said = self.receive(bytes);
        assert_eq!(said, []);
        self.reset_code(stream)
    }

    fn reset_code(&mut self, stream: u32) -> ErrorCode {
        let sent = self.sent();
        let reset = sent.iter().find(|frame| (frame.kind, frame.stream) == (crate::raw::RST_STREAM, stream));
        ErrorCode(reset.unwrap_or_else(|| panic!("no RST_STREAM: {sent:?}")).number())
    }

    /// What was sent since this was last asked.
    pub fn sent(&mut self) -> Vec<Frame> {
        let out = std::mem::take(&mut self.out);
        frames(out.strip_prefix(PREFACE).unwrap_or(&out))
    }

    pub fn key(&self, stream: u32) -> StreamKey {
        *self.keys.get(&stream).unwrap_or_else(|| panic!("stream {stream} was never told"))
    }

    /// Its user is done with the stream.
    pub fn release(&mut self, stream: u32) {
        self.connection.release(self.key(stream));
    }

    /// We reset the stream, and are done with it.
    pub fn reset(&mut self, stream: u32, error: ErrorCode) {
        self.connection.reset(self.key(stream), error, &mut self.out);
        self.release(stream);
    }

    fn step(&mut self) -> bool {
        match self.connection.handle(&self.kept, &mut self.head, &mut self.out) {
            Err(error) => {
                self.over = true;
                self.connection.fail(error, &mut self.out);
                self.said.push(Said::Wrong(error));
                false
            }
            Ok(Event::Need { consumed }) => {
                self.kept.drain(..consumed);
                assert!(self.kept.len() < 300, "little is left over: {}", self.kept.len());
                let again = self.connection.handle(&self.kept, &mut self.head, &mut self.out);
                assert_eq!(
                    again,
                    Ok(Event::Need { consumed: 0 }),
                    "more is asked for only where it is needed"
                );
                false
            }
            Ok(event) => {
                let consumed = self.note(event);
                self.kept.drain(..consumed);
                true
            }
        }
    }

    /// Spells the event out, and returns how many bytes are done with.
    fn note(&mut self, event: Event) -> usize {
        let text = self.connection.text();
        let (said, consumed) = match event {
            Event::Need { .. } => unreachable!("dealt with"),
            Event::Head { stream, ended, consumed } => {
                self.keys.insert(stream.id, stream);
                (Said::Head { stream: stream.id, lines: self.head.spell(text), ended }, consumed)
            }
            Event::Interim { stream, consumed } => {
                (Said::Interim { stream: stream.id, lines: self.head.spell(text) }, consumed)
            }
            Event::Data { stream, start, end, ended, consumed } => {
                assert!(start < end || ended, "no piece is empty but the last");
                let content = self.kept[start..end].to_vec();
                return self.data(stream.id, content, ended, consumed);
            }
            Event::Trailers { stream, consumed } => {
                (Said::Trailers { stream: stream.id, lines: self.head.fields(text) }, consumed)
            }
            Event::Reset { stream, error, fault, consumed } => {
                assert!(!self.connection.is_open(stream) && self.connection.room(stream) == 0);
                (Said::Reset { stream: stream.id, error, fault }, consumed)
            }
            Event::Refused { stream, refusal, ended, consumed } => {
                self.keys.insert(stream.id, stream);
                (Said::Refused { stream: stream.id, status: refusal.status().code(), ended }, consumed)
            }
            Event::Window { stream, consumed } => {
                (Said::Window { stream: stream.map(|stream| stream.id) }, consumed)
            }
            Event::Priority { stream, consumed } => {
                let priority = self.connection.priority(stream);
                let (urgency, incremental) = (priority.urgency, priority.incremental);
                (Said::Priority { stream: stream.id, urgency, incremental }, consumed)
            }
            Event::GoAway { last_stream, error, consumed } => (Said::GoAway { last_stream, error }, consumed),
        };
        self.said.push(said);
        consumed
    }

    fn data(&mut self, stream: u32, content: Vec<u8>, ended: bool, consumed: usize) -> usize {
        match self.said[self.before..].last_mut() {
            Some(Said::Data { stream: before, content: piece, ended: over })
                if *before == stream && !*over =>
            {
                piece.extend_from_slice(&content);
                *over = ended;
            }
            _ => self.said.push(Said::Data { stream, content, ended }),
        }
        consumed
    }
}

impl End<ServerRole> {
    /// Answers with this status and content in one go, and is done with the stream if its request has ended, too.
    pub fn answer(&mut self, stream: u32, status: Status, content: &[u8]) {
        let key = self.key(stream);
        let head =
            ResponseToSend { status, fields: b"", length: Some(content.len() as u64), date: Some(DATE) };
        assert!(self.connection.respond_whole(key, head, content, &mut self.blocks, &mut self.out));
        if self.connection.receiving_ended(key) {
            self.release(stream);
        }
    }

    /// Begins a response of this length.
    pub fn begin(&mut self, stream: u32, length: Option<u64>) -> Framing {
        let head = ResponseToSend { status: Status::OK, fields: b"", length, date: None };
        self.connection.respond(self.key(stream), head, &mut self.blocks, &mut self.out)
    }
}

impl End<ClientRole> {
    /// Asks for `/`, with this method and content, and returns the stream.
    pub fn ask(&mut self, method: Method, body: BodyLength) -> u32 {
        let request = RequestToSend {
            method,
            method_text: "",
            scheme: "http",
            authority: "a:1",
            path: "/",
            protocol: None,
            fields: b"",
            body,
            accepts_trailers: false,
        };
        let key = self.connection.request(request, &mut self.out).expect("the server takes a request");
        self.keys.insert(key.id, key);
        key.id
    }

    /// A GET; returns its stream.
    pub fn get(&mut self) -> u32 {
        self.ask(Method::Get, BodyLength::None)
    }
}

impl<R: Role> End<R>
where
    R::Head: Spelled,
{
    /// Sends so much content, which there is room for.
    pub fn push(&mut self, stream: u32, length: usize, end: bool) {
        let key = self.key(stream);
        self.connection.push(key, length, end, &mut self.out).expect("the content fits its length");
        self.out.resize(self.out.len() + length, b'x');
    }
}
