//! Time is the test's.

use std::cell::Cell;
use std::time::Duration;

use gannet::filters::Timeout;
use gannet::prelude::*;
use gannet::{Limits, channel};
use tokio::time::{Instant, sleep, timeout}; // virtual time

const HOUR: Duration = Duration::from_secs(3600);

#[gannet::test]
async fn a_handler_that_sleeps_for_an_hour_is_answered_for_at_once() {
    let nap = async |_: Request| {
        sleep(HOUR).await; // virtual time
        "rested"
    };
    let client = App::new().get("/", nap).test();
    for client in [client.clone(), client.http2()] {
        let (before, really) = (Instant::now(), std::time::Instant::now());
        client.get("/").send().await.assert_text("rested");
        assert!(before.elapsed() >= HOUR && before.elapsed() < HOUR + Duration::from_secs(1));
        assert!(really.elapsed() < Duration::from_secs(60));
    }
}

#[gannet::test]
async fn a_handler_that_never_answers_is_answered_for_when_its_timeout_is_over() {
    let never = async |_: Request| std::future::pending::<&str>().await;
    let client = App::new().get("/", never).with(Timeout::after(HOUR)).test();
    for client in [client.clone(), client.http2()] {
        let before = Instant::now();
        client.get("/").send().await.assert_status(503);
        assert!(before.elapsed() >= HOUR && before.elapsed() < HOUR + Duration::from_secs(1));
    }
}

#[gannet::test]
async fn requests_at_once_take_as_long_as_the_longest() {
    let nap = async |request: Request| {
        let seconds = request.param("n").and_then(|n| n.parse().ok()).expect("a number");
        sleep(Duration::from_secs(seconds)).await; // virtual time
        seconds.to_string()
    };
    let client = App::new().get("/:n", nap).test();
    for client in [client.clone(), client.http2()] {
        let before = Instant::now();
        let asked = ["/3", "/1", "/2"].map(|target| client.get(target).send());
        let [a, b, c] = asked;
        let (a, b, c) = tokio::join!(a, b, c);
        a.assert_text("3");
        b.assert_text("1");
        c.assert_text("2");
        assert!(before.elapsed() < Duration::from_secs(4), "{:?}", before.elapsed());
    }
}

#[gannet::test]
async fn the_servers_deadlines_pass_in_the_tests_time() {
    let read = async |mut request: Request| match request.body().collect(100).await {
        Ok(_) => Status::OK,
        Err(_) => Status::BAD_REQUEST,
    };
    let client = App::new().post("/", read).limits(Limits::default()).test();
    let before = Instant::now();
    // It never goes on: below the least rate the server gives it up.
    let (_sender, body) = channel();
    let answer = client.post("/").stream(body).try_send().await;
    let late = answer.as_ref().map_or(408, gannet::test::Answer::status);
    assert!(matches!(late, 408 | 400), "{answer:?}");
    assert!(before.elapsed() >= Duration::from_secs(5) && before.elapsed() < HOUR, "{:?}", before.elapsed());
}

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static TICKS: Cell<usize> = const { Cell::new(0) };
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
async fn a_client_that_leaves_drops_the_handlers_future() {
    let nap = async |_: Request| {
        let _guard = Guard::new();
        sleep(HOUR).await; // virtual time
        "rested"
    };
    let client = App::new().get("/", nap).test();
    for client in [client.clone(), client.http2()] {
        let left = timeout(Duration::from_secs(1), client.get("/").try_send()).await;
        assert!(left.is_err() && LIVE.get() == 1);
        sleep(Duration::from_secs(1)).await; // virtual time
        assert_eq!(LIVE.get(), 0, "the server saw that it was left");
    }
}

#[gannet::test]
async fn the_server_goes_on_while_the_test_waits_for_something_else() {
    let tick = async |_: Request| {
        for _ in 0..10 {
            sleep(Duration::from_secs(1)).await; // virtual time
            TICKS.set(TICKS.get() + 1);
        }
        "over"
    };
    let client = App::new().get("/", tick).test();
    let answer = client.get("/").begin();
    let mut answer = std::pin::pin!(answer);
    assert!(timeout(Duration::from_millis(1), answer.as_mut()).await.is_err());
    sleep(Duration::from_millis(4500)).await; // virtual time
    assert_eq!(TICKS.get(), 4);
    assert_eq!(answer.await.expect("an answer").status(), 200);
}

#[tokio::test(start_paused = true)]
async fn it_works_on_a_plain_runtime_of_tokio_too() {
    let nap = async |_: Request| {
        sleep(HOUR).await; // virtual time
        "rested"
    };
    App::new().get("/", nap).test().get("/").send().await.assert_text("rested");
}
