//! Decompression of request bodies, while they are read: gzip, br, zstd.
//!
//! 1. what a body is coded by is read from `Content-Encoding`, or refused (`coded`);
//! 2. if there is memory for a decoder (`crate::permit`), the body is put behind one (`decoder`);
//! 3. what the handler reads is decoded, within bounds (`decoded`).

mod coded;
mod decoded;
mod decoder;

use std::rc::Rc;

use gannet_core::{
    Filter, IntoFilter, IntoResponse, ReceivedBody, Rejection, Request, Response, Status, around,
};

use crate::permit::Permits;
use decoded::Decoded;
use decoder::Input;

/// The most bytes that a body may be decoded to.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// How many times as many bytes a body may be decoded to. Text becomes a tenth, repetitive JSON a thirtieth; gzip's most is 1032 to one.
const MOST_RATIO: u64 = 100;

/// Decoded bytes that are not looked at so.
const RATIO_FREE_BYTES: u64 = 64 * 1024;

/// Codings of one body, one upon the other.
const MOST_LAYERS: usize = 3;

/// Memory for decoders at a time, of one worker.
const MEMORY_BYTES: usize = 256 * 1024 * 1024;

/// When to come again if that is used up, in seconds.
const RETRY_AFTER: &str = "1";

/// A filter that decodes the bodies of requests that are compressed (`Content-Encoding`: `gzip`, `br`, `zstd`, or several of them), so that
/// handlers and extractors read what was meant. It decodes what is read and when it is read: memory holds a window and a piece, never the whole.
///
/// Against bombs a body may be decoded to 16 MiB at most, and beyond 64 KiB to no more than 100 times as many bytes as were received; reading
/// more is [`BodyError::TooLarge`](gannet_core::BodyError::TooLarge), which extractors answer with 413. A limit that a filter before this one has set holds for what is decoded,
/// too, and so does the extractors' own of 2 MiB. What is malformed, cut short or has something behind its end is 400.
///
/// A coding that is not known, or more than three, is `415 Unsupported Media Type` with what is taken in `Accept-Encoding` (RFC 9110, 12.5.3). A
/// worker has 256 MiB for the windows of decoders at a time (16 MiB of a body in br, 8 in zstd, 32 KiB in gzip); beyond it the answer is 503.
///
/// Behind this filter `Content-Encoding` is gone, and the body has no length that is known.
#[derive(Clone, Debug)]
pub struct Decompression {
    bounds: Bounds,
    memory_bytes: usize,
}

/// What a body may be decoded to.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    most_bytes: u64,
    most_ratio: u64,
}

impl Bounds {
    /// Whether so many decoded bytes may have become of those received.
    fn admit(self, received: u64, decoded: u64) -> bool {
        let within_ratio = decoded <= RATIO_FREE_BYTES || decoded <= received.saturating_mul(self.most_ratio);
        decoded <= self.most_bytes && within_ratio
    }
}

impl Default for Decompression {
    fn default() -> Decompression {
        Decompression::new()
    }
}

impl Decompression {
    /// With everything as it is said above.
    pub fn new() -> Decompression {
        let bounds = Bounds { most_bytes: MOST_BYTES, most_ratio: MOST_RATIO };
        Decompression { bounds, memory_bytes: MEMORY_BYTES }
    }

    /// How many bytes a body may be decoded to. By default 16 MiB. Beyond it: 413.
    #[must_use]
    pub fn most_bytes(mut self, bytes: u64) -> Decompression {
        self.bounds.most_bytes = bytes;
        self
    }

    /// How many times as many bytes a body may be decoded to, beyond 64 KiB. By default 100. Beyond it: 413.
    #[must_use]
    pub fn most_ratio(mut self, ratio: u64) -> Decompression {
        self.bounds.most_ratio = ratio;
        self
    }

    /// Memory for the decoders of one worker, in bytes: for each body that is read the most that its codings may need. By default 256 MiB.
    /// Beyond it: 503.
    #[must_use]
    pub fn memory_bytes(mut self, bytes: usize) -> Decompression {
        self.memory_bytes = bytes;
        self
    }

    /// Puts a decoder before the body of a request that is coded.
    fn decode(&self, request: &mut Request, permits: &Permits) -> Result<(), Response> {
        let codings = coded::codings(request).map_err(Refused::into_response)?;
        if request.has_body() && !codings.is_empty() {
            let memory = codings.iter().copied().map(decoder::most_bytes).sum();
            let permit = permits.take(memory).ok_or_else(|| Refused::Busy.into_response())?;
            let input = Input::default();
            let decoder = decoder::decoder(&codings, input.clone()).map_err(|error| {
                tracing::error!(%error, "there is no memory for a decoder");
                Refused::Busy.into_response()
            })?;
            let received = request.take_body();
            let limited = received.limited();
            let mut body =
                ReceivedBody::from_source(Decoded::new(received, input, decoder, self.bounds, permit));
            limited.into_iter().for_each(|limit| body.limit(limit));
            request.set_body(body);
        }
        // It tells of nothing any more.
        let removed = request.remove_field("content-encoding");
        debug_assert!(removed.is_ok(), "a name that frames nothing");
        Ok(())
    }
}

/// Why a body is not decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Refused {
    /// It is coded by what nobody here knows.
    Unknown(String),
    /// Too many codings, one upon the other.
    Layers,
    /// No memory is left.
    Busy,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let taken = "br, zstd, gzip";
        match self {
            Refused::Unknown(coding) => {
                let detail = format!("the body is coded by {coding:?}, and taken are: {taken}");
                let rejection = Rejection::new(Status::UNSUPPORTED_MEDIA_TYPE, detail);
                rejection.into_response().with("Accept-Encoding", taken)
            }
            Refused::Layers => {
                let detail = format!("the body is coded more than {MOST_LAYERS} times");
                let rejection = Rejection::new(Status::UNSUPPORTED_MEDIA_TYPE, detail);
                rejection.into_response().with("Accept-Encoding", taken)
            }
            Refused::Busy => {
                let detail =
                    "no memory is left to decode the body; it may be sent again, or without a coding";
                let rejection = Rejection::new(Status::SERVICE_UNAVAILABLE, detail);
                rejection.into_response().with("Retry-After", RETRY_AFTER)
            }
        }
    }
}

/// Decodes what is coded, before anybody reads it.
impl IntoFilter<Decompression> for Decompression {
    fn into_filter(self) -> Rc<dyn Filter> {
        let permits = Permits::new(self.memory_bytes);
        around(move |request| self.decode(request, &permits), |(), response| response)
    }
}
