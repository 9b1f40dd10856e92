//! WebSocket (RFC 6455) and its compression, permessage-deflate (RFC 7692), of both roles.
//!
//! A conversation
//!
//! 1. **begins** with an HTTP exchange: [`handshake`] looks at its fields, [`choose_compression`] at what a client offers, [`Wishes`] says what we want of it;
//! 2. **receives**: a [`Receiver`] takes bytes and says what they were, one [`Event`] at a time. Messages come whole, in the caller's buffer, unmasked on the way into it;
//! 3. **sends**: [`write_message`] and its like append frames to the output. What many are sent shares its bytes: each only gets a [`Header`] of its own;
//! 4. **ends** as [`Closing`] says: with a [`CloseFrame`] each way, then the transport.
//!
//! What it needs from the outside is passed in: the [CPU's level](crate::scan::Level), the [`Limits`], masks, and what [inflates](Inflate) and [compresses](Deflate).
//!
//! # What it promises
//! * **Cuts do not matter**: however the bytes come in, events and errors are the same. An error is told by the byte that shows it; text, within the fragment that breaks it.
//! * **Nothing is held between messages**: an idle receiver is 40 bytes, and owns none beside. A message's buffer grows with what arrives, never by what a header promises.
//! * **Nothing is unbounded**: the size of a message, compressed or not, its fragments, frames that carry nothing. Each bound is a row of [`limits`].
//! * **Each error has its code**: [`Error::close`] is the frame that tells the peer.
//!
//! # The steps of a frame
//! `header → place, size, order → payload, unmasked as it comes → inflated, where it is compressed → checked, where it is text → event`.
//!
//! ```
//! use gannet_proto::scan::Level;
//! use gannet_proto::ws::{CloseCode, CloseFrame, Event, Fragments, Kind, Limits, Receiver, Role, write_close, write_message};
//!
//! let (mask, mut sent) = (Some([1, 2, 3, 4]), Vec::new());
//! write_message(Kind::Text, "grüezi".as_bytes(), mask, &mut sent);
//! let mut fragments = Fragments::new(Kind::Binary);
//! fragments.write(b"in two ", false, mask, &mut sent);
//! fragments.write(b"pieces", true, mask, &mut sent);
//! write_close(Some(&CloseFrame::new(CloseCode::NORMAL, "all said")), mask, &mut sent);
//!
//! let mut server = Receiver::new(Role::Server, Level::detect());
//! let (mut input, limits, mut message) = (&sent[..], Limits::default(), Vec::new());
//! let mut next = |message: &mut Vec<u8>| server.poll_event(&mut input, &limits, message, None);
//! assert_eq!(next(&mut message), Ok(Some(Event::Text)));
//! assert_eq!(message, "grüezi".as_bytes());
//! assert_eq!(next(&mut message), Ok(Some(Event::Binary)));
//! assert_eq!(message, b"in two pieces");
//! let Ok(Some(Event::Close(Some(says)))) = next(&mut message) else { panic!("it ends") };
//! assert_eq!((says.code(), says.reason()), (CloseCode::NORMAL, "all said"));
//! ```

mod base64;
mod budget;
mod close;
mod codec;
mod compression;
mod error;
mod extensions;
mod frame;
pub mod handshake;
pub mod limits;
mod message;
mod receive;
mod send;
mod state;

pub use close::{CloseCode, CloseFrame, REASON_BYTES};
pub use codec::{Deflate, Inflate, InflateError};
pub use compression::{Compression, Window, Wishes, choose_compression};
pub use error::Error;
pub use extensions::Malformed;
pub use frame::{CONTROL_BYTES, ControlPayload, HEADER_BYTES, Header, HeaderBytes, Opcode};
pub use handshake::{Disbelief, Refusal};
pub use limits::Limits;
pub use receive::{Event, Receiver};
pub use send::{
    Fragments, compress, write_close, write_compressed_message, write_message, write_ping, write_pong,
};
pub use state::Closing;

/// Whose end of the conversation this is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// It was asked for the conversation.
    Server,
    /// It asked, and masks what it sends.
    Client,
}

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

impl Kind {
    /// The opcode of the first frame of such a message.
    pub const fn opcode(self) -> Opcode {
        match self {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        }
    }
}
