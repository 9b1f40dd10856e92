//! Gannet, a web server engine: build a service from routes, handlers and filters.
//!
//! ```no_run
//! use gannet::prelude::*;
//!
//! #[gannet::main]
//! async fn main() -> gannet::Result<()> {
//!     App::new()
//!         .get("/", "hello")
//!         .get("/hello/:name", |name: Path<String>| format!("hello, {}", *name))
//!         .files("/assets", "public")
//!         .listen("127.0.0.1:8080")
//!         .run()
//!         .await
//! }
//! ```
//!
//! `files` is a feature, as all that not every service needs (the table at the end): `cargo add gannet --features files`.
//!
//! This page is the shortest way through it. The guide, `docs/guide` in the repository, takes its time, from here to production; `examples` has whole services.
//!
//! # Handlers
//! A handler is a function, plain or async. Its arguments are made of the request ([`FromRequest`]), and what it returns is made into the response ([`IntoResponse`]).
//!
//! ```
//! use gannet::Created;
//! use gannet::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, Serialize)]
//! struct Bird {
//!     name: String,
//!     wingspan_cm: u32,
//! }
//!
//! #[derive(Deserialize)]
//! struct Page {
//!     #[serde(default)]
//!     after: u64,
//!     limit: Option<u8>,
//! }
//!
//! /// `GET /birds?after=10&limit=5`
//! fn list(page: Query<Page>) -> String {
//!     format!("{} birds after {}", page.limit.unwrap_or(20), page.after)
//! }
//!
//! /// `POST /birds`, with JSON
//! async fn add(bird: Json<Bird>) -> Created<Json<Bird>> {
//!     Created::at(format!("/birds/{}", bird.name), bird)
//! }
//!
//! App::new().get("/birds", list).post("/birds", add);
//! ```
//!
//! | a request gives | a response is made of |
//! |---|---|
//! | [`Path`], [`Query`], [`Header`], [`Headers`], [`Cookies`] | text, bytes, [`Json`], [`Html`], [`Status`], `()` |
//! | [`Json`], [`Form`], [`Multipart`], [`Text`], `String`, [`Bytes`], [`BodyStream`] | [`Created`], [`NoContent`], [`Redirect`], [`FileResponse`], [`StreamBody`] |
//! | [`State`], [`Extension`], [`ClientAddr`], [`Identity`], [`TlsInfo`] | `Option` (404), `Result` |
//! | `Option` and `Result` of these; [`Request`] itself as the last | tuples: [`Status`], fields and cookies before the rest; [`Response`] |
//!
//! What cannot be made of a request is refused before the handler is called: with 400, 413, 415 or 422, and problem details (RFC 9457) that name what is wrong.
//! [`App::rejections`] says it in other words. A body is read to 2 MiB, unless [`filters::BodyLimit`] says otherwise.
//!
//! # Errors
//! A handler's `Result` is answered by either side. [`Failure`] takes any error, and answers 500; [`Rejection`] says a status and why; an error of your own is `IntoResponse`.
//!
//! ```
//! use gannet::Failure;
//! use gannet::prelude::*;
//!
//! async fn show(id: Path<usize>) -> Result<String, Failure> {
//!     let birds = std::fs::read_to_string("birds.txt")?;
//!     let bird = birds.lines().nth(*id);
//!     let bird = bird.ok_or_else(|| Rejection::new(Status::NOT_FOUND, format!("There is no bird {}.", *id)))?;
//!     Ok(bird.to_owned())
//! }
//! App::new().get("/birds/:id", show);
//! ```
//!
//! # State, groups and filters
//! What handlers share is a [`State`], told apart by its type. A filter is around handlers: of the application, or of a group of routes.
//!
//! ```
//! use std::sync::Mutex;
//!
//! use gannet::filters::{RequestIds, limit};
//! use gannet::prelude::*;
//!
//! fn count(visits: State<Mutex<u64>>) -> String {
//!     let mut visits = visits.lock().unwrap();
//!     *visits += 1;
//!     format!("visit {visits}")
//! }
//!
//! async fn only_with_a_key(request: Request, next: Next) -> Response {
//!     match request.field("X-Api-Key") {
//!         Some(b"let-me-in") => next.run(request).await,
//!         _ => Status::UNAUTHORIZED.into_response(),
//!     }
//! }
//!
//! App::new()
//!     .group("/visits", |visits| visits.post("/", count).with(only_with_a_key))
//!     .state(Mutex::new(0_u64))
//!     .with(limit("100/s"))
//!     .with(RequestIds::new());
//! ```
//!
//! # Tests
//! The test client, of the feature `test`, asks the whole server without sockets, on virtual time. (`main` is there for this page.)
//!
#![cfg_attr(feature = "test", doc = "```")]
#![cfg_attr(not(feature = "test"), doc = "```ignore")]
//! use gannet::prelude::*;
//!
//! fn app() -> App {
//!     App::new().get("/", "hello")
//! }
//!
//! # fn main() {}
//! #[gannet::test]
//! async fn greets() {
//!     app().test().get("/").send().await.assert_status(200).assert_text("hello");
//! }
//! ```
//!
//! # How it runs
//! [`App::run`] starts a worker for each core. A worker is a thread with sockets, connections and an instance of each handler of its own, so that nothing is shared that is not a state. Its handlers run
//! on it from beginning to end: their futures need not be `Send`, and Tokio is there. What computes for longer than some 100 microseconds goes to other threads by
//! [`cpu`]. A client that leaves drops its handler's future at its next await.
//!
//! # Features
//! What takes long to compile, or brings many other crates, is a feature of Cargo. `full` is all of them but `test`.
//!
//! | feature | brings |
//! |---|---|
//! | `auth` | the filters that ask for a password or a token, `Claims`, `User` |
//! | `compression` | files are compressed while they are asked for (br, zstd, gzip), not only sent from side files; the filters that compress and decompress |
//! | `cookies` | cookies that are signed, and such that only we can read |
//! | `files` | `App::files`: the files of a folder, or inside the program by `embed!`; `FileResponse` |
//! | `form` (default) | `Form`: what a page's form says |
//! | `graphql` | `App::graphql`: a schema of async-graphql, with `websocket` subscriptions too, and GraphiQL to explore it |
//! | `json` (default) | `Json`, of requests and of responses |
//! | `macros` (default) | `#[gannet::main]`; with `files` `embed!`, and with `test` `#[gannet::test]`, too |
//! | `mount` | `App::mount`: tower services, as axum's routers are |
//! | `multipart` (default) | `Multipart`: what a form with files says |
//! | `openapi` | `App::openapi`: the API as an OpenAPI document, and a page to try it |
//! | `proxy` | `App::proxy` and `Upstream`: requests to other servers |
//! | `templates` | `App::templates`: pages made by Tera; brings `files` |
//! | `test` | the test client: for dev-dependencies |
//! | `tls` | `App::tls`, and upstreams that are spoken to over TLS: rustls with aws-lc-rs |
//! | `websocket` | `App::ws`: WebSockets |

