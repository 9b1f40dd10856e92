//! What a peer can do wrong, and the code by which it is told (RFC 6455 section 7.4.1).

use super::{CloseCode, CloseFrame};

/// One row an error: its doc, its `Display`, its code and the limit that it is beyond come from it.
macro_rules! errors {
    ($($name:ident $code:ident $(of $limit:ident)? $says:literal;)*) => {
        /// What was wrong with what the peer sent. The connection fails (RFC 6455 section 7.1.7): send [`close`](Error::close), unless a Close was sent
        /// already, and close the transport; nothing that follows is read.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Error {
            $(#[doc = concat!("Told by `", stringify!($code), "`: ", $says, ".")] $name,)*
        }

        impl Error {
            /// Every error there is.
            pub const ALL: &[Error] = &[$(Error::$name),*];

            /// The code that tells it to the peer.
            pub const fn close_code(self) -> CloseCode {
                match self { $(Error::$name => CloseCode::$code,)* }
            }

            /// What was wrong, as a clause without a full stop that a Close frame has room for.
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
    // Headers (RFC 6455 section 5.2).
    ReservedBits PROTOCOL_ERROR "a frame has a reserved bit set that nobody agreed on";
    UnknownOpcode PROTOCOL_ERROR "a frame has an opcode that does not exist";
    NotMasked PROTOCOL_ERROR "a frame of a client is not masked";
    Masked PROTOCOL_ERROR "a frame of a server is masked";
    LengthNotMinimal PROTOCOL_ERROR "a frame's length is not in its shortest form";
    LengthTooLarge PROTOCOL_ERROR "a frame's length is beyond 2^63-1";
    // Fragmentation (section 5.4).
    UnexpectedContinuation PROTOCOL_ERROR "a continuation came, and no message had begun";
    InterruptedMessage PROTOCOL_ERROR "a message began before the one before it had ended";
    // Control frames (section 5.5).
    FragmentedControl PROTOCOL_ERROR "a Close, Ping or Pong is fragmented";
    ControlTooLong PROTOCOL_ERROR "a Close, Ping or Pong has more than 125 bytes";
    TruncatedCloseCode PROTOCOL_ERROR "a Close has one byte, where a code has two";
    InvalidCloseCode PROTOCOL_ERROR "a Close has a code that none may have";
    // Text (section 8.1).
    InvalidText INVALID_PAYLOAD "a text message is not UTF-8";
    InvalidReason INVALID_PAYLOAD "a Close has a reason that is not UTF-8";
    // Compression (RFC 7692 section 7.2).
    InvalidCompression INVALID_PAYLOAD "a compressed message cannot be inflated";
    // Limits.
    MessageTooLarge MESSAGE_TOO_BIG of message_bytes "a message is too large";
    TooManyFragments MESSAGE_TOO_BIG of fragments "a message is in too many fragments";
    TooManyUselessFrames POLICY_VIOLATION of useless_frames "too many frames came that carry nothing";
}

impl Error {
    /// What tells it to the peer.
    pub fn close(self) -> CloseFrame {
        CloseFrame::new(self.close_code(), self.message())
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::ws::limits::TABLE;

    #[test]
    fn every_error_has_a_sentence_of_its_own_that_a_close_has_room_for() {
        for (index, error) in Error::ALL.iter().enumerate() {
            assert_eq!(error.close().reason(), error.message());
            assert!(error.message().len() > 15, "{error}");
            assert!(Error::ALL[..index].iter().all(|other| other.message() != error.message()), "{error}");
        }
    }

    #[test]
    fn every_limit_that_a_peer_can_go_beyond_is_a_row_and_every_row_has_an_error() {
        let named: alloc::vec::Vec<&str> = Error::ALL.iter().filter_map(|error| error.limit()).collect();
        assert!(named.iter().all(|limit| TABLE.iter().any(|row| row.name == *limit)));
        assert!(TABLE.iter().all(|row| row.beyond.limit() == Some(row.name)));
    }
}
