//! What differs between the two ends of a connection: who opens streams, and what the heads are.

use super::connection::Connection;
use super::error::Error;
use super::event::Event;
use super::hpack::{Encoder, TableSize};
use super::streams::StreamKey;
use crate::http::{Field, Head, ResponseHead};
use alloc::vec::Vec;

/// One end of a connection: [`ServerRole`] or [`ClientRole`].
pub trait Role: Part {}

/// The server's end: it reads requests.
#[derive(Debug)]
pub struct ServerRole {
    /// Responses are encoded without a table, but a client may have to be told so.
    pub(super) table: TableSize,
}

/// The client's end: it reads responses.
#[derive(Debug)]
pub struct ClientRole {
    pub(super) encoder: Encoder,
}

impl Role for ServerRole {}
impl Role for ClientRole {}

/// A header block that has come as a whole, and where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    pub(super) block: &'a [u8],
    pub(super) stream: u32,
    pub(super) ended: bool,
    /// How many bytes of the input are done with.
    pub(super) consumed: usize,
}

/// What the connection asks of a role.
pub trait Part: Sized {
    /// What is read: [`Head`] or [`ResponseHead`].
    type Head: Fielded;
    /// Whether it is the server's end.
    const SERVER: bool;
    /// The beginning. `seed` is of the hash by which what was encoded is found.
    fn new(seed: u64) -> Self;
    /// The peer's dynamic table may take so many bytes, and ours so many.
    fn resize_table(&mut self, peers: u32, ours: u32);
    /// Whatever has to be said at the beginning of a header block.
    fn begin_block(&mut self, out: &mut Vec<u8>);
    /// A block that begins a message on a stream: of a client a request, on a stream that it opens; of a server a response.
    /// `None` if there is nothing to tell.
    fn message(
        connection: &mut Connection<Self>,
        key: Option<StreamKey>,
        opening: Opening<'_>,
        head: &mut Self::Head,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Error>
    where
        Self: Role;
}

/// What fields are read into.
pub trait Fielded {
    /// The fields.
    fn fields(&mut self) -> &mut Vec<Field>;
    /// Forgets everything but the room for fields.
    fn clear(&mut self);
}

impl Fielded for Head {
    fn fields(&mut self) -> &mut Vec<Field> {
        &mut self.fields
    }

    fn clear(&mut self) {
        Head::clear(self);
    }
}

impl Fielded for ResponseHead {
    fn fields(&mut self) -> &mut Vec<Field> {
        &mut self.fields
    }

    fn clear(&mut self) {
        ResponseHead::clear(self);
    }
}
