//! The crate `h2`: many streams, windows, resets, promises, the end.

use std::sync::Arc;

use bytes::Bytes;
use gannet::prelude::*;
use gannet::{AccessLog, BackendChoice, Body, LogDestination, LogFormat, Running};
use h2::client::{Builder, SendRequest};
use h2::{Reason, RecvStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use crate::common::on_each_backend;
use crate::{address, block_on, serve};

on_each_backend!(
    five_hundred_requests_at_once_are_answered_each_with_its_own,
    a_body_comes_through_windows_of_any_size,
    a_stream_that_nobody_reads_keeps_no_other_from_its_answer,
    what_a_client_resets_is_dropped_and_its_connection_goes_on,
    a_client_that_is_promised_something_gets_it_without_asking,
    a_client_that_takes_no_promises_is_made_none,
    early_hints_come_before_their_answer,
    a_server_that_ends_answers_what_was_asked_before,
    trailers_come_and_go_behind_bodies,
    who_is_answered_before_its_body_has_come_may_end_it_and_is_stopped_where_it_goes_on,
    each_stream_has_its_line_in_the_log_in_the_order_in_which_they_end,
);

/// Bytes that show when some are missing or out of place.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8 ^ (n >> 12) as u8).collect()
}

fn app() -> App {
    let later = async |request: Request| {
        tokio::task::yield_now().await;
        request.target().to_owned()
    };
    let large = |request: Request| {
        pattern(request.query().and_then(|length| length.parse().ok()).unwrap_or(1_000_000))
    };
    App::new().get("/later", later).get("/large", large).get("/", "hello")
}

/// A connection with windows of so many bytes, driven by a task of the present runtime.
async fn connect(server: &Running, window: u32, takes_promises: bool) -> SendRequest<Bytes> {
    let stream = tokio::net::TcpStream::connect(address(server)).await.expect("the server listens");
    let mut builder = Builder::new();
    builder.initial_window_size(window).enable_push(takes_promises);
    builder.initial_connection_window_size(window.max(65_535));
    let (sender, connection) = builder.handshake(stream).await.expect("nothing to fail yet");
    tokio::spawn(async move {
        let _ = connection.await; // who waits for an answer hears of it
    });
    sender.ready().await.expect("it goes on")
}

fn get(target: &str) -> http::Request<()> {
    http::Request::get(format!("http://a.example{target}")).body(()).expect("a well-formed request")
}

/// The rest of a body.
async fn read(mut body: RecvStream) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.expect("a whole body");
        body.flow_control().release_capacity(piece.len()).expect("so much was received");
        whole.extend_from_slice(&piece);
    }
    whole
}

async fn ask(sender: &SendRequest<Bytes>, target: &str) -> (u16, Vec<u8>) {
    let mut sender = sender.clone().ready().await.expect("it goes on");
    let (response, _) = sender.send_request(get(target), true).expect("a stream");
    let response = response.await.expect("an answer");
    (response.status().as_u16(), read(response.into_body()).await)
}

fn five_hundred_requests_at_once_are_answered_each_with_its_own(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        let sender = connect(&server, 65_535, false).await;
        // Who has the server's settings by then; before, what is too much is refused, as it may be (RFC 9113, 5.1.2).
        assert_eq!(ask(&sender, "/").await.0, 200);
        // More than may be open: the crate holds the others back.
        let asking = (0..500).map(|number| {
            let sender = sender.clone();
            tokio::spawn(async move { ask(&sender, &format!("/later?{number}")).await })
        });
        for (number, task) in asking.collect::<Vec<_>>().into_iter().enumerate() {
            let answer = task.await.expect("no panic");
            assert_eq!(answer, (200, format!("/later?{number}").into_bytes()));
        }
        assert_eq!(server.connections(), 1);
    });
}

fn a_body_comes_through_windows_of_any_size(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        // One of a hundred bytes takes so many updates that a megabyte of it is a flood (`h2.window_updates`).
        for (window, length) in
            [(100, 20_000), (16_384, 1_000_000), (65_535, 1_000_000), (10_000_000, 1_000_000)]
        {
            let sender = connect(&server, window, false).await;
            let (status, body) = ask(&sender, &format!("/large?{length}")).await;
            assert!(status == 200 && body == pattern(length), "a window of {window} bytes");
        }
    });
}

fn a_stream_that_nobody_reads_keeps_no_other_from_its_answer(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        let sender = connect(&server, 10_000, false).await;
        let mut unread = Vec::new();
        for _ in 0..4 {
            let mut sender = sender.clone().ready().await.expect("it goes on");
            let (response, _) = sender.send_request(get("/large"), true).expect("a stream");
            unread.push(response.await.expect("an answer").into_body());
        }
        for _ in 0..20 {
            assert_eq!(ask(&sender, "/").await, (200, b"hello".to_vec()));
        }
        for body in unread {
            assert!(read(body).await == pattern(1_000_000), "and what is read later is whole");
        }
    });
}

