//! Requests.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use gannet_block::{Block, Chunk, Pool};
use gannet_proto::{BodyLength, Head, Method, Span, Version};

use crate::rewrite::Rewrite;
use crate::route::{self, Route};
use crate::{
    Arrival, ClientCertificate, Extensions, Interims, InvalidField, Ports, Promise, ReceivedBody, State, Tls,
    client_address,
};

/// A request: its head, its body, and what its handler may ask of the world.
pub struct Request {
    head: RequestHead,
    body: ReceivedBody,
    ports: Rc<Ports>,
    arrival: Rc<Arrival>,
    route: Option<Rc<dyn Route>>,
    interims: Interims,
    extensions: Left,
    /// Where, in the path, the part begins that the route's wildcard matched.
    tail: u16,
    /// The body is another than the head speaks of.
    has_other_body: bool,
}

/// What was left with a request, if anything was.
struct Left(Option<Box<Extensions>>);

impl Drop for Left {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(extensions) = self.0.take() {
            extensions.recycle();
        }
    }
}

/// A head and the bytes it has offsets into: those it was received in, or a copy once its handler may wait.
pub struct RequestHead {
    /// Empty only while being dropped.
    offsets: Option<Box<Head>>,
    text: Chunk,
    home: Heads,
}

/// Recycled heads of one worker, with the memory for their fields' offsets, and blocks for copies of heads that wait.
#[derive(Clone)]
pub struct Heads(Rc<Kept>);

/// What the heads of a worker share.
struct Kept {
    #[expect(clippy::vec_box, reason = "the boxes are what is recycled: they move into requests and back")]
    free: RefCell<Vec<Box<Head>>>,
    arena: Pool,
}

/// Heads kept for reuse.
const MOST_KEPT: usize = 1024;

/// Room for the copy of a head that waits; larger heads are copied to memory of their own.
const ARENA_BYTES: usize = 1024;

impl Heads {
    /// Room for the copies of `limit` heads.
    pub fn new(limit: usize) -> Heads {
        Heads(Rc::new(Kept { free: RefCell::default(), arena: Pool::new(ARENA_BYTES, limit) }))
    }

    /// An empty head to parse into.
    #[inline]
    pub fn take(&self) -> Box<Head> {
        self.0.free.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a head back.
    #[inline]
    pub fn give_back(&self, mut head: Box<Head>) {
        let mut free = self.0.free.borrow_mut();
        if free.len() < MOST_KEPT {
            head.clear();
            free.push(head);
        }
    }

    /// Copies of heads in use.
    pub fn copies(&self) -> usize {
        self.0.arena.in_use()
    }

    /// Text in memory of its own.
    fn copy(&self, text: &[u8]) -> Chunk {
        let pooled = if text.len() <= ARENA_BYTES { self.0.arena.take() } else { None };
        let mut block = pooled.unwrap_or_else(|| Block::oversized(text.len()));
        block.append(text);
        block.share()
    }
}

impl RequestHead {
    /// A parsed head, with the bytes it was parsed from.
    pub fn new(offsets: Box<Head>, text: Chunk, home: Heads) -> RequestHead {
        RequestHead { offsets: Some(offsets), text, home }
    }

    /// A parsed head, with a copy of the bytes it was parsed from: where those are not what was received.
    pub fn decoded(offsets: Box<Head>, text: &[u8], home: Heads) -> RequestHead {
        RequestHead { offsets: Some(offsets), text: home.copy(text), home }
    }

    /// The offsets, and the bytes that they count in.
    pub fn parts(&self) -> (&Head, &Chunk) {
        (self.offsets(), &self.text)
    }

    /// Moves the text to memory of its own, so that what it was received in is free again; unless it holds no more already than it would then.
    fn detach(&mut self) {
        if self.text.held_bytes() > self.text.len().max(ARENA_BYTES) {
            self.text = self.home.copy(&self.text);
        }
    }

