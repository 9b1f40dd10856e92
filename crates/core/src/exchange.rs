//! The half of an exchange that is received: where the connection puts what arrives, and its reader takes it from.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use gannet_block::{Block, Chunk, Pool};

use crate::{BodyError, Data, Fields, Frame, Source};

/// Chunks that use less than this share of their memory are merged with their neighbours, so that a peer that sends a
/// byte at a time does not hold a block for each.
const MERGED_BELOW: usize = 2;

/// Memory that small chunks are gathered in where their neighbour has no room, or shares its block with others.
const GATHERED_BYTES: usize = 4096;

/// How many pieces of such memory a thread keeps.
const GATHERED_KEPT: usize = 64;

thread_local! {
    static GATHERED: Pool = Pool::new(GATHERED_BYTES, GATHERED_KEPT);
}

/// What has arrived of a body and is not read yet; shared by the connection and the [`ReceivedBody`].
#[derive(Debug, Default)]
pub struct Incoming {
    state: RefCell<State>,
    /// Whom to tell that there is room again, or that the reader has come.
    connection: RefCell<Option<Waker>>,
    /// The connection stopped receiving until the reader has made room.
    throttled: Cell<bool>,
    /// The reader asked for the body: an `Expect: 100-continue` is to be answered.
    wanted: Cell<bool>,
    /// The reader has been told of a failure.
    failed: Cell<bool>,
    /// The reader is gone; what arrives is discarded.
    abandoned: Cell<bool>,
    /// The connection wants to know at once when that happens.
    watched: Cell<bool>,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Chunk>,
    queued: usize,
    end: Option<Result<(), BodyError>>,
    trailers: Option<Fields>,
    reader: Option<Waker>,
}

impl Incoming {
    /// That of a request without a body.
    pub fn ended() -> Incoming {
        let incoming = Incoming::default();
        incoming.begin(None);
        incoming
    }

    /// Begins anew, for another request: nothing arrived, nobody reads. `connection` is woken when the reader makes room;
    /// without one there is no body.
    pub fn begin(&self, connection: Option<Waker>) {
        let mut state = self.state.borrow_mut();
        state.forget();
        state.end = connection.is_none().then_some(Ok(()));
        self.throttled.set(false);
        self.wanted.set(false);
        self.failed.set(false);
        self.abandoned.set(false);
        self.watched.set(false);
        *self.connection.borrow_mut() = connection;
    }

    /// Some of the body arrived.
    pub fn push(&self, chunk: Chunk) {
        if self.abandoned.get() || chunk.is_empty() {
            return;
        }
        let mut state = self.state.borrow_mut();
        state.queued += chunk.len();
        state.put(chunk);
        state.wake_reader();
    }

    /// The body ended; a failure reaches the reader after what arrived before it. Only the first end counts.
    pub fn end(&self, result: Result<(), BodyError>, trailers: Option<Fields>) {
        let mut state = self.state.borrow_mut();
        if state.end.is_none() {
            state.end = Some(result);
            state.trailers = trailers;
            state.wake_reader();
        }
    }

    /// Bytes that arrived and are not read yet.
    pub fn queued(&self) -> usize {
        self.state.borrow().queued
    }

    /// Whether the reader has asked for the body.
    pub fn is_wanted(&self) -> bool {
        self.wanted.get()
    }

    /// Whether the reader waits for more, or is still to be told that there is none: then it can say so.
    pub fn is_awaited(&self) -> bool {
        let state = self.state.borrow();
        !self.abandoned.get()
            && (state.reader.is_some() || matches!(state.end, Some(Err(_))) && !self.failed.get())
    }

    /// Whether nobody will read what arrives.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.get()
    }

    /// The connection is woken when the reader goes before the end has come.
    pub fn watch(&self) {
        self.watched.set(true);
    }

    /// The connection waits: it is woken when the reader has taken something, or asks for the first time.
    pub fn throttle(&self) {
        self.throttled.set(true);
    }

    fn poll_chunk(&self, context: &mut Context<'_>) -> Poll<Option<Result<Chunk, BodyError>>> {
        let first = !self.wanted.replace(true);
        let mut state = self.state.borrow_mut();
        let taken = state.chunks.pop_front();
        if first || taken.is_some() {
            self.wake_connection();
        }
        if let Some(chunk) = taken {
            state.queued -= chunk.len();
            return Poll::Ready(Some(Ok(chunk)));
        }
        match state.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(error)) => {
                self.failed.set(true);
                Poll::Ready(Some(Err(error)))
            }
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn wake_connection(&self) {
        if self.throttled.replace(false)
            && let Some(connection) = &*self.connection.borrow()
        {
            connection.wake_by_ref();
        }
    }
}

/// Whether a chunk holds much memory for what it is.
fn is_small(chunk: &Chunk) -> bool {
    chunk.len() * MERGED_BELOW < chunk.held_bytes()
}

impl State {
    /// Forgets what arrived, and who reads: in place, since every request comes by here, and most have no body.
    fn forget(&mut self) {
        if !self.chunks.is_empty() {
            self.chunks.clear();
        }
        (self.queued, self.trailers, self.reader) = (0, None, None);
    }

