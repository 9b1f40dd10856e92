//! A call's exchange with an upstream, whatever protocol it goes by: its request on the way out, its response on the way in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use gannet_core::{
    Body, BodyError, BodyLength, Call, Data, Fields, Frame, Incoming, Method, Response, Status,
    UpstreamError, UpstreamRequest,
};
use gannet_engine::Output;

use crate::local::{Lent, Local};

/// Pieces up to this size are copied behind what is before them, so that they are one contiguous send; larger ones are shared.
const COPIED_BYTES: usize = 4096;

/// A call that was begun, and what has become of it.
#[derive(Default)]
pub(crate) struct Exchange {
    /// Whoever waits for the response's head.
    pub(crate) call: Option<Rc<Call>>,
    /// The request, while it may have to be sent anew, and for whom its interim responses are.
    pub(crate) request: Option<UpstreamRequest>,
    /// Its body, from when its head is written.
    pub(crate) body: Option<Body>,
    /// Some of the body was taken: it is not whole any more.
    pub(crate) body_begun: bool,
    /// The body waits until the upstream asks for it.
    pub(crate) awaits_continue: bool,
    /// The response's half, from its head on.
    pub(crate) incoming: Option<Rc<Incoming>>,
}

impl Exchange {
    /// Takes a call's request, to be sent, and how its body is framed; whoever is to be told when nobody waits for the response any more is to
    /// [watch](Call::watch) the call. Nothing where there is no request, or that is so already.
    #[inline(always)]
    pub(crate) fn begin(&mut self, call: Rc<Call>) -> Option<(&UpstreamRequest, BodyLength)> {
        let request = call.take_request(None).filter(|_| !call.is_abandoned());
        self.call = Some(call);
        let mut request = request?;
        let body = std::mem::take(&mut request.body);
        let framing = framing(&request, &body);
        if request.expects_continue {
            // The request has it already where it is sent once more.
            let _ = request.fields.insert("Expect", "100-continue");
        }
        self.awaits_continue = request.expects_continue && framing != BodyLength::None;
        self.body = Some(body);
        Some((self.request.insert(request), framing))
    }

    /// Undoes that it was begun: there is no room where it was to go.
    pub(crate) fn put_back(&mut self) {
        if let (Some(mut request), Some(call)) = (self.request.take(), self.call.take()) {
            request.body = self.body.take().unwrap_or_default();
            call.put_back(request);
        }
        self.awaits_continue = false;
    }

    /// Ready for another call.
    #[inline(always)]
    pub(crate) fn reset(&mut self, local: &mut Local) {
        if let Some(incoming) = self.incoming.take() {
            local.recycle_incoming(incoming);
        }
        (self.call, self.request, self.body) = (None, None, None);
        (self.body_begun, self.awaits_continue) = (false, false);
    }

    /// Whether whoever wanted this left.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_abandoned())
            || self.incoming.as_ref().is_some_and(|incoming| incoming.is_abandoned())
    }

    /// What `body`, which was taken from here, gives next. One that ended before anything came of it is as whole as an empty one.
    #[inline]
    pub(crate) fn poll(&mut self, body: &mut Body, waker: &Waker) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut context = Context::from_waker(waker);
        let poll = match body {
            // Only this is not our own code.
            Body::Stream(_) => catch_unwind(AssertUnwindSafe(|| body.poll_frame(&mut context)))
                .unwrap_or(Poll::Ready(Some(Err(BodyError::Aborted)))),
            _ => body.poll_frame(&mut context),
        };
        self.body_begun |= matches!(poll, Poll::Ready(Some(_)));
        poll
    }

    /// Whether more of the response's body may be put where it is read from.
    #[inline]
    pub(crate) fn has_window(&self, local: &Local, lent: &Lent<'_>) -> bool {
        let Some(incoming) = &self.incoming else { return true };
        let queued = incoming.queued();
        queued == 0 || queued < local.limits.upstream_window_bytes && lent.has_shared_blocks()
    }

    /// An interim response came. 100 (Continue) asks for the body; others are for whoever asked (RFC 9110, 15.2).
    pub(crate) fn inform(&mut self, status: Status, fields: Fields) {
        if status == Status::CONTINUE {
            self.awaits_continue = false;
            return;
        }
        let interims = self.request.as_ref().and_then(|request| request.interims.as_ref());
        if let (Some(interims), Some(call)) = (interims, &self.call) {
            interims.push(status, fields);
            call.wake();
        }
    }

    /// The response's head is there: its caller gets it.
    #[inline(always)]
    pub(crate) fn answer(&mut self, response: Response) {
        (self.request, self.awaits_continue) = (None, false);
        if let Some(call) = self.call.take() {
            call.answer(Ok(response));
            call.recycle();
        }
    }

    /// Whoever reads the body is told that it is not whole.
    pub(crate) fn cut(&mut self, error: &UpstreamError) {
        let error = match error {
            UpstreamError::Malformed(_) => BodyError::Malformed,
            _ => BodyError::Incomplete,
        };
        if let Some(incoming) = &self.incoming {
            incoming.end(Err(error), None);
        }
    }
}

/// How the body is framed. Methods that mean something by it say also that there is none (RFC 9110, 8.6).
fn framing(request: &UpstreamRequest, body: &Body) -> BodyLength {
    match body {
        Body::Empty if matches!(request.method(), Method::Post | Method::Put | Method::Patch) => {
            BodyLength::Known(0)
        }
        Body::Empty => BodyLength::None,
        body => body.length().map_or(BodyLength::Chunked, BodyLength::Known),
    }
}

/// Puts a piece of a body into an output.
pub(crate) fn put(output: &mut Output, data: Data) {
    match data {
        data if data.as_slice().len() <= COPIED_BYTES => output.bytes().extend_from_slice(data.as_slice()),
        Data::Bytes(bytes) => output.push_shared(bytes),
        Data::Chunk(chunk) => output.push_chunk(chunk),
    }
}
