//! What Gannet can do with an exchange, one folder each. A feature knows requests, responses and ports; never a socket.

#![forbid(unsafe_code)]

mod coding;
#[cfg(feature = "compression")]
pub mod compression;
#[cfg(feature = "compression")]
pub mod decompression;
pub mod files;
pub mod hsts;
#[cfg(feature = "compression")]
mod permit;
pub mod proxy;
pub mod rate_limit;
pub mod redirect;