    /// Exchanges what the head says.
    fn rewrite(
        &mut self,
        edit: impl FnOnce(&mut Rewrite<'_>) -> Result<(), InvalidField>,
    ) -> Result<(), InvalidField> {
        let mut rewrite = Rewrite::new(self.offsets(), &self.text);
        edit(&mut rewrite)?;
        let (text, head) = rewrite.write()?;
        self.text = self.home.copy(&text);
        **self.offsets.as_mut().expect("present until dropped") = head;
        Ok(())
    }

    fn offsets(&self) -> &Head {
        self.offsets.as_deref().expect("present until dropped")
    }

    fn ascii(&self, span: Span) -> &str {
        gannet_proto::scan::ascii(span.of(&self.text))
            .expect("the parser admits only ASCII in methods, targets and names")
    }
}

impl Drop for RequestHead {
    fn drop(&mut self) {
        if let Some(offsets) = self.offsets.take() {
            self.home.give_back(offsets);
        }
    }
}

impl Request {
    /// A request: the server's part, and the tests'.
    pub fn new(
        head: RequestHead,
        body: ReceivedBody,
        ports: Rc<Ports>,
        interims: Interims,
        arrival: Rc<Arrival>,
    ) -> Request {
        Request {
            head,
            body,
            ports,
            arrival,
            route: None,
            interims,
            extensions: Left(None),
            tail: 0,
            has_other_body: false,
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.head.offsets().method
    }

    /// The method's name, also of one that is not among the registered.
    pub fn method_name(&self) -> &str {
        self.head.ascii(self.head.offsets().method_text)
    }

    /// The version the client speaks.
    pub fn version(&self) -> Version {
        self.head.offsets().version
    }

    /// The target as it was sent (RFC 9112, 3.2); by HTTP/2 `:path`, or what CONNECT asks for.
    pub fn target(&self) -> &str {
        self.head.ascii(self.head.offsets().target)
    }

    /// The path, still percent-encoded, without the query; `/` for a target that has none.
    pub fn path(&self) -> &str {
        match self.head.ascii(self.head.offsets().path) {
            "" => "/",
            path => path,
        }
    }

    /// The part of the path that the route's wildcard matched, still percent-encoded; the whole path for an exact route.
    pub fn tail(&self) -> &str {
        self.path().get(usize::from(self.tail)..).unwrap_or("")
    }

    /// The part of the path that a parameter of the route matched (`id` of `/users/:id`), still percent-encoded. A named wildcard
    /// (`rest` of `/files/*rest`) is a parameter, too. `None` if the route has none of this name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The same, percent-decoded. `None` also where that is not possible: a `%` without two hexadecimal digits, or what is
    /// no UTF-8 then.
    pub fn param_decoded(&self, name: &str) -> Option<Cow<'_, str>> {
        route::percent_decoded(self.param(name)?)
    }

    /// The route's parameters, from left to right: names, and values still percent-encoded.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        let (route, path) = (self.route.as_deref(), self.path());
        (0..).map_while(move |index| route?.parameter(index, path))
    }

    /// The pattern of the route that the request took, as it was written: `/users/:id`. `None` if it was not routed.
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref().map(Route::pattern)
    }

    /// The route's number among those of its site. `None` if the request was not routed.
    pub fn route_number(&self) -> Option<usize> {
        self.route.as_deref().map(Route::number)
    }

