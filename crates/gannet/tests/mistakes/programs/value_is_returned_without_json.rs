//! A value is returned as it is, and how is it to be sent? As `Json(user)`.

use gannet::prelude::*;
use serde::Serialize;

#[derive(Serialize)]
struct User {
    name: String,
}

async fn show() -> User {
    User { name: String::from("ada") }
}

fn main() {
    let _ = App::new().get("/users/me", show);
}
