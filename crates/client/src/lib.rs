//! Requests to other servers: the connections of one worker, and their pools.
//!
//! A [`Client`] belongs to a worker and lives on the worker's engine: its connections have slots, timers and wakers among those of the
//! connections that were accepted, and the worker's turn takes it on. One request's way, a file a step:
//!
//! | step | file | in → out |
//! |---|---|---|
//! | call | `calls` | a handler's `upstream.send(request)` → a call that waits to be begun |
//! | choose | `connect`, `pool` | an upstream → a connection that idles or takes another request, one that is being made, one that another worker left, or a new one |
//! | (TLS) | `link` | bytes ↔ records, where the upstream is spoken to over TLS |
//! | send | `send` | request → framed bytes, its body pulled |
//! | receive | `receive` | bytes → a response's head for the caller, its body for whom that passes it to |
//! | again or end | `settle` | the connection idles in its pool; else it is closed |
//!
//! By HTTP/2 the last three are in the folder `h2`. What an exchange is, whatever protocol it goes by, is in `exchange` and `head`; the bytes of its connection are in `wire`. What breaks is told in one place, `failure`: to the caller if it waits for the head, else to the body's reader.

#![forbid(unsafe_code)]

mod calls;
mod client;
mod connect;
mod connection;
mod deadline;
mod exchange;
mod failure;
mod h2;
mod head;
mod limits;
mod link;
mod local;
mod pool;
mod receive;
mod send;
mod settle;
mod takeover;
mod wire;

pub use client::Client;
pub use limits::Limits;
pub use local::{Lent, SlotWakers};
pub use takeover::Takeover;
