//! The example, as a browser reads it.

use std::time::Duration;

use gannet::test::{Client, StreamedAnswer};

use crate::app;
use crate::ticks::{HISTORY, Ticks};

/// What is said at first.
const BEGIN: &str = ": fish, in pence per kilogram\nretry: 1000\n\n";

fn tick(number: u64, price: u32) -> String {
    format!("data: {{\"price\":{price}}}\nevent: tick\nid: {number}\n\n")
}

async fn open(client: &Client, last: Option<&str>) -> StreamedAnswer {
    let request = client.get("/ticks");
    let request = match last {
        Some(last) => request.header("Last-Event-ID", last),
        None => request,
    };
    let answer = request.begin().await.expect("an answer");
    assert_eq!((answer.status(), answer.header("Content-Type")), (200, Some("text/event-stream")));
    answer
}

/// Reads until it has all of what is expected, and no more than that.
async fn expect(answer: &mut StreamedAnswer, expected: &str) {
    let mut read = String::new();
    while read.len() < expected.len() {
        let piece = answer.piece().await.expect("it goes on").expect("more");
        read.push_str(std::str::from_utf8(&piece).expect("text"));
    }
    assert_eq!(read, expected);
}

#[gannet::test]
async fn who_comes_gets_what_is_remembered_and_then_whatever_comes() {
    let ticks = Ticks::default();
    let client = app(ticks.clone()).test();
    ticks.add(420);
    let mut answer = open(&client, None).await;
    expect(&mut answer, &(BEGIN.to_owned() + &tick(1, 420))).await;
    ticks.add(421);
    expect(&mut answer, &tick(2, 421)).await;
    ticks.add(422);
    ticks.add(423);
    expect(&mut answer, &(tick(3, 422) + &tick(4, 423))).await;
}

#[gannet::test]
async fn who_comes_again_goes_on_behind_the_last_event_that_it_had() {
    let ticks = Ticks::default();
    (1..=10).for_each(|price| ticks.add(price));
    let client = app(ticks.clone()).test();
    let mut answer = open(&client, Some("8")).await;
    expect(&mut answer, &(BEGIN.to_owned() + &tick(9, 9) + &tick(10, 10))).await;
    let mut answer = open(&client, Some("10")).await;
    expect(&mut answer, BEGIN).await;
    ticks.add(11);
    expect(&mut answer, &tick(11, 11)).await;
}

#[gannet::test]
async fn who_was_away_for_longer_than_is_remembered_is_told_what_it_missed() {
    let ticks = Ticks::default();
    (1..=HISTORY as u32 + 10).for_each(|price| ticks.add(price));
    let client = app(ticks).test();
    let mut answer = open(&client, Some("7")).await;
    expect(&mut answer, &(BEGIN.to_owned() + "data: 3\nevent: missed\n\n" + &tick(11, 11))).await;
}

#[gannet::test]
async fn an_id_of_an_earlier_run_begins_again_and_one_that_is_none_is_refused() {
    let ticks = Ticks::default();
    ticks.add(420);
    let client = app(ticks).test();
    let mut answer = open(&client, Some("5000")).await;
    expect(&mut answer, &(BEGIN.to_owned() + &tick(1, 420))).await;
    client.get("/ticks").header("Last-Event-ID", "x").send().await.assert_status(400);
}

#[gannet::test]
async fn silence_is_broken_by_a_comment_every_ten_seconds() {
    let client = app(Ticks::default()).test();
    let mut answer = open(&client, None).await;
    expect(&mut answer, BEGIN).await;
    let begun = tokio::time::Instant::now();
    expect(&mut answer, ":\n\n").await;
    expect(&mut answer, ":\n\n").await;
    let waited = begun.elapsed();
    assert!((Duration::from_secs(19)..Duration::from_secs(22)).contains(&waited), "{waited:?}");
}

#[gannet::test]
async fn prices_go_on_each_second() {
    let ticks = Ticks::default();
    let go_on = ticks.clone().go_on();
    let _ = tokio::time::timeout(Duration::from_millis(4500), go_on).await;
    assert_eq!(ticks.after(None).1.len(), 5);
}

#[gannet::test]
async fn the_page_is_in_the_program() {
    let client = app(Ticks::default()).test();
    client.get("/").send().await.assert_status(200).assert_text_contains("<title>Fish</title>");
    for file in ["/ticker.js", "/ticker.css"] {
        client.get(file).send().await.assert_status(200);
    }
}
