//! A body that is decoded while it is read.
//!
//! It is pulled: a piece is decoded when the one before was taken, so that nothing that a small body turns into ever waits in memory. What becomes
//! of too little too much is not decoded further.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use gannet_core::{BodyError, Frame, ReceivedBody, Source};

use super::Bounds;
use super::decoder::Input;
use crate::permit::Permit;

/// What is decoded at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// Bytes that are decoded before others have their turn.
const TURN_BYTES: usize = 64 * 1024;

/// Decodes a body as it comes.
pub(super) struct Decoded {
    received: ReceivedBody,
    input: Input,
    /// None once all is decoded.
    decoder: Option<(Box<dyn Read>, Permit)>,
    bounds: Bounds,
    received_bytes: u64,
    decoded_bytes: u64,
    /// The decoder has read all that has come, and is not asked before there is more: Zstandard's takes it for an error to be asked often in vain.
    starved: bool,
    /// Bytes decoded since others had their turn.
    worked: usize,
}

impl Decoded {
    pub(super) fn new(
        received: ReceivedBody,
        input: Input,
        decoder: Box<dyn Read>,
        bounds: Bounds,
        permit: Permit,
    ) -> Decoded {
        let decoder = Some((decoder, permit));
        Decoded {
            received,
            input,
            decoder,
            bounds,
            received_bytes: 0,
            decoded_bytes: 0,
            starved: true,
            worked: 0,
        }
    }

    /// The next bytes; none at the end.
    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, BodyError>> {
        if self.worked >= TURN_BYTES {
            self.worked = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Bounded: each round takes something that was received, or returns.
        while self.decoder.is_some() {
            if self.starved && !ready!(self.poll_received(context))? {
                self.input.end();
            }
            self.starved = false;
            let Some((decoder, _)) = &mut self.decoder else { break };
            let mut bytes = vec![0; PIECE_BYTES];
            match decoder.read(&mut bytes) {
                Ok(0) => {
                    // Once more: what follows the end is told then.
                    if decoder.read(&mut bytes).is_err() || !self.input.is_empty() {
                        return Poll::Ready(Err(BodyError::Malformed));
                    }
                    if ready!(self.poll_received(context))? {
                        return Poll::Ready(Err(BodyError::Malformed));
                    }
                    self.decoder = None;
                }
                Ok(count) => {
                    bytes.truncate(count);
                    self.worked += count;
                    self.decoded_bytes += count as u64;
                    if !self.bounds.admit(self.received_bytes, self.decoded_bytes) {
                        return Poll::Ready(Err(BodyError::TooLarge));
                    }
                    return Poll::Ready(Ok(Some(bytes)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.starved = true,
                Err(_) => return Poll::Ready(Err(BodyError::Malformed)),
            }
        }
        Poll::Ready(Ok(None))
    }

    /// Takes what was received next; false at the end.
    fn poll_received(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, BodyError>> {
        // Bounded: an empty piece is none.
        loop {
            match ready!(self.received.poll_next(context)?) {
                Some(data) if data.as_slice().is_empty() => {}
                Some(data) => {
                    self.received_bytes += data.as_slice().len() as u64;
                    self.input.push(data);
                    return Poll::Ready(Ok(true));
                }
                None => return Poll::Ready(Ok(false)),
            }
        }
    }
}

impl Source for Decoded {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(match ready!(self.poll_bytes(context)) {
            Ok(Some(bytes)) => Some(Ok(Frame::Data(bytes.into()))),
            Ok(None) => self.received.trailers().map(|trailers| Ok(Frame::Trailers(trailers))),
            Err(error) => {
                self.decoder = None;
                Some(Err(error))
            }
        })
    }
}
