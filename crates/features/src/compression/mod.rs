//! Compression of responses, while they are sent: br, zstd, gzip.
//!
//! 1. the request says which codings its client takes (`crate::coding`);
//! 2. the response says whether it may be compressed (`suitable`): if it would be for another client, `Vary` says so;
//! 3. a short content is compressed at once, a long one by other threads (`computed`), a stream as it comes (`encoded`, `crate::permit`), all by
//!    the same compressors (`encoder`).

mod computed;
mod encoded;
mod encoder;
mod suitable;

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use gannet_core::{
    Body, BodyError, Bytes, Cpu, Fields, Filter, Frame, Fs, IntoFilter, Method, Request, Response, Source,
    around,
};

use crate::coding::{Accepted, Coding};
use crate::permit::Permits;
use crate::vary::vary;
use computed::Computed;
use encoded::Encoded;
use encoder::Encoder;
use suitable::{Suitable, has_member};

/// Contents of fewer bytes are sent as they are: compressing them saves no packet.
const LEAST_BYTES: u64 = 256;

/// A content in memory of at most so many bytes is compressed by the worker, which takes some hundred microseconds; a longer one by other threads.
const AT_ONCE_BYTES: usize = 16 * 1024;

/// Streams that one worker compresses at a time. Each has a compressor's memory: 0.45 MiB for gzip, 0.5 for Zstandard, 0.85 for Brotli (measured by
/// `tests/compressors.rs`).
const STREAMS: usize = 128;

/// A filter that compresses responses for clients that take it: Brotli, Zstandard, gzip, the best that `Accept-Encoding` names (RFC 9110, 12.5.3).
///
/// What is compressed is text in the widest sense (HTML, JSON, scripts, SVG, event streams, ...), and of 256 bytes or more. Sent as they
/// are: what has a `Content-Encoding` already, or a type that is compressed by itself (images, films, archives); parts of a content (206); what
/// `Cache-Control: no-transform` is said of, by either side; what has a digest (RFC 9530); and files, which the kernel sends: those of a
/// folder are compressed where they are served, and kept ([`Files::compression`](crate::files::Files::compression)).
///
/// A **stream** is compressed as it comes. Whenever it pauses what it gave is flushed, so server-sent events arrive when they were written. A
/// worker compresses 128 streams at a time ([`streams`](Compression::streams)), each with less than 1 MiB of memory; further ones are sent as they are. A **content in memory** of more than 16 KiB is
/// compressed by the threads for computations ([`cpu`](gannet_core::cpu)), so that nobody else waits for it; where too much waits there, it is sent as it is.
///
/// What is compressed has `Content-Encoding`; its `ETag` becomes a weak one (its bytes are others now, RFC 9110, 8.8.1), which `If-None-Match` takes for the same, and ranges
/// are not offered. `Vary: Accept-Encoding` is said wherever another client would be answered otherwise. HEAD is answered as GET is, but for
/// the length, and 304 as what it speaks of.
///
/// Do not compress pages that show a secret beside what a client sent: how well they compress tells of the secret (BREACH).
#[derive(Clone, Debug)]
pub struct Compression {
    least_bytes: u64,
    streams: usize,
}

/// What is known of a request when its response is there.
struct Asked {
    coding: Option<Coding>,
    /// It does not forbid it (RFC 9111, 5.2.1.6).
    may_be_changed: bool,
    is_head: bool,
    fs: Rc<dyn Fs>,
    cpu: Rc<dyn Cpu>,
}

impl Default for Compression {
    fn default() -> Compression {
        Compression::new()
    }
}

impl Compression {
    /// With everything as it is said above.
    pub fn new() -> Compression {
        Compression { least_bytes: LEAST_BYTES, streams: STREAMS }
    }

    /// Contents of fewer bytes are sent as they are. By default 256. A stream whose length is not known is compressed in any case.
    #[must_use]
    pub fn least_bytes(mut self, bytes: u64) -> Compression {
        self.least_bytes = bytes;
        self
    }

    /// How many streams each worker compresses at a time; further ones are sent as they are. By default 128.
    #[must_use]
    pub fn streams(mut self, streams: usize) -> Compression {
        self.streams = streams;
        self
    }
}

