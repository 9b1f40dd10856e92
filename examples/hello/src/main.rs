//! The smallest service: a text, and a path with a parameter.
//!
//! `cargo run --release -p example-hello`, then `curl http://127.0.0.1:8080/hello/you`. `GANNET_LISTEN`, `GANNET_WORKERS` and
//! `GANNET_BACKEND` say otherwise.

use gannet::prelude::*;

#[gannet::main]
async fn main() -> gannet::Result<()> {
    App::new()
        .get("/", "Hello, World!")
        .get("/hello/:name", |name: Path<String>| format!("Hello, {}!\n", *name))
        .listen("127.0.0.1:8080")
        .environment()
        .run()
        .await
}
