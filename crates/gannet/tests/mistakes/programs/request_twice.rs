//! A handler takes two requests. There is one.

use gannet::prelude::*;

async fn both(first: Request, second: Request) -> String {
    format!("{} {}", first.path(), second.path())
}

fn main() {
    let _ = App::new().get("/", both);
}
