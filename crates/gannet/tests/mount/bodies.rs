//! Bodies in both directions: streams, events, uploads, and clients that leave.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::{Instant, sleep, timeout}; // virtual time
use tokio_stream::StreamExt;

use crate::mounted;

const SECOND: Duration = Duration::from_secs(1);

/// A body of what is sent to it.
struct Received(tokio::sync::mpsc::Receiver<Bytes>);

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[gannet::test]
async fn a_streamed_body_comes_piece_by_piece() {
    let ticks = async || {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            for number in 0..3 {
                sleep(SECOND).await; // virtual time
                if sender.send(Bytes::from(format!("tick {number}"))).await.is_err() {
                    break;
                }
            }
        });
        Body::new(Received(receiver))
    };
    for client in mounted(Router::new().route("/", get(ticks))) {
        let began = Instant::now();
        let mut answer = client.get("/api").begin().await.expect("an answer");
        assert_eq!(began.elapsed().as_secs(), 0, "the head does not wait for the body");
        for number in 0..3u64 {
            let piece = answer.piece().await.expect("it goes on").expect("a piece");
            assert_eq!(piece, format!("tick {number}").as_bytes());
            assert_eq!(began.elapsed().as_secs(), number + 1);
        }
        assert_eq!(answer.piece().await, Ok(None));
    }
}

#[gannet::test]
async fn server_sent_events_are_kept_alive() {
    let events = async || {
        let first = tokio_stream::once(Ok::<_, Infallible>(Event::default().event("greeting").data("hello")));
        Sse::new(first.chain(tokio_stream::pending())).keep_alive(KeepAlive::new().interval(15 * SECOND))
    };
    for client in mounted(Router::new().route("/", get(events))) {
        let mut answer = client.get("/api").begin().await.expect("an answer");
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        let (began, piece) = (Instant::now(), answer.piece().await);
        assert_eq!(piece, Ok(Some(Bytes::from_static(b"event: greeting\ndata: hello\n\n"))));
        assert_eq!(answer.piece().await, Ok(Some(Bytes::from_static(b":\n\n"))));
        assert_eq!(began.elapsed().as_secs(), 15);
    }
}

#[gannet::test]
async fn trailers_go_both_ways() {
    let echo = async |body: Body| {
        let trailers = body.collect().await.expect("a body").trailers().cloned().unwrap_or_default();
        let frames = [Frame::data(Bytes::from_static(b"hello")), Frame::trailers(trailers)];
        Body::new(StreamBody::new(tokio_stream::iter(frames.map(Ok::<_, Infallible>))))
    };
    for client in mounted(Router::new().route("/", post(echo))) {
        let (mut sender, body) = gannet::channel();
        let send = async move {
            sender.send("body").await.expect("somebody reads");
            let mut trailers = gannet::Fields::new();
            trailers.append("x-check", "7").expect("a field");
            sender.finish(trailers).await.expect("somebody reads");
        };
        let asked = client.post("/api").header("TE", "trailers").stream(body).send();
        let (answer, ()) = tokio::join!(asked, send);
        assert_eq!(answer.assert_text("hello").trailer("x-check"), Some("7"));
    }
}

#[gannet::test]
async fn a_body_is_echoed_while_it_still_comes() {
    let echo = async |body: Body| body;
    for client in mounted(Router::new().route("/", post(echo))) {
        let (mut sender, body) = gannet::channel();
        let mut answer = client.post("/api").stream(body).begin().await.expect("an answer before the body");
        for word in ["one", "two", "three"] {
            sender.send(word).await.expect("somebody reads");
            assert_eq!(answer.piece().await, Ok(Some(Bytes::from(word))));
        }
        drop(sender);
        assert_eq!(answer.piece().await, Ok(None));
    }
}

