//! What a peer can do wrong that ends the connection, and the codes by which either side is told (RFC 9113 section 7).

/// Why a stream or a connection ended (RFC 9113 section 7). Codes that nobody has registered are codes, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ErrorCode(pub u32);

/// One row a code: the constant and the name come from it.
macro_rules! codes {
    ($($code:literal $name:ident $says:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!($says, ".")] pub const $name: ErrorCode = ErrorCode($code);)*

            /// Every registered code, in order.
            pub const REGISTERED: &[ErrorCode] = &[$(ErrorCode::$name),*];

            /// The registered name; `None` for an unregistered code.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($code => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

codes! {
    0 NO_ERROR "Nothing is wrong: a graceful end";
    1 PROTOCOL_ERROR "The peer broke the protocol, and no other code says how";
    2 INTERNAL_ERROR "Something is wrong with whoever says so";
    3 FLOW_CONTROL_ERROR "The peer sent more than a window allowed, or opened it too far";
    4 SETTINGS_TIMEOUT "The peer did not acknowledge the settings in time";
    5 STREAM_CLOSED "A frame came for a stream that the peer had ended";
    6 FRAME_SIZE_ERROR "A frame has a size that it may not have";
    7 REFUSED_STREAM "The stream was not begun: its request may be sent again";
    8 CANCEL "The stream is not needed any more";
    9 COMPRESSION_ERROR "The field compression state is lost";
    10 CONNECT_ERROR "The connection that CONNECT opened broke";
    11 ENHANCE_YOUR_CALM "The peer causes more load than it may";
    12 INADEQUATE_SECURITY "The transport is not secure enough";
    13 HTTP_1_1_REQUIRED "The request must be sent by HTTP/1.1";
}

impl core::fmt::Display for ErrorCode {
    /// The name, or the number of an unregistered code.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "code {}", self.0),
        }
    }
}

/// One row an error: its doc, its `Display`, its code and the limit that it is beyond come from it.
macro_rules! errors {
    ($($name:ident $code:ident $(of $limit:ident)? $says:literal;)*) => {
        /// What was wrong with what the peer sent, where it ends the connection (RFC 9113 section 5.4.1): tell it with
        /// [`fail`](super::Connection::fail), send what there is, and close.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Error {
            $(#[doc = concat!("Ends the connection with `", stringify!($code), "`: ", $says, ".")] $name,)*
        }

        impl Error {
            /// Every error there is.
            pub const ALL: &[Error] = &[$(Error::$name),*];

            /// The code that tells it to the peer.
            pub const fn code(self) -> ErrorCode {
                match self { $(Error::$name => ErrorCode::$code,)* }
            }

            /// What was wrong, as a clause without a full stop.
            pub const fn message(self) -> &'static str {
                match self { $(Error::$name => $says,)* }
            }

            /// The row of [`limits`](super::limits::TABLE) that the peer went beyond, if it was one.
            pub const fn limit(self) -> Option<&'static str> {
                match self { $(Error::$name => errors!(limit $($limit)?),)* }
            }
        }
    };
    (limit) => { None };
    (limit $limit:ident) => { Some(stringify!($limit)) };
}

