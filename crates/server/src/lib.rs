//! The driver: from socket to socket.
//!
//! One request's way, a file a step; each step calls only the next:
//!
//! | step | file | in → out |
//! |---|---|---|
//! | accept | `accept` | completion → connection slot |
//! | receive | `link` | completion → bytes |
//! | choose, parse | `protocol` | bytes → events of the protocol |
//! | exchange | `exchange` | head → [`Request`](gannet_core::Request) and the place its body goes |
//! | route | `route` | host, path, then method → handler |
//! | handle | `handle` | request → response, now or later |
//! | respond | `respond` | response → framed bytes, pulled |
//! | flush | `flush` | bytes and file ranges → engine operations |
//! | again or end | `close` | the next request; else the end, which is a join |
//!
//! A [`Worker`] is plain code that a [`host`] drives: one [`turn`](Worker::turn) after the other. Only `host` knows Tokio.

#![forbid(unsafe_code)]

mod accept;
mod admission;
mod balance;
#[cfg(feature = "proxy")]
mod client;
#[cfg(not(feature = "proxy"))]
#[path = "without_client.rs"]
mod client;
mod clock;
mod close;
mod computing;
mod connection;
mod conversing;
mod deadline;
mod exchange;
mod file;
mod flush;
mod fs;
mod h2;
mod handle;
mod handshake;
pub mod host;
mod letters;
mod limits;
mod link;
mod local;
mod mapped;
mod observe;
mod offload;
mod protocol;
mod proxy_header;
mod pull;
mod pulse;
mod respond;
mod route;
mod site;
mod sleepers;
mod sync;
mod threads;
mod tls;
mod wake;
mod watchdog;
mod wire;
mod worker;

pub use accept::Preamble;
pub use admission::{Admission, Refusal};
pub use limits::{Limits, Row, TABLE};
pub use mapped::{MappedSends, UnknownMappedSends};
pub use observe::{AccessLog, LogDestination, LogFormat, WorkerCounters};
pub use offload::{Offload, Services};
pub use site::{FilterFactory, Registered, Routes, Site, SiteBuilder, SiteError, SiteRoute};
pub use wake::{Command, Mailbox};
pub use worker::{Turn, Worker};