/// Compresses what may be, for who takes it.
impl IntoFilter<Compression> for Compression {
    fn into_filter(self) -> Rc<dyn Filter> {
        let permits = Permits::new(self.streams);
        around(
            |request| Ok(Asked::of(request)),
            move |asked, response| match Suitable::of(&response, self.least_bytes) {
                Suitable::No => response,
                Suitable::NotModified => asked.describe_unmodified(response),
                Suitable::Yes => asked.compress(response, &permits),
            },
        )
    }
}

impl Asked {
    fn of(request: &Request) -> Asked {
        let mut controls = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("cache-control"));
        let ports = request.ports();
        Asked {
            coding: Accepted::of(request).codings().next(),
            may_be_changed: !controls.any(|(_, value)| has_member(value, b"no-transform")),
            is_head: request.method() == Method::Head,
            fs: ports.fs.clone(),
            cpu: ports.cpu.clone(),
        }
    }

    /// A response that has no content: what is kept of it may have been compressed.
    fn describe_unmodified(&self, mut response: Response) -> Response {
        vary(response.fields_mut(), "Accept-Encoding");
        if self.coding.is_some() && self.may_be_changed {
            weaken(response.fields_mut());
        }
        response
    }

    fn compress(&self, mut response: Response, permits: &Permits) -> Response {
        vary(response.fields_mut(), "Accept-Encoding");
        let Some(coding) = self.coding.filter(|_| self.may_be_changed) else { return response };
        let (status, mut fields, body) = response.into_parts();
        let body = match self.encode(coding, body, permits) {
            Ok(encoded) => {
                describe(&mut fields, coding);
                encoded
            }
            Err(plain) => plain,
        };
        Response::new(status).with_fields(fields).with_body(body)
    }

    /// The body, compressed; or as it was.
    fn encode(&self, coding: Coding, body: Body, permits: &Permits) -> Result<Body, Body> {
        match body {
            Body::Bytes(content) if content.len() <= AT_ONCE_BYTES => {
                match encoder::compress(coding, &content) {
                    Ok(compressed) if compressed.len() < content.len() => Ok(Body::Bytes(compressed.into())),
                    Ok(_) => Err(Body::Bytes(content)),
                    Err(error) => {
                        tell(&error);
                        Err(Body::Bytes(content))
                    }
                }
            }
            // Nobody will read it: it is there to be described.
            Body::Bytes(_) if self.is_head => Ok(Body::stream(Unread)),
            Body::Bytes(content) => self.compute(coding, content),
            stream => {
                let Some(permit) = permits.take(1) else { return Err(stream) };
                match Encoder::new(coding, stream.length()) {
                    Ok(encoder) => Ok(Body::stream(Encoded::new(stream, encoder, self.fs.clone(), permit))),
                    Err(error) => {
                        tell(&error);
                        Err(stream)
                    }
                }
            }
        }
    }

    /// Has a long content compressed by other threads, if there is time.
    fn compute(&self, coding: Coding, content: Bytes) -> Result<Body, Body> {
        match Computed::begin(coding, content.clone(), &*self.cpu) {
            Some(computed) => Ok(Body::stream(computed)),
            None => Err(Body::Bytes(content)),
        }
    }
}

/// The body of a response to HEAD.
struct Unread;

impl Source for Unread {
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(None)
    }
}

/// A compressor has no reason to fail but a lack of memory.
fn tell(error: &io::Error) {
    tracing::error!(%error, "a response could not be compressed; it is sent as it is");
}

/// Says what the content is now.
fn describe(fields: &mut Fields, coding: Coding) {
    fields.insert("Content-Encoding", coding.name()).expect("a constant that can be sent");
    // A range would be one of the compressed bytes, which may be others next time.
    fields.remove("accept-ranges");
    weaken(fields);
}

/// Makes a strong entity-tag a weak one: the same content in another coding is other bytes (RFC 9110, 8.8.3.3).
fn weaken(fields: &mut Fields) {
    if let Some(strong) = fields.get("etag").filter(|tag| !tag.starts_with(b"W/")) {
        let weak = [b"W/", strong].concat();
        fields.insert("ETag", weak).expect("it could be sent before");
    }
}
