//! What permessage-deflate (RFC 7692) needs of a codec of DEFLATE (RFC 1951), without any wrapping. It is passed in, and may be made when it is first used.
//!
//! Codecs know what was agreed on: how large their windows are, and whether they forget them after each message (section 7.2.3).

use alloc::vec::Vec;

/// What each message's last block is followed by where it is compressed, and what is not sent (section 7.2.1).
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Why a message cannot be inflated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InflateError {
    /// It is not DEFLATE.
    Invalid,
    /// It is inflated to more than the limit.
    TooLarge,
}

/// What inflates the messages of a peer, one after the other.
pub trait Inflate {
    /// Appends what the next bytes of a message are inflated to; there is at least one. `is_last` comes with the end of the message, and of DEFLATE's block: what is not to be taken
    /// over into the next message is forgotten then. A final block ends nothing but itself: another may follow it (section 7.2.3.4).
    ///
    /// # Errors
    /// What is wrong; the connection fails. `output` then has what came before that; it never has more than `limit_bytes`, all that it had before included.
    fn inflate(
        &mut self,
        input: &[u8],
        is_last: bool,
        output: &mut Vec<u8>,
        limit_bytes: usize,
    ) -> Result<(), InflateError>;
}

/// What compresses the messages to a peer, one after the other.
pub trait Deflate {
    /// Appends what the next bytes of a message are compressed to, up to an empty block that ends at a byte's end (Z_SYNC_FLUSH): the output ends with 00 00 FF FF.
    /// `input` is not empty. `is_last` comes with the end of the message: what is not to be taken over into the next message is forgotten then.
    fn deflate(&mut self, input: &[u8], is_last: bool, output: &mut Vec<u8>);
}
