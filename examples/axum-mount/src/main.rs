//! An axum application, unchanged, as a part of one of Gannet: what is old stays as it is, and what is new is written beside it.
//!
//! ```text
//! cargo run -p example-axum-mount       # then:
//! curl 127.0.0.1:8080/old/users/7?greeting=hello
//! curl 127.0.0.1:8080/new/users/7
//! ```
//! Filters of the application are around both: each answer has a request id.

mod old;

use gannet::filters::RequestIds;
use gannet::prelude::*;

#[gannet::main]
async fn main() -> gannet::Result<()> {
    app().listen("127.0.0.1:8080").environment().run().await
}

fn app() -> App {
    App::new()
        .get("/new/users/:id", |id: Path<u64>| format!("user {}, by Gannet\n", *id))
        .mount("/old", old::router())
        .with(RequestIds::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[gannet::test]
    async fn old_and_new_answer_side_by_side() {
        let client = app().test();
        client.get("/new/users/7").send().await.assert_text("user 7, by Gannet\n");
        let old = client.get("/old/users/7").query([("greeting", "hello")]).send().await;
        old.assert_status(200).assert_text("hello, user 7, by axum\n");
        assert!(old.header("X-Request-Id").is_some());
    }

    #[gannet::test]
    async fn what_axum_does_stays_as_it_was() {
        let client = app().test();
        let user = json!({"name": "Ada"});
        let made = client.post("/old/users").json(&user).send().await;
        made.assert_status(201).assert_json(&json!({"id": 1, "name": "Ada"}));
        client.post("/old/users").text("Ada").send().await.assert_status(415);
        client.get("/old/users/first").send().await.assert_status(400);
        client.delete("/old/users").send().await.assert_status(405);
        client.get("/old/nothing").send().await.assert_status(404).assert_text("axum has no such thing\n");
    }
}
