//! A program without a mistake: what the others have wrong is right here.

use gannet::prelude::*;
use gannet::FromRequest;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct User {
    name: String,
}

#[derive(Deserialize)]
struct Page {
    number: u32,
}

struct ApiKey(String);

impl FromRequest for ApiKey {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<ApiKey, Rejection> {
        let key = request.field_str("X-Api-Key");
        key.map(|key| ApiKey(key.to_owned())).ok_or_else(|| Rejection::new(Status::UNAUTHORIZED, "There is no key."))
    }
}

async fn show(id: Path<u64>, page: Query<Page>, _: State<u64>, key: ApiKey, request: Request) -> Result<String, Status> {
    if page.number == 0 {
        return Err(Status::NOT_FOUND);
    }
    Ok(format!("{} {} {}", *id, key.0, request.path()))
}

#[gannet::main]
async fn main() -> gannet::Result<()> {
    let greeting = String::from("hello");
    App::new()
        .state(1_u64)
        .get("/", move || greeting.clone())
        .get("/users/:id", show)
        .post("/users", async |user: Json<User>| (Status::CREATED, user))
        .with(async |request: Request, next: Next| next.run(request).await)
        .run()
        .await
}
