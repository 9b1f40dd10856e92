//! Request and response bodies, streamed.

use std::io::{ErrorKind, Write};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use gannet::prelude::*;
use gannet::{BackendChoice, Body, BodyError, Frame, ReceivedBody, Source};
use tokio::sync::Notify;

use crate::rig::{Client, Over, PATIENCE, Server, TellWhenDropped, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    a_client_that_waits_to_be_asked_is_asked_when_the_handler_reads,
    a_body_that_no_handler_reads_is_read_for_it_and_the_connection_goes_on,
    a_body_beyond_what_is_collected_is_answered_413,
    trailers_are_read_behind_the_body_and_sent_behind_the_response,
    a_chunked_body_that_is_cut_everywhere_arrives_whole,
    a_body_that_is_read_in_part_is_forgotten_and_the_connection_goes_on,
    a_status_without_content_has_none_whatever_the_handler_gave,
    a_body_of_another_length_than_was_promised_breaks_off,
);

on_each_backend!(
    a_client_that_waits_to_be_asked_is_told_the_answer_when_nobody_reads,
    a_body_that_breaks_off_is_not_taken_for_a_whole_one,
    a_body_without_end_that_nobody_reads_ends_the_connection_behind_the_answer,
    a_body_that_is_not_read_is_not_received,
    a_client_that_does_not_read_its_own_echo_can_send_no_more,
    a_client_that_asks_and_does_not_read_the_answers_can_ask_no_more,
);

/// Sends a request's body back as it comes, and its trailers.
struct Echo {
    body: ReceivedBody,
    over: bool,
}

/// A response that sends the request's body back as it comes.
pub fn echo(request: Request) -> Response {
    Response::new(Status::OK).with_body(Body::stream(Echo { body: request.into_body(), over: false }))
}

impl Source for Echo {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        self.body.poll_next(context).map(|next| match next {
            Some(chunk) => Some(chunk.map(Frame::Data)),
            None => {
                self.over = true;
                self.body.trailers().map(|trailers| Ok(Frame::Trailers(trailers)))
            }
        })
    }
}

async fn length(mut request: Request) -> Result<String, BodyError> {
    Ok(request.body().collect(100).await?.len().to_string())
}

fn app() -> App {
    App::new().get("/", "hello").post("/echo", echo).post("/length", length).post("/ignored", "answered")
}

fn a_client_that_waits_to_be_asked_is_asked_when_the_handler_reads(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    for _ in 0..2 {
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        assert_eq!(client.head().status, 100);
        assert_eq!(client.send("12345").answer().says(), (200, "5"));
    }
}

