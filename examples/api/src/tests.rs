//! The API, as its clients see it.

use serde_json::{Value, json};

use super::app;

#[gannet::test]
async fn a_bird_is_added_shown_changed_and_removed() {
    let client = app().test();
    let gannet = json!({"name": "gannet", "wingspan_cm": 180});
    let added = client.post("/birds").json(&gannet).send().await;
    added.assert_status(201).assert_header("Location", "/birds/1");
    let shown = json!({"id": 1, "name": "gannet", "wingspan_cm": 180});
    client.get("/birds/1").send().await.assert_status(200).assert_json(&shown);
    let wider = json!({"name": "gannet", "wingspan_cm": 185});
    client.put("/birds/1").json(&wider).send().await.assert_status(200);
    client.get("/birds/1").send().await.assert_text_contains("185");
    client.delete("/birds/1").send().await.assert_status(204);
    client.get("/birds/1").send().await.assert_status(404);
    client.put("/birds/1").json(&wider).send().await.assert_status(404);
    client.delete("/birds/1").send().await.assert_status(404);
}

#[gannet::test]
async fn a_list_is_of_what_was_asked_for() {
    let client = app().test();
    for (name, wingspan_cm) in [("wren", 15), ("gannet", 180), ("albatross", 340)] {
        let bird = json!({"name": name, "wingspan_cm": wingspan_cm});
        client.post("/birds").json(&bird).send().await.assert_status(201);
    }
    let names = async |target: &str| -> Vec<String> {
        let answer = client.get(target).send().await;
        let listed: Vec<Value> = answer.assert_status(200).json();
        listed.iter().map(|bird| bird["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names("/birds").await, ["wren", "gannet", "albatross"]);
    assert_eq!(names("/birds?wider_than_cm=100").await, ["gannet", "albatross"]);
    assert_eq!(names("/birds?wider_than_cm=100&limit=1").await, ["gannet"]);
}

#[gannet::test]
async fn what_is_wrong_is_told_by_its_name() {
    let client = app().test();
    for (body, name) in [
        (json!({"name": "gannet"}), "wingspan_cm"),
        (json!({"name": "gannet", "wingspan_cm": "wide"}), "wingspan_cm"),
        (json!({"name": "gannet", "wingspan_cm": 180, "legs": 2}), "legs"),
    ] {
        let answer = client.post("/birds").json(&body).send().await;
        answer.assert_status(422).assert_header("Content-Type", "application/problem+json");
        answer.assert_text_contains(name);
    }
    client.post("/birds").text("gannet").send().await.assert_status(415);
    client.get("/birds/first").send().await.assert_status(400).assert_text_contains("id");
    client.get("/birds?limit=1000").send().await.assert_status(400).assert_text_contains("limit");
    client
        .patch("/birds/1")
        .send()
        .await
        .assert_status(405)
        .assert_header("Allow", "DELETE, GET, HEAD, OPTIONS, PUT");
}
