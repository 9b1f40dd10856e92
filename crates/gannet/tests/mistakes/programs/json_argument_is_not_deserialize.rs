//! A type is taken as JSON and is not `Deserialize`: `#[derive(serde::Deserialize)]`.

use gannet::prelude::*;

struct User {
    name: String,
}

async fn create(user: Json<User>) -> String {
    user.0.name
}

fn main() {
    let _ = App::new().post("/users", create);
}
