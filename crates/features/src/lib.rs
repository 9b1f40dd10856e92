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
mod accept;
pub mod body_limit;
pub mod cors;
pub mod error_pages;
pub mod files;
pub mod hsts;
pub mod proxy;
mod random;
mod recycled;
pub mod redirect;
pub mod request_id;
pub mod request_log;
pub mod security_headers;
pub mod timeout;
pub mod timing;
pub mod transform;
mod vary;
