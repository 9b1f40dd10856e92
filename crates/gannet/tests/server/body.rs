//! Request and response bodies, streamed.

use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};

use gannet::prelude::*;
use gannet::{BackendChoice, Body, BodyError, Frame, RequestBody, Source};

use crate::rig::{Client, PATIENCE, TellWhenDropped, on_each_backend, serve};

on_each_backend!(
    a_client_that_waits_to_be_asked_is_asked_when_the_handler_reads,
    a_client_that_waits_to_be_asked_is_told_the_answer_when_nobody_reads,
    a_body_that_no_handler_reads_is_read_for_it_and_the_connection_goes_on,
    a_body_beyond_what_is_collected_is_answered_413,
    trailers_are_read_behind_the_body_and_sent_behind_the_response,
    a_chunked_body_that_is_cut_everywhere_arrives_whole,
    a_body_that_breaks_off_is_not_taken_for_a_whole_one,
);

/// Sends a request's body back as it comes, and its trailers.
struct Echo {
    body: RequestBody,
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
            Some(chunk) => Some(chunk.map(|chunk| Frame::Data(chunk.into()))),
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

fn a_client_that_waits_to_be_asked_is_asked_when_the_handler_reads(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    for _ in 0..2 {
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        assert_eq!(client.head().head, "HTTP/1.1 100 Continue");
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

fn a_body_that_no_handler_reads_is_read_for_it_and_the_connection_goes_on(backend: BackendChoice) {
    let server = serve(app(), backend);
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

fn a_body_beyond_what_is_collected_is_answered_413(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n").send([b'x'; 100]);
    assert_eq!(client.answer().says(), (200, "100"));
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n").send([b'x'; 101]);
    assert_eq!(client.answer().status, 413);
    assert_eq!(client.get("/").says(), (200, "hello"), "so little is read and forgotten");
}

fn trailers_are_read_behind_the_body_and_sent_behind_the_response(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("5;extension=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.says(), &*answer.trailers), ((200, "hello world"), "X-Sum: 11\r\n"));
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn a_chunked_body_that_is_cut_everywhere_arrives_whole(backend: BackendChoice) {
    let server = serve(app(), backend);
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