#![forbid(unsafe_code)]

mod app;
#[cfg(any(feature = "graphql", feature = "openapi"))]
mod asset;
mod edge;
#[cfg(feature = "files")]
mod embedded;
mod entry;
mod extract;
pub mod filters;
#[cfg(feature = "graphql")]
pub mod graphql;
#[cfg(feature = "mount")]
pub mod mount;
#[cfg(feature = "openapi")]
pub mod openapi;
#[cfg(feature = "proxy")]
mod proxy;
mod respond;
mod routes;
mod settings;
#[cfg(feature = "templates")]
pub mod templates;
#[cfg(feature = "test")]
pub mod test;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "without_tls.rs"]
mod tls;
mod trust;
#[cfg(any(feature = "graphql", feature = "openapi"))]
mod unlisted;
#[cfg(feature = "websocket")]
pub mod websocket;

pub use app::{App, Error, ListedRoute, Server};
#[cfg(feature = "files")]
pub use embedded::{Embedded, EmbeddedFile};
#[cfg(feature = "auth")]
pub use extract::Claims;
#[cfg(feature = "form")]
pub use extract::Form;
#[cfg(feature = "json")]
pub use extract::Json;
pub use extract::{
    BodyStream, ClientAddr, Cookies, Extension, Header, Headers, Identity, Path, Query, Text, TlsInfo,
};
#[cfg(feature = "cookies")]
pub use extract::{InvalidKey, Key, PrivateCookies, SignedCookies};
#[cfg(feature = "multipart")]
pub use extract::{Multipart, MultipartLimits, Part};
pub use gannet_core::Tls as TlsOfConnection;
pub use gannet_core::{
    Body, BodyError, BodyLength, Bytes, Chunk, ClientCertificate, Computation, Counter, CpuError, Data,
    Decision, Extensions, Fields, Filter, Frame, FromRequest, Handler, IntoFilter, IntoHandler, IntoResponse,
    InvalidField, InvalidNetwork, Method, Needs, Network, Networks, Next, OptionalFromRequest, Place,
    ProxyProtocol, ReceivedBody, Rejection, RejectionError, Rejections, Reply, Request, Response,
    ResponsePart, Sender, Source, State, Status, UpgradeOffer, Upgraded, Version, around, channel, cpu,
    deciding,
};
#[cfg(feature = "proxy")]
pub use gannet_core::{
    Upstream, UpstreamAddress, UpstreamError, UpstreamFailure, UpstreamProtocol, UpstreamRequest,
    UpstreamTimeouts,
};
#[cfg(feature = "websocket")]
pub use gannet_features::broadcast::{self, Broadcast};
pub use gannet_features::events;
#[cfg(feature = "files")]
pub use gannet_features::files;
pub use gannet_features::hsts::Hsts;
#[cfg(feature = "proxy")]
pub use gannet_features::proxy::{Balance, Ejection, ForwardedStyle, HostField};
pub use gannet_server::host::{Address, BackendChoice, Running, Signals};
pub use gannet_server::{AccessLog, Limits, LogDestination, LogFormat, MappedSends};
#[cfg(feature = "proxy")]
pub use proxy::{IntoProxy, Proxy};
#[cfg(feature = "files")]
pub use respond::FileResponse;
pub use respond::{Attachment, Created, Failure, Html, NoContent, Redirect, SameSite, SetCookie, StreamBody};
pub use routes::Routes;
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use trust::IntoNetworks;

