//! `main` returns `gannet::Result`, whose error is the server's own, and ends with another one: return `Result<(), Box<dyn std::error::Error>>`, which takes any.

use gannet::prelude::*;

#[gannet::main]
async fn main() -> gannet::Result<()> {
    let greeting = std::fs::read_to_string("greeting.txt")?;
    App::new().get("/", greeting).run().await
}
