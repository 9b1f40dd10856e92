//! A handler behind a filter, and a world of the test's own around both: a clock, threads for computations, no files.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gannet_core::{
    Arrival, Block, Body, BodyError, Bytes, Call, Chain, Clock, Counter, Counters, Cpu, Filter, Frame, Fs,
    FsError, Handler, Head, Heads, Incoming, Interims, IntoFilter, IntoHandler, Later, OpenFile, Ports,
    ReceivedBody, Reply, Request, RequestHead, Response, Root, Stamp, Upstream, Upstreams, WriteListed,
};
use gannet_proto::h1::{Connection, Event};

/// What time it is, and what is computed.
#[derive(Default)]
pub struct World {
    /// The clock.
    pub now: Cell<Duration>,
    /// Whether there is no time to compute anything.
    pub busy: Cell<bool>,
    /// Whether what is to be computed waits for [`World::compute`].
    pub held: Cell<bool>,
    /// How often something was computed, or waits to be.
    pub computed: Cell<usize>,
    waiting: RefCell<Vec<Box<dyn FnOnce() + Send>>>,
}

/// A handler behind filters.
pub struct Behind {
    pub world: Rc<World>,
    handler: Rc<dyn Handler>,
    /// Who asks.
    pub peer: Option<SocketAddr>,
    /// Which proxies are believed.
    pub trusted: &'static str,
}

/// What is being sent to a handler: a request's body.
pub struct Sending(Rc<Incoming>);

/// A request that is perhaps not answered yet.
pub struct Asked(Pin<Box<Reply>>);

impl World {
    /// Computes what was held; how much that was.
    pub fn compute(&self) -> usize {
        let waiting = self.waiting.take();
        waiting.into_iter().map(|job| job()).count()
    }
}

impl Behind {
    /// `handler` behind `filter`, a thousand seconds after the clock's beginning.
    pub fn new<M, N>(filter: impl IntoFilter<M>, handler: impl IntoHandler<N>) -> Behind {
        Behind::filters([filter.into_filter()], handler)
    }

    /// The same behind several, the outermost first.
    pub fn filters<N>(filters: impl Into<Rc<[Rc<dyn Filter>]>>, handler: impl IntoHandler<N>) -> Behind {
        let world = World { now: Cell::new(Duration::from_secs(1000)), ..World::default() };
        let handler = Chain::new(filters, handler.into_handler());
        let peer = Some(SocketAddr::from(([192, 0, 2, 1], 1234)));
        Behind { world: Rc::new(world), handler: Rc::new(handler), peer, trusted: "" }
    }

    /// The same for a client of this address.
    pub fn from(mut self, address: &str) -> Behind {
        let address: IpAddr = address.parse().expect("an address");
        self.peer = Some(SocketAddr::new(address, 1234));
        self
    }

    pub fn get(&self, fields: &[(&str, &str)]) -> Response {
        self.ask("GET", fields)
    }

    /// What is answered at once, or once what there is to compute was computed.
    pub fn ask(&self, method: &str, fields: &[(&str, &str)]) -> Response {
        self.begin(method, fields).response().expect("nothing has to be waited for")
    }

    /// Asks without a body, and waits for nothing.
    pub fn begin(&self, method: &str, fields: &[(&str, &str)]) -> Asked {
        let incoming = Rc::new(Incoming::default());
        incoming.begin(None);
        self.begin_with(method, fields, incoming)
    }

    /// What is answered to a POST of these bytes.
    pub fn post(&self, fields: &[(&str, &str)], content: &[u8]) -> Response {
        let (mut asked, sending) = self.begin_post(fields);
        sending.send(content);
        sending.end(Ok(()));
        asked.response().expect("nothing has to be waited for")
    }

    /// Posts what is still to be sent.
    pub fn begin_post(&self, fields: &[(&str, &str)]) -> (Asked, Sending) {
        let incoming = Rc::new(Incoming::default());
        incoming.begin(Some(Waker::noop().clone()));
        let fields: Vec<_> = fields.iter().copied().chain([("Transfer-Encoding", "chunked")]).collect();
        (self.begin_with("POST", &fields, incoming.clone()), Sending(incoming))
    }

