//! The example, as its clients see it.

use serde_json::{Value, json};

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

#[gannet::test]
async fn a_browser_is_led_to_graphiql() {
    let client = app().test();
    client.get("/").send().await.assert_header("Location", "/graphql");
    let page = client.get("/graphql").header("Accept", "text/html,*/*;q=0.8").send().await;
    page.assert_status(200).assert_text_contains("<title>GraphiQL</title>");
}
