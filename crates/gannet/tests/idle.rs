//! What a connection costs while nothing goes on: its slots in the tables of its worker, and nothing else. Counted, not measured.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use gannet::prelude::*;
use gannet::{BackendChoice, Running};

use crate::common::on_each_backend;

/// As many connections as fill tables that grow by doubling: each slot of them is taken.
const FULL: usize = 2048;

/// What the slots of a connection come to, with what its requests tell of it, which they share (88 bytes).
const SLOT_BYTES: usize = 240;

/// What a connection may cost, however many there are.
const MOST_BYTES: usize = 440;

/// What a WebSocket may cost that has been used and waits, with its handler's future.
const MOST_WEBSOCKET_BYTES: usize = 600;

/// One worker, and clients that are connected and wait.
struct Rig {
    server: Running,
    clients: Vec<TcpStream>,
    /// What the worker had allocated when `/bytes` was asked for.
    bytes: Arc<AtomicIsize>,
}

impl Rig {
    fn new(backend: BackendChoice) -> Rig {
        let bytes = Arc::<AtomicIsize>::default();
        let told = bytes.clone();
        let app = App::new()
            .get("/value", "value")
            .get("/yields", async |_: Request| {
                tokio::task::yield_now().await;
                "yields"
            })
            .ws("/ws", async |mut socket: WebSocket| {
                while let Some(message) = socket.recv().await? {
                    socket.send(message).await?;
                }
                Ok(())
            })
            .get("/bytes", move |_: Request| {
                told.store(counting::counted().1, Ordering::SeqCst);
                "counted"
            });
        let server = app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("it is sound");
        let mut rig = Rig { server, clients: Vec::new(), bytes };
        rig.connect(1, "/value");
        rig
    }

    /// Connects until there are so many; each asks once, is answered, and waits.
    fn connect(&mut self, count: usize, target: &str) {
        while self.clients.len() < count {
            let client = TcpStream::connect(self.server.socket_addresses()[0]).expect("the server listens");
            self.clients.push(client);
            ask(self.clients.last_mut().expect("just connected"), target);
        }
    }

    /// What each of the connections costs, beside the first.
    fn cost(&mut self, count: usize, target: &str) -> usize {
        let before = self.allocated();
        let first = self.clients.len();
        self.connect(count, target);
        let grown = self.allocated() - before;
        usize::try_from(grown).expect("more is allocated") / (count - first)
    }

    fn allocated(&mut self) -> isize {
        ask(&mut self.clients[0], "/bytes");
        self.bytes.load(Ordering::SeqCst)
    }
}

fn ask(client: &mut TcpStream, target: &str) {
    if target == "/ws" {
        return converse(client);
    }
    let request = format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n");
    client.write_all(request.as_bytes()).expect("taken");
    let mut room = [0; 1024];
    let count = client.read(&mut room).expect("an answer");
    assert!(room[..count].starts_with(b"HTTP/1.1 200 OK\r\n"), "{:?}", str::from_utf8(&room[..count]));
}

/// Opens a WebSocket, and says something over it that is answered.
fn converse(client: &mut TcpStream) {
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let request =
        format!("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n");
    client.write_all(request.as_bytes()).expect("taken");
    let mut room = [0; 1024];
    let count = client.read(&mut room).expect("an answer");
    assert!(room[..count].starts_with(b"HTTP/1.1 101 "), "{:?}", str::from_utf8(&room[..count]));
    client.write_all(b"\x81\x82\0\0\0\0hi").expect("taken");
    client.read_exact(&mut room[..4]).expect("an answer");
    assert_eq!(&room[..4], b"\x81\x02hi");
}

on_each_backend! {
    an_idle_websocket_costs_little,
    an_idle_connection_costs_its_slots_and_no_buffer,
    however_many_there_are_an_idle_connection_costs_little,
    an_idle_connection_whose_handler_waited_costs_little_more,
}

fn an_idle_websocket_costs_little(backend: BackendChoice) {
    let cost = Rig::new(backend).cost(FULL, "/ws");
    assert!(cost <= MOST_WEBSOCKET_BYTES, "{cost} bytes on {}", backend.name());
}

fn an_idle_connection_costs_its_slots_and_no_buffer(backend: BackendChoice) {
    let cost = Rig::new(backend).cost(FULL, "/value");
    assert!(cost <= SLOT_BYTES, "{cost} bytes on {}", backend.name());
}

fn however_many_there_are_an_idle_connection_costs_little(backend: BackendChoice) {
    // One more than fill the tables, which have grown to twice their size: no number is worse.
    let cost = Rig::new(backend).cost(FULL + 1, "/value");
    assert!(cost <= MOST_BYTES, "{cost} bytes on {}", backend.name());
}

fn an_idle_connection_whose_handler_waited_costs_little_more(backend: BackendChoice) {
    let cost = Rig::new(backend).cost(FULL + 1, "/yields");
    assert!(cost <= MOST_BYTES, "{cost} bytes on {}", backend.name());
}
