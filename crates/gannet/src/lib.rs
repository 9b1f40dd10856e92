//! Gannet, a web server engine: build a service from routes, handlers and filters.
//!
//! ```no_run
//! use gannet::prelude::*;
//!
//! # async fn run() -> gannet::Result<()> {
//! App::new()
//!     .get("/", "hello")
//!     .get("/users/:id", async |request: Request| format!("user {}", request.param("id").unwrap_or_default()))
//!     .files("/assets", "public")
//!     .listen("127.0.0.1:8080")
//!     .run()
//!     .await
//! # }
//! ```
//!
//! # Features
//! What takes long to compile, or brings many other crates, is a feature of Cargo. `full` is all of them but `test`.
//!
//! | feature | brings |
//! |---|---|
//! | `compression` | files are compressed while they are asked for (br, zstd, gzip), not only sent from side files; the filters that compress and decompress |
//! | `cookies` | cookies that are signed, and such that only we can read |
//! | `form` (default) | `Form`: what a page's form says |
//! | `graphql` | `App::graphql`: a schema of async-graphql, and GraphiQL to explore it |
//! | `json` (default) | `Json`, of requests and of responses |
//! | `macros` (default) | `#[gannet::main]` and `embed!`; with `test` `#[gannet::test]`, too |
//! | `multipart` (default) | `Multipart`: what a form with files says |
//! | `openapi` | `App::openapi`: the API as an OpenAPI document, and a page to try it |
//! | `templates` | `App::templates`: pages made by Tera |
//! | `test` | the test client: for dev-dependencies |
//! | `tls` | `App::tls`, and upstreams that are spoken to over TLS: rustls with aws-lc-rs |

#![forbid(unsafe_code)]

mod app;
#[cfg(any(feature = "graphql", feature = "openapi"))]
mod asset;
mod edge;
mod entry;
mod extract;
pub mod filters;
#[cfg(feature = "graphql")]
pub mod graphql;
#[cfg(feature = "openapi")]
pub mod openapi;
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

pub use app::{App, Error, ListedRoute, Server};
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
    ResponsePart, Sender, Source, State, Status, Upgraded, Upstream, UpstreamAddress, UpstreamError,
    UpstreamFailure, UpstreamProtocol, UpstreamRequest, UpstreamTimeouts, Version, around, channel, cpu,
    deciding,
};
pub use gannet_features::files;
pub use gannet_features::hsts::Hsts;
pub use gannet_features::proxy::{Balance, Ejection, ForwardedStyle, HostField};
pub use gannet_server::host::{Address, BackendChoice, Running, Signals};
pub use gannet_server::{AccessLog, Limits, LogDestination, LogFormat, MappedSends};
pub use proxy::{IntoProxy, Proxy};
pub use respond::{
    Attachment, Created, Failure, FileResponse, Html, NoContent, Redirect, SameSite, SetCookie, StreamBody,
};
pub use routes::Routes;
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use trust::IntoNetworks;

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
    pub use crate::{
        App, BodyStream, ClientAddr, Cookies, Created, Extension, Failure, FromRequest, Header, Headers,
        Html, IntoResponse, Next, NoContent, Path, Query, Redirect, Rejection, Request, Response, SetCookie,
        State, Status, Text,
    };
}