    /// The query, still percent-encoded, without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.head.offsets().query.map(|span| self.head.ascii(span))
    }

    /// Host and port asked for: from the target if it has them, else from `Host` (RFC 9112, 3.2.2).
    pub fn authority(&self) -> Option<&str> {
        self.head.offsets().authority.map(|span| self.head.ascii(span))
    }

    /// The first field of a name, in any case.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.head.offsets().field(&self.head.text, name)
    }

    /// The first field of a name, if it is text.
    pub fn field_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.field(name)?).ok()
    }

    /// All fields, in the order in which they were sent.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        let head = &self.head;
        head.offsets().fields.iter().map(|field| (head.ascii(field.name), field.value.of(&head.text)))
    }

    /// The client's address, when it has one and is still there.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.arrival.peer
    }

    /// The client's address: the peer's, unless that is a proxy that is trusted and says for whom it asks (`X-Forwarded-For`, else `Forwarded`;
    /// [`client_address`](crate::client_address) has the rules). `None` if it came by a Unix socket.
    pub fn client_address(&self) -> Option<IpAddr> {
        let peer = self.arrival.peer?.ip();
        Some(client_address(peer, self.fields(), &self.ports.trusted))
    }

    /// Our own address of the connection that the request came by, when it has one and that is known.
    pub fn server(&self) -> Option<SocketAddr> {
        self.arrival.server
    }

    /// The TLS that this came by; `None` if it came in clear text.
    pub fn tls(&self) -> Option<&Tls> {
        self.arrival.tls.as_deref()
    }

    /// Whether this came by TLS.
    pub fn is_secure(&self) -> bool {
        self.arrival.tls.is_some()
    }

    /// The scheme of the URI that was asked for: `https` if it came by TLS, else `http`.
    pub fn scheme(&self) -> &'static str {
        if self.is_secure() { "https" } else { "http" }
    }

    /// The client's certificate, verified, if it showed one.
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.tls()?.client_certificate.as_ref()
    }

    /// The body, to be read.
    pub fn body(&mut self) -> &mut ReceivedBody {
        &mut self.body
    }

    /// The body, when nothing else is needed any more.
    pub fn into_body(self) -> ReceivedBody {
        self.body
    }

    /// The body, to be kept; an empty one is in its place then.
    pub fn take_body(&mut self) -> ReceivedBody {
        std::mem::replace(&mut self.body, ReceivedBody::empty())
    }

    /// Puts another body in the place of the one that is received: that one, decoded. How long it is nobody knows then.
    pub fn set_body(&mut self, body: ReceivedBody) {
        self.body = body;
        self.has_other_body = true;
    }

    /// How the end of the body is found: how long it is, if it has one and that was said.
    pub fn body_length(&self) -> BodyLength {
        match self.head.offsets().body {
            BodyLength::Known(_) if self.has_other_body => BodyLength::Chunked,
            length => length,
        }
    }

    /// Whether the client waits to be asked for the body (RFC 9110, 10.1.1): it is when the body is first read.
    pub fn expects_continue(&self) -> bool {
        self.head.offsets().expects_continue
    }

    /// Whether the client offers to speak another protocol: by the field `Upgrade` (RFC 9110, 7.8), by HTTP/2 with a CONNECT that names one
    /// (RFC 8441), which [`protocol`](Request::protocol) tells.
    pub fn offers_upgrade(&self) -> bool {
        self.head.offsets().upgrade
    }

    /// The protocol that a CONNECT asks for (`:protocol`, RFC 8441), as `websocket`. Such a request is routed as if it were GET, which is what it
    /// would be by HTTP/1.1.
    pub fn protocol(&self) -> Option<&str> {
        self.head.offsets().protocol.map(|span| self.head.ascii(span))
    }

    /// What the client is told before its response: `request.interims().push(Status::EARLY_HINTS, fields)`.
    pub fn interims(&self) -> &Interims {
        &self.interims
    }

    /// Promises the client what a GET of `target` (a path, and perhaps a query) of the same host answers, and sends it without being asked, where it
    /// speaks HTTP/2 and takes such promises (RFC 9113, 8.4); elsewhere nothing happens. What a client will ask for anyway, and does not know yet: it costs
    /// bandwidth where the client has it already. 103 (Early Hints) is what browsers prefer: see [`interims`](Request::interims).
    ///
    /// Says whether `target` is one that can be asked for.
    pub fn promise(&self, target: &str) -> bool {
        let is_target =
            target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if let Some(authority) = self.authority().filter(|_| is_target && self.version() == Version::Http2) {
            let (authority, target) = (authority.to_owned(), target.to_owned());
            self.interims.promise(Promise { authority, target });
        }
        is_target
    }

    /// The application's state of a type, if it has one.
    pub fn state<T: 'static>(&self) -> Option<&State<T>> {
        self.ports.states.get()
    }

    /// What filters before this one, and others, have left with the request.
    pub fn extension<T: 'static>(&self) -> Option<&T> {
        self.extensions.0.as_ref()?.get()
    }

    /// The same, to leave something.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        self.extensions.0.get_or_insert_with(Extensions::recycled)
    }

    /// The same, to be looked at.
    pub fn extensions(&self) -> Option<&Extensions> {
        self.extensions.0.as_deref()
    }

    /// Where the request found no handler: the methods that there are for its path, as `Allow` names them (RFC 9110, 10.2.1); none where there is nothing.
    pub fn allowed(&self) -> Option<&str> {
        self.extension::<Allowed>().map(|Allowed(methods)| methods.as_str())
    }

    /// Says so: the router's part.
    pub fn set_allowed(&mut self, methods: String) {
        self.extensions_mut().insert(Allowed(methods));
    }

    /// Puts a field in the place of all of its name, for those who see the request after this. What frames a message cannot be put in.
    ///
    /// # Errors
    /// When name or value could not have been received, or the head would be longer than 64 KiB.
    pub fn set_field(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        self.head.rewrite(|head| head.set_field(name, value.as_ref()))
    }

    /// Takes all fields of a name out, for those who see the request after this. Those that frame it stay.
    ///
    /// # Errors
    /// When there can be no field of this name, or it frames the message.
    pub fn remove_field(&mut self, name: &str) -> Result<(), InvalidField> {
        self.head.rewrite(|head| head.remove_field(name))
    }

    /// Exchanges path and query, for those who see the request after this: it stays with the route that it took, and with what that says of the path
    /// (parameters are places in it: a handler that asks for them should not be behind this).
    ///
    /// # Errors
    /// [`InvalidField::Value`] when it is no target of a path, or too long.
    pub fn set_target(&mut self, target: &str) -> Result<(), InvalidField> {
        self.head.rewrite(|head| head.set_target(target))?;
        self.tail = self.tail.min(self.head.offsets().path.end - self.head.offsets().path.start);
        Ok(())
    }

    /// What may be asked of the world.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The same, for who keeps them longer than the request.
    pub fn shared_ports(&self) -> Rc<Ports> {
        self.ports.clone()
    }

    /// Says where in the path the wildcard's part begins: the router's part.
    pub fn set_tail(&mut self, start: usize) {
        self.tail = u16::try_from(start).unwrap_or(u16::MAX);
    }

    /// Says which route this took: the router's part.
    pub fn set_route(&mut self, route: Rc<dyn Route>) {
        self.route = Some(route);
    }

    /// Moves the head out of the memory it was received in.
    pub(crate) fn detach(&mut self) {
        self.head.detach();
    }
}

