//! The OpenAPI document, and the page to try it.

use gannet::openapi::{Info, JsonSchema, api};
use gannet::prelude::*;
use gannet::{Header, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something to do.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Task {
    /// What is to be done.
    title: String,
    #[serde(default)]
    done: bool,
    state: Stage,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Open,
    Closed,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "it is described, and never read")]
struct Page {
    /// The number of the first.
    #[serde(default)]
    from: u64,
    most: Option<u16>,
    tag: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "it is described, and never read")]
struct Conditions {
    if_match: Option<String>,
}

fn app() -> App {
    async fn create(_: State<u8>, task: Json<Task>) -> (Status, Json<Task>) {
        (Status::CREATED, task)
    }
    let list = |_: Query<Page>| Json(Vec::<Task>::new());
    let show = async |id: Path<u64>| -> Result<Json<Task>, Rejection> {
        Err(Rejection::new(Status::NOT_FOUND, format!("there is no task {}", *id)))
    };
    let change = |_: Path<(u64, Stage)>, _: Header<Conditions>, _: Option<Json<Task>>| ();
    App::new()
        .post("/tasks", api(create).summary("Adds a task").tag("tasks").status(201).id("createTask"))
        .get("/tasks", api(list).tag("tasks"))
        .get("/tasks/:id", api(show).problem(404).tag("tasks"))
        .put("/tasks/:id/state/:state", api(change))
        .group("/v2", |group| group.get("/plain/{name}", "hello"))
        .state(7_u8)
        .openapi(
            "/openapi.json",
            Info::new("Tasks", "1.0").description("What is to be done.").try_page("/docs"),
        )
}

async fn document() -> Value {
    let client = app().test();
    let answer = client.get("/openapi.json").send().await;
    answer.assert_status(200).assert_header("Content-Type", "application/json");
    answer.json()
}

#[gannet::test]
async fn arguments_and_results_are_described_by_their_types() {
    let document = document().await;
    let create = &document["paths"]["/tasks"]["post"];
    assert_eq!(
        (&create["operationId"], &create["summary"], &create["tags"]),
        (&json!("createTask"), &json!("Adds a task"), &json!(["tasks"]))
    );
    assert_eq!(create["requestBody"]["required"], true);
    assert_eq!(
        create["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/TaskInput"
    );
    let responses = &create["responses"];
    assert_eq!(
        responses["201"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/Task"
    );
    for status in ["400", "413", "415", "422"] {
        let schema = &responses[status]["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/ProblemDetails", "{status}");
    }
    assert_eq!(responses.as_object().unwrap().len(), 5);
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Task"]["required"], json!(["title", "done", "state"]));
    assert_eq!(schemas["TaskInput"]["required"], json!(["title", "state"]));
    assert_eq!(schemas["Task"]["description"], "Something to do.");
    assert_eq!(schemas["Stage"]["enum"], json!(["open", "closed"]));
}

#[gannet::test]
async fn parameters_are_those_of_the_path_the_query_and_the_head() {
    let document = document().await;
    let parameter = |path: &str, method: &str, name: &str| {
        let parameters = document["paths"][path][method]["parameters"].as_array().unwrap().clone();
        parameters.into_iter().find(|parameter| parameter["name"] == name).unwrap()
    };
    let from = parameter("/tasks", "get", "from");
    assert_eq!(
        (&from["in"], &from["required"], &from["description"]),
        (&json!("query"), &json!(false), &json!("The number of the first."))
    );
    assert_eq!(from["schema"], json!({ "type": "integer", "format": "uint64", "minimum": 0, "default": 0 }));
    assert_eq!(parameter("/tasks", "get", "most")["schema"]["type"], "integer");
    let tag = parameter("/tasks", "get", "tag");
    assert_eq!(
        (&tag["required"], &tag["schema"]),
        (&json!(true), &json!({ "type": "array", "items": { "type": "string" } }))
    );
    let id = parameter("/tasks/{id}", "get", "id");
    assert_eq!(
        (&id["in"], &id["required"], &id["schema"]["type"]),
        (&json!("path"), &json!(true), &json!("integer"))
    );
    let change = "/tasks/{id}/state/{state}";
    assert_eq!(parameter(change, "put", "id")["schema"]["type"], "integer");
    assert_eq!(parameter(change, "put", "state")["schema"]["$ref"], "#/components/schemas/Stage");
    let if_match = parameter(change, "put", "if-match");
    assert_eq!((&if_match["in"], &if_match["required"]), (&json!("header"), &json!(false)));
    assert_eq!(document["paths"][change]["put"]["requestBody"]["required"], false);
    assert_eq!(parameter("/v2/plain/{name}", "get", "name")["schema"]["type"], "string");
}

/// What each reference in a document leads to.
fn check_references(value: &Value, document: &Value) -> usize {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            if let Some(reference) = own {
                let pointer = reference.strip_prefix('#').expect("a place in the document");
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            usize::from(own.is_some())
                + members.values().map(|member| check_references(member, document)).sum::<usize>()
        }
        Value::Array(members) => members.iter().map(|member| check_references(member, document)).sum(),
        _ => 0,
    }
}

#[gannet::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    assert!(check_references(&document, &document) > 10);
}

#[gannet::test]
async fn the_document_is_made_once_and_a_client_that_has_it_is_told_so() {
    let client = app().test();
    let first = client.get("/openapi.json").send().await;
    let tag = first.header("ETag").unwrap().to_owned();
    first.assert_header("Cache-Control", "no-cache");
    for tags in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let answer = client.get("/openapi.json").header("If-None-Match", &tags).send().await;
        answer.assert_status(304).assert_header("ETag", &tag).assert_text("");
    }
    client.get("/openapi.json").header("If-None-Match", "\"other\"").send().await.assert_status(200);
}

#[gannet::test]
async fn the_page_is_made_of_files_of_the_program_under_a_policy_that_lets_nothing_else_in() {
    let client = app().test();
    let page = client.get("/docs").send().await;
    page.assert_status(200).assert_header("Content-Type", "text/html; charset=utf-8");
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';")
            && !policy.contains("unsafe"),
        "{policy}"
    );
    page.assert_text_contains("href=\"openapi.json\"");
    for (name, media_type) in [
        ("style.css", "text/css"),
        ("script.js", "text/javascript"),
        ("schema.js", "text/javascript"),
        ("request.js", "text/javascript"),
    ] {
        let part = client.get(&format!("/docs/{name}")).send().await;
        part.assert_status(200).assert_header("Content-Type", &format!("{media_type}; charset=utf-8"));
    }
}