    /// A small chunk goes behind its neighbour. Where that has no room it stays in its own block if the neighbour is large: so of two
    /// blocks that are held at least one is used well.
    fn put(&mut self, mut chunk: Chunk) {
        let Some(last) = self.chunks.back_mut().filter(|_| is_small(&chunk)) else {
            self.chunks.push_back(chunk);
            return;
        };
        let appended = last.append(&chunk);
        chunk.advance(appended);
        if chunk.is_empty() {
            return;
        }
        if !is_small(last) {
            self.chunks.push_back(chunk);
            return;
        }
        let fits = chunk.len() <= GATHERED_BYTES;
        let recycled = if fits { GATHERED.try_with(Pool::take).ok().flatten() } else { None };
        let mut gathered = recycled.unwrap_or_else(|| Block::oversized(chunk.len().max(GATHERED_BYTES)));
        gathered.append(&chunk);
        self.chunks.push_back(gathered.share());
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// A body that is received: a request's, or an upstream's response's. Reading it is what lets the peer send on: at most a window's worth waits here.
pub struct ReceivedBody {
    from: From,
    /// Bytes that may still come.
    left: u64,
}

/// Where a body comes from.
enum From {
    Connection(Rc<Incoming>),
    /// It was received, and is made into something else: decoded.
    Source(Box<Made>),
    /// There is none.
    Nowhere,
}

/// A source, and the trailers that it gave. Few bodies have one, and all are moved about: it is in a box.
struct Made {
    source: Pin<Box<dyn Source>>,
    trailers: Option<Fields>,
}

impl ReceivedBody {
    /// The reading end of `incoming`: the server's part.
    pub fn new(incoming: Rc<Incoming>) -> ReceivedBody {
        ReceivedBody { from: From::Connection(incoming), left: u64::MAX }
    }

    /// A body without bytes.
    pub fn empty() -> ReceivedBody {
        ReceivedBody { from: From::Nowhere, left: u64::MAX }
    }

    /// What `source` makes of a body that is received: bytes and trailers. It has no files.
    pub fn from_source(source: impl Source + 'static) -> ReceivedBody {
        let made = Made { source: Box::pin(source), trailers: None };
        ReceivedBody { from: From::Source(Box::new(made)), left: u64::MAX }
    }

    /// Admits at most so many bytes from now on, if not fewer are admitted already; reading more is [`BodyError::TooLarge`].
    pub fn limit(&mut self, bytes: u64) {
        self.left = self.left.min(bytes);
    }

    /// How many bytes are still admitted, if somebody has said a limit.
    pub fn limited(&self) -> Option<u64> {
        (self.left < u64::MAX).then_some(self.left)
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the body was not complete, not well-formed, or too long.
    pub async fn next(&mut self) -> Option<Result<Data, BodyError>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The same, for futures written by hand.
    ///
    /// # Errors
    /// As [`next`](ReceivedBody::next).
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Data, BodyError>>> {
        let next = match &mut self.from {
            From::Connection(incoming) => {
                ready!(incoming.poll_chunk(context)).map(|next| next.map(Data::Chunk))
            }
            From::Source(made) => match ready!(made.source.as_mut().poll_frame(context)) {
                Some(Ok(Frame::Data(data))) => Some(Ok(data)),
                Some(Ok(Frame::Trailers(last))) => {
                    made.trailers = Some(last);
                    None
                }
                Some(Ok(Frame::File(..))) => Some(Err(BodyError::Aborted)),
                Some(Err(error)) => Some(Err(error)),
                None => None,
            },
            From::Nowhere => None,
        };
        Poll::Ready(next.map(|next| next.and_then(|data| self.admit(data))))
    }

    /// Lets bytes pass that are within the limit.
    #[inline]
    fn admit(&mut self, data: Data) -> Result<Data, BodyError> {
        if self.left < u64::MAX {
            let length = data.as_slice().len() as u64;
            self.left = self.left.checked_sub(length).ok_or(BodyError::TooLarge)?;
        }
        Ok(data)
    }

    /// The next piece, the trailers, the end: as a [`Source`].
    ///
    /// # Errors
    /// As [`next`](ReceivedBody::next).
    pub fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        self.poll_next(context).map(|next| match next {
            Some(data) => Some(data.map(Frame::Data)),
            None => self.trailers().map(|trailers| Ok(Frame::Trailers(trailers))),
        })
    }

    /// The whole body, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] beyond the limit; otherwise as [`next`](ReceivedBody::next).
    pub async fn collect(&mut self, limit: usize) -> Result<Vec<u8>, BodyError> {
        let mut whole = Vec::new();
        while let Some(data) = self.next().await {
            let data = data?;
            if data.len() > limit - whole.len() {
                return Err(BodyError::TooLarge);
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole)
    }

    /// The trailer fields, once [`next`](ReceivedBody::next) has said `None`, and if the client sent any. Given once.
    pub fn trailers(&mut self) -> Option<Fields> {
        match &mut self.from {
            From::Connection(incoming) => incoming.state.borrow_mut().trailers.take(),
            From::Source(made) => made.trailers.take(),
            From::Nowhere => None,
        }
    }
}

impl fmt::Debug for ReceivedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            From::Connection(incoming) => incoming.fmt(f),
            From::Source(..) => f.write_str("ReceivedBody(Source)"),
            From::Nowhere => f.write_str("ReceivedBody(Nowhere)"),
        }
    }
}

