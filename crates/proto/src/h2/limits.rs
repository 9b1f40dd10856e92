//! What a peer may ask of an HTTP/2 connection: one table, from which the struct, its defaults and the reference come.
//!
//! Frames that cost us something and bring nothing are counted against budgets: each request or response head and each piece of
//! content, either way, earns four of every kind, and [`Connection::refill`](super::Connection::refill) fills them all, which whoever has a clock does every ten seconds. So a row says how
//! many may come in ten seconds beyond what the traffic itself explains.

use super::{Error, ErrorCode, Refusal};

/// What happens beyond a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beyond {
    /// The connection ends with this error.
    Connection(Error),
    /// The stream ends with this code.
    Stream(ErrorCode),
    /// The request is answered with the refusal's status.
    Refused(Refusal),
    /// Nothing that the peer would notice as an error.
    Held(&'static str),
}

/// One limit, for those who print or check the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The limit's name: the field of [`Limits`], and the word for it in every configuration.
    pub name: &'static str,
    /// What holds unless someone says otherwise.
    pub default: u32,
    /// The most it can be set to; a larger value counts as this one.
    pub most: u32,
    /// What it counts.
    pub unit: &'static str,
    /// What happens beyond it.
    pub beyond: Beyond,
    /// Why there is a limit, and why this one.
    pub reason: &'static str,
}

macro_rules! beyond {
    (connection $error:ident) => {
        Beyond::Connection(Error::$error)
    };
    (stream $code:ident) => {
        Beyond::Stream(ErrorCode::$code)
    };
    (refused $refusal:ident) => {
        Beyond::Refused(Refusal::$refusal)
    };
    (held $what:literal) => {
        Beyond::Held($what)
    };
}

macro_rules! limits {
    ($($name:ident: $type:ty = $default:literal, at most $most:literal $unit:literal,
        $kind:ident $beyond:tt, $reason:literal;)*) => {
        /// What a peer may ask of an HTTP/2 connection. The fields may be set freely; beyond a row's `most`, the most holds.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Limits {
            $(#[doc = concat!("In ", $unit, "; default ", $default, ". ", $reason)] pub $name: $type,)*
        }

        /// Every limit of [`Limits`], in its order.
        pub const TABLE: &[Row] = &[$(Row {
            name: stringify!($name),
            default: $default,
            most: $most,
            unit: $unit,
            beyond: beyond!($kind $beyond),
            reason: $reason,
        }),*];

        impl Default for Limits {
            fn default() -> Limits {
                Limits { $($name: $default),* }
            }
        }

        impl Limits {
            /// These limits, none of them beyond its row's `most`.
            pub(super) fn bounded(self) -> Limits {
                Limits { $($name: if u32::from(self.$name) > $most { $most } else { self.$name }),* }
            }
        }
    };
}

