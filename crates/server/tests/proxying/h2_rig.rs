//! An upstream of HTTP/2 that does what a test says, by the protocol's own machine of servers or by frames of the test's; and a client of HTTP/2.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::UpstreamProtocol;
use gannet_engine::sim::{Client, Faults, Network};
use gannet_features::proxy::{Proxy, ProxyOptions};
use gannet_proto::h2::{self, Blocks, ErrorCode, Event, ResponseToSend, StreamKey};
use gannet_proto::{BodyLength, Field, Head, Method, ResponseHead, Status};
use gannet_server::{Site, SiteBuilder};

use crate::rig::{Upstream, upstream_address};
use crate::wire::Wire;
use crate::world::{Setup, World, simulate};

/// Fields, by name and value.
pub type Lines = Vec<(String, String)>;

/// What an upstream hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    Request {
        stream: u32,
        method: String,
        /// What an extended CONNECT asks for.
        protocol: Option<String>,
        target: String,
        authority: String,
        fields: Lines,
        ended: bool,
    },
    Data {
        stream: u32,
        bytes: Vec<u8>,
        ended: bool,
    },
    Trailers {
        stream: u32,
        fields: Lines,
    },
    Reset {
        stream: u32,
        code: ErrorCode,
    },
    GoAway,
}

/// A connection that a proxy made to an upstream of HTTP/2.
pub struct Stage {
    pub client: Wire,
    pub protocol: h2::Server,
    head: Head,
    blocks: Blocks,
    input: Vec<u8>,
    unsaid: Vec<u8>,
    /// What it heard and no test has asked for.
    heard: Vec<Heard>,
    keys: Vec<StreamKey>,
    /// What it reads lets the proxy send on.
    pub credits: bool,
    pub ended: bool,
    /// It has said what comes first.
    has_begun: bool,
}

/// Passes everything on to upstreams, by HTTP/2 in clear text.
pub fn front(options: ProxyOptions, upstreams: usize) -> Arc<Site> {
    let options = ProxyOptions { protocol: UpstreamProtocol::Http2, ..options };
    let targets: Vec<String> =
        (0..upstreams as u8).map(|number| upstream_address(number).to_string()).collect();
    let proxy = Proxy::new(&targets, options, &|_| Err("there is no TLS here".to_owned()));
    let mut site = SiteBuilder::new();
    site.endpoint(None, "/*", proxy.expect("each target is an address").factory());
    Arc::new(site.build().expect("one pattern is no mistake"))
}

/// Runs `test` on a proxy of one worker, on a network where nothing goes wrong.
pub fn proxy(test: impl AsyncFnOnce(&mut World, &Upstream)) {
    proxy_by(&Setup::default(), ProxyOptions::default(), test);
}

/// The same, with other limits and options.
pub fn proxy_by(setup: &Setup, options: ProxyOptions, test: impl AsyncFnOnce(&mut World, &Upstream)) {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let upstream = Upstream::listen(&network);
        let mut world = World::new(network, &front(options, 1), setup);
        test(&mut world, &upstream).await;
    });
}

impl Stage {
    /// The next connection that the proxy made, by which its SETTINGS have come.
    pub fn accept(upstream: &Upstream) -> Stage {
        Stage::accept_by(upstream, h2::Limits::default())
    }

    /// The same, of an upstream with these limits.
    pub fn accept_by(upstream: &Upstream, limits: h2::Limits) -> Stage {
        Stage::of(Wire::Clear(upstream.accept().client), limits)
    }

    pub fn of(client: Wire, limits: h2::Limits) -> Stage {
        let mut stage = Stage::silent(client, h2::Server::new(limits, 1));
        stage.begin();
        stage
    }

    /// The same, of an upstream that says nothing until it is told to [`begin`](Stage::begin).
    pub fn silent(client: Wire, protocol: h2::Server) -> Stage {
        Stage {
            client,
            protocol,
            head: Head::default(),
            blocks: Blocks::new(1),
            input: Vec::new(),
            unsaid: Vec::new(),
            heard: Vec::new(),
            keys: Vec::new(),
            credits: true,
            ended: false,
            has_begun: false,
        }
    }