/// Says so when it is dropped.
struct Told(UnboundedSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(()); // the test may have heard enough
    }
}

fn what_a_client_resets_is_dropped_and_its_connection_goes_on(backend: BackendChoice) {
    let (teller, mut told) = tokio::sync::mpsc::unbounded_channel();
    let waits = move |_: Request| {
        let dropped = Told(teller.clone());
        async move {
            let _dropped = dropped;
            std::future::pending::<&str>().await
        }
    };
    let server = serve(app().get("/waits", waits), backend);
    block_on(async {
        let sender = connect(&server, 65_535, false).await;
        for _ in 0..50 {
            let mut sender = sender.clone().ready().await.expect("it goes on");
            let (_response, mut stream) = sender.send_request(get("/waits"), true).expect("a stream");
            assert_eq!(ask(&sender, "/").await.0, 200, "it has been asked by now");
            stream.send_reset(Reason::CANCEL);
            told.recv().await.expect("its handler is dropped");
        }
        let (response, _) = sender.clone().send_request(get("/large"), true).expect("a stream");
        drop(response.await.expect("an answer")); // in the middle of its body
        assert_eq!(ask(&sender, "/").await, (200, b"hello".to_vec()));
    });
}

/// Promises its style before it answers.
fn promising() -> App {
    let page = |request: Request| {
        assert!(request.promise("/style.css?1"), "a target");
        "page"
    };
    app().get("/page", page).get("/style.css", |request: Request| request.target().to_owned())
}

fn a_client_that_is_promised_something_gets_it_without_asking(backend: BackendChoice) {
    let server = serve(promising(), backend);
    block_on(async {
        let mut sender = connect(&server, 65_535, true).await;
        let (mut response, _) = sender.send_request(get("/page"), true).expect("a stream");
        let mut promises = response.push_promises();
        let page = response.await.expect("an answer");
        let promise = promises.push_promise().await.expect("one").expect("well-formed");
        let (promised, pushed) = promise.into_parts();
        assert_eq!(promised.uri(), "http://a.example/style.css?1");
        assert_eq!(promised.method(), http::Method::GET);
        let pushed = pushed.await.expect("what was promised");
        assert_eq!(pushed.status(), 200);
        assert_eq!(read(pushed.into_body()).await, b"/style.css?1");
        assert_eq!(read(page.into_body()).await, b"page");
        assert!(promises.push_promise().await.is_none(), "no other");
    });
}

fn a_client_that_takes_no_promises_is_made_none(backend: BackendChoice) {
    let server = serve(promising(), backend);
    block_on(async {
        let sender = connect(&server, 65_535, false).await;
        for _ in 0..3 {
            assert_eq!(ask(&sender, "/page").await, (200, b"page".to_vec()), "a promise would be an error");
        }
    });
}

fn early_hints_come_before_their_answer(backend: BackendChoice) {
    let hints = async |request: Request| {
        let mut fields = gannet::Fields::new();
        fields.append("Link", "</style.css>; rel=preload; as=style").expect("a field");
        request.interims().push(Status::EARLY_HINTS, fields);
        tokio::task::yield_now().await;
        "page"
    };
    let server = serve(App::new().get("/", hints), backend);
    block_on(async {
        let mut sender = connect(&server, 65_535, false).await;
        let (mut response, _) = sender.send_request(get("/"), true).expect("a stream");
        let hints = std::future::poll_fn(|context| response.poll_informational(context)).await;
        let hints = hints.expect("some").expect("well-formed");
        assert_eq!(hints.status(), 103);
        assert_eq!(hints.headers()["link"], "</style.css>; rel=preload; as=style");
        assert_eq!(response.await.expect("an answer").status(), 200);
    });
}

fn a_server_that_ends_answers_what_was_asked_before(backend: BackendChoice) {
    let (go_on, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begun, wait) = (go_on.clone(), released.clone());
    let waits = move |_: Request| {
        let (begun, wait) = (begun.clone(), wait.clone());
        async move {
            begun.notify_one();
            wait.notified().await;
            "answered"
        }
    };
    let mut server = serve(app().get("/waits", waits), backend);
    block_on(async {
        let mut sender = connect(&server, 65_535, false).await;
        let (response, _) = sender.send_request(get("/waits"), true).expect("a stream");
        go_on.notified().await;
        server.drain();
        released.notify_one();
        let response = response.await.expect("an answer");
        assert_eq!(read(response.into_body()).await, b"answered");
        server.wait().await.expect("a clean end");
    });
}