limits! {
    streams: u32 = 128, at most 65535 "streams at once",
        stream REFUSED_STREAM,
        "Each may be a handler at work. RFC 9113 section 6.5.2 recommends 100 at the least, which clients take for granted before they have our settings. A stream counts until its handler has let go of it, also when it was reset.";
    pushed_streams: u32 = 32, at most 65535 "streams at once",
        held "no further promise is made",
        "What we send unasked; the client's own limit holds, too.";
    stream_window_bytes: u32 = 262144, at most 2147483647 "bytes per stream",
        stream FLOW_CONTROL_ERROR,
        "Content that arrived and was not taken is held in memory. An upload takes a round trip for each window: 64 KiB at 50 ms are 1.3 MB a second.";
    connection_window_bytes: u32 = 1048576, at most 2147483647 "bytes",
        connection WindowExceeded,
        "What all streams together may hold; so that few that are not read stop no other.";
    frame_bytes: u32 = 16384, at most 16777215 "bytes",
        connection FrameTooLarge,
        "The least that RFC 9113 section 4.2 allows: larger frames would let one stream hold up the others for longer.";
    header_table_bytes: u32 = 4096, at most 65536 "bytes",
        connection Compression,
        "A connection keeps its dynamic table as long as it lives, idle or not.";
    header_list_bytes: u32 = 32768, at most 32768 "bytes, and 32 more for each field",
        refused FieldsTooLarge,
        "A list is held in memory until it is handled, and offsets into it are 16 bits wide. A few bytes of a block can stand for a long list. Counts the head and the trailers each; trailers beyond it reset their stream.";
    fields: u16 = 128, at most 65535 "field lines",
        refused TooManyFields,
        "Browsers send about 20. Looking fields up is linear. Counts the head and the trailers each, pseudo-fields too.";
    method_bytes: u16 = 32, at most 1024 "bytes",
        refused MethodTooLong,
        "The longest registered method has 17 bytes.";
    target_bytes: u16 = 8192, at most 32768 "bytes",
        refused TargetTooLong,
        "RFC 9112 section 3 recommends 8000 at the least; longer ones are mistakes or attacks.";
    header_block_bytes: u32 = 65536, at most 1048576 "bytes per block",
        connection BlockTooLarge,
        "A block whose frames do not come at once is held in memory until it is whole. A list within header_list_bytes takes at most as many bytes unless it is made to be larger than its text.";
    continuations: u16 = 32, at most 65535 "frames per block",
        connection TooManyContinuations,
        "Nothing else may come until a block ends; a block of 64 KiB takes three of 16 KiB, and most take none.";
    interim_responses: u8 = 16, at most 255 "responses per request",
        stream ENHANCE_YOUR_CALM,
        "Of servers only. Each renews what a client waits for; servers send one or two (100, 103) before the final response.";
    resets: u16 = 200, at most 65535 "streams",
        connection TooManyResets,
        "Rapid reset: a stream that is reset before it was answered is work for nothing. Each response that was sent to its end allows one more. A browser that leaves a page cancels 100 at once.";
    faults: u16 = 200, at most 65535 "streams",
        connection TooManyFaults,
        "MadeYouReset: streams that we have to reset for what the peer did on them, or did not let it begin. Each response that was sent to its end allows one more. Clients that are in order cause none, or some dozens if they begin before they have our settings.";
    pings: u16 = 128, at most 65535 "frames",
        connection TooManyPings,
        "Each is answered. gRPC sends one for some of the messages that it gets, and one in ten seconds to see that we live.";
    settings: u16 = 32, at most 65535 "frames",
        connection TooManySettings,
        "Each is acknowledged, and may change the windows of all streams. Clients send one, a few change their windows later.";
    priorities: u16 = 256, at most 65535 "frames",
        connection TooManyPriorities,
        "They mean nothing any more (RFC 9113 section 5.3.2). Old clients send half a dozen at the start, and one for a request.";
    priority_updates: u16 = 256, at most 65535 "frames",
        connection TooManyPriorityUpdates,
        "Browsers send one where a picture comes into view, and for each request that waits when a page is left.";
    window_updates: u16 = 1024, at most 65535 "frames",
        connection TooManyWindowUpdates,
        "Clients that get content send two for a piece of it at most. A piece that is small because the window was is nobody's content: it earns none, so windows cannot be opened byte by byte.";
    useless_frames: u16 = 256, at most 65535 "frames",
        connection TooManyUselessFrames,
        "Frames of unknown types, acknowledgements of nothing, and what else than content comes for streams that are over: trailers, resets that crossed our end of the stream.";
    empty_data_frames: u16 = 128, at most 65535 "frames",
        connection TooManyEmptyDataFrames,
        "They carry nothing, and no window bounds them. Some clients send one to end a message.";
    tiny_data_frames: u32 = 262144, at most 16777216 "frames of fewer than 16 bytes",
        connection TooManyTinyDataFrames,
        "More frame than content. Only those count whose content was not taken yet: a stream of small messages that somebody reads may go on for ever. gRPC's smallest message has 5 bytes: a whole window of the connection of them is 209,715.";
    priority_bytes: u16 = 256, at most 4096 "bytes",
        held "the frame is ignored",
        "What PRIORITY_UPDATE says takes 6 bytes, such as `u=3, i`; more is room for parameters to come.";
    early_priorities: u8 = 16, at most 255 "streams",
        held "the oldest is forgotten",
        "A PRIORITY_UPDATE may come before the request that it is for (RFC 9218 section 7.1).";
    remembered_resets: u16 = 64, at most 1024 "streams",
        held "what comes for older ones is ignored, too: nobody can say",
        "What a peer had sent before it saw that we reset a stream is no fault of it; later it would be.";
}

#[cfg(test)]
mod tests {
    use super::{Limits, TABLE};

    #[test]
    fn every_default_lies_within_what_can_be_set() {
        for row in TABLE {
            assert!(row.default <= row.most, "{}", row.name);
            assert!(!row.reason.is_empty() && !row.unit.is_empty());
        }
        assert_eq!(Limits::default().bounded(), Limits::default());
    }

    #[test]
    fn a_value_beyond_the_most_counts_as_the_most() {
        let limits = Limits { frame_bytes: u32::MAX, header_list_bytes: 65_535, ..Limits::default() };
        assert_eq!(limits.bounded().frame_bytes, 16_777_215);
        assert_eq!(limits.bounded().header_list_bytes, 32_768);
    }
}
