//! Tower services below a prefix: an axum `Router` runs unchanged.
//!
//! ```
//! use gannet::prelude::*;
//!
//! let api = axum::Router::new().route("/users/{id}", axum::routing::get(async || "a user"));
//! App::new().get("/", "hello").mount("/api", api);
//! ```
//!
//! Any `tower::Service` of `http::Request<`[`RequestBody`]`>` that is `Clone + Send + Sync` is one: each worker has a clone, and each request one of that, which is made ready
//! before it is called. Its futures and its responses' bodies stay on the worker's thread.
//!
//! | of a request | is |
//! |---|---|
//! | method, version, fields | as they were sent |
//! | URI | without the prefix; the whole one is the extension [`OriginalUri`]. By HTTP/2 it has scheme and host |
//! | body | a stream that is `Send`: at most [`WINDOW_BYTES`] of it wait for the service. It is received as the service reads it, and `Expect: 100-continue` is answered when it begins to |
//! | extensions | [`OriginalUri`], and who asks: [`Connected`] |
//!
//! | of a response | is |
//! |---|---|
//! | status, fields | as the service says, but for what frames the message and is the server's to say (`Connection`, `Transfer-Encoding`) |
//! | body | pulled as the client takes it, with its trailers |
//! | an error of the service | 500; it is logged |
//!
//! A service that panics is answered for by 500, and one whose client leaves is dropped at its next await, as a handler is. What is put behind a mounted service's
//! own filters is still behind those of the application.
//!
//! # axum's own extensions
//! `ConnectInfo` and `OriginalUri` are axum's types, which axum's server or router makes. Here a layer does:
//!
//! ```
//! use axum::extract::{ConnectInfo, OriginalUri, Request};
//! use gannet::mount;
//!
//! async fn told(mut request: Request) -> Request {
//!     let connected = request.extensions().get::<mount::Connected>().copied();
//!     if let Some(peer) = connected.and_then(|connected| connected.peer) {
//!         request.extensions_mut().insert(ConnectInfo(peer));
//!     }
//!     if let Some(mount::OriginalUri(uri)) = request.extensions().get().cloned() {
//!         request.extensions_mut().insert(OriginalUri(uri));
//!     }
//!     request
//! }
//!
//! let api: axum::Router = axum::Router::new().layer(axum::middleware::map_request(told));
//! ```
//!
//! # What is not there
//! A mounted service cannot upgrade its connection: what it would need, hyper's `OnUpgrade`, can only be made by hyper. axum's `WebSocketUpgrade` answers 426 here; a handler of
//! Gannet's own ([`Response::upgrade`](crate::Response::upgrade)) does it.

mod body;
mod request;
mod response;

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use gannet_core::{Request, Response, Status};
use http_body::Body;
use tower_service::Service;

pub use body::{RequestBody, WINDOW_BYTES};
pub use request::{Connected, OriginalUri};

use crate::App;
use crate::routes::{Routes, below};

/// What can be mounted: a tower service of HTTP requests, as an axum `Router` is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be mounted",
    note = "what can is a `tower::Service<http::Request<gannet::mount::RequestBody>>` whose response is an `http::Response`, and that is `Clone + Send + Sync`",
    note = "an axum `Router` needs its state first: `router.with_state(state)`"
)]
pub trait Mountable: Clone + Send + Sync + 'static {
    /// Answers a request, of whose path it sees this.
    fn answer(self, request: Request, stripped: Stripped) -> impl Future<Output = Response> + 'static;
}

/// The path of a request, as the service shall see it: from here on; none: `/`.
#[derive(Clone, Copy, Debug)]
pub struct Stripped(Option<usize>);

impl<S, B> Mountable for S
where
    S: Service<
            http::Request<RequestBody>,
            Response = http::Response<B>,
            Error: Into<Box<dyn Error + Send + Sync>>,
        > + Clone
        + Send
        + Sync
        + 'static,
    S::Future: 'static,
    B: Body<Data: bytes::Buf, Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    async fn answer(mut self, request: Request, stripped: Stripped) -> Response {
        let is_head = request.method() == gannet_core::Method::Head;
        let Some((request, mut pump)) = request::converted(request, stripped) else {
            return gannet_core::error_page(Status::BAD_REQUEST, None);
        };
        if let Err(error) = poll_fn(|context| self.poll_ready(context)).await {
            return failed(error);
        }
        let mut answering = pin!(self.call(request));
        let answered = poll_fn(|context| {
            loop {
                if let Poll::Ready(answered) = answering.as_mut().poll(context) {
                    return Poll::Ready(answered);
                }
                if !pump.poll(context) {
                    return Poll::Pending;
                }
            }
        });
        match answered.await {
            Ok(answered) => response::converted(answered, is_head, pump),
            Err(error) => failed(error),
        }
    }
}

/// A service's own error: its client is told nothing of it.
fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Response {
    let error = error.into();
    tracing::error!(error = &*error as &(dyn Error + 'static), "a mounted service failed");
    gannet_core::error_page(Status::INTERNAL_SERVER_ERROR, None)
}

impl App {
    /// Serves a tower service, as an axum `Router` is, for what is asked for at `prefix` and below it, by any method. It sees paths without the prefix:
    /// [`mount`](mod@crate::mount) says what else it sees.
    #[must_use]
    #[track_caller]
    pub fn mount(mut self, prefix: &str, service: impl Mountable) -> App {
        self.routes.add_mounted(prefix, service);
        self
    }
}

impl Routes {
    /// Serves a tower service, as [`App::mount`](crate::App::mount) does.
    #[must_use]
    #[track_caller]
    pub fn mount(mut self, prefix: &str, service: impl Mountable) -> Routes {
        self.add_mounted(prefix, service);
        self
    }

    #[track_caller]
    fn add_mounted(&mut self, prefix: &str, service: impl Mountable) {
        let exact = prefix.trim_end_matches('/');
        if !exact.is_empty() {
            let service = service.clone();
            self.routes
                .route(None, exact, move |request: Request| service.clone().answer(request, Stripped(None)));
        }
        self.routes.route(None, &below(prefix), move |request: Request| {
            // The slash before what the star matched is the service's.
            let start = request.path().len() - request.tail().len() - 1;
            service.clone().answer(request, Stripped(Some(start)))
        });
    }
}

/// A body, or a future, in its place.
type Pinned<T> = Pin<Box<T>>;
