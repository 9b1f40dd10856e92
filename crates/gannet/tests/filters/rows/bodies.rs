//! Filters that have to do with bodies, and with how long they take.

use std::time::Duration;

use gannet::filters::{BodyLimit, Timeout, Transform};
use gannet::prelude::*;

use crate::case::{Row, asks, sends, sends_in_chunks};

pub fn rows() -> Vec<Row> {
    vec![body_limit(), timeout(), transform()]
}

/// Says how long the body was, or why it could not be read.
async fn measure(mut request: Request) -> Response {
    match request.body().collect(usize::MAX).await {
        Ok(body) => body.len().to_string().into_response(),
        Err(error) => error.into_response(),
    }
}

fn body_limit() -> Row {
    Row {
        name: "body limit",
        app: || App::new().post("/", measure).get("/", "no body").with(BodyLimit::bytes(10)),
        cases: vec![
            asks("GET /", &[]).says("no body"),
            sends("POST /", &[], &[b'a'; 10]).says("10"),
            sends_in_chunks("POST /", &[], &[b"aaaaa", b"bbbbb"]).says("10"),
            sends_in_chunks("POST /", &[], &[b"aaaaa", b"bbbbb", b"c"]).is(413).that_ends(),
            sends("POST /", &[], &[b'a'; 11])
                .is(413)
                .with("content-type", "application/problem+json")
                .tells("larger than the 10 bytes")
                .that_ends(),
            // Of a path that is not there, too: nobody else would say so.
            sends("POST /nowhere", &[], &[b'a'; 11]).is(413).that_ends(),
            sends("POST /", &[], b"abc").says("3"),
        ],
    }
}

fn timeout() -> Row {
    let app = || {
        App::new()
            .get("/", "at once")
            .get("/later", async |_: Request| {
                tokio::task::yield_now().await;
                "later"
            })
            .get("/never", async |_: Request| std::future::pending::<&str>().await)
            .with(Timeout::after(Duration::from_millis(20)))
    };
    Row {
        name: "timeout",
        app,
        cases: vec![
            asks("GET /", &[]).says("at once"),
            asks("GET /later", &[]).says("later"),
            asks("GET /never", &[])
                .is(503)
                .says("503 Service Unavailable\n")
                .with("cache-control", "no-store"),
            asks("GET /never", &["Accept: text/html"])
                .is(503)
                .with("content-type", "text/html; charset=utf-8"),
            asks("GET /", &[]).says("at once"),
        ],
    }
}

fn transform() -> Row {
    let app = || {
        let transform = Transform::new()
            .set_request_field("X-Tenant", "acme")
            .remove_request_field("Cookie")
            .rewrite_path("/v1", "/api")
            .set_field("X-Served-By", "gannet")
            .remove_field("X-Secret")
            .map_body(|| {
                |piece: Option<&[u8]>| piece.map(<[u8]>::to_ascii_uppercase).unwrap_or_else(|| b"!".to_vec())
            });
        let handler = |request: Request| {
            let [tenant, cookie] =
                ["x-tenant", "cookie"].map(|name| request.field_str(name).unwrap_or("none"));
            Response::text(format!("{} {tenant} {cookie}", request.target())).with("X-Secret", "1")
        };
        App::new().get("/v1/*", handler).get("/empty", Status::NO_CONTENT).with(transform)
    };
    Row {
        name: "transformation",
        app,
        cases: vec![
            asks("GET /v1/users?a=b", &["Cookie: secret", "X-Tenant: evil", "Range: bytes=0-1"])
                .says("/API/USERS?A=B ACME NONE!")
                .with("x-served-by", "gannet")
                .without("x-secret")
                .without("content-length"),
            asks("HEAD /v1/users", &[]).with("x-served-by", "gannet"),
            asks("GET /empty", &[]).is(204).with("x-served-by", "gannet"),
        ],
    }
}
