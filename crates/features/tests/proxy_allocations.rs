//! A proxied request allocates nothing once everything has its size: counted by a `GlobalAlloc`, with an upstream that answers at once.

#[path = "../../gannet/tests/common/counting.rs"]
mod counting;

#[expect(dead_code, reason = "shared with the other tests of the proxy, which use all of it")]
mod proxy {
    pub mod world;
}

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use gannet_core::{
    Arrival, Bytes, Call, Fields, Head, Heads, Incoming, Interims, Pool, Ports, ReceivedBody, Request,
    RequestHead, Response, Status, Upstream, Upstreams,
};
use gannet_features::proxy::{Balance, Proxy, ProxyOptions};
use gannet_proto::h1::{Connection, Event};
use proxy::world::World;

/// Answers at once.
struct AtOnce;

impl Upstreams for AtOnce {
    fn begin(&self, call: Rc<Call>) {
        let request = call.take_request(None).expect("a request");
        assert!(request.fields.get("x-forwarded-for").is_some());
        drop(request);
        let lines = Bytes::from_static(b"Content-Type: text/plain\r\nX-A: 1\r\n");
        call.answer(Ok(Response::new(Status::OK).with_fields(Fields::with_prepared(lines))));
        call.recycle();
    }

    fn under_way(&self, _: &Upstream) -> usize {
        0
    }
}

const BROWSER: &str = "GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-US,en;q=0.5\r\nCookie: session=0123456789abcdef; theme=dark\r\nX-Forwarded-For: 198.51.100.77\r\n\r\n";

/// What is used again from request to request, as a worker has it.
struct Worker {
    handler: Rc<dyn gannet_core::Handler>,
    ports: Rc<Ports>,
    heads: Heads,
    blocks: Pool,
    connection: Connection,
    incoming: Rc<Incoming>,
    interims: Interims,
    arrival: Rc<Arrival>,
}

impl Worker {
    fn new(options: ProxyOptions) -> Worker {
        let world: Rc<World> = Rc::default();
        let ports = Ports {
            fs: world.clone(),
            cpu: world.clone(),
            clock: world.clone(),
            counters: world,
            upstreams: Rc::new(AtOnce),
            trusted: Rc::default(),
            states: Rc::default(),
            locals: Rc::default(),
            letterbox: Arc::new(()),
            draining: Rc::default(),
        };
        let proxy = Proxy::new(&[":1", ":2", ":3"], options, &|_| Err(String::new())).expect("good targets");
        Worker {
            handler: proxy.factory()(),
            ports: Rc::new(ports),
            heads: Heads::new(4),
            blocks: Pool::new(4096, 4),
            connection: Connection::new(gannet_proto::Limits::default()),
            incoming: Rc::new(Incoming::ended()),
            interims: Interims::default(),
            arrival: Rc::new(Arrival { peer: Some(([10, 0, 0, 1], 4711).into()), ..Arrival::default() }),
        }
    }

    fn ask(&mut self) {
        let mut block = self.blocks.take().expect("a block");
        block.append(BROWSER.as_bytes());
        let mut head: Box<Head> = self.heads.take();
        let event = self.connection.handle(&block, &mut head);
        assert!(matches!(event, Ok(Event::Head { .. })));
        self.connection.restart();
        let head = RequestHead::new(head, block.share(), self.heads.clone());
        self.interims.renew();
        let body = ReceivedBody::new(self.incoming.clone());
        let request =
            Request::new(head, body, self.ports.clone(), self.interims.clone(), self.arrival.clone());
        let mut reply = self.handler.handle(request);
        let Poll::Ready(response) = Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("an upstream answers at once")
        };
        assert_eq!(response.status(), Status::OK);
    }
}

#[test]
fn a_proxied_request_allocates_nothing_in_the_steady_state() {
    let trusted = || "10.0.0.0/8".parse().into_iter().collect();
    let plain = ProxyOptions::default();
    for options in [
        plain.clone(),
        ProxyOptions { balance: Balance::LeastConnections, ..plain.clone() },
        ProxyOptions { trusted: trusted(), ..plain },
    ] {
        let mut worker = Worker::new(options);
        (0..16).for_each(|_| worker.ask());
        let before = counting::counted();
        (0..100).for_each(|_| worker.ask());
        assert_eq!(counting::counted(), before);
    }
}
