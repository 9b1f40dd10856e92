//! The engine on a simulated network: one thread, virtual time, every mishap drawn from a seed.
//!
//! A [`Network`] joins any number of engines ([`Sim`]: the workers of a server) and of [`Peer`]s (the test's own ends). Either may connect
//! to the other: peers as [`Client`]s, engines to what an [`Acceptor`] of the test accepts, and engines to each other.
//! It behaves like TCP on Linux as far as a server can tell, and goes wrong as its [`Faults`] say: bytes come in pieces, late
//! and few at a time; buffers are full; completions are late and out of order; connections break; descriptors run out.
//! All of it stays within the engine's contract, and all of it follows from the seed: the same seed and the same calls give
//! the same completions, byte for byte.
//!
//! # Time
//! Nothing sleeps: [`Backend::poll`](crate::Backend::poll) gathers what is due now, however long it may wait. A harness polls every
//! engine until none has anything left to say, and then lets time pass until something happens: [`Network::skip`].
//!
//! # TCP, as simulated
//! * An engine that connects is answered, refused, or, by a full backlog, not answered at all; after 127 seconds it gives up (`ETIMEDOUT`).
//! * Order within one direction of a connection is kept; nothing is lost but by a reset.
//! * A direction holds so many bytes until they are read ([`Faults::capacity`]); a send finds no room beyond that.
//! * Bytes that arrive where nobody will read them (the end was closed) are answered with a reset.
//! * Closing an end that has bytes unread resets the connection (RFC 2525 section 2.17, as Linux does).
//! * A reset fails the first operation that meets it with `ECONNRESET`; afterwards receiving finds the end, and sending `EPIPE`.
//!   Behind the peer's end it changes only that: sending finds `EPIPE`.
//! * A reset may destroy bytes not read yet ([`Faults::loss`]), even those before an end; the reader is then told `ECONNRESET`.
//!   That is what lingering close is for (RFC 9112 section 9.6).
//!
//! What these rules say of operations was observed on Linux 6, except for loss after arrival, which other systems do.

mod acceptor;
mod engine;
mod faults;
mod jobs;
mod listening;
mod network;
mod peer;
mod pipe;
mod random;
mod slot;
mod tcp;
mod trace;
mod world;

pub use acceptor::Acceptor;
pub use engine::Sim;
pub use faults::{Faults, Injected};
pub use network::{BACKLOG, Network, Report};
pub use peer::{Client, Peer};
pub use random::Random;
pub(crate) use world::EndId;
