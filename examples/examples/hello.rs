//! The smallest service: one route, answered at once, and one answered later.
//!
//! `cargo run --release --example hello`, then `curl http://127.0.0.1:8080/`. An address as argument listens elsewhere.

use std::time::Duration;

use gannet::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> gannet::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    App::new()
        .get("/", "Hello, World!")
        .get("/plain", |request: Request| format!("You asked for {}\n", request.target()))
        .get("/later", async |_: Request| {
            tokio::time::sleep(Duration::from_millis(10)).await;
            "This took a while.\n"
        })
        .listen(address)
        .run()
        .await
}
