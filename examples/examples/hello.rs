//! The smallest service: one route, answered at once, and one answered later.
//!
//! `cargo run --release -p gannet-examples --example hello`, then `curl http://127.0.0.1:8080/`. `GANNET_LISTEN`,
//! `GANNET_WORKERS` and `GANNET_BACKEND` say otherwise.

use std::time::Duration;

use gannet::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> gannet::Result<()> {
    App::new()
        .get("/", "Hello, World!")
        .get("/plain", |request: Request| format!("You asked for {}\n", request.target()))
        .get("/later", async |_: Request| {
            tokio::time::sleep(Duration::from_millis(10)).await;
            "This took a while.\n"
        })
        .listen("127.0.0.1:8080")
        .environment()
        .run()
        .await
}
