//! Memory that a connection works in while something is under way, and gives up when nothing is.

use super::hpack::List;
use super::repeated::Repeated;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Where header blocks are gathered and decoded.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// What has come of a header block.
    pub block: Vec<u8>,
    pub list: List,
    /// A request that was read before; made when the first one is.
    pub repeated: Option<Box<Repeated>>,
    /// Whether the head that was told last was not read, but recalled.
    pub recalled: bool,
}

impl Scratch {
    #[inline]
    pub fn text(&self) -> &[u8] {
        match &self.repeated {
            Some(repeated) if self.recalled => &repeated.text,
            _ => &self.list.text,
        }
    }
}
