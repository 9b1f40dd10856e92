//! One message to all who have subscribed, over WebSockets and as events.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use gannet::broadcast::SlowSubscriber;
use gannet::events::{EventStream, Events};
use gannet::prelude::*;
use gannet::{BackendChoice, Broadcast};
use tungstenite::Message as Theirs;

use crate::connect;

/// An application whose `/ws` and `/events` have what is published.
fn app(broadcast: &Broadcast) -> App {
    App::new()
        .ws("/ws", async |mut socket: WebSocket, all: State<Broadcast>| {
            socket.subscribe(&all);
            socket.send("subscribed").await?;
            while let Some(message) = socket.recv().await? {
                all.send(message);
            }
            Ok(())
        })
        .get("/events", |events: Events, all: State<Broadcast>| -> EventStream { events.subscribe(&all) })
        .state(broadcast.clone())
}

pub fn what_is_published_reaches_all_who_have_subscribed_in_order(backend: BackendChoice) {
    let broadcast = Broadcast::new();
    let server =
        app(&broadcast).listen("127.0.0.1:0").workers(2).backend(backend).start().expect("it starts");
    let mut clients: Vec<_> = (0..8).map(|_| connect(&server, "/ws")).collect();
    for client in &mut clients {
        assert_eq!(client.read().expect("a message"), Theirs::text("subscribed"));
    }
    let mut events = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
    events.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    events.write_all(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is taken");
    let mut lines = BufReader::new(events).lines().map(|line| line.expect("a line"));
    while !lines.next().expect("a head").is_empty() {}
    assert_eq!(broadcast.subscribers(), 9);
    for number in 0..100 {
        broadcast.send(format!("message {number}"));
    }
    clients[3].send(Theirs::binary(vec![7; 100_000])).expect("it is taken");
    for client in &mut clients {
        for number in 0..100 {
            assert_eq!(client.read().expect("a message"), Theirs::text(format!("message {number}")));
        }
        assert_eq!(client.read().expect("a message"), Theirs::binary(vec![7; 100_000]));
    }
    for number in 0..100 {
        assert_eq!(
            lines.find(|line| line.starts_with("data")).as_deref(),
            Some(&*format!("data: message {number}"))
        );
    }
}

pub fn a_subscriber_that_is_too_slow_is_closed_where_it_must_miss_nothing(backend: BackendChoice) {
    let broadcast = Broadcast::bounded(4, SlowSubscriber::Close);
    let server =
        app(&broadcast).listen("127.0.0.1:0").workers(1).backend(backend).start().expect("it starts");
    let mut client = connect(&server, "/ws");
    assert_eq!(client.read().expect("a message"), Theirs::text("subscribed"));
    // More than the sockets' buffers hold between a server and a client that reads nothing.
    for _ in 0..200 {
        broadcast.send(vec![7; 1_000_000]);
    }
    let closed = loop {
        match client.read().expect("a message") {
            Theirs::Close(frame) => break frame.expect("it says why"),
            Theirs::Binary(bytes) => assert_eq!(bytes.len(), 1_000_000),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(closed.code), 1013);
}
