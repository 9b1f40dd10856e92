//! HTTP as pure state machines: bytes in, events out; commands in, bytes out.
//!
//! Nothing here knows a socket, a clock, a thread or a file: the crate is `no_std`, so the compiler itself
//! proves it. What the protocols need from the outside is passed in: received bytes, the rendered date, the
//! [limits](limits::Limits), the [CPU's level](scan::Level).
//!
//! * [`http`] is the vocabulary that every protocol version shares: methods, statuses, heads as offsets.
//! * [`h1`] is HTTP/1.0 and HTTP/1.1 (RFC 9112), the server's side and the client's.
//! * [`h2`] is HTTP/2 (RFC 9113), and in it HPACK (RFC 7541).
//! * [`proxy`] is the PROXY protocol, by which a proxy says whose connection it relays.
//! * [`ws`] is WebSocket (RFC 6455) and its compression (RFC 7692).
//! * [`limits`] is the one table of what a peer may ask of us.
//! * [`scan`] finds the end of a token, a value or a target many bytes at a time; it masks, and knows UTF-8.
//!
//! Promises: no input panics, allocates beyond the list of fields, or is read twice because it came in small
//! pieces; however a message is cut, the events and the errors are the same.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;

pub mod h1;
pub mod h2;
pub mod http;
pub mod limits;
pub mod proxy;
pub mod scan;
#[cfg(feature = "websocket")]
pub mod ws;

pub use http::{
    BodyLength, Field, Head, Method, Priority, ResponseBody, ResponseHead, Span, Status, TargetForm, Version,
    connection_options, is_hop_by_hop,
};
pub use limits::Limits;
