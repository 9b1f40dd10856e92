//! WebSockets (RFC 6455), over HTTP/1.1 and HTTP/2 (RFC 8441).
//!
//! A request that asks for one and may have it is answered with an upgrade; from there on a handler converses by a [`WebSocket`]. The protocol itself is
//! `gannet_proto::ws`; here is what it takes to serve it: who may have one, and what is between the connection and the handler.

#[cfg(feature = "compression")]
mod deflate;
mod error;
mod handler;
mod handshake;
mod line;
mod message;
mod options;
mod served;
mod socket;
mod state;
mod work;

pub use bytestring::ByteString;
#[cfg(feature = "compression")]
pub use deflate::WebSocketCompression;
pub use error::{Ended, WebSocketError, WebSocketResult};
pub use gannet_core::ws::{CloseCode, CloseFrame};
pub use handler::{Converses, Ending, WebSockets};
pub use message::Message;
pub use options::WebSocketOptions;
pub use socket::{Receiving, Sending, WebSocket, WebSocketReceiver, WebSocketSender};
