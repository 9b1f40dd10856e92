//! Several ranges in one response: `multipart/byteranges` (RFC 9110, 14.6).

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use gannet_core::{Body, BodyError, Bytes, Frame, Response, Source, Status};

use super::representation::{Content, Representation, slice, with_prepared};

/// The parts that are still to come, each of it in memory or in the file.
struct Parts {
    frames: VecDeque<Frame>,
    left: u64,
}

/// A 206 of several parts.
pub(super) fn response(representation: &Representation, ranges: &[Range<u64>]) -> Response {
    let boundary = boundary();
    let mut response = with_prepared(Status::PARTIAL_CONTENT, &representation.fields);
    let content_type = response.fields().get("content-type").unwrap_or_default().to_vec();
    let parts = Parts::new(&representation.content, ranges, &content_type, &boundary);
    // Each part has its own type; the response's says how they are told apart.
    response.fields_mut().remove("content-type");
    response
        .with("Content-Type", format!("multipart/byteranges; boundary={boundary}"))
        .with_body(Body::stream(parts))
}

/// What stands between parts. Chance keeps it out of the content: 128 bits of it.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

impl Parts {
    fn new(content: &Content, ranges: &[Range<u64>], content_type: &[u8], boundary: &str) -> Parts {
        let length = content.length();
        let mut parts = Parts { frames: VecDeque::with_capacity(2 * ranges.len() + 1), left: 0 };
        for range in ranges {
            let mut head = format!("\r\n--{boundary}\r\nContent-Type: ").into_bytes();
            head.extend_from_slice(content_type);
            let content_range =
                format!("\r\nContent-Range: bytes {}-{}/{length}\r\n\r\n", range.start, range.end - 1);
            head.extend_from_slice(content_range.as_bytes());
            parts.push_bytes(head);
            parts.left += range.end - range.start;
            parts.frames.push_back(match content {
                Content::Memory(bytes) => Frame::Data(slice(bytes, range).into()),
                Content::Embedded(bytes) => Frame::Data(slice(&Bytes::from_static(bytes), range).into()),
                Content::File(file, _) => Frame::File(file.clone(), range.clone()),
            });
        }
        parts.push_bytes(format!("\r\n--{boundary}--\r\n").into_bytes());
        parts
    }

    fn push_bytes(&mut self, bytes: Vec<u8>) {
        self.left += bytes.len() as u64;
        self.frames.push_back(Frame::Data(bytes.into()));
    }
}

impl Source for Parts {
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.frames.pop_front().map(Ok))
    }

    fn length(&self) -> Option<u64> {
        Some(self.left)
    }
}
