//! Answers that come piece by piece, that break, that come after others.

use std::time::Duration;

use gannet::prelude::*;
use gannet::test::Failure;
use gannet::{Body, Bytes, Fields, channel};
use tokio::time::{Instant, sleep}; // virtual time

/// A body that ticks every second, for ever.
fn ticking() -> Response {
    let (mut sender, body) = channel();
    tokio::task::spawn_local(async move {
        for number in 0.. {
            if sender.send(format!("data: {number}\n\n")).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await; // virtual time
        }
    });
    Response::new(Status::OK).with("Content-Type", "text/event-stream").with_body(body)
}

fn written() -> Response {
    Response::new(Status::OK).with_body(Body::written(async |mut sender| {
        for number in 0.. {
            if sender.send(format!("{number}")).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await; // virtual time
        }
    }))
}

#[gannet::test]
async fn a_streamed_answer_is_read_piece_by_piece_as_time_goes_by() {
    let client = App::new().get("/", |_: Request| written()).test();
    for client in [client.clone(), client.http2()] {
        let began = Instant::now();
        let mut answer = client.get("/").begin().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        for number in 0..5 {
            let piece = answer.piece().await.expect("it goes on");
            assert_eq!(piece, Some(Bytes::from(number.to_string())));
        }
        assert_eq!(began.elapsed().as_secs(), 4);
    }
}

#[gannet::test]
async fn an_event_stream_of_a_local_task_is_read_too() {
    let local = tokio::task::LocalSet::new();
    let test = async {
        let client = App::new().get("/", |_: Request| ticking()).test();
        let mut answer = client.get("/").begin().await.expect("an answer");
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        let piece = answer.piece().await.expect("it goes on");
        assert_eq!(piece.as_deref(), Some(&b"data: 0\n\n"[..]));
    };
    local.run_until(test).await;
}

#[gannet::test]
async fn what_nobody_reads_holds_the_server_up_and_memory_stays_bounded() {
    let client = App::new()
        .get("/", |_: Request| {
            Response::new(Status::OK).with_body(Body::written(async |mut sender| {
                for _ in 0..1000 {
                    if sender.send(vec![7; 100_000]).await.is_err() {
                        break;
                    }
                }
            }))
        })
        .test();
    for client in [client.clone(), client.http2()] {
        let answer = client.get("/").begin().await.expect("an answer");
        let whole = answer.whole(usize::MAX).await.expect("all of it");
        assert_eq!(whole.bytes().len(), 100_000_000);
    }
}

#[gannet::test]
async fn trailers_and_interim_responses_are_heard() {
    let client = App::new()
        .get("/", |request: Request| {
            let mut hints = Fields::new();
            hints.append("Link", "</style.css>; rel=preload").expect("a field");
            request.interims().push(Status::EARLY_HINTS, hints);
            Response::new(Status::OK).with_body(Body::written(async |mut sender| {
                sender.send("hello").await.expect("somebody reads");
                let mut trailers = Fields::new();
                trailers.append("x-check", "7").expect("a field");
                sender.finish(trailers).await.expect("somebody reads");
            }))
        })
        .test();
    for client in [client.clone(), client.http2()] {
        let answer = client.get("/").header("TE", "trailers").send().await;
        answer.assert_status(200).assert_text("hello");
        assert_eq!(answer.trailer("X-Check"), Some("7"));
        let interims: Vec<u16> = answer.interims().map(|(status, _)| status).collect();
        assert_eq!(interims, [103]);
    }
}

#[gannet::test]
async fn a_body_is_sent_when_it_is_asked_for() {
    let read = async |mut request: Request| {
        let expects = request.expects_continue();
        let body = request.body().collect(100).await.expect("a body");
        format!("{expects} {}", body.len())
    };
    let client = App::new().post("/", read).test();
    for client in [client.clone(), client.http2()] {
        let answer = client.post("/").header("Expect", "100-continue").body("hello").send().await;
        answer.assert_text("true 5");
        assert!(answer.interims().any(|(status, _)| status == 100), "{answer}");
    }
}

#[gannet::test]
async fn an_answer_that_breaks_off_is_a_failure_and_the_next_one_is_right() {
    let broken = |_: Request| {
        Response::new(Status::OK).with_body(Body::written(async |mut sender| {
            sender.send("half").await.expect("somebody reads");
            sender.abort();
        }))
    };
    let client = App::new().get("/broken", broken).get("/", "hello").test();
    for client in [client.clone(), client.http2()] {
        let failure = client.get("/broken").try_send().await.expect_err("it breaks off");
        assert!(matches!(failure, Failure::Incomplete | Failure::Reset(_)), "{failure:?}");
        client.get("/").send().await.assert_text("hello");
    }
}

#[gannet::test]
async fn a_handler_that_panics_is_500_and_the_next_request_is_right() {
    let client = App::new().get("/panics", |_: Request| -> &str { panic!("part of a test") });
    let client = client.get("/", "hello").test();
    for client in [client.clone(), client.http2()] {
        client.get("/panics").send().await.assert_status(500);
        client.get("/").send().await.assert_text("hello");
    }
}
