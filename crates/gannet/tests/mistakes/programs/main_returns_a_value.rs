//! What `main` returns is neither nothing nor a `Result`.

use gannet::prelude::*;

#[gannet::main]
async fn main() -> App {
    App::new().get("/", "hello")
}
