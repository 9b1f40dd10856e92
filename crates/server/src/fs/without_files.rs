//! Without the feature `files`: nothing of the library asks for files below a root; who does all the same is told.

use std::fs::File;
use std::io;

use bytes::Bytes;
use gannet_core::{FsError, Later, OpenFile, Root, Stamp, WriteListed};

use crate::offload::Offload;

pub(super) fn open(_: &Offload, _: &Root, _: &[u8]) -> Later<Result<OpenFile, FsError>> {
    Later::ready(Err(FsError::Failed(missing())))
}

pub(super) fn stamp_of(_: &File) -> io::Result<Stamp> {
    Err(missing())
}

pub(super) fn list(
    _: &Offload,
    _: &Root,
    _: &[u8],
    _: usize,
    _: WriteListed,
) -> Later<Result<Bytes, FsError>> {
    Later::ready(Err(FsError::Failed(missing())))
}

fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this was built without the feature `files`")
}
