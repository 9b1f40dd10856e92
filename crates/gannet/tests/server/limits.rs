//! The limits of connections, and of patience.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use gannet::prelude::*;
use gannet::{BackendChoice, Body, Limits, Running};
use tokio::sync::Notify;

use crate::rig::{Client, PATIENCE, TellWhenDropped, on_each_backend, serve};

on_each_backend!(
    a_connection_beyond_the_limit_waits_until_another_leaves,
    a_connection_beyond_its_address_s_share_is_ended,
    a_head_that_does_not_become_complete_is_answered_408,
    a_body_that_does_not_go_on_is_answered_408,
    a_connection_without_a_request_is_ended_after_a_while,
    a_client_that_never_reads_is_left,
    a_handler_may_take_longer_than_any_client,
    a_body_that_the_handler_does_not_read_yet_is_not_late,
    a_conversation_may_be_silent_for_longer_than_an_idle_connection,
);

fn app() -> App {
    App::new().get("/", "hello")
}

/// Every deadline of a client's as short as can be.
fn impatient() -> Limits {
    Limits {
        head_timeout: SOON,
        body_grace: SOON,
        idle_timeout: SOON,
        write_timeout: SOON,
        ..Limits::default()
    }
}

/// Lets two idle connections come to their end, one after the other: all that was due before has happened then.
fn let_deadlines_pass(server: &Running) {
    for _ in 0..2 {
        let mut client = Client::connect(server);
        client.get("/");
        client.ends();
    }
}

fn a_connection_beyond_the_limit_waits_until_another_leaves(backend: BackendChoice) {
    let server = serve(app().limits(Limits { connections: 2, ..Limits::default() }), backend);
    let mut within = [Client::connect(&server), Client::connect(&server)];
    within.iter_mut().for_each(|client| drop(client.get("/")));
    let mut beyond = Client::connect(&server);
    beyond.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((within[0].get("/").says(), server.connections()), ((200, "hello"), 2));
    drop(within);
    assert_eq!(beyond.answer().says(), (200, "hello"));
}

fn a_connection_beyond_its_address_s_share_is_ended(backend: BackendChoice) {
    let server = serve(app().limits(Limits { connections_per_address: 2, ..Limits::default() }), backend);
    let mut within = [Client::connect(&server), Client::connect(&server)];
    within.iter_mut().for_each(|client| drop(client.get("/")));
    Client::connect(&server).ends();
    within.iter_mut().for_each(|client| assert_eq!(client.get("/").says(), (200, "hello")));
}

/// As patient as a test can be.
const SOON: Duration = Duration::from_millis(50);

fn a_head_that_does_not_become_complete_is_answered_408(backend: BackendChoice) {
    let server = serve(app().limits(Limits { head_timeout: SOON, ..Limits::default() }), backend);
    let mut client = Client::connect(&server);
    let answer = client.send("GET / HTTP/1.1\r\nHost: a\r\n").answer();
    assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
    client.ends();
    let mut silent = Client::connect(&server);
    silent.ends();
}

fn a_body_that_does_not_go_on_is_answered_408(backend: BackendChoice) {
    let collects = async |mut request: Request| request.body().collect(100).await;
    let app = App::new().post("/", collects).post("/ignored", "answered");
    let server = serve(app.limits(Limits { body_grace: SOON, ..Limits::default() }), backend);
    let mut client = Client::connect(&server);
    let answer = client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").answer();
    assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
    client.ends();
    let mut client = Client::connect(&server);
    client.send("POST /ignored HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    assert_eq!(client.answer().says(), (200, "answered"));
    client.rest_of_broken();
}

fn a_connection_without_a_request_is_ended_after_a_while(backend: BackendChoice) {
    let server = serve(app().limits(Limits { idle_timeout: SOON, ..Limits::default() }), backend);
    let mut client = Client::connect(&server);
    client.get("/");
    client.ends();
}

fn a_client_that_never_reads_is_left(backend: BackendChoice) {
    let (told, heard) = mpsc::channel();
    let endless = move |_: Request| {
        let dropped = TellWhenDropped(told.clone());
        Response::new(Status::OK).with_body(Body::written(async move |mut sender| {
            let _dropped = dropped;
            while sender.send(vec![0; 1 << 20]).await.is_ok() {}
        }))
    };
    let limits = Limits { write_timeout: SOON, ..Limits::default() };
    let server = serve(app().get("/endless", endless).limits(limits), backend);
    let mut client = Client::connect(&server);
    client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
    assert_eq!(Client::connect(&server).get("/").says(), (200, "hello"));
}

/// A handler of `method` that reads its body only when told to, and then says how long it was.
fn waits(
    go_on: &Arc<Notify>,
) -> impl Fn(Request) -> std::pin::Pin<Box<dyn Future<Output = String>>> + Clone + use<> {
    let go_on = go_on.clone();
    move |mut request: Request| {
        let go_on = go_on.clone();
        Box::pin(async move {
            go_on.notified().await;
            let body = request.body().collect(10_000_000).await;
            body.map_or_else(|error| error.to_string(), |body| body.len().to_string())
        })
    }
}

fn a_handler_may_take_longer_than_any_client(backend: BackendChoice) {
    let go_on = Arc::new(Notify::new());
    let server = serve(app().get("/waits", waits(&go_on)).limits(impatient()), backend);
    let mut client = Client::connect(&server);
    client.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
    let_deadlines_pass(&server);
    go_on.notify_one();
    assert_eq!(client.answer().says(), (200, "0"));
}

fn a_body_that_the_handler_does_not_read_yet_is_not_late(backend: BackendChoice) {
    let go_on = Arc::new(Notify::new());
    let server = serve(app().post("/waits", waits(&go_on)).limits(impatient()), backend);
    let mut client = Client::connect(&server);
    client
        .send("POST /waits HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        .send(vec![b'x'; 1_000_000]);
    let_deadlines_pass(&server);
    go_on.notify_one();
    assert_eq!(client.answer().says(), (200, "1000000"));
}

fn a_conversation_may_be_silent_for_longer_than_an_idle_connection(backend: BackendChoice) {
    let echo = |_: Request| {
        Response::upgrade("echo", async |mut upgraded| {
            while let Some(Ok(chunk)) = upgraded.reader.next().await {
                upgraded.writer.send(chunk).await.expect("the client is there");
            }
        })
    };
    let server = serve(app().get("/echo", echo).limits(impatient()), backend);
    let mut client = Client::connect(&server);
    client.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    assert_eq!(client.head().status, 101);
    let_deadlines_pass(&server);
    assert_eq!(client.send("still here").take(10), b"still here");
}
