//! What handlers and filters see.
//!
//! A [`Request`] goes in, through [`Filter`]s, to a [`Handler`]; a [`Response`] comes out. Both bodies stream: the request's is
//! read from a [`ReceivedBody`], the response's is a [`Body`] that *describes* what to send (bytes, a file range, a stream, an
//! upgrade) and is pulled when the socket has room. What a feature needs from outside it asks of [`Ports`].
//!
//! Everything here belongs to one worker and is not `Send`; nothing here knows a socket or a protocol version.

#![forbid(unsafe_code)]

mod accept;
mod arguments;
mod arrival;
mod body;
mod channel;
mod client_address;
mod cpu;
mod error_page;
mod exchange;
mod extensions;
mod extract;
mod extractors;
mod fields;
mod filter;
mod future;
mod handler;
mod interims;
mod later;
mod network;
mod page;
mod ports;
mod rejection;
mod request;
mod response;
mod responses;
mod rewrite;
mod route;
mod sleep;
mod state;
mod tls;
mod tunnel;
mod upgrade;
mod upstream;
mod worker;

pub use accept::preferred_media_type;
pub use arguments::{Arguments, Callable};
pub use arrival::Arrival;
pub use body::{Body, BodyError, Data, FILE_READ_BYTES, Frame, Source};
pub use bytes::Bytes;
pub use channel::{Sender, channel};
pub use client_address::{ForwardedClient, client_address, forwarded_client};
pub use cpu::{Computation, CpuError, cpu, provide_cpu};
pub use error_page::{ErrorForm, PrefersProblems, error_meaning, error_page, is_bare_error};
pub use exchange::{Incoming, ReceivedBody};
pub use extensions::Extensions;
pub use extract::{FromLast, FromRequest, Needs, Rejections};
pub use extractors::{BODY_BYTES, OptionalFromRequest};
pub use fields::{Fields, InvalidField};
pub use filter::{Chain, Decision, Filter, IntoFilter, Next, around, deciding, waiting};
pub use gannet_block::{Block, Chunk, Pool};
/// A version of the PROXY protocol (haproxy's `proxy-protocol.txt`).
pub use gannet_proto::proxy::Version as ProxyProtocol;
pub use gannet_proto::scan;
#[cfg(feature = "websocket")]
pub use gannet_proto::ws;
pub use gannet_proto::{BodyLength, Head, Method, Span, Status, Version};
pub use handler::{Handler, HandlerFactory, IntoHandler, Reply, factory, forwarding, quick};
pub use interims::{Interims, Promise};
pub use later::Later;
pub use network::{InvalidNetwork, Network, Networks};
pub use page::PAGE_STYLE;
pub use ports::{
    Clock, Counter, Counters, Cpu, Entry, Fs, FsError, Kind, Listed, OpenFile, Ports, Root, Stamp,
    WriteListed,
};
pub use rejection::{DETAIL_BYTES, ERRORS_TOLD, Place, Rejection, RejectionError};
pub use request::{Heads, Request, RequestHead};
pub use response::{IntoResponse, Response};
pub use responses::ResponsePart;
pub use route::{Route, percent_decoded};
pub use sleep::Sleep;
pub use state::{State, StateFactory, States};
/// An open file: what [`Body::File`] sends, and [`Fs`] opens.
pub use std::fs::File;
pub use tls::{ClientCertificate, Tls};
pub use upgrade::{Conversation, Duplex, Upgrade, Upgraded};
pub use upstream::{
    Call, Sending, UpgradeOffer, Upstream, UpstreamAddress, UpstreamError, UpstreamFailure, UpstreamProtocol,
    UpstreamRequest, UpstreamTimeouts, UpstreamTls, Upstreams,
};
pub use worker::{Draining, Letter, Letterbox, Locals};
