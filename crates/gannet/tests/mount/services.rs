//! Services that are no routers, and what goes wrong in them.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use gannet::App;
use gannet::mount::RequestBody;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::Service;
use tower::service_fn;

use crate::{both, mounted};

#[gannet::test]
async fn a_function_is_a_service_whose_future_and_body_need_not_be_send() {
    let service = service_fn(|request: Request<RequestBody>| async move {
        let local = Rc::new(request.uri().path().to_owned());
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from((*local).clone()))))
    });
    for client in both(App::new().mount("/api", service)) {
        client.get("/api/x").send().await.assert_text("/x");
    }
}

#[gannet::test]
async fn an_error_of_a_service_is_500_and_tells_nothing() {
    let service = service_fn(|_: Request<RequestBody>| async {
        Err::<Response<Full<Bytes>>, _>(std::io::Error::other("the password is 7"))
    });
    for client in both(App::new().mount("/api", service)) {
        let answer = client.get("/api/x").send().await;
        assert!(!answer.assert_status(500).text().contains("password"), "{answer}");
    }
}

/// A service that never becomes ready.
#[derive(Clone)]
struct Unready;

impl Service<Request<RequestBody>> for Unready {
    type Response = Response<Full<Bytes>>;
    type Error = std::io::Error;
    type Future = std::future::Ready<Result<Response<Full<Bytes>>, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        Poll::Ready(Err(std::io::Error::other("part of a test")))
    }

    fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
        unreachable!("it is not called before it is ready")
    }
}

#[gannet::test]
async fn a_service_that_fails_to_become_ready_is_500_and_not_called() {
    for client in both(App::new().mount("/api", Unready)) {
        client.get("/api").send().await.assert_status(500);
    }
}

#[gannet::test]
async fn a_panic_is_contained_in_the_handler_and_in_the_body() {
    struct Panics(bool);
    impl http_body::Body for Panics {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            assert!(!std::mem::replace(&mut self.0, true), "part of a test");
            Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"half")))))
        }
    }
    let panics = async || -> &'static str { panic!("part of a test") };
    let router = Router::new()
        .route("/handler", get(panics))
        .route("/body", get(async || Body::new(Panics(false))))
        .route("/", get(async || "hello"));
    for client in mounted(router) {
        client.get("/api/handler").send().await.assert_status(500);
        client.get("/api").send().await.assert_text("hello");
        assert!(client.get("/api/body").try_send().await.is_err(), "what was begun is broken off");
        client.get("/api").send().await.assert_text("hello");
    }
}

#[gannet::test(real_time)]
async fn a_body_may_be_read_on_another_thread() {
    let read = async |body: Body| {
        let read = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async { body.collect().await.expect("a body").to_bytes().len() })
        };
        let (give, given) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || give.send(read()));
        let length = given.await.expect("a length");
        thread.join().expect("it does not panic").expect("somebody waited");
        length.to_string()
    };
    for client in mounted(Router::new().route("/", post(read))) {
        client.post("/api").body(vec![7; 1_000_000]).send().await.assert_text("1000000");
    }
}

#[gannet::test]
async fn filters_of_the_application_are_around_what_is_mounted() {
    let mark =
        async |request: gannet::Request, next: gannet::Next| next.run(request).await.with("x-mark", "1");
    let app = App::new().mount("/api", Router::new().route("/", get(async || "hello"))).with(mark);
    for client in both(app) {
        client.get("/api").send().await.assert_text("hello").assert_header("x-mark", "1");
    }
}
