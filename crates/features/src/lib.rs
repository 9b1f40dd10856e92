//! What Gannet can do with an exchange, one folder each. A feature knows requests, responses and ports; never a socket.

#![forbid(unsafe_code)]

mod coding;
#[cfg(feature = "compression")]
pub mod compression;
pub mod files;
pub mod hsts;
pub mod proxy;
pub mod rate_limit;
pub mod redirect;
