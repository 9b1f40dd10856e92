//! HTTP/1.0 and HTTP/1.1 (RFC 9112) as pure state machines: a [`Connection`] is seen by the server, a [`Client`] is one seen by
//! the client.
//!
//! Either has two halves that know of each other only what the protocol makes them know:
//!
//! 1. **reading**: [`handle`](Connection::handle) takes received bytes and says what they were, one [`Event`] at a
//!    time: a head, pieces of a body, the end of the request;
//! 2. **writing**: [`inform`](Connection::inform), [`respond`](Connection::respond), [`push`](Connection::push) and
//!    [`finish`](Connection::finish) append to a buffer what the peer is to get;
//! 3. when both have ended, [`keep_alive`](Connection::keep_alive) says whether [`next`](Connection::next) begins
//!    another request on the same connection.
//!
//! A client has the same verbs: it [writes requests](Client::request) and [reads responses](Client::handle). What both do in the same
//! way (fields, bodies in and out, trailers) is done by the same code; each role has its heads, what they mean, and its errors:
//! [`Error`] says how a request is refused, [`ResponseError`] what an upstream did wrong.
//!
//! # What it promises
//! * **Ambiguity is refused, never repaired** (RFC 9112 section 11.2): where two readers could see two different
//!   messages, there is an [`Error`], its [`status`](Error::status), and the end of the connection. Nor is a response believed
//!   that nobody asked for.
//! * **Cuts do not matter**: an error is decided by the smallest prefix that shows it, and however the bytes come
//!   in, events and errors are the same (but for where pieces of a body are cut).
//! * **Nothing is allocated** but room for fields in the head, for the section of fields that a client sent last, and for output in the
//!   caller's buffer.
//!
//! # The steps of a head
//! `empty lines → request line (`[`method`](crate::http::Method)` → target → version) → field lines, each read and
//! understood → what they mean together`; of a response `status line → field lines → what they mean together`. A line is read again from its start if its end had not come yet;
//! lines before it are not.
//!
//! ```
//! use gannet_proto::h1::{Connection, Event, ResponseToSend};
//! use gannet_proto::{Head, Limits, Status};
//!
//! let input = b"GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n";
//! let (mut connection, mut head, mut out) = (Connection::new(Limits::default()), Head::default(), Vec::new());
//!
//! let Ok(Event::Head { consumed }) = connection.handle(input, &mut head) else { panic!("a whole head") };
//! assert_eq!(head.path.of(input), b"/hello");
//!
//! let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
//! connection.respond(ResponseToSend { status: Status::OK, fields: b"", length: Some(2), date: Some(date) }, &mut out);
//! connection.push(2, &mut out)?;
//! out.extend_from_slice(b"hi");
//! connection.pushed(&mut out);
//! connection.finish(b"", &mut out)?;
//! assert_eq!(connection.handle(&input[consumed..], &mut Head::default()), Ok(Event::End { consumed: 0 }));
//!
//! assert!(connection.keep_alive());
//! connection.next();
//! # Ok::<(), gannet_proto::h1::Misuse>(())
//! ```
//!
//! The other side of it:
//!
//! ```
//! use gannet_proto::h1::{Client, ClientEvent, RequestToSend};
//! use gannet_proto::{BodyLength, Limits, Method, ResponseBody, ResponseHead, Status};
//!
//! let (mut client, mut head, mut out) = (Client::new(Limits::default()), ResponseHead::default(), Vec::new());
//! let request = RequestToSend {
//!     method: Method::Get,
//!     method_text: "GET",
//!     target: "/hello",
//!     fields: b"Host: example.com\r\n",
//!     body: BodyLength::None,
//!     upgrade: false,
//!     accepts_trailers: false,
//!     closes: false,
//! };
//! client.request(request, &mut out);
//! assert_eq!(out, b"GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n");
//!
//! let input = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
//! let Ok(ClientEvent::Head { consumed }) = client.handle(input, &mut head) else { panic!("a whole head") };
//! assert_eq!((head.status, head.body), (Status::OK, ResponseBody::Known(2)));
//! assert_eq!(client.handle(&input[consumed..], &mut head), Ok(ClientEvent::Data { start: 0, end: 2 }));
//! assert_eq!(client.handle(b"", &mut head), Ok(ClientEvent::End { consumed: 0 }));
//!
//! assert!(client.keep_alive());
//! client.next();
//! ```

mod authority;
mod chunked;
mod client;
mod connection;
mod date;
mod error;
mod fields;
mod framing;
mod reader;
mod repeated;
mod request;
mod request_fields;
mod request_line;
mod respond;
mod response_error;
mod response_fields;
mod state;
mod status_line;
mod trailers;
mod writer;

pub use client::{Client, ClientEvent};
pub use connection::{Connection, Event};
pub use date::date;
pub use error::Error;
pub use request::RequestToSend;
pub use respond::{Framing, ResponseToSend};
pub use response_error::ResponseError;
pub use writer::Misuse;

// What HTTP/2 has in common with it.
pub(crate) use authority::is_authority;
pub(crate) use framing::length_of as content_length;
pub(crate) use respond::{Announced, final_framing};
pub(crate) use trailers::may_be_trailer;
