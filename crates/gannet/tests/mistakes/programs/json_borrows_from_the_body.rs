//! A type that is taken as JSON borrows its text, and the body is gone by then: take a `String`.

use gannet::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct User<'a> {
    name: &'a str,
}

async fn create(user: Json<User<'_>>) -> String {
    user.name.to_owned()
}

fn main() {
    let _ = App::new().post("/users", create);
}
