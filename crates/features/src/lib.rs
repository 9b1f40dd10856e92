//! What Gannet can do with an exchange, one folder each. A feature knows requests, responses and ports; never a socket.

#![forbid(unsafe_code)]

mod accept;
#[cfg(feature = "auth")]
pub mod auth;
pub mod body_limit;
#[cfg(feature = "websocket")]
pub mod broadcast;
#[cfg(any(feature = "compression", feature = "files"))]
mod coding;
#[cfg(feature = "compression")]
pub mod compression;
pub mod cors;
#[cfg(feature = "compression")]
pub mod decompression;
pub mod error_pages;
pub mod events;
#[cfg(feature = "files")]
pub mod files;
pub mod hsts;
mod origin;
#[cfg(any(feature = "auth", feature = "compression"))]
mod permit;
#[cfg(feature = "proxy")]
pub mod proxy;
mod random;
pub mod rate_limit;
mod recycled;
pub mod redirect;
pub mod request_id;
pub mod request_log;
pub mod security_headers;
pub mod timeout;
pub mod timing;
pub mod transform;
mod vary;
#[cfg(feature = "websocket")]
pub mod websocket;