    fn begin_with(&self, method: &str, fields: &[(&str, &str)], incoming: Rc<Incoming>) -> Asked {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("{method} /a HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n");
        let mut block = Block::oversized(text.len());
        block.append(text.as_bytes());
        let mut head = Box::<Head>::default();
        let event = Connection::new(gannet_proto::Limits::default()).handle(&block, &mut head);
        assert!(matches!(event, Ok(Event::Head { .. })), "a whole head");
        let world = &self.world;
        let networks = self.trusted.split(' ').filter(|network| !network.is_empty());
        let ports = Ports {
            fs: world.clone(),
            cpu: world.clone(),
            clock: world.clone(),
            counters: world.clone(),
            upstreams: world.clone(),
            trusted: Rc::new(networks.map(|network| network.parse().expect("a network")).collect()),
            states: Rc::default(),
            locals: Rc::default(),
            letterbox: Arc::new(()),
            draining: Rc::default(),
        };
        let head = RequestHead::new(head, block.share(), Heads::new(1));
        let arrival = Arrival { peer: self.peer, ..Arrival::default() };
        let body = ReceivedBody::new(incoming);
        let request = Request::new(head, body, Rc::new(ports), Interims::default(), Rc::new(arrival));
        Asked(Box::pin(self.handler.handle(request)))
    }
}

impl Sending {
    pub fn send(&self, bytes: &[u8]) {
        let mut block = Block::oversized(bytes.len());
        block.append(bytes);
        self.0.push(block.share());
    }

    pub fn end(&self, result: Result<(), BodyError>) {
        self.0.end(result, None);
    }
}

impl Asked {
    /// The response, when it is there; given once. What only lets others go first is asked again, as often as no test needs.
    pub fn response(&mut self) -> Option<Response> {
        (0..1000).find_map(|_| match self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => Some(response),
            Poll::Pending => None,
        })
    }
}

impl Cpu for World {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        if self.busy.get() {
            return false;
        }
        self.computed.set(self.computed.get() + 1);
        match self.held.get() {
            true => self.waiting.borrow_mut().push(job),
            false => job(),
        }
        true
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
        2_000_000_000 + self.now.get().as_secs()
    }

    fn unix_milliseconds(&self) -> u64 {
        self.unix_seconds() * 1000
    }

    fn set_alarm(&self, _: Option<u32>, _: Duration, _: &Waker) -> u32 {
        0
    }

    fn clear_alarm(&self, _: u32) {}
}

impl Counters for World {
    fn add(&self, _: Counter, _: u64) {}
}

impl Upstreams for World {
    fn begin(&self, _: Rc<Call>) {
        panic!("no filter asks other servers");
    }

    fn under_way(&self, _: &Upstream) -> usize {
        0
    }
}

impl Fs for World {
    fn open(&self, _: &Root, _: &[u8]) -> Later<Result<OpenFile, FsError>> {
        Later::ready(Err(FsError::NotFound))
    }

    fn stamp(&self, _: &File) -> io::Result<Stamp> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read(&self, file: &Arc<File>, range: Range<u64>) -> Later<io::Result<Bytes>> {
        use std::os::unix::fs::FileExt;
        let mut content = vec![0; (range.end - range.start) as usize];
        Later::ready(file.read_exact_at(&mut content, range.start).map(|()| content.into()))
    }

    fn list(&self, _: &Root, _: &[u8], _: usize, _: WriteListed) -> Later<Result<Bytes, FsError>> {
        Later::ready(Err(FsError::NotFound))
    }

    fn spare_descriptors(&self) -> usize {
        0
    }
}

/// A field's value.
pub fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.fields().get(name).map(|value| std::str::from_utf8(value).expect("ASCII"))
}

/// The next bytes of a body that can be had without waiting; nothing where it waits, an error's name where it broke, and `None` at the end.
pub fn next_bytes(body: &mut Body) -> Option<Result<Bytes, BodyError>> {
    // Bounded: a body that only lets others go first is soon asked again.
    for _ in 0..1000 {
        match body.poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(Frame::Data(data)))) if data.as_slice().is_empty() => {}
            Poll::Ready(Some(Ok(Frame::Data(data)))) => {
                return Some(Ok(Bytes::copy_from_slice(data.as_slice())));
            }
            Poll::Ready(Some(Ok(frame))) => panic!("{frame:?}"),
            Poll::Ready(Some(Err(error))) => return Some(Err(error)),
            Poll::Ready(None) => return None,
            Poll::Pending => {}
        }
    }
    Some(Ok(Bytes::new()))
}

/// All bytes of a response's body.
pub fn content(response: Response) -> Vec<u8> {
    let (_, _, mut body) = response.into_parts();
    let (length, mut all) = (body.length(), Vec::new());
    // Bounded: no test's body has as many pieces.
    for _ in 0..100_000 {
        match next_bytes(&mut body) {
            Some(bytes) => all.extend_from_slice(&bytes.expect("a whole body")),
            None => {
                assert!(
                    length.is_none_or(|length| length == all.len() as u64),
                    "as long as it was said to be"
                );
                return all;
            }
        }
    }
    panic!("a body without an end");
}

pub fn text(response: Response) -> String {
    String::from_utf8(content(response)).expect("text")
}
