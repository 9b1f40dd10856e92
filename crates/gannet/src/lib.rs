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
mod embedded;
mod entry;
mod extract;
pub mod filters;
#[cfg(feature = "mount")]
pub mod mount;
mod proxy;
mod respond;
mod routes;
mod settings;
#[cfg(feature = "test")]
pub mod test;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "without_tls.rs"]
mod tls;
mod trust;

pub use app::{App, Error, ListedRoute, Server};
pub use embedded::{Embedded, EmbeddedFile};
#[cfg(feature = "form")]
pub use extract::Form;
#[cfg(feature = "json")]
pub use extract::Json;
pub use extract::{Path, Query};
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
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use trust::IntoNetworks;

#[cfg(all(feature = "macros", feature = "test"))]
pub use gannet_macros::test;
#[cfg(feature = "macros")]
pub use gannet_macros::{embed, main};

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
    pub use crate::{App, IntoResponse, Next, Rejection, Request, Response, State, Status};
    pub use crate::{Path, Query};
}