#[gannet::test]
async fn the_length_of_a_body_is_told_and_what_is_said_of_it() {
    let lengths = async |headers: HeaderMap, body: Body| {
        let exact = http_body::Body::size_hint(&body).exact();
        format!("{exact:?} {:?}", headers.get("content-length"))
    };
    let said = async || {
        (
            [("content-length", "5")],
            Body::new(StreamBody::new(tokio_stream::iter([Ok::<_, Infallible>(Frame::data(
                Bytes::from_static(b"hello"),
            ))]))),
        )
    };
    let router = Router::new().route("/", post(lengths).get(lengths)).route("/said", get(said));
    for client in mounted(router) {
        client.post("/api").body("12345").send().await.assert_text("Some(5) Some(\"5\")");
        client.get("/api").send().await.assert_text("Some(0) None");
        client.get("/api/said").send().await.assert_header("content-length", "5").assert_text("hello");
        let head = client.head("/api/said").send().await;
        head.assert_status(200).assert_header("content-length", "5").assert_text("");
    }
}

static SENT: AtomicUsize = AtomicUsize::new(0);

#[gannet::test]
async fn an_upload_goes_no_faster_than_it_is_read() {
    const PIECES: usize = 256;
    const PIECE_BYTES: usize = 64 * 1024;
    let slow = async |mut body: Body| {
        let (mut read, mut furthest) = (0, 0);
        while let Some(frame) = body.frame().await {
            read += frame.expect("a frame").data_ref().map_or(0, Bytes::len);
            sleep(Duration::from_millis(10)).await; // virtual time
            furthest = furthest.max(SENT.load(Ordering::Relaxed).saturating_sub(read));
        }
        format!("{read} {furthest}")
    };
    for client in mounted(Router::new().route("/", post(slow))) {
        SENT.store(0, Ordering::Relaxed);
        let body = gannet::Body::written(async |mut sender| {
            for _ in 0..PIECES {
                if sender.send(vec![7; PIECE_BYTES]).await.is_err() {
                    break;
                }
                SENT.fetch_add(PIECE_BYTES, Ordering::Relaxed);
            }
        });
        let answer = client.post("/api").stream(body).send().await;
        let (read, furthest) = answer.assert_status(200).text().split_once(' ').expect("two numbers");
        assert_eq!(read.parse(), Ok(PIECES * PIECE_BYTES));
        let furthest: usize = furthest.parse().expect("a number");
        assert!(furthest < 1 << 20, "{furthest} bytes were on their way, of 16 MiB");
    }
}

#[gannet::test]
async fn what_a_service_leaves_unread_is_no_harm_to_the_next_request() {
    let router = Router::new().route("/ignore", post(async || "ignored")).route("/", get(async || "hello"));
    for client in mounted(router) {
        client.post("/api/ignore").body(vec![7; 20_000]).send().await.assert_text("ignored");
        client.get("/api").send().await.assert_text("hello");
    }
}

#[gannet::test]
async fn a_body_is_asked_for_when_the_service_reads_it() {
    let read = async |body: Bytes| body.len().to_string();
    let router = Router::new().route("/", post(read)).route("/refuse", post(async || StatusCode::FORBIDDEN));
    for client in mounted(router) {
        let expecting = |target| client.post(target).header("Expect", "100-continue").body("hello").send();
        let answer = expecting("/api").await;
        assert!(answer.assert_text("5").interims().any(|(status, _)| status == 100), "{answer}");
        let refused = expecting("/api/refuse").await;
        assert_eq!(refused.assert_status(403).interims().count(), 0);
    }
}

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// Counts while it lives.
struct Guard;

impl Guard {
    fn new() -> Guard {
        LIVE.set(LIVE.get() + 1);
        Guard
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
    }
}

#[gannet::test]
async fn a_client_that_leaves_drops_the_future_and_the_body() {
    struct Endless(Guard);
    impl http_body::Body for Endless {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let Endless(Guard) = &*self;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[7; 1000])))))
        }
    }
    let wait = async || {
        let _guard = Guard::new();
        std::future::pending::<()>().await;
    };
    let router = Router::new()
        .route("/wait", get(wait))
        .route("/endless", get(async || Body::new(Endless(Guard::new()))));
    for client in mounted(router) {
        assert!(timeout(SECOND, client.get("/api/wait").try_send()).await.is_err() && LIVE.get() == 1);
        sleep(SECOND).await; // virtual time
        assert_eq!(LIVE.get(), 0);
        let mut answer = client.get("/api/endless").begin().await.expect("an answer");
        assert!(answer.piece().await.is_ok_and(|piece| piece.is_some()) && LIVE.get() == 1);
        drop(answer);
        sleep(SECOND).await; // virtual time
        assert_eq!(LIVE.get(), 0);
    }
}
