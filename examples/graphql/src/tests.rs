//! The example, as its clients see it.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{ClientRequestBuilder, Message};

use crate::app;

#[gannet::test]
async fn birds_are_found_by_what_is_asked_of_them() {
    let client = app().test();
    let query = "query Of($habitat: Habitat) { birds(habitat: $habitat) { name wingspanCm } }";
    let answer = client
        .post("/graphql")
        .json(&json!({ "query": query, "variables": { "habitat": "SEA" } }))
        .send()
        .await;
    answer.assert_status(200);
    answer.assert_json(&json!({ "data": { "birds": [{ "name": "Northern gannet", "wingspanCm": 180 }] } }));
    let answer = client.get("/graphql").query([("query", "{ bird(id: \"dodo\") { name } }")]).send().await;
    answer.assert_status(200).assert_json(&json!({ "data": { "bird": null } }));
}

#[gannet::test]
async fn what_is_reported_is_there_afterwards_by_whom_the_request_says() {
    let client = app().test();
    let report = "mutation($report: Report!) { report(report: $report) { place } }";
    for place in ["Bass Rock", "Helgoland"] {
        let body = json!({ "query": report, "variables": { "report": { "bird": "gannet", "place": place, "count": 3 } } });
        client.post("/graphql").header("X-Observer", "Ann").json(&body).send().await.assert_status(200);
    }
    let query = "{ bird(id: \"gannet\") { sightings(most: 1) { place count observer } } }";
    let answer = client.post("/graphql").json(&json!({ "query": query })).send().await;
    let seen = json!([{ "place": "Helgoland", "count": 3, "observer": "Ann" }]);
    answer.assert_json(&json!({ "data": { "bird": { "sightings": seen } } }));
}

#[gannet::test]
async fn what_cannot_be_is_an_error_of_its_field() {
    let client = app().test();
    for (report, message) in [
        ("{ bird: \"dodo\", place: \"Mauritius\" }", "there is no bird \"dodo\""),
        ("{ bird: \"jay\", place: \"here\", count: 0 }", "0 birds cannot be seen"),
    ] {
        let query = format!("mutation {{ report(report: {report}) {{ place }} }}");
        let answer = client.post("/graphql").json(&json!({ "query": query })).send().await;
        let told: Value = answer.assert_status(200).json();
        assert_eq!(
            (&told["errors"][0]["message"], &told["errors"][0]["path"]),
            (&json!(message), &json!(["report"]))
        );
    }
}

#[test]
fn who_watches_a_bird_is_told_when_it_is_seen() {
    let server = app().listen("127.0.0.1:0").workers(2).start().expect("it starts");
    let address = server.socket_addresses()[0];
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let asked = ClientRequestBuilder::new("ws://a.example/graphql".parse().expect("an address"));
    let asked = asked.with_sub_protocol("graphql-transport-ws");
    let mut watching = tungstenite::client(asked, stream).expect("it agrees").0;
    let mut say = |message: Value| watching.send(Message::text(message.to_string())).expect("it is taken");
    say(json!({ "type": "connection_init" }));
    let seen = "subscription { seen(bird: \"gannet\") { place observer } }";
    say(json!({ "type": "subscribe", "id": "1", "payload": { "query": seen } }));
    // Over the same connection, so that it comes after the subscription.
    for bird in ["jay", "gannet"] {
        let report = format!(
            "mutation {{ report(report: {{ bird: \"{bird}\", place: \"Bass Rock\" }}) {{ place }} }}"
        );
        say(json!({ "type": "subscribe", "id": bird, "payload": { "query": report } }));
    }
    let mut told = Vec::new();
    while told.iter().all(|told: &Value| told["id"] != "1") {
        let message = watching.read().expect("a message");
        told.push(serde_json::from_str(message.to_text().expect("text")).expect("JSON"));
    }
    let seen = json!({ "data": { "seen": { "place": "Bass Rock", "observer": "somebody" } } });
    assert_eq!(told.last(), Some(&json!({ "id": "1", "type": "next", "payload": seen })));
}

#[gannet::test]
async fn a_browser_is_led_to_graphiql() {
    let client = app().test();
    client.get("/").send().await.assert_header("Location", "/graphql");
    let page = client.get("/graphql").header("Accept", "text/html,*/*;q=0.8").send().await;
    page.assert_status(200).assert_text_contains("<title>GraphiQL</title>");
}
