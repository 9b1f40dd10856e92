//! The status stands behind the body: it comes first, `(Status::CREATED, "made")`.

use gannet::prelude::*;

async fn create() -> (&'static str, Status) {
    ("made", Status::CREATED)
}

fn main() {
    let _ = App::new().post("/", create);
}
