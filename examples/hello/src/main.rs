//! The smallest service: routes that are answered at once, one with a parameter and JSON, and one that is answered later.
//!
//! `cargo run --release -p example-hello`, then `curl http://127.0.0.1:8080/`. `GANNET_LISTEN`,
//! `GANNET_WORKERS` and `GANNET_BACKEND` say otherwise.

use std::time::Duration;

use gannet::{Body, prelude::*};
use serde::Serialize;

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

/// `GET /users/7`: a path's parameter in, JSON out.
fn user(id: Option<&str>) -> Response {
    let Some(id) = id.and_then(|id| id.parse().ok()) else {
        return (Status::NOT_FOUND, "A user's id is a number.\n").into_response();
    };
    let user = User { id, name: format!("User {id}"), email: format!("user{id}@example.org"), active: true };
    match serde_json::to_vec(&user) {
        Ok(json) => Response::new(Status::OK)
            .with("Content-Type", "application/json")
            .with_body(Body::Bytes(json.into())),
        Err(error) => (Status::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> gannet::Result<()> {
    App::new()
        .get("/", "Hello, World!")
        .get("/plain", |request: Request| format!("You asked for {}\n", request.target()))
        .get("/users/:id", |request: Request| user(request.param("id")))
        .get("/later", async |_: Request| {
            tokio::time::sleep(Duration::from_millis(10)).await;
            "This took a while.\n"
        })
        .listen("127.0.0.1:8080")
        .environment()
        .run()
        .await
}
