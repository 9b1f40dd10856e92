//! Filters that code what is sent, and decode what is received.

use gannet::filters::{Compression, Decompression};
use gannet::prelude::*;
use gannet::{Body, Bytes};

use crate::case::{Row, asks, sends, sends_in_chunks};

/// "hello, decoded", by gzip.
const HELLO: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xd7\x51\x48\x49\x4d\xce\x4f\x49\x4d\x01\x00\x77\xad\xb6\x30\x0e\x00\x00\x00";

pub fn rows() -> Vec<Row> {
    vec![compression(), decompression()]
}

fn text() -> String {
    "It was a bright cold day in April. ".repeat(100)
}

fn compression() -> Row {
    let app = || {
        let tagged = || Response::text(text()).with("ETag", "\"1\"").with("Accept-Ranges", "bytes");
        let streamed = || {
            let body = Body::written(async |mut sender| {
                for _ in 0..100 {
                    if sender.send("data: it was a bright cold day in April\n\n").await.is_err() {
                        break;
                    }
                }
            });
            Response::new(Status::OK).with("Content-Type", "text/event-stream").with_body(body)
        };
        App::new()
            .get("/", tagged)
            .get("/short", "short")
            .get("/large", || text().repeat(10))
            .get("/stream", streamed)
            .get("/image", || Response::bytes(text()))
            .get("/unchanged", || Response::new(Status::NOT_MODIFIED).with("ETag", "\"1\""))
            .with(Compression::new())
    };
    const GZIP: &str = "Accept-Encoding: gzip";
    let is_gzip = |body: &[u8]| body.starts_with(b"\x1f\x8b") && body.len() < 1500;
    Row {
        name: "compression",
        app,
        cases: vec![
            asks("GET /", &[GZIP])
                .with("content-encoding", "gzip")
                .with("vary", "Accept-Encoding")
                .with("etag", "W/\"1\"")
                .without("accept-ranges")
                .says_bytes(is_gzip),
            asks("GET /", &["Accept-Encoding: zstd, gzip"])
                .with("content-encoding", "zstd")
                .says_bytes(|body| body.starts_with(b"\x28\xb5\x2f\xfd")),
            asks("GET /", &["Accept-Encoding: gzip, deflate, br, zstd"])
                .with("content-encoding", "br")
                .says_bytes(|body| body.len() < 1500),
            asks("GET /", &[])
                .without("content-encoding")
                .with("vary", "Accept-Encoding")
                .with("etag", "\"1\"")
                .says_bytes(|body| body == text().as_bytes()),
            asks("HEAD /", &[GZIP]).with("content-encoding", "gzip").with("etag", "W/\"1\""),
            asks("GET /large", &[GZIP]).with("content-encoding", "gzip").says_bytes(is_gzip),
            asks("HEAD /large", &[GZIP]).with("content-encoding", "gzip").with("vary", "Accept-Encoding"),
            asks("GET /stream", &[GZIP]).with("content-encoding", "gzip").says_bytes(is_gzip),
            asks("GET /stream", &["Accept-Encoding: identity"])
                .without("content-encoding")
                .says_bytes(|body| body.len() == 100 * "data: it was a bright cold day in April\n\n".len()),
            asks("GET /short", &[GZIP]).without("content-encoding").without("vary").says("short"),
            asks("GET /image", &[GZIP]).without("content-encoding").says_bytes(|body| body.len() == 3500),
            asks("GET /unchanged", &[GZIP]).is(304).with("etag", "W/\"1\"").with("vary", "Accept-Encoding"),
        ],
    }
}

fn decompression() -> Row {
    let app = || {
        let length = async |body: Bytes| body.len().to_string();
        App::new().post("/", async |body: String| body).post("/length", length).with(Decompression::new())
    };
    const GZIP: &str = "Content-Encoding: gzip";
    let cut = &HELLO[..HELLO.len() - 1];
    Row {
        name: "decompression",
        app,
        cases: vec![
            sends("POST /", &[GZIP], HELLO).says("hello, decoded"),
            sends_in_chunks("POST /", &[GZIP], &[&HELLO[..7], &HELLO[7..]]).says("hello, decoded"),
            sends("POST /length", &[GZIP], HELLO).says("14"),
            sends("POST /", &[], b"plain").says("plain"),
            sends("POST /", &[GZIP], cut).is(400).that_ends(),
            sends("POST /", &[GZIP], b"no gzip at all").is(400).that_ends(),
            sends("POST /", &["Content-Encoding: deflate"], b"?")
                .is(415)
                .with("accept-encoding", "br, zstd, gzip")
                .tells("deflate")
                .that_ends(),
            asks("POST /", &[GZIP]).says(""),
        ],
    }
}
