//! How a conversation goes wrong.

use std::error::Error;
use std::fmt;

use gannet_core::ws;

/// Why nothing can be received, or sent, any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WebSocketError {
    /// The conversation was closed, by us or by the client: nothing can be sent.
    Closed,
    /// The client left without closing the conversation, or was not heard of any more.
    Gone,
    /// What the client sent is against the protocol, or beyond a limit. It was told so.
    Protocol(ws::Error),
    /// A message is no JSON, or not of the shape that was expected.
    NotJson,
}

/// Why a handler ends its conversation: any error will do. Its client is told 1011, and the log what it was; of what the client did itself
/// ([`WebSocketError`]) it was told already, or is told by the code that is for it.
#[derive(Debug)]
pub struct Ended(Box<dyn Error>);

/// What a handler of a conversation returns.
pub type WebSocketResult = Result<(), Ended>;

impl Ended {
    /// The error.
    pub fn error(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

impl<E: Into<Box<dyn Error>>> From<E> for Ended {
    fn from(error: E) -> Ended {
        Ended(error.into())
    }
}

impl fmt::Display for WebSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WebSocketError::Closed => f.write_str("the conversation is closed"),
            WebSocketError::Gone => f.write_str("the client left without closing the conversation"),
            WebSocketError::Protocol(error) => write!(f, "the client broke the protocol: {error}"),
            WebSocketError::NotJson => f.write_str("a message is not the JSON that was expected"),
        }
    }
}

impl Error for WebSocketError {}