impl Source for ReceivedBody {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        ReceivedBody::poll_frame(&mut self, context)
    }
}

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        let From::Connection(incoming) = &self.from else { return };
        incoming.abandoned.set(true);
        let ended = {
            let mut state = incoming.state.borrow_mut();
            state.forget();
            state.end.is_some()
        };
        if incoming.watched.get() && !ended {
            incoming.throttled.set(true);
        }
        incoming.wake_connection();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn chunk(pool: &Pool, bytes: &[u8]) -> Chunk {
        let mut block = pool.take().expect("the tests' pool is large enough");
        block.append(bytes);
        block.share()
    }

    fn body() -> (Pool, Rc<Incoming>, ReceivedBody, Arc<Woken>) {
        let (incoming, woken) = (Rc::new(Incoming::default()), Arc::new(Woken::default()));
        incoming.begin(Some(woken.clone().into()));
        (Pool::new(64, 100), incoming.clone(), ReceivedBody::new(incoming), woken)
    }

    fn poll(body: &mut ReceivedBody, woken: &Arc<Woken>) -> Poll<Option<Result<Vec<u8>, BodyError>>> {
        let waker = Waker::from(woken.clone());
        body.poll_next(&mut Context::from_waker(&waker))
            .map(|next| next.map(|chunk| chunk.map(|chunk| chunk.to_vec())))
    }

    #[test]
    fn a_reader_gets_what_arrived_then_waits_then_gets_the_end() {
        let (pool, incoming, mut body, woken) = body();
        incoming.push(chunk(&pool, &[1; 40]));
        assert_eq!(poll(&mut body, &woken), Poll::Ready(Some(Ok(vec![1; 40]))));
        assert_eq!(poll(&mut body, &woken), Poll::Pending);
        incoming.end(Ok(()), None);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "the waiting reader is woken");
        assert_eq!(poll(&mut body, &woken), Poll::Ready(None));
    }

    #[test]
    fn a_failure_comes_after_what_arrived_before_it() {
        let (pool, incoming, mut body, woken) = body();
        incoming.push(chunk(&pool, b"half"));
        assert!(!incoming.is_awaited());
        incoming.end(Err(BodyError::Incomplete), None);
        incoming.end(Ok(()), None);
        assert_eq!(poll(&mut body, &woken), Poll::Ready(Some(Ok(b"half".to_vec()))));
        assert!(incoming.is_awaited(), "the reader does not know it yet");
        assert_eq!(poll(&mut body, &woken), Poll::Ready(Some(Err(BodyError::Incomplete))));
        assert!(!incoming.is_awaited());
    }

    #[test]
    fn reading_wakes_a_connection_that_waits_for_room_and_no_other() {
        let (pool, incoming, mut body, woken) = body();
        incoming.push(chunk(&pool, &[1; 40]));
        incoming.push(chunk(&pool, &[2; 40]));
        let _ = poll(&mut body, &woken);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        incoming.throttle();
        let _ = poll(&mut body, &woken);
        assert_eq!((woken.0.load(Ordering::Relaxed), incoming.queued()), (1, 0));
    }

    #[test]
    fn bytes_that_come_one_at_a_time_share_a_block() {
        let (pool, incoming, mut body, woken) = body();
        for byte in 0..60 {
            incoming.push(chunk(&pool, &[byte]));
        }
        assert_eq!((pool.in_use(), incoming.queued()), (1, 60));
        assert_eq!(poll(&mut body, &woken), Poll::Ready(Some(Ok((0..60).collect()))));
    }

    #[test]
    fn small_pieces_hold_few_blocks_also_when_several_come_in_one() {
        let (pool, incoming, mut body, woken) = body();
        for _ in 0..30 {
            let block = chunk(&pool, b"1-2-3-4-");
            (0..4).for_each(|piece| incoming.push(block.slice(2 * piece..2 * piece + 1)));
        }
        assert!(pool.in_use() <= 2, "{} blocks", pool.in_use());
        let mut whole = Vec::new();
        while let Poll::Ready(Some(Ok(bytes))) = poll(&mut body, &woken) {
            whole.extend(bytes);
        }
        assert_eq!(whole, b"1234".repeat(30));
    }

    #[test]
    fn a_dropped_body_frees_what_waits_and_takes_no_more() {
        let (pool, incoming, body, woken) = body();
        incoming.push(chunk(&pool, &[1; 40]));
        incoming.throttle();
        drop(body);
        incoming.push(chunk(&pool, &[1; 40]));
        assert!(incoming.is_abandoned());
        assert_eq!((pool.in_use(), incoming.queued(), woken.0.load(Ordering::Relaxed)), (0, 0, 1));
    }
}
