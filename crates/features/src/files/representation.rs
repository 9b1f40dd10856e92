//! A file as it is sent: its bytes, perhaps coded, with the fields that describe them. Made once, and then only answered with.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gannet_core::{Body, Bytes, Fields, File, Ports, Response, Stamp, Status};
use xxhash_rust::xxh3::xxh3_64;

use super::media;
use crate::coding::Coding;

/// What is sent for a file.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) content: Content,
    /// A strong tag, with its quotes (RFC 9110, 8.8.3).
    pub(super) etag: Box<str>,
    /// When it was last written to, in seconds since 1970.
    pub(super) modified: u64,
    /// The fields of 200 and 206.
    pub(super) fields: Bytes,
    /// Those of 304 (RFC 9110, 15.4.5).
    pub(super) fields_not_modified: Bytes,
}

/// Where the bytes are.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// In memory.
    Memory(Bytes),
    /// In the program.
    Embedded(&'static [u8]),
    /// In a file, which was this when it was opened.
    File(Arc<File>, Stamp),
}

/// What there is to say of a file, whatever its coding.
pub(super) struct Described<'a> {
    /// The name below the root, which tells the media type.
    pub(super) name: &'a [u8],
    /// The media type.
    pub(super) content_type: &'a str,
    /// Whether there may be others, by what the client takes.
    pub(super) negotiable: bool,
    /// The time, in seconds since 1970.
    pub(super) now: u64,
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        match self {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Embedded(bytes) => bytes.len() as u64,
            Content::File(_, stamp) => stamp.length,
        }
    }

    /// Whether it still is what it was: what is in a file may have become shorter, and whoever were sent it would be cut off.
    pub(super) fn is_current(&self, ports: &Ports) -> bool {
        match self {
            Content::Memory(_) | Content::Embedded(_) => true,
            Content::File(file, stamp) => ports.fs.stamp(file).is_ok_and(|now| now == *stamp),
        }
    }

    /// Descriptors that it holds.
    pub(super) fn descriptors(&self) -> u64 {
        u64::from(matches!(self, Content::File(..)))
    }

    /// All of it.
    pub(super) fn whole(&self) -> Body {
        match self {
            Content::Memory(bytes) => Body::Bytes(bytes.clone()),
            Content::Embedded(bytes) => Body::Bytes(Bytes::from_static(bytes)),
            Content::File(file, stamp) => Body::File(file.clone(), 0..stamp.length),
        }
    }

    /// A part of it.
    pub(super) fn part(&self, range: Range<u64>) -> Body {
        match self {
            Content::Memory(bytes) => Body::Bytes(slice(bytes, &range)),
            Content::Embedded(bytes) => Body::Bytes(slice(&Bytes::from_static(bytes), &range)),
            Content::File(file, _) => Body::File(file.clone(), range),
        }
    }
}

/// The strong tag of a content.
pub(super) fn tag(bytes: &[u8]) -> String {
    format!("\"{:x}-{:016x}\"", bytes.len(), xxh3_64(bytes))
}

/// A part of what is in memory.
pub(super) fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    // Ranges are cut to the length, which was a usize.
    bytes.slice(range.start as usize..range.end as usize)
}

impl Representation {
    /// A file as it is, or a side file, which has its coding already.
    pub(super) fn of_file(
        described: &Described<'_>,
        stamp: &Stamp,
        content: Content,
        coding: Option<Coding>,
    ) -> Representation {
        let etag = match &content {
            // Of two servers with the same files each takes the other's tag.
            Content::Memory(bytes) => tag(bytes),
            Content::Embedded(bytes) => tag(bytes),
            Content::File(..) => {
                let (device, inode) = stamp.identity;
                let nanoseconds = since_1970(stamp.modified).as_nanos();
                format!("\"{device:x}-{inode:x}-{:x}-{nanoseconds:x}\"", stamp.length)
            }
        };
        Representation::new(described, etag, since_1970(stamp.modified).as_secs(), content, coding)
    }

    /// This one's bytes, coded.
    pub(super) fn coded(&self, described: &Described<'_>, bytes: Bytes, coding: Coding) -> Representation {
        let etag = format!("{}-{}\"", self.etag.trim_end_matches('"'), coding.name());
        Representation::new(described, etag, self.modified, Content::Memory(bytes), Some(coding))
    }

    fn new(
        described: &Described<'_>,
        etag: String,
        modified: u64,
        content: Content,
        coding: Option<Coding>,
    ) -> Representation {
        let vary = described.negotiable.then_some(("Vary", "Accept-Encoding"));
        let cache_control = ("Cache-Control", media::cache_control(described.name, described.content_type));
        // A date that is still to come would be a lie to those who compare it (RFC 9110, 8.8.2.1).
        let date = (modified <= described.now)
            .then(|| httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(modified)));
        let lines = [
            Some(("Content-Type", described.content_type)),
            coding.map(|coding| ("Content-Encoding", coding.name())),
            vary,
            Some(("ETag", &*etag)),
            date.as_deref().map(|date| ("Last-Modified", date)),
            Some(cache_control),
            Some(("Accept-Ranges", "bytes")),
            // What the type says is what it is: nothing else is to be guessed from the content (Fetch, "nosniff").
            Some(("X-Content-Type-Options", "nosniff")),
        ];
        let fields = prepared(lines.into_iter().flatten());
        let fields_not_modified =
            prepared([vary, Some(("ETag", &*etag)), Some(cache_control)].into_iter().flatten());
        Representation { content, etag: etag.into(), modified, fields, fields_not_modified }
    }

    /// The same in memory of its own.
    pub(super) fn copied(&self) -> Representation {
        let content = match &self.content {
            Content::Memory(bytes) => Content::Memory(Bytes::copy_from_slice(bytes)),
            Content::Embedded(bytes) => Content::Embedded(bytes),
            Content::File(file, stamp) => Content::File(file.clone(), *stamp),
        };
        Representation {
            content,
            etag: self.etag.clone(),
            modified: self.modified,
            fields: Bytes::copy_from_slice(&self.fields),
            fields_not_modified: Bytes::copy_from_slice(&self.fields_not_modified),
        }
    }

    /// Bytes that it holds in memory.
    pub(super) fn held_bytes(&self) -> usize {
        let content = match &self.content {
            Content::Memory(bytes) => bytes.len(),
            Content::Embedded(_) | Content::File(..) => 0,
        };
        content + self.fields.len() + self.fields_not_modified.len() + self.etag.len()
    }
}

fn prepared<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> Bytes {
    let response =
        lines.fold(Response::new(Status::OK), |response, (name, value)| response.with(name, value));
    response.fields().prepare()
}

/// Files may be older than 1970: then they are as old.
pub(super) fn since_1970(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Fields that were prepared.
pub(super) fn with_prepared(status: Status, fields: &Bytes) -> Response {
    Response::new(status).with_fields(Fields::with_prepared(fields.clone()))
}
