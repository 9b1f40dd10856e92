//! What HTTP/2 costs the worker: no allocation for a request, and some 3.4 KiB for a connection that idles. Counted, not measured.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::time::Duration;

use gannet::prelude::*;
use gannet::{BackendChoice, Running};
use gannet_proto::h2::{Client, Event, Limits, RequestToSend};
use gannet_proto::{BodyLength, Method, ResponseHead};

use crate::common::on_each_backend;

/// Requests until everything that is recycled has been made.
const WARM_UP: usize = 50;
/// Requests that are counted.
const COUNTED: usize = 40;
/// What `/large` answers with.
const LARGE_BYTES: usize = 100 * 1024;
/// A file is looked at anew once a second, which opens it: of so many rounds one falls between two such looks.
const ROUNDS: usize = 10;
/// As many connections as fill tables that grow by doubling.
const FULL: usize = 512;
/// What an idle connection may cost.
const MOST_IDLE_BYTES: usize = 4096;

/// A client on one connection.
struct Connection {
    stream: TcpStream,
    protocol: Client,
    head: ResponseHead,
    unsent: Vec<u8>,
    unread: Vec<u8>,
}

impl Connection {
    fn new(server: &Running) -> Connection {
        let stream = TcpStream::connect(server.socket_addresses()[0]).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("an option of sockets");
        let (protocol, mut unsent) = (Client::new(Limits::default(), 1), Vec::new());
        let mut connection = Connection {
            stream,
            protocol,
            head: ResponseHead::default(),
            unsent: Vec::new(),
            unread: Vec::new(),
        };
        connection.protocol.start(&mut unsent);
        connection.unsent = unsent;
        connection
    }

    /// Asks for `target` on so many streams at once, with `body`, and hears all answers to their ends.
    fn exchange(&mut self, target: &str, body: &[u8], streams: usize) {
        for _ in 0..streams {
            let head = RequestToSend {
                method: if body.is_empty() { Method::Get } else { Method::Post },
                method_text: "",
                scheme: "http",
                authority: "a.example",
                path: target,
                protocol: None,
                fields: b"user-agent: test\r\naccept: */*\r\n",
                body: if body.is_empty() { BodyLength::None } else { BodyLength::Known(body.len() as u64) },
                accepts_trailers: false,
            };
            let key = self.protocol.request(head, &mut self.unsent).expect("there are not too many");
            if !body.is_empty() {
                self.protocol.push(key, body.len(), true, &mut self.unsent).expect("it fits in the window");
                self.unsent.extend_from_slice(body);
            }
        }
        let mut open = streams;
        while open > 0 {
            self.stream.write_all(&self.unsent).expect("taken");
            self.unsent.clear();
            let mut room = [0; 64 * 1024];
            let count = self.stream.read(&mut room).expect("an answer");
            assert!(count > 0, "the server ended the connection");
            self.unread.extend_from_slice(&room[..count]);
            open -= self.hear(target);
        }
        self.stream.write_all(&self.unsent).expect("taken");
        self.unsent.clear();
    }

    /// Takes in what was read; says how many answers ended.
    fn hear(&mut self, target: &str) -> usize {
        let (mut at, mut ended_here) = (0, 0);
        loop {
            let event = self.protocol.handle(&self.unread[at..], &mut self.head, &mut self.unsent);
            let (consumed, ended) = match event.expect("the server is understood") {
                Event::Head { stream, consumed, ended } => {
                    assert_eq!(self.head.status.code(), 200, "{target}");
                    (consumed, ended.then_some(stream))
                }
                Event::Data { stream, start, end, consumed, ended } => {
                    self.protocol.consumed(stream, end - start);
                    (consumed, ended.then_some(stream))
                }
                Event::Window { consumed, .. } => (consumed, None),
                Event::Need { consumed } => {
                    self.unread.drain(..at + consumed);
                    self.protocol.update_windows(&mut self.unsent);
                    return ended_here;
                }
                event => panic!("{target}: {event:?}"),
            };
            at += consumed;
            if let Some(stream) = ended {
                self.protocol.release(stream);
                ended_here += 1;
            }
        }
    }
}