fn who_is_answered_before_its_body_has_come_may_end_it_and_is_stopped_where_it_goes_on(
    backend: BackendChoice,
) {
    let server = serve(App::new().post("/", "answered").get("/", "hello"), backend);
    block_on(async {
        let sender = connect(&server, 65_535, false).await;
        let post = || http::Request::post("http://a.example/").body(()).expect("a well-formed request");
        for piece in [&[b'x'; 10_000][..], b""] {
            let (response, mut stream) = sender.clone().send_request(post(), false).expect("a stream");
            let response = response.await.expect("an answer, though nothing of the body came");
            assert_eq!(read(response.into_body()).await, b"answered");
            assert_eq!(ask(&sender, "/").await.0, 200, "a reset would be here by now");
            stream.send_data(Bytes::copy_from_slice(piece), true).expect("it is not reset");
            assert_eq!(ask(&sender, "/").await.0, 200);
        }
        let (response, mut stream) = sender.clone().send_request(post(), false).expect("a stream");
        assert_eq!(response.await.expect("an answer").status(), 200);
        let reason = loop {
            stream.reserve_capacity(16_384);
            // Whichever comes first: room for more, or the reset, which takes away all room.
            let event = std::future::poll_fn(|context| match stream.poll_reset(context) {
                std::task::Poll::Ready(reason) => std::task::Poll::Ready(Err(reason.expect("a reset"))),
                std::task::Poll::Pending => stream.poll_capacity(context).map(Ok),
            });
            match event.await {
                Err(reason) => break reason,
                Ok(Some(Ok(room))) => {
                    let _ = stream.send_data(Bytes::from(vec![b'x'; room]), false); // it may be reset by now
                }
                Ok(_) => {}
            }
        };
        assert_eq!(reason, Reason::NO_ERROR);
        assert_eq!(ask(&sender, "/").await.0, 200);
    });
}

fn trailers_come_and_go_behind_bodies(backend: BackendChoice) {
    let echo = async |mut request: Request| {
        let body = request.body().collect(1000).await.unwrap_or_default();
        let sum = request.body().trailers().and_then(|trailers| trailers.get("x-sum").map(<[u8]>::to_vec));
        Response::new(Status::OK).with_body(Body::written(async move |mut sender| {
            sender.send(body).await.expect("the client is there");
            let mut trailers = gannet::Fields::new();
            trailers.append("x-sum", sum.unwrap_or_default()).expect("a field");
            sender.finish(trailers).await.expect("the client is there");
        }))
    };
    let server = serve(App::new().post("/", echo), backend);
    block_on(async {
        let mut sender = connect(&server, 65_535, false).await;
        let request = http::Request::post("http://a.example/").body(()).expect("a well-formed request");
        let (response, mut stream) = sender.send_request(request, false).expect("a stream");
        stream.send_data(Bytes::from_static(b"hello"), false).expect("a window");
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", http::HeaderValue::from_static("5"));
        stream.send_trailers(trailers).expect("behind a body");
        let mut body = response.await.expect("an answer").into_body();
        assert_eq!(body.data().await.expect("a body").expect("whole"), "hello");
        let trailers = body.trailers().await.expect("a whole body").expect("some");
        assert_eq!(trailers["x-sum"], "5");
    });
}

fn each_stream_has_its_line_in_the_log_in_the_order_in_which_they_end(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("log");
    let (go_on, (teller, mut told)) = (Arc::new(Notify::new()), tokio::sync::mpsc::unbounded_channel());
    let released = go_on.clone();
    let waits = move |request: Request| {
        let (released, dropped) = (released.clone(), Told(teller.clone()));
        async move {
            match request.query() {
                Some(_) => std::future::pending().await,
                None => released.notified().await,
            }
            drop(dropped);
            "answered"
        }
    };
    let log = AccessLog { format: LogFormat::Json, destination: LogDestination::File(path.clone()) };
    let mut server = serve(app().get("/waits", waits).access_log(log), backend);
    block_on(async {
        let mut sender = connect(&server, 1_000_000, false).await;
        let (first, _) = sender.send_request(get("/waits"), true).expect("a stream");
        let (_never, mut stream) = sender.send_request(get("/waits?ever"), true).expect("a stream");
        assert_eq!(ask(&sender, "/").await.0, 200);
        assert_eq!(ask(&sender, "/large?100000").await.1.len(), 100_000);
        stream.send_reset(Reason::CANCEL);
        told.recv().await.expect("its handler is dropped");
        go_on.notify_one();
        assert_eq!(read(first.await.expect("an answer").into_body()).await, b"answered");
        server.drain();
        server.wait().await.expect("a clean end");
    });
    let text = std::fs::read_to_string(&path).expect("the log is there");
    let lines: Vec<&str> = text.lines().collect();
    let expected =
        [("/", 200, 5), ("/large?100000", 200, 100_000), ("/waits?ever", 0, 0), ("/waits", 200, 8)];
    assert_eq!(lines.len(), expected.len(), "{text}");
    for (line, (target, status, bytes)) in lines.into_iter().zip(expected) {
        let said = format!(
            "\"target\":\"{target}\",\"version\":\"HTTP/2.0\",\"status\":{status},\"bytes\":{bytes},"
        );
        assert!(line.contains(&said), "{said} {line}");
        assert_eq!(line.contains("\"cut\":true"), status == 0, "{line}");
    }
}
