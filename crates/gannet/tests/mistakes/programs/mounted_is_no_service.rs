//! What is mounted is no tower service: a handler has a route, `.get("/old", old)`.

use gannet::prelude::*;

async fn old() -> &'static str {
    "old"
}

fn main() {
    let _ = App::new().mount("/old", old);
}
