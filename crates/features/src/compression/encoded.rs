//! A body that is compressed while it is sent.
//!
//! It is pulled, and pulls the body behind it: nothing waits but what the compressor has not given yet. Where that body has nothing to give for
//! now, what it gave is flushed, so that an event or a line of a log arrives when it was written. After each slice of work others have
//! their turn: a worker is held up for a fraction of a millisecond at a time, however fast a body comes.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use gannet_core::{Body, BodyError, Bytes, Data, Fields, File, Frame, Fs, Later, Source};

use super::encoder::Encoder;
use crate::permit::Permit;

/// Bytes of a body that are compressed before others have their turn.
const SLICE_BYTES: usize = 16 * 1024;

/// What was made of a body is sent when there is so much of it, or when it has to be.
const PIECE_BYTES: usize = 8 * 1024;

/// Compresses a body as it comes.
pub(super) struct Encoded {
    body: Body,
    rest: Rest,
    /// Empty once the content has ended.
    compressor: Option<(Encoder, Permit)>,
    trailers: Option<Fields>,
    /// Something was compressed and is not flushed.
    unflushed: bool,
    /// Others are to have their turn.
    worked: bool,
    fs: Rc<dyn Fs>,
}

/// What was taken from the body and is not compressed.
enum Rest {
    Nothing,
    /// What follows so many bytes.
    Data(Data, usize),
    File(Arc<File>, Range<u64>),
    Reading(Later<io::Result<Bytes>>, Arc<File>, Range<u64>),
}

impl Encoded {
    pub(super) fn new(body: Body, encoder: Encoder, fs: Rc<dyn Fs>, permit: Permit) -> Encoded {
        let compressor = Some((encoder, permit));
        Encoded { body, rest: Rest::Nothing, compressor, trailers: None, unflushed: false, worked: false, fs }
    }

    /// Takes the next slice of the body; false: there is none.
    fn poll_slice(
        &mut self,
        encoder: &mut Encoder,
        context: &mut Context<'_>,
    ) -> Poll<Result<bool, BodyError>> {
        // Bounded: each round takes a frame of the body, or a step with one.
        loop {
            match std::mem::replace(&mut self.rest, Rest::Nothing) {
                Rest::Nothing => match ready!(self.body.poll_frame(context)?) {
                    Some(Frame::Data(data)) => self.rest = Rest::Data(data, 0),
                    Some(Frame::File(file, range)) => self.rest = Rest::File(file, range),
                    Some(Frame::Trailers(trailers)) => self.trailers = Some(trailers),
                    None => return Poll::Ready(Ok(false)),
                },
                Rest::Data(data, start) if start >= data.as_slice().len() => {}
                Rest::Data(data, start) => {
                    let end = data.as_slice().len().min(start + SLICE_BYTES);
                    encoder.write(&data.as_slice()[start..end]).map_err(|error| failed(&error))?;
                    self.rest = Rest::Data(data, end);
                    return Poll::Ready(Ok(true));
                }
                Rest::File(_, range) if range.is_empty() => {}
                Rest::File(file, range) => {
                    let end = range.end.min(range.start + SLICE_BYTES as u64);
                    self.rest = Rest::Reading(self.fs.read(&file, range.start..end), file, range);
                }
                Rest::Reading(mut reading, file, range) => {
                    let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
                        self.rest = Rest::Reading(reading, file, range);
                        return Poll::Pending;
                    };
                    let bytes = read.map_err(|error| failed(&error))?;
                    if bytes.is_empty() {
                        return Poll::Ready(Err(failed(&io::ErrorKind::UnexpectedEof.into())));
                    }
                    let start = range.start + bytes.len() as u64;
                    encoder.write(&bytes).map_err(|error| failed(&error))?;
                    self.rest = Rest::File(file, start..range.end);
                    return Poll::Ready(Ok(true));
                }
            }
        }
    }

    /// The next bytes to be sent; none once the content has ended.
    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, BodyError>> {
        let Some((mut encoder, permit)) = self.compressor.take() else { return Poll::Ready(Ok(None)) };
        if std::mem::take(&mut self.worked) {
            context.waker().wake_by_ref();
            self.compressor = Some((encoder, permit));
            return Poll::Pending;
        }
        let made = match self.poll_slice(&mut encoder, context) {
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(false)) => {
                return Poll::Ready(encoder.finish().map(Some).map_err(|error| failed(&error)));
            }
            Poll::Ready(Ok(true)) => {
                (self.unflushed, self.worked) = (true, true);
                encoder.made() >= PIECE_BYTES
            }
            Poll::Pending => {
                let unflushed = std::mem::take(&mut self.unflushed);
                if unflushed {
                    encoder.flush().map_err(|error| failed(&error))?;
                }
                unflushed
            }
        };
        let bytes = made.then(|| encoder.take());
        self.compressor = Some((encoder, permit));
        if bytes.is_none() && std::mem::take(&mut self.worked) {
            context.waker().wake_by_ref();
        }
        bytes.map_or(Poll::Pending, |bytes| Poll::Ready(Ok(Some(bytes))))
    }
}

/// What is said where a response has begun and cannot go on.
fn failed(error: &io::Error) -> BodyError {
    tracing::error!(%error, "a response could not be compressed to its end");
    BodyError::Aborted
}

impl Source for Encoded {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(match ready!(self.poll_bytes(context)) {
            Ok(Some(bytes)) => Some(Ok(Frame::Data(bytes.into()))),
            Ok(None) => self.trailers.take().map(|trailers| Ok(Frame::Trailers(trailers))),
            Err(error) => Some(Err(error)),
        })
    }
}
