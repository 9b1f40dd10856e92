//! A handler returns what is no response: a number. Say how it is to be sent: as text, `count.to_string()`, or as `Json(count)`.

use gannet::prelude::*;

async fn count() -> u64 {
    3
}

fn main() {
    let _ = App::new().get("/count", count);
}
