//! Upstreams of the test's own.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gannet_core::{
    Arrival, Block, Body, BodyLength, Bytes, Call, Clock, Counter, Counters, Cpu, Fs, FsError, Handler, Head,
    Heads, Incoming, Interims, Later, OpenFile, Ports, ReceivedBody, Reply, Request, RequestHead, Response,
    Root, Stamp, Status, Tls, UpgradeOffer, Upstream, UpstreamAddress, UpstreamError, UpstreamFailure,
    UpstreamRequest, Upstreams, WriteListed,
};
use gannet_features::proxy::{Proxy, ProxyOptions};
use gannet_proto::h1::{Connection, Event};

/// What an upstream does with a request.
#[derive(Clone)]
pub enum Does {
    /// Answers with this status.
    Answers(u16),
    /// Fails, and has been sent something.
    Fails(UpstreamError),
    /// Fails, and has been sent nothing.
    FailsUnsent(UpstreamError),
    /// Does nothing.
    Waits,
}

/// A request that an upstream was sent.
pub struct Seen {
    pub upstream: Arc<Upstream>,
    pub line: String,
    pub fields: Vec<(String, String)>,
    pub body: Body,
    pub upgrade: UpgradeOffer,
    pub expects_continue: bool,
    pub accepts_trailers: bool,
    pub interims: Option<Interims>,
    pub client: Option<(SocketAddr, SocketAddr)>,
}

/// What the upstreams do, what they saw, what time it is.
#[derive(Default)]
pub struct World {
    /// What is done with the next requests; then they are answered with 200.
    pub script: RefCell<VecDeque<Does>>,
    /// What is done with every request to the upstream on this port.
    pub rules: RefCell<Vec<(u16, Does)>>,
    pub seen: RefCell<Vec<Seen>>,
    pub waiting: RefCell<Vec<Rc<Call>>>,
    /// How many exchanges are under way, by the port.
    pub under_way: RefCell<Vec<(u16, usize)>>,
    pub now: Cell<Duration>,
}

/// Where a request comes from.
#[derive(Clone, Copy, Default)]
pub struct From<'a> {
    pub peer: Option<&'a str>,
    /// Our own address.
    pub server: Option<&'a str>,
    pub is_secure: bool,
}

/// One worker's handler of a proxy.
pub struct Proxied {
    pub world: Rc<World>,
    pub handler: Rc<dyn Handler>,
}

pub const CLIENT: &str = "203.0.113.9:4711";

/// Where it comes to.
pub const SERVER: &str = "198.51.100.1:80";

impl Proxied {
    /// To upstreams on these ports of this machine.
    pub fn new(ports: &[u16], options: ProxyOptions) -> Proxied {
        let targets: Vec<String> = ports.iter().map(|port| format!(":{port}")).collect();
        let proxy = Proxy::new(&targets, options, &|_| Err("no TLS here".to_owned())).expect("good targets");
        Proxied { world: Rc::default(), handler: proxy.factory()() }
    }

    /// To one upstream, with the defaults.
    pub fn plain() -> Proxied {
        Proxied::new(&[3000], ProxyOptions::default())
    }

    pub fn get(&self, fields: &str) -> Response {
        self.ask("GET / HTTP/1.1", fields)
    }

    pub fn ask(&self, line: &str, fields: &str) -> Response {
        self.ask_from(From { peer: Some(CLIENT), server: Some(SERVER), is_secure: false }, line, fields)
    }

    pub fn ask_from(&self, from: From<'_>, line: &str, fields: &str) -> Response {
        let host = if line.ends_with("HTTP/1.1") { "Host: a.example\r\n" } else { "" };
        poll(&mut self.begin(from, &format!("{line}\r\n{host}{fields}\r\n"))).expect("there is an answer")
    }

    /// Hands the handler a request of these bytes.
    pub fn begin(&self, from: From<'_>, text: &str) -> Pin<Box<Reply>> {
        Box::pin(self.handler.handle(self.request(from, text)))
    }

    /// The request of these bytes.
    pub fn request(&self, from: From<'_>, text: &str) -> Request {
        let mut block = Block::oversized(text.len());
        block.append(text.as_bytes());
        let mut head = Box::<Head>::default();
        let event = Connection::new(gannet_proto::Limits::default()).handle(&block, &mut head);
        assert!(matches!(event, Ok(Event::Head { .. })), "a whole head: {event:?}");
        let incoming = Rc::new(Incoming::default());
        incoming.begin((head.body != BodyLength::None).then(|| Waker::noop().clone()));
        let head = RequestHead::new(head, block.share(), Heads::new(1));
        let ports = Rc::new(self.ports());
        let arrival = Arrival {
            peer: from.peer.map(|peer| peer.parse().expect("an address and a port")),
            server: from.server.map(|server| server.parse().expect("an address and a port")),
            tls: from.is_secure.then(|| Rc::new(tls())),
        };
        Request::new(head, ReceivedBody::new(incoming), ports, Interims::default(), Rc::new(arrival))
    }

    pub fn ports(&self) -> Ports {
        let world = &self.world;
        Ports {
            fs: world.clone(),
            cpu: world.clone(),
            clock: world.clone(),
            counters: world.clone(),
            upstreams: world.clone(),
            trusted: Rc::default(),
            states: Rc::default(),
            locals: Rc::default(),
            letterbox: Arc::new(()),
            draining: Rc::default(),
        }
    }

