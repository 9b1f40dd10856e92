//! Arguments of handlers, and how they reject.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::extract::{
    ConnectInfo, DefaultBodyLimit, Extension, Form, Json, Multipart, Path, Query, Request, State,
};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Router, body::Bytes};
use gannet::mount;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::mounted;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    age: u8,
}

#[gannet::test]
async fn path_and_query_are_typed_and_what_is_not_of_their_type_is_400() {
    let router = Router::new()
        .route("/users/{id}", get(async |Path(id): Path<u32>| id.to_string()))
        .route("/search", get(async |Query(query): Query<HashMap<String, u32>>| query["page"].to_string()));
    for client in mounted(router) {
        client.get("/api/users/7").send().await.assert_text("7");
        client.get("/api/users/seven").send().await.assert_status(400);
        client.get("/api/search").query([("page", 2)]).send().await.assert_text("2");
        client.get("/api/search?page=two").send().await.assert_status(400);
    }
}

#[gannet::test]
async fn json_is_read_and_written_and_rejected_by_415_400_and_422() {
    let router = Router::new().route("/users", post(async |Json(user): Json<User>| Json(user)));
    for client in mounted(router) {
        let answer = client.post("/api/users").json(&json!({ "name": "Ferris", "age": 7 })).send().await;
        answer.assert_status(200).assert_header("content-type", "application/json");
        answer.assert_json(&json!({ "name": "Ferris", "age": 7 }));
        let post = || client.post("/api/users");
        post().body("{}").send().await.assert_status(415);
        let json = |text: &'static str| post().header("content-type", "application/json").body(text).send();
        json("{").await.assert_status(400);
        json("{\"name\": \"Ferris\"}").await.assert_status(422).assert_text_contains("age");
    }
}

#[gannet::test]
async fn state_extensions_fields_forms_and_bytes_are_arguments() {
    let router = Router::new()
        .route("/state", get(async |State(state): State<&'static str>| state))
        .route("/extension", get(async |Extension(number): Extension<u32>| number.to_string()))
        .route(
            "/field",
            get(async |headers: HeaderMap| {
                format!("{:?}", headers.get_all("x-a").iter().collect::<Vec<_>>())
            }),
        )
        .route("/form", post(async |Form(user): Form<User>| user.name))
        .route("/bytes", post(async |bytes: Bytes| bytes))
        .layer(Extension(7u32))
        .with_state("the state");
    for client in mounted(router) {
        client.get("/api/state").send().await.assert_text("the state");
        client.get("/api/extension").send().await.assert_text("7");
        let fields = client.get("/api/field").header("X-A", "1").header("x-a", "2").send().await;
        fields.assert_text("[\"1\", \"2\"]");
        client.post("/api/form").form([("name", "Ferris"), ("age", "7")]).send().await.assert_text("Ferris");
        client.post("/api/form").form([("name", "Ferris")]).send().await.assert_status(422);
        client.post("/api/bytes").body(vec![0, 255]).send().await.assert_bytes([0, 255]);
    }
}

#[gannet::test]
async fn a_multipart_form_is_read_field_by_field() {
    let read = async |mut form: Multipart| {
        let mut told = String::new();
        while let Some(field) = form.next_field().await? {
            let (name, file) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
            told += &format!("{name:?} {file:?} {}; ", field.bytes().await?.len());
        }
        Ok::<_, axum::extract::multipart::MultipartError>(told)
    };
    for client in mounted(Router::new().route("/", post(read))) {
        let form =
            gannet::test::Multipart::new().text("a", "1").file("b", "b.bin", "image/png", vec![7; 100_000]);
        let answer = client.post("/api").multipart(form).send().await;
        answer.assert_status(200).assert_text("Some(\"a\") None 1; Some(\"b\") Some(\"b.bin\") 100000; ");
    }
}

#[gannet::test]
async fn the_default_limit_of_a_body_is_2_mb_and_beyond_it_413() {
    let router = Router::new()
        .route("/", post(async |bytes: Bytes| bytes.len().to_string()))
        .route("/own", post(async |bytes: Bytes| bytes.len().to_string()).layer(DefaultBodyLimit::max(10)));
    for client in mounted(router) {
        client.post("/api").body(vec![7; 2_097_152]).send().await.assert_text("2097152");
        client.post("/api").body(vec![7; 2_097_153]).send().await.assert_status(413);
        client.post("/api/own").body(vec![7; 11]).send().await.assert_status(413);
    }
}

#[gannet::test]
async fn who_asks_is_told_and_by_a_layer_to_connect_info_too() {
    let connected = async |Extension(connected): Extension<mount::Connected>| {
        format!("{} {}", connected.client.expect("an address"), connected.secure)
    };
    let told = async |mut request: Request| {
        let connected = request.extensions().get::<mount::Connected>().copied();
        if let Some(peer) = connected.and_then(|connected| connected.peer) {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    };
    let router = Router::new()
        .route("/own", get(connected))
        .route("/axum", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()))
        .layer(axum::middleware::map_request(told));
    for client in mounted(router) {
        let client = client.peer("203.0.113.7");
        client.get("/api/own").send().await.assert_text("203.0.113.7 false");
        client.get("/api/axum").send().await.assert_text("203.0.113.7");
    }
}
