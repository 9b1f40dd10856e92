//! The service, asked as its clients ask it.

use gannet::test::Client;
use serde_json::{Value, json};

use super::{app, database};

/// A client of a service that has no task yet. Its database has threads of its own, so time is real.
async fn client() -> Client {
    app(database::open(None).await.expect("a database in memory")).test()
}

/// Adds a task.
async fn add(client: &Client, task: Value) -> Value {
    client.post("/tasks").json(&task).send().await.assert_status(201).json()
}

/// The titles on a page.
fn titles(page: &Value) -> Vec<&str> {
    let tasks = page["tasks"].as_array().expect("a page has tasks");
    tasks.iter().filter_map(|task| task["title"].as_str()).collect()
}

/// Where something is wrong, as problem details say it.
fn places(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("the places of what is wrong");
    errors.iter().filter_map(|error| error["pointer"].as_str().or(error["parameter"].as_str())).collect()
}

#[gannet::test(real_time)]
async fn a_task_is_added_read_changed_and_removed() {
    let client = client().await;
    let added =
        client.post("/tasks").json(&json!({"title": "Feed the birds", "due": "2026-12-01"})).send().await;
    added.assert_status(201).assert_header("Location", "/tasks/1").assert_header("ETag", "\"1\"");
    let mut task: Value = added.json();
    assert_eq!(
        (&task["progress"], &task["notes"], &task["due"]),
        (&json!("open"), &json!(""), &json!("2026-12-01"))
    );

    client.get("/tasks/1").send().await.assert_status(200).assert_header("ETag", "\"1\"").assert_json(&task);

    let changed = client.patch("/tasks/1").json(&json!({"progress": "started", "due": null})).send().await;
    (task["progress"], task["due"]) = (json!("started"), Value::Null);
    changed.assert_status(200).assert_header("ETag", "\"2\"").assert_json(&task);

    let replaced =
        client.put("/tasks/1").json(&json!({"title": "Feed the gannets", "notes": "Fish."})).send().await;
    (task["title"], task["notes"], task["progress"]) =
        (json!("Feed the gannets"), json!("Fish."), json!("open"));
    replaced.assert_status(200).assert_header("ETag", "\"3\"").assert_json(&task);

    client.delete("/tasks/1").send().await.assert_status(204).assert_text("");
    client
        .get("/tasks/1")
        .send()
        .await
        .assert_status(404)
        .assert_header("Content-Type", "application/problem+json");
    client.delete("/tasks/1").send().await.assert_status(404);
}

#[gannet::test(real_time)]
async fn what_is_wrong_is_told_all_at_once_and_by_its_names() {
    let client = client().await;
    let long = "x".repeat(201);
    let wrong = json!({"title": " Feed", "notes": "n".repeat(10_001)});
    let refused = client.post("/tasks").json(&wrong).send().await;
    assert_eq!(places(&refused.assert_status(422).json()), ["#/title", "#/notes"]);
    for (body, place) in [
        (json!({}), "#/title"),
        (json!({"title": ""}), "#/title"),
        (json!({"title": long}), "#/title"),
        (json!({"title": 7}), "#/title"),
        (json!({"title": "a", "progress": "half"}), "#/progress"),
        (json!({"title": "a", "due": "2026-02-30"}), "#/due"),
        (json!({"title": "a", "owner": "me"}), "#/owner"),
    ] {
        let refused = client.post("/tasks").json(&body).send().await;
        refused.assert_status(422).assert_header("Content-Type", "application/problem+json");
        assert_eq!(places(&refused.json()), [place], "{body}");
    }
    for (query, place) in
        [("limit=0", "limit"), ("limit=101", "limit"), ("after=x", "after"), ("color=red", "color")]
    {
        let refused = client.get(&format!("/tasks?{query}")).send().await;
        assert_eq!((refused.status(), places(&refused.json())), (400, vec![place]), "{query}");
    }
    client.get("/tasks/seven").send().await.assert_status(400);
    client
        .post("/tasks")
        .body("{\"title\": ")
        .header("Content-Type", "application/json")
        .send()
        .await
        .assert_status(400);
    client.post("/tasks").text("Feed the birds").send().await.assert_status(415);
    client
        .put("/tasks")
        .json(&json!({}))
        .send()
        .await
        .assert_status(405)
        .assert_header("Allow", "GET, HEAD, OPTIONS, POST");
    let nowhere = client.get("/task").send().await;
    nowhere.assert_status(404).assert_header("Content-Type", "application/problem+json");
    let page: Value = client.get("/tasks").send().await.json();
    assert_eq!(page, json!({"tasks": [], "total": 0, "next": null}));
}

