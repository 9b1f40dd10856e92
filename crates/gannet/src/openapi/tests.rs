//! What a document says of an application.

use gannet_core::{Rejection, State, Status};
use serde_json::Value;

use super::*;
use crate::App;

/// The document of an application.
fn document(app: &App, info: &Info) -> Value {
    document::document(info, app.routes.routes.registered()).unwrap()
}

fn info() -> Info {
    Info::new("Tasks", "1.0")
}

#[test]
fn a_handler_without_api_has_its_method_its_path_and_its_parameters() {
    let app = App::new().get("/users/:id/files/{name}", "hello").delete("/users/:id", |_: Request| ());
    let document = document(&app, &info());
    assert_eq!(document["openapi"], "3.1.0");
    let get = &document["paths"]["/users/{id}/files/{name}"]["get"];
    assert_eq!(get["operationId"], "getUsersByIdFilesByName");
    assert_eq!(
        get["parameters"][0],
        serde_json::json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } })
    );
    assert_eq!(get["parameters"][1]["name"], "name");
    assert_eq!(get["responses"]["default"]["description"], "Whatever it answers");
    assert_eq!(document["paths"]["/users/{id}"]["delete"]["operationId"], "deleteUsersById");
}

#[test]
fn what_the_document_has_no_words_for_and_what_is_hidden_is_left_out() {
    let app = App::new()
        .any("/any", "hello")
        .query("/query", "hello")
        .get("/assets/*", "hello")
        .get("/hidden", api("hello").hidden())
        .openapi("/openapi.json", info().try_page("/docs"));
    assert_eq!(document(&app, &info())["paths"], serde_json::json!({}));
}

#[test]
fn results_say_what_they_answer() {
    let app = App::new()
        .get("/text", api(|| "hello"))
        .get("/nothing", api(async || ()))
        .get(
            "/result",
            api(async |_: State<u8>| -> Result<String, Rejection> { Ok(String::new()) }).problem(404),
        )
        .post("/made", api(|| (Status::CREATED, "made")).status(201));
    let document = document(&app, &info());
    let responses = |path: &str, method: &str| document["paths"][path][method]["responses"].clone();
    assert_eq!(responses("/text", "get")["200"]["content"]["text/plain"]["schema"]["type"], "string");
    assert_eq!(responses("/nothing", "get"), serde_json::json!({ "204": { "description": "No Content" } }));
    let result = responses("/result", "get");
    for status in ["404", "default"] {
        let schema = &result[status]["content"]["application/problem+json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/ProblemDetails", "{status}");
    }
    assert_eq!(result["200"]["description"], "OK");
    let made = responses("/made", "post");
    assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), ["201"]);
    assert_eq!(made["201"]["content"]["text/plain"]["schema"]["type"], "string");
}

#[test]
fn two_operations_of_one_id_are_a_mistake_that_names_both_places() {
    let app = App::new().get("/a", api("a").id("same")).get("/b", api("b").id("same")).openapi("/o", info());
    let mistakes = app.build().unwrap_err().to_string();
    assert!(
        mistakes.contains("GET /b has the id \"same\"") && mistakes.contains("which GET /a has, too"),
        "{mistakes}"
    );
    assert_eq!(mistakes.matches("openapi/tests.rs:").count(), 2, "{mistakes}");
}

#[test]
fn a_way_to_identify_that_nobody_described_is_a_mistake() {
    let app = App::new().get("/a", api("a").security("token")).openapi("/o", info());
    let mistakes = app.build().unwrap_err().to_string();
    assert!(mistakes.contains("\"token\"") && mistakes.contains("Info::bearer"), "{mistakes}");
    let app = App::new().get("/a", api("a").security("token"));
    let document = document(&app, &info().bearer("token"));
    assert_eq!(document["paths"]["/a"]["get"]["security"], serde_json::json!([{ "token": [] }]));
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
}

#[test]
fn tags_come_in_the_order_in_which_they_are_described_and_all_are_there() {
    let app = App::new().get("/a", api("a").tag("first").tag("more")).get("/b", api("b").tag("last"));
    let document = document(&app, &info().tag("last", "The last").tag("first", "The first"));
    let names: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    assert_eq!(names, ["last", "first", "more"]);
}
