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

#![forbid(unsafe_code)]

mod app;
mod edge;
pub mod filters;
mod proxy;
mod routes;
mod settings;
mod tls;
mod trust;

pub use app::{App, Error, ListedRoute, Server};
pub use gannet_core::Tls as TlsOfConnection;
pub use gannet_core::{
    Body, BodyError, BodyLength, Bytes, Chunk, ClientCertificate, Computation, Counter, CpuError, Data,
    Decision, Extensions, Fields, Filter, Frame, FromRequest, Handler, IntoFilter, IntoHandler, IntoResponse,
    InvalidField, InvalidNetwork, Method, Needs, Network, Networks, Next, ProxyProtocol, ReceivedBody,
    Rejection, Rejections, Reply, Request, Response, Sender, Source, State, Status, Upgraded, Upstream,
    UpstreamAddress, UpstreamError, UpstreamFailure, UpstreamProtocol, UpstreamRequest, UpstreamTimeouts,
    Version, around, channel, cpu, deciding,
};
pub use gannet_features::files;
pub use gannet_features::hsts::Hsts;
pub use gannet_features::proxy::{Balance, Ejection, ForwardedStyle, HostField};
pub use gannet_server::host::{Address, BackendChoice, Running, Signals};
pub use gannet_server::{AccessLog, Limits, LogDestination, LogFormat, MappedSends};
pub use proxy::{IntoProxy, Proxy};
pub use routes::Routes;
pub use tls::Tls;
pub use trust::IntoNetworks;

/// What running an [`App`] gives.
pub type Result<T> = std::result::Result<T, Error>;

/// What most programs need.
pub mod prelude {
    pub use crate::{App, IntoResponse, Next, Rejection, Request, Response, State, Status};
}
