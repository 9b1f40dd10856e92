//! A call of the handler is passed on, not the handler itself.

use gannet::prelude::*;

async fn index() -> &'static str {
    "hello"
}

fn main() {
    let _ = App::new().get("/", index());
}
