//! Other servers, and requests to them.
//!
//! A handler says `upstream.send(request).await`; the worker's own client does the rest, on the worker's engine. What comes back is a
//! [`Response`], whose body is received as it is read.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gannet_proto::Method;
use gannet_proto::h2::ErrorCode;
use gannet_proto::proxy::Version as ProxyProtocol;

use crate::{Body, Fields, Interims, Ports, Response, Status};

/// Another server, and how it is spoken to. Made once, at start, and shared by all workers, each of which has connections of its own to it.
#[derive(Debug)]
pub struct Upstream {
    /// Which one, of all that this process has made.
    number: usize,
    /// Where it listens.
    pub address: UpstreamAddress,
    /// How it is spoken to over TLS; in clear text without.
    pub tls: Option<UpstreamTls>,
    /// Which HTTP.
    pub protocol: UpstreamProtocol,
    /// The PROXY protocol's header that each connection begins with. It names one client, so such a connection serves one request.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// How long it may take.
    pub timeouts: UpstreamTimeouts,
}

/// Where an upstream listens.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum UpstreamAddress {
    /// An address and port of TCP.
    Internet(SocketAddr),
    /// The file of a Unix socket; what begins with `@` is a name of the abstract namespace (unix(7)).
    Unix(PathBuf),
}

/// Which HTTP an upstream is spoken to by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UpstreamProtocol {
    /// Over TLS both are offered (ALPN, RFC 7301), and it chooses: HTTP/2, or HTTP/1.1. In clear text HTTP/1.1: what a server speaks is not guessed.
    #[default]
    Negotiated,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, in clear text as in TLS: one that does not speak it is no upstream.
    Http2,
}

/// TLS to an upstream.
#[derive(Clone)]
pub struct UpstreamTls {
    /// The name that its certificate must have.
    pub server_name: Arc<str>,
    /// Whom is trusted, and all else that the server's client knows how to use, and nobody here does.
    pub settings: Arc<dyn Any + Send + Sync>,
}

/// How long an upstream may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UpstreamTimeouts {
    /// Until a connection is there, with TLS if it has that.
    pub connect: Duration,
    /// From when it has the whole request until it has sent the whole head of its response. By HTTP/2, what waits for its SETTINGS waits as long for these.
    pub head: Duration,
    /// Without a byte in either direction while a body is on its way, or a tunnel is open.
    pub idle: Duration,
}

/// A request to an upstream.
pub struct UpstreamRequest {
    upstreams: Rc<dyn Upstreams>,
    method: Method,
    /// The method's text, a space and the target.
    line: Vec<u8>,
    method_length: usize,
    /// Its fields; also `Host`, and where it [offers](UpstreamRequest::upgrade) one `Upgrade`. What frames it is the client's to say.
    pub fields: Fields,
    /// Its body; one of unknown length is sent in chunks.
    pub body: Body,
    /// Whether another protocol is offered: the field `Upgrade` says which.
    pub upgrade: UpgradeOffer,
    /// The upstream is to say 100 (Continue) before the body is sent.
    pub expects_continue: bool,
    /// The response may have trailers (`TE: trailers`).
    pub accepts_trailers: bool,
    /// Where interim responses go; without, nobody hears of them.
    pub interims: Option<Interims>,
    /// Client and server of the connection that it came by: what the PROXY protocol's header says.
    pub client: Option<(SocketAddr, SocketAddr)>,
}

/// Whether a request offers another protocol, and by which HTTP it can. Where the upstream takes it up the response's body is an
/// [`Upgrade`](crate::Upgrade), and its status what that HTTP has for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UpgradeOffer {
    /// It does not.
    #[default]
    None,
    /// By HTTP/1.1's `Upgrade` (RFC 9110, 7.8), which 101 answers. By HTTP/2 it is not made, and the request is as any other (RFC 9113, 8.2.2).
    Http1,
    /// By `Upgrade`, or by HTTP/2's extended CONNECT (RFC 8441), which 200 answers: that asks for the first protocol that the field names, without the field
    /// and without `Sec-WebSocket-Key`. The request is a GET and has no body. Not sent to an upstream that is spoken to by HTTP/2 and has not told that it
    /// takes that ([`UpstreamError::NoConnectProtocol`]); one that may choose is asked by HTTP/1.1 then.
    AnyVersion,
}

/// The port: who sends requests to upstreams, for one worker.
pub trait Upstreams {
    /// Takes a call on. It is answered, or dropped.
    fn begin(&self, call: Rc<Call>);

    /// How many exchanges this worker has under way with an upstream.
    fn under_way(&self, upstream: &Upstream) -> usize;
}