#[gannet::test(real_time)]
async fn pages_follow_each_other_and_keep_what_was_asked_for() {
    let client = client().await;
    for number in 1..=5 {
        add(&client, json!({"title": format!("Wash a & b, {number}")})).await;
    }
    add(&client, json!({"title": "Something else"})).await;
    let (mut target, mut seen) = ("/tasks?search=A+%26+B&limit=2".to_owned(), Vec::new());
    loop {
        let answer = client.get(&target).send().await;
        let page: Value = answer.assert_status(200).json();
        assert_eq!(page["total"], 5);
        seen.push(titles(&page).join("; "));
        match page["next"].as_str() {
            Some(next) => {
                answer.assert_header("Link", &format!("<{next}>; rel=\"next\""));
                target = format!("/tasks{next}");
            }
            None => {
                answer.assert_no_header("Link");
                break;
            }
        }
        assert!(seen.len() < 5, "there is always another page: {seen:?}");
    }
    assert_eq!(seen, ["Wash a & b, 1; Wash a & b, 2", "Wash a & b, 3; Wash a & b, 4", "Wash a & b, 5"]);
}

#[gannet::test(real_time)]
async fn only_those_tasks_are_listed_that_are_meant() {
    let client = client().await;
    for (title, progress, due) in
        [("one", "open", Some("2026-11-30")), ("two", "done", Some("2026-12-01")), ("three", "open", None)]
    {
        add(&client, json!({"title": title, "progress": progress, "due": due})).await;
    }
    let client = &client;
    let listed = async |query: &str| {
        let page: Value = client.get(&format!("/tasks?{query}")).send().await.assert_status(200).json();
        titles(&page).join(" ")
    };
    assert_eq!(listed("").await, "one two three");
    assert_eq!(listed("progress=open").await, "one three");
    assert_eq!(listed("due_before=2026-12-01").await, "one");
    assert_eq!(listed("search=T").await, "two three");
    assert_eq!(listed("search=%25").await, "");
    assert_eq!(listed("search=t&progress=done&due_before=2027-01-01").await, "two");
}

#[gannet::test(real_time)]
async fn nobody_overwrites_what_he_has_not_seen() {
    let client = client().await;
    add(&client, json!({"title": "Paint the fence"})).await;
    let change = |title: &str, tag: &str| {
        client.patch("/tasks/1").header("If-Match", tag).json(&json!({"title": title})).send()
    };
    change("Paint it red", "\"1\"").await.assert_status(200).assert_header("ETag", "\"2\"");
    change("Paint it blue", "\"1\"").await.assert_status(412);
    change("Paint it blue", "\"1\", \"2\"").await.assert_status(200);
    client.delete("/tasks/1").header("If-Match", "\"2\"").send().await.assert_status(412);
    client.delete("/tasks/1").header("If-Match", "*").send().await.assert_status(204);
}

#[gannet::test(real_time)]
async fn nothing_is_on_the_list_twice_until_it_is_done() {
    let client = client().await;
    let bins = json!({"title": "Put the bins out"});
    add(&client, bins.clone()).await;
    add(&client, json!({"title": "Water the plants"})).await;
    client.post("/tasks").json(&bins).send().await.assert_status(409);
    client.put("/tasks/2").json(&bins).send().await.assert_status(409);
    client.patch("/tasks/1").json(&json!({"progress": "done"})).send().await.assert_status(200);
    client.post("/tasks").json(&bins).send().await.assert_status(201);
}

#[gannet::test(real_time)]
async fn tasks_outlive_the_program_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let file = folder.path().join("tasks.sqlite");
    for total in 1..=2 {
        let client = app(database::open(Some(&file)).await.expect("a database in a file")).test();
        add(&client, json!({"title": format!("number {total}")})).await;
        let page: Value = client.get("/tasks").send().await.json();
        assert_eq!(page["total"], total);
    }
}

/// What the document refers to.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(members) => members.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[gannet::test(real_time)]
async fn the_description_is_of_what_is_served() {
    let client = client().await;
    let document: Value = client.get("/openapi.json").send().await.assert_status(200).json();
    let task = &document["paths"]["/tasks/{id}"];
    for method in ["get", "put", "patch", "delete"] {
        assert!(task[method]["responses"]["404"].is_object(), "{method} of {task:#}");
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').expect("a place in the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let new = &document["components"]["schemas"]["NewTask"];
    assert_eq!(
        (&new["properties"]["title"]["maxLength"], &new["required"]),
        (&json!(200), &json!(["title"]))
    );
    client.get("/").send().await.assert_header("Location", "/docs");
    client.get("/docs").send().await.assert_status(200).assert_text_contains("<script");
}
