//! Over sockets, on each backend: what the kernel's buffers and completions do to streams.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::WebSocketUpgrade;
use axum::routing::{get, post};
use gannet::{App, BackendChoice};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::common::on_each_backend;

const PATIENCE: Duration = Duration::from_secs(60);

fn router() -> Router {
    Router::new().route("/hello", get(async || "hello")).route("/echo", post(async |body: Body| body)).route(
        "/count",
        post(async |body: Body| {
            body.collect().await.map(|body| body.to_bytes().len().to_string()).map_err(|_| "incomplete")
        }),
    )
}

/// Asks a client of this version.
async fn ask(address: std::net::SocketAddr, http2: bool) {
    let mut builder = Client::builder(TokioExecutor::new());
    let client: Client<HttpConnector, Full<Bytes>> = builder.http2_only(http2).build_http();
    let url = |path: &str| format!("http://{address}/api{path}");
    let hello = client.get(url("/hello").parse().expect("a URL")).await.expect("an answer");
    assert_eq!(hello.into_body().collect().await.expect("a body").to_bytes(), "hello");
    let large = Bytes::from(vec![7; 8_000_000]);
    for (path, expected) in [("/echo", large.clone()), ("/count", Bytes::from_static(b"8000000"))] {
        let request = Request::post(url(path)).body(Full::new(large.clone())).expect("a request");
        let answer = client.request(request).await.expect("an answer");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(body == expected, "{path}: {} bytes", body.len());
    }
}

fn uploads_and_streams_go_through_sockets_by_both_versions(backend: BackendChoice) {
    let app = App::new().mount("/api", router()).listen("127.0.0.1:0").workers(1).backend(backend);
    let running = app.start().expect("the application is sound");
    let address = running.socket_addresses()[0];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for http2 in [false, true] {
        let asked = runtime.block_on(async { tokio::time::timeout(PATIENCE, ask(address, http2)).await });
        asked.expect("not so long");
    }
}

fn an_upgrade_is_refused_since_only_hyper_can_make_one(backend: BackendChoice) {
    let upgrade = async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(async |_| {});
    let app = App::new().mount("/api", Router::new().route("/", get(upgrade)));
    let running =
        app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("the application is sound");
    let mut client = TcpStream::connect(running.socket_addresses()[0]).expect("it listens");
    client.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let request = "GET /api HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    client.write_all(request.as_bytes()).expect("it is read");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}

on_each_backend!(
    an_upgrade_is_refused_since_only_hyper_can_make_one,
    uploads_and_streams_go_through_sockets_by_both_versions,
);
