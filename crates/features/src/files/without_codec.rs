//! Without the feature `compression` there is no compressor: of a file's codings only side files are sent.

use crate::coding::Coding;

/// Whether anything can be compressed.
pub(super) const IS_BUILT: bool = false;

/// Nothing, since there is nothing to do it.
pub(super) fn compress(_: Coding, _: &[u8]) -> Option<Vec<u8>> {
    None
}