fn a_client_that_waits_to_be_asked_is_told_the_answer_when_nobody_reads(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    client.send("POST /ignored HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.says(), answer.field("connection")), ((200, "answered"), Some("close")));
    client.ends();
}

fn a_body_that_no_handler_reads_is_read_for_it_and_the_connection_goes_on(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    for length in [10, 100_000] {
        client.send(format!("POST /ignored HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"));
        client.send(vec![b'x'; length]);
        assert_eq!(client.answer().says(), (200, "answered"));
    }
    client.send("POST /ignored HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(client.answer().says(), (200, "answered"), "without waiting for the body");
    client.send("3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn a_body_beyond_what_is_collected_is_answered_413(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n").send([b'x'; 100]);
    assert_eq!(client.answer().says(), (200, "100"));
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n").send([b'x'; 101]);
    assert_eq!(client.answer().status, 413);
    assert_eq!(client.get("/").says(), (200, "hello"), "so little is read and forgotten");
}

fn trailers_are_read_behind_the_body_and_sent_behind_the_response(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("5;extension=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.says(), (200, "hello world"));
    assert!(answer.trailers.eq_ignore_ascii_case("X-Sum: 11\r\n"), "{}", answer.trailers);
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn a_chunked_body_that_is_cut_everywhere_arrives_whole(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    let request = "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   4\r\nabcd\r\n10\r\n0123456789abcdef\r\n0\r\nX-A: 1\r\n\r\n";
    for byte in request.as_bytes() {
        client.send([*byte]);
    }
    assert_eq!(client.answer().says(), (200, "20"));
}

fn a_body_that_breaks_off_is_not_taken_for_a_whole_one(backend: BackendChoice) {
    let (told, outcome) = mpsc::channel();
    let read = move |mut request: Request| {
        // Whether the future gets to see the failure or is dropped before, the test hears of its end.
        let dropped = TellWhenDropped(told.clone());
        async move {
            let result = request.body().collect(100).await;
            dropped.0.send(if result.is_ok() { "whole" } else { "broken" }).expect("the test listens");
            result
        }
    };
    let server = serve(App::new().post("/", read), backend);
    let mut client = Client::connect(&server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").finish();
    client.rest();
    assert_ne!(outcome.recv_timeout(PATIENCE).expect("the handler ends"), "whole");
}

fn a_body_that_is_read_in_part_is_forgotten_and_the_connection_goes_on(over: Over) {
    let first = async |mut request: Request| match request.body().next().await {
        Some(Ok(chunk)) => format!("{}", char::from(chunk[0])),
        other => format!("{other:?}"),
    };
    let server = Server::start(app().post("/first", first), over);
    let mut client = Client::connect(&server);
    for length in [1, 10, 200_000] {
        client.send(format!("POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"));
        client.send(vec![b'x'; length]);
        assert_eq!(client.answer().says(), (200, "x"), "{length}");
    }
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn a_body_without_end_that_nobody_reads_ends_the_connection_behind_the_answer(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    client.send("POST /ignored HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(client.answer().says(), (200, "answered"));
    let chunk = [&b"8000\r\n"[..], &[b'x'; 0x8000], b"\r\n"].concat();
    for _ in 0..20 {
        client.send(&chunk);
    }
    client.ends();
}

/// Sends `piece` again and again until the server takes no more for a while; gives how much it took.
fn send_until_full(client: &mut Client, piece: &[u8], at_most: usize) -> usize {
    let mut stream = client.stream();
    stream.set_write_timeout(Some(Duration::from_millis(200))).expect("an option of sockets");
    let mut taken = 0;
    while taken < at_most {
        match stream.write(&piece[taken % piece.len()..]) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_write_timeout(Some(PATIENCE)).expect("an option of sockets");
    taken
}

/// More than the kernel's buffers of a connection hold, both ways.
const MUCH: usize = 64 * 1024 * 1024;

fn a_body_that_is_not_read_is_not_received(backend: BackendChoice) {
    let go_on = Arc::new(Notify::new());
    let released = go_on.clone();
    let waits = move |mut request: Request| {
        let released = released.clone();
        async move {
            released.notified().await;
            let mut length = 0;
            while let Some(Ok(chunk)) = request.body().next().await {
                length += chunk.len();
            }
            length.to_string()
        }
    };
    let server = serve(app().post("/waits", waits), backend);
    let mut client = Client::connect(&server);
    client.send(format!("POST /waits HTTP/1.1\r\nHost: a\r\nContent-Length: {MUCH}\r\n\r\n"));
    let taken = send_until_full(&mut client, &[b'x'; 4096], MUCH);
    assert!(taken < MUCH, "all of it was taken");
    assert_eq!(Client::connect(&server).get("/").says(), (200, "hello"));
    go_on.notify_one();
    client.send(vec![b'x'; MUCH - taken]);
    assert_eq!(client.answer().says(), (200, &*MUCH.to_string()));
}

fn a_client_that_does_not_read_its_own_echo_can_send_no_more(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {MUCH}\r\n\r\n"));
    let taken = send_until_full(&mut client, &[b'x'; 4096], MUCH);
    assert!(taken < MUCH, "all of it was taken");
    let mut stream = client.stream();
    let rest = std::thread::spawn(move || stream.write_all(&vec![b'x'; MUCH - taken]));
    assert_eq!(client.answer().body.len(), MUCH);
    rest.join().expect("no panic").expect("all was taken");
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn a_client_that_asks_and_does_not_read_the_answers_can_ask_no_more(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let taken = send_until_full(&mut client, request, MUCH);
    assert!(taken < MUCH, "all of it was taken");
    // Only part of the last one may have been taken.
    let mut stream = client.stream();
    let rest = request[taken % request.len()..].to_vec();
    let sender = std::thread::spawn(move || stream.write_all(&rest));
    for _ in 0..taken.div_ceil(request.len()) {
        assert_eq!(client.answer().status, 200);
    }
    sender.join().expect("no panic").expect("all was taken");
}

fn a_status_without_content_has_none_whatever_the_handler_gave(over: Over) {
    let server = Server::start(
        app()
            .get("/204", (Status::NO_CONTENT, "content"))
            .get("/304", (Status::NOT_MODIFIED, "content"))
            .get("/nothing", |_: Request| ())
            .get("/100", (Status::CONTINUE, "content")),
        over,
    );
    let mut client = Client::connect(&server);
    for (target, status) in [("/204", 204), ("/304", 304), ("/nothing", 204)] {
        client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(client.head().status, status);
        assert_eq!(client.get("/").says(), (200, "hello"), "right behind the head of {target}");
    }
    assert_eq!(client.get("/100").status, 500, "an interim status is no answer");
}

/// Promises ten bytes and gives another number.
struct Promise(Option<&'static str>);

impl Source for Promise {
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.take().map(|text| Ok(Frame::Data(text.into()))))
    }

    fn length(&self) -> Option<u64> {
        Some(10)
    }
}

fn a_body_of_another_length_than_was_promised_breaks_off(over: Over) {
    let promises = |request: Request| {
        let text = match request.query() {
            Some("short") => "short",
            Some("exact") => "0123456789",
            _ => "more than ten bytes",
        };
        Response::new(Status::OK).with_body(Body::stream(Promise(Some(text))))
    };
    let server = Server::start(app().get("/promise", promises), over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/promise?exact").says(), (200, "0123456789"));
    assert_eq!(client.get("/").says(), (200, "hello"));
    for target in ["/promise?short", "/promise?long"] {
        let mut client = Client::connect(&server);
        client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        if client.head_unless_over().is_some() {
            let body = client.rest_of_broken();
            assert!(body.len() < 10, "{}", String::from_utf8_lossy(&body));
        }
    }
}
