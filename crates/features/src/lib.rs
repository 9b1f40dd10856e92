//! What Gannet can do with an exchange, one folder each. A feature knows requests, responses and ports; never a socket.

#![forbid(unsafe_code)]

pub mod files;
pub mod hsts;
pub mod proxy;
pub mod rate_limit;
pub mod redirect;
