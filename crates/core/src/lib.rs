//! What handlers and filters see.
//!
//! A [`Request`] goes in, through [`Filter`]s, to a [`Handler`]; a [`Response`] comes out. Both bodies stream: the request's is
//! read from a [`RequestBody`], the response's is a [`Body`] that *describes* what to send (bytes, a file range, a stream, an
//! upgrade) and is pulled when the socket has room. What a feature needs from outside it asks of [`Ports`].
//!
//! Everything here belongs to one worker and is not `Send`; nothing here knows a socket or a protocol version.

#![forbid(unsafe_code)]

mod body;
mod channel;
mod exchange;
mod fields;
mod filter;
mod future;
mod handler;
mod ports;
mod request;
mod response;

pub use body::{Body, BodyError, Conversation, Data, Frame, Source, Upgrade, Upgraded};
pub use bytes::Bytes;
pub use channel::{Sender, channel};
pub use exchange::{Incoming, RequestBody};
pub use fields::{Fields, InvalidField};
pub use filter::{Chain, Filter, IntoFilter, Next};
pub use gannet_block::{Block, Chunk, Pool};
pub use gannet_proto::{Head, Method, Span, Status, Version};
pub use handler::{Handler, HandlerFactory, IntoHandler, Reply, factory};
pub use ports::{Clock, Counter, Counters, Fs, FsError, Kind, OpenFile, Ports, Root};
pub use request::{Heads, Request, RequestHead};
pub use response::{IntoResponse, Response};