/// A request on its way, and its response when it is there: what the handler and the client share.
#[derive(Default)]
pub struct Call {
    state: RefCell<State>,
    /// Nobody waits for the response any more.
    abandoned: Cell<bool>,
}

#[derive(Default)]
struct State {
    upstream: Option<Arc<Upstream>>,
    request: Option<UpstreamRequest>,
    answer: Option<Result<Response, UpstreamFailure>>,
    /// Who waits for it.
    caller: Option<Waker>,
    /// Whom to tell that nobody does any more.
    client: Option<Waker>,
}

/// The response, when it comes. Dropping it ends the exchange.
pub struct Sending {
    /// Empty only while being dropped.
    call: Option<Rc<Call>>,
}

/// There is no response.
pub struct UpstreamFailure {
    /// Why.
    pub error: UpstreamError,
    /// The request, where nothing of it was sent: it may be sent elsewhere.
    pub unsent: Option<Box<UpstreamRequest>>,
}

/// Why there is no response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UpstreamError {
    /// It could not be connected to: what connect(2) says.
    Connect(std::io::ErrorKind),
    /// It did not answer to connecting in time.
    ConnectTimeout,
    /// TLS came to nothing; what was wrong.
    Tls(Box<str>),
    /// As many connections as may be are open to it, and as many requests as may wait do, or this one has waited too long.
    Busy,
    /// It closed or reset the connection before its response's head.
    Closed,
    /// It broke the exchange off, and no more (RST_STREAM); by which code.
    Reset(ErrorCode),
    /// It is spoken to by HTTP/2, and takes no request for another protocol (extended CONNECT, RFC 8441).
    NoConnectProtocol,
    /// Its response's head did not come in time.
    HeadTimeout,
    /// It took nothing of the request for too long.
    SendTimeout,
    /// It sent what is no response; what was wrong.
    Malformed(&'static str),
    /// The request's body broke off: the client's fault, not the upstream's.
    RequestBody,
    /// The server is ending.
    Stopping,
}

/// How many this process has made.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// Calls kept for reuse by a thread.
const KEPT: usize = 256;

