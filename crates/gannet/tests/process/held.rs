//! Ten thousand WebSockets on one server, which come and go; then nothing is left of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};

use gannet::prelude::*;
use gannet::websocket::WebSocketResult;
use gannet::{BackendChoice, Broadcast};

use crate::child::{self, Server, answer, ask};
use crate::common::on_each_backend;

/// One backend at a time: the descriptors of this process are enough for one.
static ALONE: Mutex<()> = Mutex::new(());

/// Held at a time; the descriptors of two processes are enough for more.
const HELD: usize = 10_000;
/// Of which so many leave at a time, and as many come.
const CHURN: usize = 1000;
const ROUNDS: usize = 3;

on_each_backend! { ten_thousand_websockets_are_held_while_some_come_and_go_and_nothing_is_left }

fn ten_thousand_websockets_are_held_while_some_come_and_go_and_nothing_is_left(backend: BackendChoice) {
    if child::is_child() { serve(backend) } else { hold(backend) }
}

/// The child: serves until its standard input ends.
fn serve(backend: BackendChoice) {
    let broadcast = Broadcast::new();
    let app = child::app(backend)
        .ws("/ws", async |mut socket: WebSocket, all: State<Broadcast>| {
            socket.subscribe(&all);
            socket.send("in").await?;
            while let Some(message) = socket.recv().await? {
                all.send(message);
            }
            WebSocketResult::Ok(())
        })
        .get("/subscribers", |all: State<Broadcast>| all.subscribers().to_string())
        .state(broadcast);
    let server = app.start().expect("it was started before");
    eprintln!("listening on {}", server.socket_addresses()[0]);
    let _ = std::io::stdin().read(&mut [0]);
    eprintln!("open: {}", server.connections());
}

fn hold(backend: BackendChoice) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut server = Server::start(
        "held",
        backend,
        "ten_thousand_websockets_are_held_while_some_come_and_go_and_nothing_is_left",
    );
    let mut held: Vec<TcpStream> = (0..HELD).map(|_| open(&server)).collect();
    for round in 0..ROUNDS {
        held[0].write_all(b"\x81\x82\0\0\0\0hi").expect("it is taken");
        for client in &mut held {
            let mut room = [0; 4];
            client.read_exact(&mut room).expect("a message");
            assert_eq!(&room, b"\x81\x02hi");
        }
        // Half of those who leave say so.
        let leave = held.drain(round * 7..round * 7 + CHURN);
        for (number, mut client) in leave.enumerate() {
            if number % 2 == 0 {
                client.write_all(b"\x88\x82\0\0\0\0\x03\xe8").expect("it is taken");
                let mut room = [0; 4];
                client.read_exact(&mut room).expect("an answer");
                assert_eq!(&room, b"\x88\x02\x03\xe8");
            }
        }
        held.extend((0..CHURN).map(|_| open(&server)));
    }
    drop(held);
    let mut client = server.connect();
    // Each answer is a turn or more of the server's.
    for _ in 0..100_000 {
        ask(&mut client, "/subscribers");
        if answer(&mut client).ends_with("\r\n0") {
            break;
        }
    }
    ask(&mut client, "/subscribers");
    assert!(answer(&mut client).ends_with("\r\n0"), "nobody has subscribed any more");
    server.tell();
    server.says("open: 1");
}

fn open(server: &Server) -> TcpStream {
    let mut client = server.connect();
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let request =
        format!("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n");
    client.write_all(request.as_bytes()).expect("it is taken");
    let (mut got, mut room) = (Vec::new(), [0; 512]);
    while !got.ends_with(b"\x81\x02in") {
        let count = client.read(&mut room).expect("an answer");
        assert!(count > 0, "it is let in");
        got.extend_from_slice(&room[..count]);
    }
    client
}