    /// Says what comes first: its SETTINGS.
    pub fn begin(&mut self) {
        self.has_begun = true;
        let mut first = Vec::new();
        self.protocol.start(&mut first);
        self.unsaid.splice(..0, first);
        self.say(&[]);
    }

    /// Sends what `write` writes.
    pub fn say_with<T>(&mut self, write: impl FnOnce(&mut h2::Server, &mut Blocks, &mut Vec<u8>) -> T) -> T {
        let mut out = Vec::new();
        let result = write(&mut self.protocol, &mut self.blocks, &mut out);
        self.say(&out);
        result
    }

    /// Sends bytes; over TLS once the handshake is complete.
    pub fn say(&mut self, bytes: &[u8]) {
        self.unsaid.extend_from_slice(bytes);
        if self.unsaid.is_empty() || self.ended || !self.has_begun {
            return;
        }
        match self.client.write(&self.unsaid) {
            Err(_) if matches!(self.client, Wire::Secure(_)) => {}
            taken => {
                assert_eq!(taken.expect("the connection is open"), self.unsaid.len(), "there is room");
                self.unsaid.clear();
            }
        }
    }

    /// What has come since the last time.
    pub fn hear(&mut self) -> Vec<Heard> {
        let mut room = vec![0; 64 * 1024];
        while !self.ended {
            match self.client.read(&mut room) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.input.extend_from_slice(&room[..count]);
                    self.take_in();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.ended = true,
            }
        }
        self.say(&[]);
        std::mem::take(&mut self.heard)
    }

    /// What somebody else has read of the connection.
    pub fn hear_first(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.take_in();
    }

    fn take_in(&mut self) {
        let (mut out, mut at) = (Vec::new(), 0);
        loop {
            let event = self.protocol.handle(&self.input[at..], &mut self.head, &mut out);
            let event = event.unwrap_or_else(|error| panic!("the proxy breaks HTTP/2: {error}"));
            let (heard, consumed) = self.told(event, at);
            at += consumed;
            self.heard.extend(heard);
            if matches!(event, Event::Need { .. }) {
                break;
            }
        }
        self.input.drain(..at);
        self.protocol.update_windows(&mut out);
        self.say(&out);
    }

    fn told(&mut self, event: Event, at: usize) -> (Option<Heard>, usize) {
        match event {
            Event::Head { stream, consumed, ended } => {
                self.keys.push(stream);
                (Some(self.request(stream, ended)), consumed)
            }
            Event::Data { stream, start, end, consumed, ended } => {
                if self.credits {
                    self.protocol.consumed(stream, end - start);
                }
                let bytes = self.input[at..][start..end].to_vec();
                (Some(Heard::Data { stream: stream.id, bytes, ended }), consumed)
            }
            Event::Trailers { stream, consumed } => {
                let fields = lines(&self.head.fields, self.protocol.text());
                (Some(Heard::Trailers { stream: stream.id, fields }), consumed)
            }
            Event::Reset { stream, error, fault, consumed } => {
                assert_eq!(fault, None, "the proxy does nothing wrong");
                self.protocol.release(stream);
                (Some(Heard::Reset { stream: stream.id, code: error }), consumed)
            }
            Event::Refused { refusal, .. } => panic!("the proxy sent what is refused: {refusal}"),
            Event::GoAway { consumed, .. } => (Some(Heard::GoAway), consumed),
            Event::Need { consumed }
            | Event::Interim { consumed, .. }
            | Event::Window { consumed, .. }
            | Event::Priority { consumed, .. } => (None, consumed),
        }
    }

    fn request(&self, stream: StreamKey, ended: bool) -> Heard {
        let text = self.protocol.text();
        let of = |span: gannet_proto::Span| String::from_utf8_lossy(span.of(text)).into_owned();
        Heard::Request {
            stream: stream.id,
            method: of(self.head.method_text),
            protocol: self.head.protocol.map(of),
            target: of(self.head.target),
            authority: self.head.authority.map(of).unwrap_or_default(),
            fields: lines(&self.head.fields, text),
            ended,
        }
    }

    /// The requests that have come, by stream and target; nothing else has.
    pub fn asked(&mut self) -> Vec<(u32, String)> {
        let told = self.hear().into_iter().map(|heard| match heard {
            Heard::Request { stream, target, .. } => (stream, target),
            other => panic!("a request was awaited, and came: {other:?}"),
        });
        told.collect()
    }

    /// The key of a stream that is not over.
    pub fn key(&self, stream: u32) -> StreamKey {
        *self.keys.iter().find(|key| key.id == stream).expect("there was such a stream")
    }

    /// Answers with a text, at once and whole.
    pub fn answer(&mut self, stream: u32, text: &str) {
        let key = self.key(stream);
        self.respond(stream, 200, b"", Some(text.len() as u64));
        if !text.is_empty() {
            self.push(stream, text.as_bytes(), true);
        }
        self.release(key);
    }

    /// The head of a response; with a length of 0 all of it.
    pub fn respond(&mut self, stream: u32, status: u16, fields: &[u8], length: Option<u64>) {
        let (key, status) = (self.key(stream), Status::new(status).expect("a status"));
        self.say_with(|protocol, blocks, out| {
            let head = ResponseToSend { status, fields, length, date: None };
            protocol.respond(key, head, blocks, out);
        });
    }

    /// An interim response.
    pub fn inform(&mut self, stream: u32, status: u16, fields: &[u8]) {
        let (key, status) = (self.key(stream), Status::new(status).expect("a status"));
        self.say_with(|protocol, _, out| protocol.inform(key, status, fields, out));
    }

    /// Some content, in one frame.
    pub fn push(&mut self, stream: u32, bytes: &[u8], end: bool) {
        let key = self.key(stream);
        self.say_with(|protocol, _, out| {
            protocol.push(key, bytes.len(), end, out).expect("content that was announced");
            out.extend_from_slice(bytes);
        });
    }

    /// The end of a response, with trailers or without.
    pub fn finish(&mut self, stream: u32, trailers: &[u8]) {
        let key = self.key(stream);
        self.say_with(|protocol, _, out| protocol.finish(key, trailers, out)).expect("as long as announced");
    }

    pub fn reset(&mut self, stream: u32, code: ErrorCode) {
        let key = self.key(stream);
        self.say_with(|protocol, _, out| protocol.reset(key, code, out));
        self.protocol.release(key);
    }

    /// Lets a stream go whose halves have both ended.
    pub fn release(&mut self, key: StreamKey) {
        if self.protocol.receiving_ended(key) && self.protocol.sending_ended(key) {
            self.protocol.release(key);
        }
    }
}

