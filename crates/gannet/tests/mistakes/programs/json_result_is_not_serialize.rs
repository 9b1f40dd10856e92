//! A type is sent as JSON and is not `Serialize`: `#[derive(serde::Serialize)]`.

use gannet::prelude::*;

struct User {
    name: String,
}

async fn show(name: Path<String>) -> Json<User> {
    Json(User { name: name.0 })
}

fn main() {
    let _ = App::new().get("/users/:name", show);
}
