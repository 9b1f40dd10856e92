//! Bodies written from elsewhere: a sender and, at its other end, a body.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::{Body, BodyError, Data, Fields, Frame, Source};

/// Bytes of memory that may be held in a channel before [`Sender::send`] waits.
const WINDOW_BYTES: usize = 64 * 1024;

/// A body, and the end that writes it. At most 64 KiB of memory, or one piece, wait between them.
pub fn channel() -> (Sender, Body) {
    let (sender, receiver) = pair();
    (sender, Body::stream(receiver))
}

fn pair() -> (Sender, Receiver) {
    let state = Rc::new(RefCell::new(State::default()));
    (Sender { state: state.clone() }, Receiver { state })
}

impl Body {
    /// A body that a future writes, which is polled while the body is: `Body::written(async |mut sender| ...)`. It waits while
    /// the client reads too slowly, and is dropped when the client leaves. The body ends when the future has, or
    /// has dropped the sender or sent trailers; what is left of the future is dropped then.
    pub fn written<F>(write: impl FnOnce(Sender) -> F) -> Body
    where
        F: Future<Output = ()> + 'static,
    {
        let (sender, receiver) = pair();
        Body::stream(Written { receiver, writer: Some(Box::pin(write(sender))) })
    }
}

/// Writes a body piece by piece. Dropping it ends the body; dropping it in a panic aborts it.
#[derive(Debug)]
pub struct Sender {
    state: Rc<RefCell<State>>,
}

struct Receiver {
    state: Rc<RefCell<State>>,
}

/// A body and the future that writes it.
struct Written {
    receiver: Receiver,
    /// None once it is done.
    writer: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Frame>,
    queued: usize,
    end: Option<Result<(), BodyError>>,
    /// The receiving end is gone.
    closed: bool,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

impl Sender {
    /// Sends some bytes, after waiting until less than a window's worth is on its way.
    ///
    /// # Errors
    /// [`BodyError::Incomplete`] when the peer is gone.
    pub async fn send(&mut self, data: impl Into<Data>) -> Result<(), BodyError> {
        let mut frame = Some(Frame::Data(data.into()));
        poll_fn(|context| self.poll_send(context, &mut frame)).await
    }

    /// Sends trailer fields, which end the body.
    ///
    /// # Errors
    /// As [`send`](Sender::send).
    pub async fn finish(mut self, trailers: Fields) -> Result<(), BodyError> {
        let mut frame = Some(Frame::Trailers(trailers));
        poll_fn(|context| self.poll_send(context, &mut frame)).await
    }

    /// Ready when the other end is gone: nothing that is sent reaches anybody.
    pub(crate) fn poll_closed(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.borrow_mut();
        if state.closed {
            return Poll::Ready(());
        }
        state.sender = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ends the body as failed: the connection is closed, so that the client sees that something is missing.
    pub fn abort(self) {
        self.state.borrow_mut().end(Err(BodyError::Aborted));
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        frame: &mut Option<Frame>,
    ) -> Poll<Result<(), BodyError>> {
        let mut state = self.state.borrow_mut();
        if state.closed {
            return Poll::Ready(Err(BodyError::Incomplete));
        }
        if state.queued >= WINDOW_BYTES {
            state.sender = Some(context.waker().clone());
            return Poll::Pending;
        }
        if let Some(frame) = frame.take() {
            state.queued += held(&frame);
            state.frames.push_back(frame);
            wake(&mut state.receiver);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let result = if std::thread::panicking() { Err(BodyError::Aborted) } else { Ok(()) };
        self.state.borrow_mut().end(result);
    }
}

impl Source for Receiver {
    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut state = self.state.borrow_mut();
        if let Some(frame) = state.frames.pop_front() {
            state.queued -= held(&frame);
            if state.queued < WINDOW_BYTES {
                wake(&mut state.sender);
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        match state.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => {
                state.receiver = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Source for Written {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Some(writer) = &mut self.writer
            && writer.as_mut().poll(context).is_ready()
        {
            self.writer = None;
        }
        Pin::new(&mut self.receiver).poll_frame(context)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.closed = true;
        state.frames.clear();
        wake(&mut state.sender);
    }
}

impl State {
    fn end(&mut self, result: Result<(), BodyError>) {
        if self.end.is_none() {
            self.end = Some(result);
            wake(&mut self.receiver);
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// The memory that a frame keeps from others. A received chunk's is its whole block, however few of its bytes are meant.
fn held(frame: &Frame) -> usize {
    match frame {
        Frame::Data(Data::Bytes(bytes)) => bytes.len(),
        Frame::Data(Data::Chunk(chunk)) => chunk.held_bytes(),
        // It holds a descriptor, but no memory.
        Frame::File(..) => 1024,
        Frame::Trailers(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
        std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn next(body: &mut Body) -> Poll<Option<Result<Vec<u8>, BodyError>>> {
        let Body::Stream(source) = body else { panic!("a channel's body is a stream") };
        source.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())).map(|next| {
            next.map(|frame| {
                frame.map(|frame| match frame {
                    Frame::Data(data) => data.as_slice().to_vec(),
                    Frame::File(..) | Frame::Trailers(_) => panic!("only bytes were sent"),
                })
            })
        })
    }

    #[test]
    fn a_sender_waits_while_a_window_is_full() {
        let (mut sender, mut body) = channel();
        assert_eq!(poll(sender.send(vec![0; WINDOW_BYTES])), Poll::Ready(Ok(())));
        assert_eq!(poll(sender.send("more")), Poll::Pending);
        assert!(next(&mut body).is_ready());
        assert_eq!(poll(sender.send("more")), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_sender_of_received_chunks_waits_while_their_blocks_fill_the_window() {
        let (mut sender, _body) = channel();
        let pool = gannet_block::Pool::new(WINDOW_BYTES / 2, 3);
        let mut send_a_byte = || {
            let mut block = pool.take().expect("there are three");
            block.append(b"a");
            poll(sender.send(block.share()))
        };
        assert_eq!((send_a_byte(), send_a_byte()), (Poll::Ready(Ok(())), Poll::Ready(Ok(()))));
        assert_eq!(send_a_byte(), Poll::Pending);
    }

    #[test]
    fn dropping_the_sender_ends_the_body_and_aborting_fails_it() {
        let (mut sender, mut body) = channel();
        assert_eq!(poll(sender.send("last")), Poll::Ready(Ok(())));
        drop(sender);
        assert_eq!(next(&mut body), Poll::Ready(Some(Ok(b"last".to_vec()))));
        assert_eq!(next(&mut body), Poll::Ready(None));
        let (sender, mut body) = channel();
        sender.abort();
        assert_eq!(next(&mut body), Poll::Ready(Some(Err(BodyError::Aborted))));
    }

    #[test]
    fn a_panic_while_sending_aborts_the_body() {
        let (sender, mut body) = channel();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _sender = sender;
            std::panic::resume_unwind(Box::new("a handler's panic"));
        }));
        assert!(caught.is_err());
        assert_eq!(next(&mut body), Poll::Ready(Some(Err(BodyError::Aborted))));
    }

    #[test]
    fn sending_to_a_dropped_body_fails() {
        let (mut sender, body) = channel();
        drop(body);
        assert_eq!(poll(sender.send("nobody")), Poll::Ready(Err(BodyError::Incomplete)));
    }
}
