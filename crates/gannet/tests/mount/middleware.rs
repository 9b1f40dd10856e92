//! tower's and tower-http's layers.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::time::{Instant, sleep}; // virtual time
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::{both, mounted};

const SECOND: Duration = Duration::from_secs(1);

async fn slow() -> &'static str {
    sleep(5 * SECOND).await; // virtual time
    "slow"
}

#[gannet::test]
async fn layers_wrap_in_their_order_and_functions_are_layers() {
    let marked = |mark: &'static str| {
        middleware::from_fn(move |request: Request, next: Next| async move {
            let mut response: Response = next.run(request).await;
            response.headers_mut().append("x-mark", mark.parse().expect("a value"));
            response
        })
    };
    let router = Router::new()
        .route("/", get(async || "hello"))
        .layer(marked("inner"))
        .layer(marked("outer"))
        .layer(TraceLayer::new_for_http());
    for client in mounted(router) {
        let answer = client.get("/api").send().await;
        assert_eq!(answer.headers("x-mark").collect::<Vec<_>>(), ["inner", "outer"]);
    }
}

#[gannet::test]
async fn cors_answers_preflights_and_marks_answers() {
    let cors = CorsLayer::new().allow_origin(Any).allow_methods([Method::PUT]);
    let router = Router::new().route("/", get(async || "hello")).layer(cors);
    for client in mounted(router) {
        let preflight = client
            .options("/api")
            .header("Origin", "https://example.com")
            .header("Access-Control-Request-Method", "PUT")
            .send()
            .await;
        preflight.assert_status(200).assert_header("access-control-allow-origin", "*");
        preflight.assert_header("access-control-allow-methods", "PUT");
        let plain = client.get("/api").header("Origin", "https://example.com").send().await;
        plain.assert_text("hello").assert_header("access-control-allow-origin", "*");
    }
}

#[gannet::test]
async fn a_timeout_answers_in_the_place_of_what_takes_too_long() {
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, 2 * SECOND);
    let router = Router::new().route("/slow", get(slow)).route("/", get(async || "hello")).layer(timeout);
    for client in mounted(router) {
        let began = Instant::now();
        client.get("/api/slow").send().await.assert_status(504);
        assert_eq!(began.elapsed().as_secs(), 2);
        client.get("/api").send().await.assert_text("hello");
    }
}

#[gannet::test]
async fn a_limit_of_bodies_is_413_whether_their_length_is_said_or_not() {
    let read = async |body: axum::body::Body| match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => (StatusCode::OK, bytes.len().to_string()),
        Err(_) => (StatusCode::PAYLOAD_TOO_LARGE, String::new()),
    };
    let router = Router::new().route("/", post(read)).layer(RequestBodyLimitLayer::new(1000));
    for client in mounted(router) {
        client.post("/api").body(vec![7; 1000]).send().await.assert_text("1000");
        client.post("/api").body(vec![7; 1001]).send().await.assert_status(413);
        let (mut sender, body) = gannet::channel();
        let asked = client.post("/api").stream(body).send();
        let send = async move {
            let _ = sender.send(vec![7; 1001]).await; // it may be refused before it is read
        };
        tokio::join!(asked, send).0.assert_status(413);
    }
}

#[gannet::test]
async fn a_service_that_is_not_ready_is_waited_for() {
    let router: Router = Router::new().route("/", get(slow));
    let service = ServiceBuilder::new().layer(GlobalConcurrencyLimitLayer::new(1)).service(router);
    for client in both(gannet::App::new().mount("/api", service)) {
        let began = Instant::now();
        let (a, b) = tokio::join!(client.get("/api").send(), client.get("/api").send());
        a.assert_text("slow");
        b.assert_text("slow");
        assert_eq!(began.elapsed().as_secs(), 10, "one after the other");
    }
}