thread_local! {
    static FREE_CALLS: RefCell<Vec<Rc<Call>>> = const { RefCell::new(Vec::new()) };
    static FREE_LINES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Default for UpstreamTimeouts {
    fn default() -> UpstreamTimeouts {
        UpstreamTimeouts {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(60),
            idle: Duration::from_secs(60),
        }
    }
}

impl Upstream {
    /// One that is spoken to in clear text, with timeouts of [`UpstreamTimeouts::default`].
    pub fn new(address: UpstreamAddress) -> Upstream {
        Upstream {
            number: MADE.fetch_add(1, Ordering::Relaxed),
            address,
            tls: None,
            protocol: UpstreamProtocol::default(),
            proxy_protocol: None,
            timeouts: UpstreamTimeouts::default(),
        }
    }

    /// How many this process has made.
    pub fn made() -> usize {
        MADE.load(Ordering::Relaxed)
    }

    /// Which one, of all that this process has made: small and dense.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Sends a request to it. The response comes when its head is there; the body is received as it is read.
    pub fn send(self: &Arc<Upstream>, request: UpstreamRequest) -> Sending {
        let call = FREE_CALLS.with_borrow_mut(Vec::pop).unwrap_or_default();
        let upstreams = request.upstreams.clone();
        {
            let mut state = call.state.borrow_mut();
            (state.upstream, state.request) = (Some(self.clone()), Some(request));
        }
        upstreams.begin(call.clone());
        Sending { call: Some(call) }
    }
}

impl UpstreamRequest {
    /// A request without fields and body. `method` is a token and `target` in a form that the method can have (RFC 9112, 3.2): what was parsed is.
    pub fn new(ports: &Ports, method: Method, method_text: &str, target: &str) -> UpstreamRequest {
        let mut line = FREE_LINES.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(256));
        line.extend_from_slice(method_text.as_bytes());
        line.push(b' ');
        line.extend_from_slice(target.as_bytes());
        UpstreamRequest {
            upstreams: ports.upstreams.clone(),
            method,
            line,
            method_length: method_text.len(),
            fields: Fields::new(),
            body: Body::Empty,
            upgrade: UpgradeOffer::None,
            expects_continue: false,
            accepts_trailers: false,
            interims: None,
            client: None,
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The method's text.
    pub fn method_text(&self) -> &str {
        self.text(..self.method_length)
    }

    /// The target.
    pub fn target(&self) -> &str {
        self.text(self.method_length + 1..)
    }

    fn text(&self, range: impl std::slice::SliceIndex<[u8], Output = [u8]>) -> &str {
        std::str::from_utf8(&self.line[range]).expect("made of strings, cut where they met")
    }
}

impl Drop for UpstreamRequest {
    fn drop(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        keep(&FREE_LINES, line);
    }
}

impl Call {
    /// Where it goes: the client's part, as all that follows.
    ///
    /// # Panics
    /// When it was answered.
    pub fn upstream(&self) -> Arc<Upstream> {
        self.state.borrow().upstream.clone().expect("present until it is answered")
    }

    /// The request, to be sent. `client` is woken when nobody waits for the response any more.
    pub fn take_request(&self, client: Option<Waker>) -> Option<UpstreamRequest> {
        let mut state = self.state.borrow_mut();
        state.client = client;
        state.request.take()
    }

    /// Client and server of the connection that the request came by.
    pub fn client(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.state.borrow().request.as_ref()?.client
    }

    /// Whether the request can be sent by HTTP/1.1 only.
    pub fn needs_http1(&self) -> bool {
        let state = self.state.borrow();
        state.request.as_ref().is_some_and(|request| request.upgrade == UpgradeOffer::Http1)
    }

    /// `client` is woken when nobody waits for the response any more.
    pub fn watch(&self, client: Waker) {
        self.state.borrow_mut().client = Some(client);
    }

    /// Puts the request back, to be sent anew.
    pub fn put_back(&self, request: UpstreamRequest) {
        self.state.borrow_mut().request = Some(request);
    }

    /// Whether nobody waits for the response any more.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.get()
    }

    /// Wakes who waits: there are interim responses.
    pub fn wake(&self) {
        if let Some(caller) = &self.state.borrow().caller {
            caller.wake_by_ref();
        }
    }

    /// This is the response, or why there is none.
    pub fn answer(&self, answer: Result<Response, UpstreamFailure>) {
        let mut state = self.state.borrow_mut();
        if self.abandoned.get() {
            drop(state);
            return drop(answer); // which may wake others, who look at this
        }
        state.answer = Some(answer);
        if let Some(caller) = state.caller.take() {
            caller.wake();
        }
    }

    /// Ends the client's part in it.
    pub fn recycle(self: Rc<Call>) {
        if Rc::strong_count(&self) == 1 {
            let before = self.state.take();
            self.abandoned.set(false);
            drop(before);
            keep(&FREE_CALLS, self);
        }
    }
}

impl Future for Sending {
    type Output = Result<Response, UpstreamFailure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.call.as_ref().expect("present until dropped");
        let mut state = call.state.borrow_mut();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        match &mut state.caller {
            Some(caller) => caller.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        call.abandoned.set(true);
        let (client, answer) = {
            let mut state = call.state.borrow_mut();
            (state.client.take(), state.answer.take())
        };
        drop(answer);
        if let Some(client) = client {
            client.wake();
        }
        call.recycle();
    }
}

/// Keeps a thing for reuse, unless there are enough, or the thread is ending.
fn keep<T: 'static>(free: &'static std::thread::LocalKey<RefCell<Vec<T>>>, thing: T) {
    let _ = free.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < KEPT {
            free.push(thing);
        }
    });
}

impl UpstreamError {
    /// What a client is answered in its place: 504 where the upstream took too long (RFC 9110, 15.6.5), 503 where there is no room, 400 where the
    /// client broke off, 501 where the upstream cannot be asked for what was asked for, and else 502 (RFC 9110, 15.6.3).
    pub fn status(&self) -> Status {
        match self {
            UpstreamError::ConnectTimeout | UpstreamError::HeadTimeout | UpstreamError::SendTimeout => {
                Status::GATEWAY_TIMEOUT
            }
            UpstreamError::Busy | UpstreamError::Stopping => Status::SERVICE_UNAVAILABLE,
            UpstreamError::RequestBody => Status::BAD_REQUEST,
            UpstreamError::NoConnectProtocol => Status::NOT_IMPLEMENTED,
            UpstreamError::Connect(_)
            | UpstreamError::Tls(_)
            | UpstreamError::Closed
            | UpstreamError::Reset(_)
            | UpstreamError::Malformed(_) => Status::BAD_GATEWAY,
        }
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpstreamError::Connect(kind) => write!(f, "the upstream cannot be connected to: {kind}"),
            UpstreamError::ConnectTimeout => f.write_str("the upstream did not answer to connecting in time"),
            UpstreamError::Tls(what) => write!(f, "TLS to the upstream failed: {what}"),
            UpstreamError::Busy => f.write_str("as many requests as may be are under way to the upstream"),
            UpstreamError::Closed => f.write_str("the upstream closed the connection before it answered"),
            UpstreamError::Reset(code) => write!(f, "the upstream broke the exchange off ({code})"),
            UpstreamError::NoConnectProtocol => {
                f.write_str("the upstream takes no extended CONNECT by HTTP/2, which this protocol needs")
            }
            UpstreamError::HeadTimeout => f.write_str("the upstream did not answer in time"),
            UpstreamError::SendTimeout => f.write_str("the upstream did not take the request in time"),
            UpstreamError::Malformed(what) => write!(f, "the upstream sent what is no response: {what}"),
            UpstreamError::RequestBody => f.write_str("the request's body broke off"),
            UpstreamError::Stopping => f.write_str("the server is ending"),
        }
    }
}