/// One worker, and clients.
struct Rig {
    server: Running,
    clients: Vec<Connection>,
    /// What the worker had allocated, and how often, when `/counted` was asked for.
    bytes: Arc<AtomicIsize>,
    allocations: Arc<AtomicUsize>,
    /// What is served; removed when the test is over.
    _folder: tempfile::TempDir,
}

impl Rig {
    fn new(backend: BackendChoice) -> Rig {
        let (bytes, allocations) = (Arc::<AtomicIsize>::default(), Arc::<AtomicUsize>::default());
        let (told_bytes, told_allocations) = (bytes.clone(), allocations.clone());
        let folder = tempfile::tempdir().expect("room for a folder");
        std::fs::write(folder.path().join("small.html"), "<p>small").expect("written");
        std::fs::write(folder.path().join("large.bin"), vec![b'x'; LARGE_BYTES]).expect("written");
        let app = App::new()
            .get("/counted", move |_: Request| {
                let (allocations, bytes, _) = counting::counted();
                told_allocations.store(allocations, Ordering::SeqCst);
                told_bytes.store(bytes, Ordering::SeqCst);
                "counted"
            })
            .get("/value", "value")
            .get("/large", bytes::Bytes::from("x".repeat(LARGE_BYTES)))
            .get("/at-once", async |_: Request| "at once")
            .get("/yields", async |_: Request| {
                tokio::task::yield_now().await;
                "yields"
            })
            .post("/body", async |mut request: Request| {
                while let Some(Ok(_)) = request.body().next().await {}
                "read"
            })
            .files("/", folder.path());
        let server = app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("it is sound");
        let clients = vec![Connection::new(&server)];
        Rig { server, clients, bytes, allocations, _folder: folder }
    }

    fn counted(&mut self) -> (usize, isize) {
        self.clients[0].exchange("/counted", b"", 1);
        (self.allocations.load(Ordering::SeqCst), self.bytes.load(Ordering::SeqCst))
    }

    fn assert_free(&mut self, target: &str, body: &[u8], streams: usize) {
        (0..WARM_UP).for_each(|_| self.clients[0].exchange(target, body, streams));
        self.counted();
        let costs = (0..ROUNDS).map(|_| {
            let before = self.counted().0;
            (0..COUNTED).for_each(|_| self.clients[0].exchange(target, body, streams));
            self.counted().0 - before
        });
        let cost = costs.min().unwrap_or_default();
        let backend = self.server.backend();
        assert_eq!(cost, 0, "allocations for {COUNTED} of {target}, {streams} at once, on {backend}");
    }
}

on_each_backend! {
    a_request_costs_no_allocation,
    many_requests_at_once_cost_no_allocation,
    a_file_and_a_hundred_kibibytes_cost_no_allocation,
    a_body_costs_no_allocation,
    an_idle_connection_costs_little,
}

fn a_request_costs_no_allocation(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    for target in ["/value", "/at-once", "/yields", "/small.html"] {
        rig.assert_free(target, b"", 1);
    }
}

fn many_requests_at_once_cost_no_allocation(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    for target in ["/value", "/yields", "/small.html"] {
        rig.assert_free(target, b"", 16);
    }
}

fn a_file_and_a_hundred_kibibytes_cost_no_allocation(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    for target in ["/large", "/large.bin"] {
        rig.assert_free(target, b"", 1);
    }
}

fn a_body_costs_no_allocation(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    rig.assert_free("/body", &[b'x'; 100], 1);
    rig.assert_free("/body", &[b'x'; 10_000], 1);
}

fn an_idle_connection_costs_little(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    rig.clients[0].exchange("/yields", b"", 4);
    let before = rig.counted().1;
    while rig.clients.len() < FULL {
        let mut client = Connection::new(&rig.server);
        client.exchange("/yields", b"", 4);
        rig.clients.push(client);
    }
    let grown = usize::try_from(rig.counted().1 - before).expect("more is allocated");
    let each = grown / (FULL - 1);
    eprintln!("an idle connection of HTTP/2 costs {each} bytes on {}", rig.server.backend());
    assert!(each <= MOST_IDLE_BYTES, "{each} bytes on {}", rig.server.backend());
}