fn lines(fields: &[Field], text: &[u8]) -> Lines {
    let of = |span: gannet_proto::Span| String::from_utf8_lossy(span.of(text)).into_owned();
    fields.iter().map(|field| (of(field.name), of(field.value))).collect()
}

/// The value of a field, if there is one; no test's has two lines.
pub fn field<'a>(fields: &'a Lines, name: &str) -> Option<&'a str> {
    let mut named = fields.iter().filter(|(other, _)| other == name);
    let value = named.next().map(|(_, value)| value.as_str());
    assert!(named.next().is_none(), "{name} is there twice: {fields:?}");
    value
}

/// What a client of HTTP/2 is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    pub interims: Vec<(u16, Lines)>,
    pub status: u16,
    pub fields: Lines,
    pub body: Vec<u8>,
    pub trailers: Lines,
    pub ended: bool,
    pub reset: Option<ErrorCode>,
}

/// A client of HTTP/2.
pub struct Caller2 {
    pub client: Client,
    pub protocol: h2::Client,
    head: ResponseHead,
    input: Vec<u8>,
    /// By stream, in the order in which they were opened.
    pub told: Vec<(StreamKey, Told)>,
    /// What it reads lets the server send on.
    pub credits: bool,
    pub ended: bool,
}

impl Caller2 {
    pub fn connect(world: &World) -> Caller2 {
        let mut protocol = h2::Client::new(h2::Limits::default(), 1);
        let mut out = Vec::new();
        protocol.start(&mut out);
        let mut caller = Caller2 {
            client: world.connect(),
            protocol,
            head: ResponseHead::default(),
            input: Vec::new(),
            told: Vec::new(),
            credits: true,
            ended: false,
        };
        caller.say(&out);
        caller
    }

