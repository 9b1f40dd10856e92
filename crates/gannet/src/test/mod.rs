//! Testing an application: by a client without sockets, on virtual time, or on a port of its own.
//!
//! ```
//! use gannet::prelude::*;
//!
//! fn app() -> App {
//!     App::new().get("/", "hello")
//! }
//!
//! # fn main() {}
//! #[gannet::test]
//! async fn greets() {
//!     let client = app().test();
//!     client.get("/").send().await.assert_status(200).assert_text("hello");
//! }
//! ```
//!
//! A [`Client`] asks the whole server: requests are written and answers read as HTTP/1.1, or [HTTP/2](Client::http2), on a simulated network; limits, filters,
//! deadlines and what a client that leaves does to a handler are what they are in production. No port is taken, no thread is started.
//!
//! Time is Tokio's. Under `#[gannet::test]` it is virtual: a handler that sleeps for an hour is answered for at once, and `tokio::time::sleep` in the
//! test lets as much time go by for the server. Its calendar begins in 1994, so that dates are the same each time; under `#[gannet::test(real_time)]` it is today's. Computations ([`cpu`](crate::cpu)) and files are done in their turn.
//!
//! `client.ws("/chat").await` is a WebSocket, in the same way (feature `websocket`).
//!
//! What needs sockets (other clients, other upgrades, TLS) gets a [`TestServer`].

mod answer;
mod client;
mod connection;
mod cookies;
mod exchange;
mod http1;
mod http2;
mod log;
mod multipart;
mod request;
mod server;
mod upload;
mod urlencoded;
#[cfg(feature = "websocket")]
mod websocket;
mod wire;
mod world;

pub use answer::{Answer, IntoStatus, StreamedAnswer};
pub use client::Client;
pub use exchange::Failure;
pub use multipart::Multipart;
pub use request::RequestBuilder;
pub use server::TestServer;
#[cfg(feature = "websocket")]
pub use websocket::ClientSocket;
pub(crate) use world::drive_all;