impl std::error::Error for UpstreamError {}

impl From<UpstreamError> for UpstreamFailure {
    fn from(error: UpstreamError) -> UpstreamFailure {
        UpstreamFailure { error, unsent: None }
    }
}

impl fmt::Debug for UpstreamFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.error, if self.unsent.is_some() { ", nothing sent" } else { "" })
    }
}

impl fmt::Debug for UpstreamTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UpstreamTls({})", self.server_name)
    }
}

impl fmt::Debug for UpstreamRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(..))
    }
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpstreamAddress::Internet(address) => address.fmt(f),
            UpstreamAddress::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps calls.
    #[derive(Default)]
    struct Kept(RefCell<Vec<Rc<Call>>>);

    impl Upstreams for Kept {
        fn begin(&self, call: Rc<Call>) {
            self.0.borrow_mut().push(call);
        }

        fn under_way(&self, _: &Upstream) -> usize {
            self.0.borrow().len()
        }
    }

    fn sending() -> (Rc<Kept>, Sending) {
        let kept = Rc::<Kept>::default();
        let mut ports = crate::request::tests::request("GET", "/").ports().clone();
        ports.upstreams = kept.clone();
        let upstream = Arc::new(Upstream::new(UpstreamAddress::Unix("/run/a".into())));
        let request = UpstreamRequest::new(&ports, Method::Get, "GET", "/a?b");
        assert_eq!((request.method_text(), request.target()), ("GET", "/a?b"));
        (kept, upstream.send(request))
    }

    fn poll(sending: &mut Sending) -> Poll<Result<Response, UpstreamFailure>> {
        Pin::new(sending).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_answer_reaches_who_waits_for_it() {
        let (kept, mut sending) = sending();
        assert!(poll(&mut sending).is_pending());
        let call = kept.0.borrow_mut().pop().unwrap();
        assert_eq!(call.take_request(None).unwrap().target(), "/a?b");
        call.answer(Ok(Response::text("hello")));
        call.recycle();
        let Poll::Ready(Ok(response)) = poll(&mut sending) else { panic!("there is an answer") };
        assert_eq!(response.body().length(), Some(5));
    }

    #[test]
    fn whoever_stops_waiting_tells_the_client() {
        let (kept, sending) = sending();
        let call = kept.0.borrow_mut().pop().unwrap();
        assert!(!call.is_abandoned());
        drop(sending);
        assert!(call.is_abandoned());
        call.answer(Err(UpstreamError::Closed.into()));
        assert!(call.state.borrow().answer.is_none());
    }

    #[test]
    fn a_call_that_both_have_left_is_used_again() {
        let (kept, sending) = sending();
        let call = kept.0.borrow_mut().pop().unwrap();
        let address = Rc::as_ptr(&call);
        call.answer(Err(UpstreamError::Closed.into()));
        drop(sending);
        call.recycle();
        let (kept, _sending) = self::sending();
        assert_eq!(Rc::as_ptr(&kept.0.borrow()[0]), address);
        assert!(!kept.0.borrow()[0].is_abandoned());
    }

    #[test]
    fn what_an_upstream_does_wrong_is_502_and_what_takes_too_long_504() {
        for (error, status) in [
            (UpstreamError::Connect(std::io::ErrorKind::ConnectionRefused), 502),
            (UpstreamError::Closed, 502),
            (UpstreamError::Reset(ErrorCode::INTERNAL_ERROR), 502),
            (UpstreamError::Malformed("x"), 502),
            (UpstreamError::Tls("x".into()), 502),
            (UpstreamError::ConnectTimeout, 504),
            (UpstreamError::HeadTimeout, 504),
            (UpstreamError::SendTimeout, 504),
            (UpstreamError::Busy, 503),
            (UpstreamError::Stopping, 503),
            (UpstreamError::RequestBody, 400),
            (UpstreamError::NoConnectProtocol, 501),
        ] {
            assert_eq!(error.status().code(), status, "{error}");
        }
    }
}
