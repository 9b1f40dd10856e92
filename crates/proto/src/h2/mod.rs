//! HTTP/2 (RFC 9113) as pure state machines.

pub mod hpack;
