//! A request's body on its way to a service that may read it on any thread: a bounded channel between the two.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use gannet_core::{BodyError, BodyLength, Frame, ReceivedBody};
use http::HeaderMap;
use http_body::SizeHint;

use super::request::header_map;

/// Bytes of a request's body that wait for a mounted service to read them; beyond it no more is received, until it has.
pub const WINDOW_BYTES: usize = 64 * 1024;

/// The body of a request, as a mounted service reads it. It may be sent to other threads.
pub struct RequestBody {
    /// None: there is no body, or it has ended.
    channel: Option<Channel>,
    /// How much is still to come, if that is known.
    remaining: Option<u64>,
}

/// The server's end: what is received goes into the channel as long as there is room.
pub(super) struct Pump(Option<(ReceivedBody, Channel)>);

#[derive(Clone)]
struct Channel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    pieces: VecDeque<Bytes>,
    queued: usize,
    trailers: Option<HeaderMap>,
    end: Option<Result<(), BodyError>>,
    /// The service has asked for the body.
    wanted: bool,
    /// The service will read no more.
    abandoned: bool,
    reader: Option<Waker>,
    pump: Option<Waker>,
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, result: Result<(), BodyError>) {
        let mut state = self.lock();
        state.end.get_or_insert(result);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }
}

/// A body's two ends.
pub(super) fn channel(received: ReceivedBody, length: BodyLength) -> (RequestBody, Pump) {
    if matches!(length, BodyLength::None | BodyLength::Known(0)) {
        return (RequestBody { channel: None, remaining: Some(0) }, Pump(None));
    }
    let channel = Channel(Arc::default());
    let remaining = if let BodyLength::Known(length) = length { Some(length) } else { None };
    (RequestBody { channel: Some(channel.clone()), remaining }, Pump(Some((received, channel))))
}

impl Pump {
    /// Passes on what has come, if it is wanted and there is room; says whether anything was.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let mut any = false;
        while let Some((received, channel)) = &mut self.0 {
            let mut state = channel.lock();
            if state.abandoned {
                drop(state);
                self.0 = None;
                break;
            }
            if !state.wanted || state.queued >= WINDOW_BYTES {
                state.pump = Some(context.waker().clone());
                break;
            }
            drop(state);
            let Poll::Ready(frame) = received.poll_frame(context) else {
                channel.lock().pump = Some(context.waker().clone());
                break;
            };
            any = true;
            match frame {
                Some(Ok(frame)) => put(channel, frame),
                None => {
                    channel.end(Ok(()));
                    self.0 = None;
                }
                Some(Err(error)) => {
                    channel.end(Err(error));
                    self.0 = None;
                }
            }
        }
        any
    }
}

impl Drop for Pump {
    /// The exchange is over: nothing more comes.
    fn drop(&mut self) {
        if let Some((_, channel)) = &self.0 {
            channel.end(Err(BodyError::Incomplete));
        }
    }
}

/// Puts a frame into the channel: a copy, since what is received into belongs to its worker.
fn put(channel: &Channel, frame: Frame) {
    let mut state = channel.lock();
    match frame {
        Frame::Data(data) => {
            let bytes = Bytes::copy_from_slice(data.as_slice());
            state.queued += bytes.len();
            state.pieces.push_back(bytes);
        }
        Frame::Trailers(fields) => state.trailers = header_map(fields.iter()),
        // Nobody receives files.
        Frame::File(..) => state.end = Some(Err(BodyError::Malformed)),
    }
    let reader = state.reader.take();
    drop(state);
    reader.into_iter().for_each(Waker::wake);
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BodyError>>> {
        let Some(channel) = &self.channel else { return Poll::Ready(None) };
        let mut state = channel.lock();
        let first = !std::mem::replace(&mut state.wanted, true);
        let piece = state.pieces.pop_front();
        state.queued -= piece.as_ref().map_or(0, Bytes::len);
        let pump = if first || piece.is_some() { state.pump.take() } else { None };
        let polled = match (piece, state.end) {
            (Some(piece), _) => Poll::Ready(Some(Ok(http_body::Frame::data(piece)))),
            (None, Some(Ok(()))) => match state.trailers.take() {
                Some(trailers) => Poll::Ready(Some(Ok(http_body::Frame::trailers(trailers)))),
                None => Poll::Ready(None),
            },
            (None, Some(Err(error))) => Poll::Ready(Some(Err(error))),
            (None, None) => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        };
        drop(state);
        pump.into_iter().for_each(Waker::wake);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let taken = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(taken));
            }
            Poll::Ready(_) => self.channel = None,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.channel.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(channel) = &self.channel else { return };
        let mut state = channel.lock();
        state.abandoned = true;
        state.pieces.clear();
        let pump = state.pump.take();
        drop(state);
        pump.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_s_body_may_be_read_on_any_thread() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<RequestBody>();
    }
}