    /// What the upstream saw of the last request.
    pub fn last(&self) -> Seen {
        self.world.seen.borrow_mut().pop().expect("a request was sent")
    }

    /// The ports of the upstreams that were asked, in their order.
    pub fn asked(&self) -> Vec<u16> {
        self.world.seen.take().iter().map(|seen| port(&seen.upstream)).collect()
    }

    pub fn script(&self, does: impl IntoIterator<Item = Does>) {
        self.world.script.borrow_mut().extend(does);
    }

    pub fn pass(&self, time: Duration) {
        self.world.now.set(self.world.now.get() + time);
    }
}

/// The answer, when it is there.
pub fn poll(reply: &mut Pin<Box<Reply>>) -> Option<Response> {
    let ready = reply.take_ready();
    ready.or_else(|| match reply.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => Some(response),
        Poll::Pending => None,
    })
}

fn port(upstream: &Upstream) -> u16 {
    match &upstream.address {
        UpstreamAddress::Internet(address) => address.port(),
        UpstreamAddress::Unix(_) => 0,
    }
}

impl Seen {
    fn of(upstream: Arc<Upstream>, request: &mut UpstreamRequest) -> Seen {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Seen {
            upstream,
            line: format!("{} {}", request.method_text(), request.target()),
            fields: request.fields.iter().map(|(name, value)| (name.to_owned(), text(value))).collect(),
            body: std::mem::take(&mut request.body),
            upgrade: request.upgrade,
            expects_continue: request.expects_continue,
            accepts_trailers: request.accepts_trailers,
            interims: request.interims.clone(),
            client: request.client,
        }
    }

    /// All values of a name, of a line each.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a name that there is one of.
    pub fn one(&self, name: &str) -> &str {
        match self.all(name)[..] {
            [value] => value,
            ref other => panic!("{name}: {other:?}"),
        }
    }
}

impl Upstreams for World {
    fn begin(&self, call: Rc<Call>) {
        let upstream = call.upstream();
        let rule =
            self.rules.borrow().iter().find(|(of, _)| *of == port(&upstream)).map(|(_, does)| does.clone());
        let does = self.script.borrow_mut().pop_front().or(rule).unwrap_or(Does::Answers(200));
        let mut request = call.take_request(None).expect("a request");
        self.seen.borrow_mut().push(Seen::of(upstream, &mut request));
        match does {
            Does::Waits => return self.waiting.borrow_mut().push(call),
            Does::Answers(code) => call.answer(Ok(Response::new(Status::new(code).expect("a status")))),
            Does::Fails(error) => call.answer(Err(error.into())),
            Does::FailsUnsent(error) => {
                call.answer(Err(UpstreamFailure { error, unsent: Some(Box::new(request)) }));
            }
        }
        call.recycle();
    }

    fn under_way(&self, upstream: &Upstream) -> usize {
        self.under_way.borrow().iter().find(|(of, _)| *of == port(upstream)).map_or(0, |(_, count)| *count)
    }
}

impl Clock for World {
    fn now(&self) -> Duration {
        self.now.get()
    }

    fn read(&self) -> Duration {
        self.now.get()
    }

    fn unix_seconds(&self) -> u64 {
        2_000_000_000
    }

    fn unix_milliseconds(&self) -> u64 {
        2_000_000_000 * 1000
    }

    fn set_alarm(&self, _: Option<u32>, _: Duration, _: &Waker) -> u32 {
        0
    }

    fn clear_alarm(&self, _: u32) {}
}

impl Counters for World {
    fn add(&self, _: Counter, _: u64) {}
}

impl Cpu for World {
    fn spawn(&self, _: Box<dyn FnOnce() + Send>) -> bool {
        panic!("a proxy computes nothing");
    }
}

impl Fs for World {
    fn open(&self, _: &Root, _: &[u8]) -> Later<Result<OpenFile, FsError>> {
        panic!("a proxy has no files");
    }

    fn stamp(&self, _: &File) -> io::Result<Stamp> {
        panic!("a proxy has no files");
    }

    fn read(&self, _: &Arc<File>, _: Range<u64>) -> Later<io::Result<Bytes>> {
        panic!("a proxy has no files");
    }

    fn list(&self, _: &Root, _: &[u8], _: usize, _: WriteListed) -> Later<Result<Bytes, FsError>> {
        panic!("a proxy has no files");
    }

    fn spare_descriptors(&self) -> usize {
        0
    }
}

/// All bytes of an answer that we made ourselves.
pub fn text(response: Response) -> String {
    let (_, _, body) = response.into_parts();
    match body {
        Body::Empty => String::new(),
        Body::Bytes(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
        other => panic!("{other:?}"),
    }
}

/// A field's value.
pub fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.fields().get(name).map(|value| std::str::from_utf8(value).expect("ASCII"))
}

/// The TLS of a connection, of which nobody here asks more than that there is one.
fn tls() -> Tls {
    Tls {
        version: "TLSv1.3",
        cipher: "TLS_AES_256_GCM_SHA384",
        server_name: None,
        resumed: false,
        client_certificate: None,
        requires_client_certificate: false,
    }
}