errors! {
    // The beginning (RFC 9113 section 3.4).
    InvalidPreface PROTOCOL_ERROR "the connection does not begin with the preface of HTTP/2";
    MissingSettings PROTOCOL_ERROR "the first frame is not SETTINGS";
    // Frames (sections 4 and 6).
    FrameTooLarge FRAME_SIZE_ERROR of frame_bytes "a frame is larger than our SETTINGS_MAX_FRAME_SIZE";
    InvalidFrameSize FRAME_SIZE_ERROR "a frame has a size that its type cannot have";
    InvalidPadding PROTOCOL_ERROR "a frame's padding is as long as all of its payload, or longer";
    StreamZero PROTOCOL_ERROR "a frame that belongs to a stream came without one";
    NotStreamZero PROTOCOL_ERROR "a frame that belongs to the connection came on a stream";
    InterruptedBlock PROTOCOL_ERROR "something other than its CONTINUATION follows a header block that has not ended";
    UnexpectedContinuation PROTOCOL_ERROR "a CONTINUATION follows no header block";
    SelfDependency PROTOCOL_ERROR "a stream is to depend on itself";
    // Streams (section 5.1).
    IdleStream PROTOCOL_ERROR "a frame came for a stream that nobody opened";
    InvalidStreamIdentifier PROTOCOL_ERROR "a stream was opened with an identifier that its peer may not use, or that does not increase";
    StreamClosed STREAM_CLOSED "a frame came for a stream that the peer had ended";
    ReservedStream PROTOCOL_ERROR "content or a header block came on a stream that was promised to whoever sent it";
    UnexpectedPromise PROTOCOL_ERROR "a PUSH_PROMISE came, which clients do not send and ours do not allow";
    UnexpectedPriorityUpdate PROTOCOL_ERROR "a PRIORITY_UPDATE came from a server, or for a stream that it cannot be for";
    // Header blocks (section 4.3).
    Compression COMPRESSION_ERROR "a header block cannot be decoded";
    BlockTooLarge ENHANCE_YOUR_CALM of header_block_bytes "a header block is too large to be decoded";
    TooManyContinuations ENHANCE_YOUR_CALM of continuations "a header block comes in too many frames";
    // SETTINGS (section 6.5).
    InvalidEnablePush PROTOCOL_ERROR "SETTINGS_ENABLE_PUSH is neither 0 nor 1, or a server's";
    InvalidInitialWindow FLOW_CONTROL_ERROR "SETTINGS_INITIAL_WINDOW_SIZE is beyond 2^31-1, or takes a window there";
    InvalidMaxFrameSize PROTOCOL_ERROR "SETTINGS_MAX_FRAME_SIZE is below 16,384 or beyond 16,777,215";
    InvalidConnectProtocol PROTOCOL_ERROR "SETTINGS_ENABLE_CONNECT_PROTOCOL is neither 0 nor 1, or was taken back";
    InvalidNoPriorities PROTOCOL_ERROR "SETTINGS_NO_RFC7540_PRIORITIES is neither 0 nor 1, or was changed";
    // Flow control (sections 5.2 and 6.9).
    WindowExceeded FLOW_CONTROL_ERROR of connection_window_bytes "more content came than the connection's window allows";
    ResetWindowExceeded FLOW_CONTROL_ERROR "more content came on streams that were reset than their windows had room for";
    WindowOverflow FLOW_CONTROL_ERROR "the connection's window was opened beyond 2^31-1";
    ZeroIncrement PROTOCOL_ERROR "a WINDOW_UPDATE of the connection opens it by nothing";
    // GOAWAY (section 6.8).
    LastStreamIncreased PROTOCOL_ERROR "a second GOAWAY names a later stream than the first";
    // Floods (section 10.5).
    TooManyResets ENHANCE_YOUR_CALM of resets "too many streams were reset before they were answered";
    TooManyFaults ENHANCE_YOUR_CALM of faults "too many streams had to be reset for what the peer did on them";
    TooManyPings ENHANCE_YOUR_CALM of pings "too many PINGs came";
    TooManySettings ENHANCE_YOUR_CALM of settings "too many SETTINGS came";
    TooManyPriorities ENHANCE_YOUR_CALM of priorities "too many PRIORITYs came";
    TooManyPriorityUpdates ENHANCE_YOUR_CALM of priority_updates "too many PRIORITY_UPDATEs came";
    TooManyWindowUpdates ENHANCE_YOUR_CALM of window_updates "too many WINDOW_UPDATEs came";
    TooManyUselessFrames ENHANCE_YOUR_CALM of useless_frames "too many frames came that mean nothing";
    TooManyEmptyDataFrames ENHANCE_YOUR_CALM of empty_data_frames "too many DATA frames came without content";
    TooManyTinyDataFrames ENHANCE_YOUR_CALM of tiny_data_frames "too many DATA frames came with hardly any content";
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Error {}

impl From<super::hpack::Error> for Error {
    fn from(_: super::hpack::Error) -> Error {
        Error::Compression
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, ErrorCode};
    use crate::h2::limits::TABLE;
    use alloc::string::ToString;

    #[test]
    fn every_error_has_a_sentence_of_its_own_and_names_a_limit_that_there_is() {
        for (index, error) in Error::ALL.iter().enumerate() {
            assert!(error.to_string().len() > 15, "{error}");
            assert!(error.code() != ErrorCode::NO_ERROR);
            assert!(Error::ALL[..index].iter().all(|other| other.message() != error.message()), "{error}");
            let Some(limit) = error.limit() else { continue };
            assert!(TABLE.iter().any(|row| row.name == limit), "{limit}");
        }
    }

    #[test]
    fn floods_are_told_to_calm_down_and_every_one_of_them_is_a_limit() {
        for error in Error::ALL {
            assert!(error.code() != ErrorCode::ENHANCE_YOUR_CALM || error.limit().is_some(), "{error}");
        }
    }

    #[test]
    fn codes_are_told_by_name_or_number() {
        assert_eq!(ErrorCode::HTTP_1_1_REQUIRED.to_string(), "HTTP_1_1_REQUIRED");
        assert_eq!(ErrorCode(77).to_string(), "code 77");
        assert!(ErrorCode::REGISTERED.iter().enumerate().all(|(index, code)| code.0 == index as u32));
    }
}
