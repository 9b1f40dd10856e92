//! Filters that say something about a request.

use gannet::filters::{Believed, RequestId, RequestIds};
use gannet::prelude::*;

use crate::case::{Row, asks};

pub fn rows() -> Vec<Row> {
    vec![request_ids(), request_ids_of_everybody()]
}

fn tells_id() -> App {
    App::new().get("/", |id: RequestId| id.to_string()).get("/later", async |id: RequestId| {
        tokio::task::yield_now().await;
        id.to_string()
    })
}

fn is_uuid_7(id: &str) -> bool {
    id.len() == 36 && id.as_bytes()[14] == b'7'
}

fn request_ids() -> Row {
    Row {
        name: "request ids",
        app: || tells_id().with(RequestIds::new()),
        cases: vec![
            asks("GET /", &[]).fits("x-request-id", is_uuid_7).says_bytes(|body| body.len() == 36),
            asks("GET /later", &[]).fits("x-request-id", is_uuid_7).says_bytes(|body| body.len() == 36),
            asks("GET /", &["X-Request-Id: chosen-by-the-client"]).fits("x-request-id", is_uuid_7),
            asks("GET /nowhere", &[]).is(404).fits("x-request-id", is_uuid_7),
            asks("POST /", &[]).is(405).fits("x-request-id", is_uuid_7),
            asks("HEAD /", &[]).fits("x-request-id", is_uuid_7),
        ],
    }
}

fn request_ids_of_everybody() -> Row {
    Row {
        name: "request ids that are believed",
        app: || tells_id().with(RequestIds::new().believe(Believed::Everybody)),
        cases: vec![
            asks("GET /", &["X-Request-Id: of-a-proxy"])
                .with("x-request-id", "of-a-proxy")
                .says("of-a-proxy"),
            asks("GET /", &["X-Request-Id: no \"id\" at all"]).fits("x-request-id", is_uuid_7),
        ],
    }
}
