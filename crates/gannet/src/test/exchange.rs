//! One request under way: what its connection puts in, and whoever waits for the answer takes out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::task::{Context, Poll, Waker};

use gannet_core::{BodyError, Bytes};
use gannet_proto::{ResponseHead, Span, Status, Version};

/// Bytes of an answer that wait for their reader before its connection reads no more of it.
const WINDOW_BYTES: usize = 64 * 1024;

/// Names and values, in the order in which they came.
pub(super) type FieldList = Vec<(String, Vec<u8>)>;

/// The head of an answer.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) status: Status,
    pub(super) version: Version,
    pub(super) fields: FieldList,
}

/// Why there is no answer, or not all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The connection was not accepted.
    Refused,
    /// The connection ended before the answer was complete.
    Incomplete,
    /// The connection, or the stream, was reset.
    Reset(String),
    /// What came is no answer.
    Malformed(String),
    /// The request's own body could not be sent.
    Body(BodyError),
}

/// What both sides have of it.
#[derive(Debug, Default)]
pub(super) struct Exchange(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    interims: Vec<Head>,
    head: Option<Head>,
    pieces: VecDeque<Bytes>,
    queued: usize,
    /// Bytes that were read and the connection has not been told of.
    read: usize,
    trailers: FieldList,
    end: Option<Result<(), Failure>>,
    reader: Option<Waker>,
    abandoned: bool,
}

impl Exchange {
    /// An interim response came.
    pub(super) fn inform(&self, head: Head) {
        self.0.borrow_mut().interims.push(head);
    }

    pub(super) fn respond(&self, head: Head) {
        self.put(|state| state.head = Some(head));
    }

    pub(super) fn push(&self, piece: &[u8]) {
        if !piece.is_empty() {
            self.put(|state| {
                state.queued += piece.len();
                state.pieces.push_back(Bytes::copy_from_slice(piece));
            });
        }
    }

    pub(super) fn trailers(&self, fields: FieldList) {
        self.put(|state| state.trailers = fields);
    }

    /// Nothing more comes. Only the first end counts.
    pub(super) fn end(&self, result: Result<(), Failure>) {
        self.put(|state| state.end = state.end.take().or(Some(result)));
    }

    fn put(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.borrow_mut();
        change(&mut state);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// Whether so much waits that no more is to be read.
    pub(super) fn is_full(&self) -> bool {
        self.0.borrow().queued >= WINDOW_BYTES
    }

    /// How much was read since this was last asked.
    pub(super) fn take_read(&self) -> usize {
        std::mem::take(&mut self.0.borrow_mut().read)
    }

    /// Nobody waits for the answer any more.
    pub(super) fn abandon(&self) {
        self.0.borrow_mut().abandoned = true;
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.0.borrow().abandoned
    }

    /// The head, once it is there.
    pub(super) fn poll_head(&self, context: &mut Context<'_>) -> Poll<Result<Head, Failure>> {
        let mut state = self.0.borrow_mut();
        match (&state.head, &state.end) {
            (Some(head), _) => Poll::Ready(Ok(head.clone())),
            (None, Some(Err(failure))) => Poll::Ready(Err(failure.clone())),
            (None, Some(Ok(()))) => Poll::Ready(Err(Failure::Incomplete)),
            (None, None) => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The next bytes; nothing at the end.
    pub(super) fn poll_piece(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let mut state = self.0.borrow_mut();
        if let Some(piece) = state.pieces.pop_front() {
            state.queued -= piece.len();
            state.read += piece.len();
            return Poll::Ready(Some(Ok(piece)));
        }
        match &state.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(failure)) => Poll::Ready(Some(Err(failure.clone()))),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn interims(&self) -> Vec<Head> {
        self.0.borrow().interims.clone()
    }

    pub(super) fn trailer_fields(&self) -> FieldList {
        self.0.borrow().trailers.clone()
    }
}

impl Head {
    /// A copy of what was read.
    pub(super) fn of(head: &ResponseHead, text: &[u8]) -> Head {
        Head { status: head.status, version: head.version, fields: fields(head, text) }
    }
}

/// A copy of fields that were read.
pub(super) fn fields(head: &ResponseHead, text: &[u8]) -> FieldList {
    let copy = |span: Span| span.of(text).to_vec();
    head.fields
        .iter()
        .map(|field| (String::from_utf8_lossy(field.name.of(text)).into_owned(), copy(field.value)))
        .collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused => f.write_str("the server let nobody in"),
            Failure::Incomplete => f.write_str("the connection ended before the answer was complete"),
            Failure::Reset(why) => write!(f, "the answer was broken off: {why}"),
            Failure::Malformed(what) => write!(f, "what came is no answer: {what}"),
            Failure::Body(error) => write!(f, "the request's body could not be sent: {error}"),
        }
    }
}

impl std::error::Error for Failure {}
