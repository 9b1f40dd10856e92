//! An argument of a handler is a type of one's own. What is in the body is `Json<User>`, and so on; or implement `FromRequest`.

use gannet::prelude::*;

struct User {
    name: String,
}

async fn create(user: User) -> String {
    user.name
}

fn main() {
    let _ = App::new().post("/users", create);
}