/// What a path has in the place of the method that was asked for.
struct Allowed(String);

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method_name(), self.target())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::File;
    use std::io;
    use std::ops::Range;
    use std::sync::Arc;
    use std::task::Waker;
    use std::time::Duration;

    use bytes::Bytes;
    use gannet_proto::h1::{Connection, Event};
    use gannet_proto::limits::Limits;

    use super::*;
    use crate::{
        Call, Clock, Counter, Counters, Cpu, Fs, FsError, Incoming, Later, OpenFile, Root, Stamp, Upstream,
        Upstreams, WriteListed,
    };

    /// A world without files, where no time passes.
    struct Nothing;

    impl Fs for Nothing {
        fn open(&self, _: &Root, _: &[u8]) -> Later<Result<OpenFile, FsError>> {
            Later::ready(Err(FsError::NotFound))
        }

        fn stamp(&self, _: &File) -> io::Result<Stamp> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn read(&self, _: &Arc<File>, _: Range<u64>) -> Later<io::Result<Bytes>> {
            Later::ready(Ok(Bytes::new()))
        }

        fn list(&self, _: &Root, _: &[u8], _: usize, _: WriteListed) -> Later<Result<Bytes, FsError>> {
            Later::ready(Err(FsError::NotFound))
        }

        fn spare_descriptors(&self) -> usize {
            0
        }
    }

    impl Cpu for Nothing {
        fn spawn(&self, _: Box<dyn FnOnce() + Send>) -> bool {
            false
        }
    }

    impl Upstreams for Nothing {
        fn begin(&self, _: Rc<Call>) {}

        fn under_way(&self, _: &Upstream) -> usize {
            0
        }
    }

    impl Counters for Nothing {
        fn add(&self, _: Counter, _: u64) {}
    }

    impl Clock for Nothing {
        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn read(&self) -> Duration {
            Duration::ZERO
        }

        fn unix_seconds(&self) -> u64 {
            0
        }

        fn unix_milliseconds(&self) -> u64 {
            0
        }

        fn set_alarm(&self, _: Option<u32>, _: Duration, _: &Waker) -> u32 {
            0
        }

        fn clear_alarm(&self, _: u32) {}
    }

    pub(crate) fn request(method: &str, target: &str) -> Request {
        let text = format!("{method} {target} HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nx-a: 2\r\n\r\n");
        // As large as what is received into.
        let mut block = Block::oversized(4096);
        block.append(text.as_bytes());
        let mut head = Box::<Head>::default();
        let event =
            Connection::new(Limits::default()).handle(&block, &mut head).expect("a well-formed request");
        assert!(matches!(event, Event::Head { .. }), "a whole head");
        let incoming = Rc::new(Incoming::default());
        incoming.begin(None);
        let nothing = Rc::new(Nothing);
        let ports = Ports {
            fs: nothing.clone(),
            cpu: nothing.clone(),
            clock: nothing.clone(),
            counters: nothing.clone(),
            upstreams: nothing,
            trusted: Rc::default(),
            states: Rc::default(),
            locals: Rc::default(),
            letterbox: Arc::new(()),
            draining: Rc::default(),
        };
        let head = RequestHead::new(head, block.share(), Heads::new(4));
        Request::new(head, ReceivedBody::new(incoming), Rc::new(ports), Interims::default(), Rc::default())
    }

    #[test]
    fn a_request_reads_the_same_from_received_memory_and_from_its_copy() {
        let mut request = request("GET", "/a/b%20c?d=e");
        for _ in 0..2 {
            assert_eq!(
                (request.method(), request.path(), request.query()),
                (Method::Get, "/a/b%20c", Some("d=e"))
            );
            assert_eq!((request.field("x-A"), request.authority()), (Some(&b"1"[..]), Some("a.example")));
            assert_eq!(request.fields().count(), 3);
            request.set_tail(3);
            assert_eq!(request.tail(), "b%20c");
            request.detach();
        }
        assert_eq!(request.head.home.copies(), 1);
    }

    /// `/:one/:two`, wherever the request went.
    struct Fixed;

    impl Route for Fixed {
        fn number(&self) -> usize {
            7
        }

        fn pattern(&self) -> &str {
            "/:one/:two"
        }

        fn parameter<'a>(&'a self, index: usize, path: &'a str) -> Option<(&'a str, &'a str)> {
            Some((*["one", "two"].get(index)?, path.split('/').nth(index + 1)?))
        }
    }

    #[test]
    fn a_request_that_took_a_route_knows_its_pattern_and_its_parameters() {
        let mut request = request("GET", "/a/b%20%C3%A9?two=x");
        assert_eq!((request.route(), request.route_number(), request.param("one")), (None, None, None));
        assert_eq!(request.params().count(), 0);
        request.set_route(Rc::new(Fixed));
        request.detach();
        assert_eq!((request.route(), request.route_number()), (Some("/:one/:two"), Some(7)));
        assert_eq!(request.params().collect::<Vec<_>>(), [("one", "a"), ("two", "b%20%C3%A9")]);
        assert_eq!(request.param_decoded("two").as_deref(), Some("b \u{e9}"));
        assert_eq!((request.param("three"), request.param_decoded("three")), (None, None));
    }

    #[test]
    fn a_head_is_recycled_when_its_request_is_dropped() {
        let request = request("GET", "/");
        let heads = request.head.home.clone();
        drop(request);
        assert_eq!((heads.0.free.borrow().len(), heads.copies()), (1, 0));
    }
}
