//! What received bytes were.

use super::{ErrorCode, Refusal, StreamKey};

/// What received bytes were. Offsets count from the start of the input that was given; `consumed` is how many of its bytes are done with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// More bytes are needed. Call again with what follows the first `consumed` bytes and more behind it: what is left over is a part of a
    /// frame that is wanted as a whole, of 17 bytes at most, but for PRIORITY_UPDATE (`priority_bytes` and 13).
    Need {
        /// How many bytes are done with.
        consumed: usize,
    },
    /// A head was read: a request, or the final response to one. Its spans count in [`text`](super::Connection::text).
    Head {
        /// The stream; at a server it is a new one.
        stream: StreamKey,
        /// Nothing follows it: no content, no trailers.
        ended: bool,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// An interim response was read: 1xx. Another response follows. At a client only.
    Interim {
        /// The stream.
        stream: StreamKey,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// A piece of content: `input[start..end]`, empty only where it says that the content has ended. Once it was taken,
    /// [`consumed`](super::Connection::consumed) makes room for more.
    Data {
        /// The stream.
        stream: StreamKey,
        /// Where it begins.
        start: usize,
        /// Where it ends.
        end: usize,
        /// Nothing follows it on this stream.
        ended: bool,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// The stream has ended with trailers: they are the fields of the head, whose spans count in [`text`](super::Connection::text).
    Trailers {
        /// The stream.
        stream: StreamKey,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// The stream was reset: nothing more comes, nothing more can be sent on it. [Release](super::Connection::release) it.
    Reset {
        /// The stream.
        stream: StreamKey,
        /// Why.
        error: ErrorCode,
        /// What the peer did wrong, where it is we who reset the stream (which is in the output already); `None` where the peer did.
        fault: Option<&'static str>,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// A request that is not to be handled, but can be answered: no head comes with it. At a server only.
    Refused {
        /// The stream, a new one.
        stream: StreamKey,
        /// Why, with the status that answers it.
        refusal: Refusal,
        /// Nothing follows it: no content, no trailers.
        ended: bool,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// What had no [room](super::Connection::room) may have some now.
    Window {
        /// The stream that it is about; `None` for all of them.
        stream: Option<StreamKey>,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// The client changed its mind about how urgent a response is: [`priority`](super::Connection::priority).
    Priority {
        /// The stream.
        stream: StreamKey,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// The peer ends the connection. Our streams beyond `last_stream` were not, and will not be, begun: their requests may be sent again.
    GoAway {
        /// The last of our streams that the peer deals with.
        last_stream: u32,
        /// Why.
        error: ErrorCode,
        /// How many bytes are done with.
        consumed: usize,
    },
}
