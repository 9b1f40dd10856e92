//! HTTP/2 (RFC 9113) as pure state machines: a [`Server`] is a connection seen by the server, a [`Client`] one seen by the client. Both are a
//! [`Connection`], and differ in their heads and in who opens streams.
//!
//! A connection carries many streams, each with two halves (`state.rs` has the diagram). Whoever uses it
//!
//! 1. **reads**: [`handle`](Connection::handle) takes received bytes and says what they were, one [`Event`] at a time, each of a stream or of the
//!    connection. What has to be said to them at once (acknowledgements, RST_STREAM) is in the output already;
//! 2. **writes**: [`respond`](Connection::respond), [`push`](Connection::push), [`finish`](Connection::finish) append frames to the one output that all
//!    streams share, as far as there is [room](Connection::room). A response that is there as a whole is [one call](Connection::respond_whole);
//! 3. **lets go**: content that was taken is [said to be](Connection::consumed), and once a turn the windows that it makes are
//!    [told](Connection::update_windows); a stream both halves of which are over is [released](Connection::release). Until then it counts.
//!
//! # What it promises
//! * **Cuts do not matter**: frames need not be whole. An error is decided by the smallest prefix that shows it, and however the bytes come in, events, errors and
//!   answers are the same (but for where pieces of content are cut).
//! * **What is malformed is not told** (section 8.1.1): its stream is reset. What is understood, but is too much, is [refused](Event::Refused) with a status.
//! * **Nothing is unbounded**: memory, and what a peer may send that costs us something and brings nothing. Each bound is a row of [`limits`], and says what happens beyond it.
//! * **Nothing is allocated** in the steady state: slots are used again, and a head that comes again is recognised, not decoded.
//!
//! # The steps of a frame
//! `header → size, place, order → payload (settings one by one, content as it comes, header blocks gathered until they end) → event`; of a header block
//! `table → list → pseudo-fields → fields → what they mean together`.
//!
//! ```
//! use gannet_proto::h2::{Blocks, Client, Event, Limits, RequestToSend, ResponseToSend, Server};
//! use gannet_proto::{BodyLength, Head, Method, ResponseHead, Status};
//!
//! let (mut client, mut there) = (Client::new(Limits::default(), 1), Vec::new());
//! client.start(&mut there);
//! let request = RequestToSend {
//!     method: Method::Get,
//!     method_text: "GET",
//!     scheme: "http",
//!     authority: "example.com",
//!     path: "/hello",
//!     protocol: None,
//!     fields: b"Accept: text/plain\r\n",
//!     body: BodyLength::None,
//!     accepts_trailers: false,
//! };
//! let asked = client.request(request, &mut there).expect("no stream is there yet");
//!
//! let (mut server, mut head, mut back) = (Server::new(Limits::default(), 1), Head::default(), Vec::new());
//! server.start(&mut back);
//! let Ok(Event::Head { stream, ended: true, .. }) = server.handle(&there, &mut head, &mut back) else { panic!("a request") };
//! assert_eq!((head.path.of(server.text()), stream.id), (&b"/hello"[..], asked.id));
//!
//! let (mut blocks, date) = (Blocks::new(1), b"Sun, 06 Nov 1994 08:49:37 GMT");
//! let answer = ResponseToSend { status: Status::OK, fields: b"Server: gannet\r\n", length: Some(2), date: Some(date) };
//! assert!(server.respond_whole(stream, answer, b"hi", &mut blocks, &mut back));
//! server.release(stream);
//!
//! let mut head = ResponseHead::default();
//! let Ok(Event::Head { consumed, .. }) = client.handle(&back, &mut head, &mut there) else { panic!("a response") };
//! assert_eq!((head.status, head.content_length), (Status::OK, Some(2)));
//! let Ok(Event::Data { start, end, ended: true, .. }) = client.handle(&back[consumed..], &mut head, &mut there) else {
//!     panic!("all of its content")
//! };
//! assert_eq!(&back[consumed..][start..end], b"hi");
//! client.consumed(asked, end - start);
//! client.release(asked);
//! ```

mod adjust;
mod budget;
mod client;
mod connection;
mod content;
mod error;
mod event;
mod fields;
mod frame;
mod headers;
pub mod hpack;
pub mod limits;
mod priorities;
mod push;
mod receive;
mod refusal;
mod repeated;
mod request;
mod resets;
mod resetting;
mod response;
mod role;
mod scratch;
mod send;
mod server;
mod settings;
mod state;
mod streams;
mod trailers;

pub use crate::h1::{Framing, Misuse, ResponseToSend};
pub use client::RequestToSend;
pub use connection::{Client, Connection, Server};
pub use error::{Error, ErrorCode};
pub use event::Event;
pub use frame::PREFACE;
pub use hpack::Blocks;
pub use limits::Limits;
pub use refusal::Refusal;
pub use role::{ClientRole, Role, ServerRole};
pub use scratch::Memory;
pub use streams::StreamKey;