    pub fn say(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() && !self.ended {
            assert_eq!(
                self.client.write(bytes).expect("the connection is open"),
                bytes.len(),
                "there is room"
            );
        }
    }

    /// Begins a request; gives its place.
    pub fn ask(&mut self, request: h2::RequestToSend<'_>) -> usize {
        let mut out = Vec::new();
        let key = self.protocol.request(request, &mut out).expect("the server takes more");
        self.say(&out);
        self.told.push((key, Told::default()));
        self.told.len() - 1
    }

    pub fn push(&mut self, place: usize, bytes: &[u8], end: bool) {
        let mut out = Vec::new();
        self.protocol.push(self.told[place].0, bytes.len(), end, &mut out).expect("announced");
        out.extend_from_slice(bytes);
        self.say(&out);
    }

    pub fn finish(&mut self, place: usize, trailers: &[u8]) {
        let mut out = Vec::new();
        self.protocol.finish(self.told[place].0, trailers, &mut out).expect("as long as announced");
        self.say(&out);
    }

    pub fn reset(&mut self, place: usize, code: ErrorCode) {
        let mut out = Vec::new();
        self.protocol.reset(self.told[place].0, code, &mut out);
        self.say(&out);
    }

    /// Reads what has come, and gives what it was told on a stream.
    pub fn hear(&mut self, place: usize) -> &Told {
        let mut room = vec![0; 64 * 1024];
        while !self.ended {
            match self.client.read(&mut room) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.input.extend_from_slice(&room[..count]);
                    self.take_in();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
        &self.told[place].1
    }

    fn take_in(&mut self) {
        let (mut out, mut at) = (Vec::new(), 0);
        loop {
            let event = self.protocol.handle(&self.input[at..], &mut self.head, &mut out);
            let event = event.unwrap_or_else(|error| panic!("the server breaks HTTP/2: {error}"));
            at += self.told(event, at);
            if matches!(event, Event::Need { .. }) {
                break;
            }
        }
        self.input.drain(..at);
        self.protocol.update_windows(&mut out);
        self.say(&out);
    }

    fn told(&mut self, event: Event, at: usize) -> usize {
        let Caller2 { protocol, head, told, input, credits, .. } = self;
        match event {
            Event::Head { stream, consumed, ended } => {
                let told = of(told, stream);
                (told.status, told.ended) = (head.status.code(), ended);
                told.fields = lines(&head.fields, protocol.text());
                consumed
            }
            Event::Interim { stream, consumed } => {
                let interim = (head.status.code(), lines(&head.fields, protocol.text()));
                of(told, stream).interims.push(interim);
                consumed
            }
            Event::Data { stream, start, end, consumed, ended } => {
                let told = of(told, stream);
                told.body.extend_from_slice(&input[at..][start..end]);
                told.ended = ended;
                if *credits {
                    protocol.consumed(stream, end - start);
                }
                consumed
            }
            Event::Trailers { stream, consumed } => {
                let told = of(told, stream);
                (told.trailers, told.ended) = (lines(&head.fields, protocol.text()), true);
                consumed
            }
            Event::Reset { stream, error, fault, consumed } => {
                assert_eq!(fault, None, "the server does nothing wrong");
                of(told, stream).reset = Some(error);
                consumed
            }
            Event::Need { consumed }
            | Event::Refused { consumed, .. }
            | Event::Window { consumed, .. }
            | Event::Priority { consumed, .. }
            | Event::GoAway { consumed, .. } => consumed,
        }
    }
}

fn of(told: &mut [(StreamKey, Told)], key: StreamKey) -> &mut Told {
    &mut told.iter_mut().find(|(other, _)| *other == key).expect("a stream of ours").1
}

/// A request to `a.example`, without fields.
pub fn request<'a>(method: Method, path: &'a str, body: BodyLength) -> h2::RequestToSend<'a> {
    h2::RequestToSend {
        method,
        method_text: method.as_str().expect("a method with a name"),
        scheme: "http",
        authority: "a.example",
        path,
        protocol: None,
        fields: b"",
        body,
        accepts_trailers: false,
    }
}

/// A while in which nothing has to be waited for.
pub const MOMENT: Duration = Duration::ZERO;
