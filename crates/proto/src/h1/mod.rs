//! HTTP/1.0 and HTTP/1.1 (RFC 9112), the server's side, as a pure state machine.
//!
//! A [`Connection`] has two halves that know of each other only what the protocol makes them know:
//!
//! 1. **reading**: [`handle`](Connection::handle) takes received bytes and says what they were, one [`Event`] at a
//!    time: a head, pieces of a body, the end of the request;
//! 2. **writing**: [`inform`](Connection::inform), [`respond`](Connection::respond), [`push`](Connection::push) and
//!    [`finish`](Connection::finish) append to a buffer what the peer is to get;
//! 3. when both have ended, [`keep_alive`](Connection::keep_alive) says whether [`next`](Connection::next) begins
//!    another request on the same connection.
//!
//! # What it promises
//! * **Ambiguity is refused, never repaired** (RFC 9112 section 11.2): where two readers could see two different
//!   messages, there is an [`Error`], its [`status`](Error::status), and the end of the connection.
//! * **Cuts do not matter**: an error is decided by the smallest prefix that shows it, and however the bytes come
//!   in, events and errors are the same (but for where pieces of a body are cut).
//! * **Nothing is allocated** but room for fields in the [`Head`](crate::http::Head), for the section of fields that was read last, and
//!   for output in the caller's buffer.
//!
//! # The steps of a head
//! `empty lines → request line (`[`method`](crate::http::Method)` → target → version) → field lines, each read and
//! understood → what they mean together`. A line is read again from its start if its end had not come yet;
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
//! connection.respond(ResponseToSend { status: Status::OK, fields: b"", length: Some(2), date }, &mut out);
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

mod authority;
mod chunked;
mod connection;
mod date;
mod error;
mod fields;
mod framing;
mod repeated;
mod request_line;
mod respond;
mod state;
mod trailers;

pub use connection::{Connection, Event};
pub use date::date;
pub use error::Error;
pub use respond::{Framing, Misuse, ResponseToSend};