#[cfg(all(feature = "macros", feature = "files"))]
pub use gannet_macros::embed;
#[cfg(feature = "macros")]
pub use gannet_macros::main;
#[cfg(all(feature = "macros", feature = "test"))]
pub use gannet_macros::test;

/// What the macros call. No part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::entry::*;
}

/// What running an [`App`] gives.
pub type Result<T> = std::result::Result<T, Error>;

/// What most programs need.
pub mod prelude {
    #[cfg(feature = "form")]
    pub use crate::Form;
    #[cfg(feature = "json")]
    pub use crate::Json;
    #[cfg(feature = "multipart")]
    pub use crate::Multipart;
    #[cfg(feature = "websocket")]
    pub use crate::websocket::{Message, WebSocket};
    pub use crate::{
        App, BodyStream, ClientAddr, Cookies, Created, Extension, Failure, FromRequest, Header, Headers,
        Html, IntoResponse, Next, NoContent, Path, Query, Redirect, Rejection, Request, Response, SetCookie,
        State, Status, Text,
    };
}

/// The guide's programs are compiled as this documentation's are.
#[cfg(all(doctest, feature = "openapi", feature = "templates", feature = "test", feature = "tls"))]
mod guide {
    #[doc = include_str!("../../../docs/guide/01-hello.md")]
    mod hello {}
    #[doc = include_str!("../../../docs/guide/02-routes.md")]
    mod routes {}
    #[doc = include_str!("../../../docs/guide/03-input.md")]
    mod input {}
    #[doc = include_str!("../../../docs/guide/04-output.md")]
    mod output {}
    #[doc = include_str!("../../../docs/guide/05-state.md")]
    mod state {}
    #[doc = include_str!("../../../docs/guide/06-filters.md")]
    mod filters {}
    #[doc = include_str!("../../../docs/guide/07-pages.md")]
    mod pages {}
    #[doc = include_str!("../../../docs/guide/08-tests.md")]
    mod tests {}
    #[doc = include_str!("../../../docs/guide/09-openapi.md")]
    mod openapi {}
    #[doc = include_str!("../../../docs/guide/10-production.md")]
    mod production {}
    #[cfg(feature = "websocket")]
    #[doc = include_str!("../../../docs/guide/13-live.md")]
    mod live {}
}
