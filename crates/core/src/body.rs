//! Response bodies: descriptions of what to send.

use std::fmt;
use std::fs::File;
use std::ops::{Deref, Range};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gannet_block::Chunk;

use crate::{Fields, ReceivedBody, Upgrade};

/// Ranges of files up to this many bytes go out with their response's head, if the kernel has them in memory; longer ones are sent after
/// it, and end the connection where the file has become too short by then.
pub const FILE_READ_BYTES: u64 = 32 * 1024;

/// What follows a response's head.
#[derive(Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// A range of a file; its bytes do not pass through our memory where the kernel can send them itself.
    File(Arc<File>, Range<u64>),
    /// A stream, pulled when the socket has room.
    Stream(Pin<Box<dyn Source>>),
    /// What is being received, passed on as it comes, and how long it is if that is known: an upstream's response, or the request's own body.
    Received(ReceivedBody, Option<u64>),
    /// The connection becomes something else.
    Upgrade(Upgrade),
}

/// A body that comes in pieces. Pulled: it is asked for the next piece when the last one is on its way.
pub trait Source {
    /// The next piece; `None` at the end. After [`Frame::Trailers`] only the end may come.
    ///
    /// # Errors
    /// When the body cannot go on: the connection is closed, so that the client sees that something is missing.
    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>>;

    /// How many bytes there will be, when that is known; then exactly as many must come.
    fn length(&self) -> Option<u64> {
        None
    }
}

/// A piece of a body.
#[derive(Debug)]
pub enum Frame {
    /// Some bytes.
    Data(Data),
    /// A range of a file, sent as [`Body::File`] is.
    File(Arc<File>, Range<u64>),
    /// The trailer fields; the last frame.
    Trailers(Fields),
}

/// Bytes on their way.
#[derive(Clone, Debug)]
pub enum Data {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Received bytes, still where they were received.
    Chunk(Chunk),
}

/// Why a body ended before its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyError {
    /// The peer closed, reset or timed out before the body was complete.
    Incomplete,
    /// The peer sent what no body looks like.
    Malformed,
    /// The body is larger than the limit it was read with.
    TooLarge,
    /// The sender of a streamed body gave up.
    Aborted,
}

impl Body {
    /// How many bytes there are, when that is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Body::Empty => Some(0),
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::File(_, range) => Some(range.end - range.start),
            Body::Stream(source) => source.length(),
            Body::Received(_, length) => *length,
            Body::Upgrade(_) => None,
        }
    }

    /// The next frame, of whatever kind the body is; `None` at the end. After [`Frame::Trailers`] only the end may come. No frame of bytes in
    /// memory, or of a file, is empty; those of a stream may be. An upgrade has none: it is to be [begun](Upgrade::begin).
    ///
    /// # Errors
    /// As [`Source::poll_frame`].
    #[inline]
    pub fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        match self {
            Body::Stream(source) => return source.as_mut().poll_frame(context),
            Body::Received(received, _) => return received.poll_frame(context),
            Body::Empty | Body::Bytes(_) | Body::File(..) | Body::Upgrade(_) => {}
        }
        Poll::Ready(match std::mem::take(self) {
            Body::Bytes(bytes) if !bytes.is_empty() => Some(Ok(Frame::Data(bytes.into()))),
            Body::File(file, range) if !range.is_empty() => Some(Ok(Frame::File(file, range))),
            _ => None,
        })
    }

    /// Whether its next frame may have to be waited for.
    pub fn may_wait(&self) -> bool {
        matches!(self, Body::Stream(_) | Body::Received(..))
    }

    /// A body that `source` gives piece by piece.
    pub fn stream(source: impl Source + 'static) -> Body {
        Body::Stream(Box::pin(source))
    }
}

impl Data {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Data::Bytes(bytes) => bytes,
            Data::Chunk(chunk) => chunk,
        }
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl From<Bytes> for Data {
    fn from(bytes: Bytes) -> Data {
        Data::Bytes(bytes)
    }
}

impl From<Chunk> for Data {
    fn from(chunk: Chunk) -> Data {
        Data::Chunk(chunk)
    }
}

impl From<String> for Data {
    fn from(text: String) -> Data {
        Data::Bytes(text.into())
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Data {
        Data::Bytes(bytes.into())
    }
}

impl From<&'static str> for Data {
    fn from(text: &'static str) -> Data {
        Data::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("Empty"),
            Body::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Body::File(_, range) => write!(f, "File({range:?})"),
            Body::Stream(_) => f.write_str("Stream"),
            Body::Received(_, length) => write!(f, "Received({length:?})"),
            Body::Upgrade(_) => f.write_str("Upgrade"),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyError::Incomplete => "the peer left before the body was complete",
            BodyError::Malformed => "the peer sent a malformed body",
            BodyError::TooLarge => "the body is larger than the limit",
            BodyError::Aborted => "the sender of the body gave up",
        })
    }
}

impl std::error::Error for BodyError {}
