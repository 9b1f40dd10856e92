//! The server's end of a line: where it puts what the client sends, and takes what the client is sent; and what is published comes in here, too.

use std::task::{Context, Poll};
use std::time::Duration;

use gannet_core::ws::{self, CloseCode, CloseFrame, Closing};
use gannet_core::{BodyError, Chunk, Data, Duplex};

use super::WebSocketError;
use super::line::{Line, WINDOW_BYTES};
use super::state::{COPIED_BYTES, State, nanoseconds, seconds};
use super::work::Outgoing;
use crate::broadcast::{Delivered, SlowSubscriber, Subscriber, Terms};

/// How often a client may anew send as many frames that carry nothing as the limits allow.
const REFILLED_EVERY: Duration = Duration::from_secs(10);

/// Short pieces that are put together at once; what follows is for the server to ask for.
const SHORT_BYTES: usize = 16 * 1024;

impl Duplex for Line {
    fn receive(&self, bytes: Chunk) {
        let state = &mut *self.state.borrow_mut();
        if state.over {
            return;
        }
        let now = self.common.ports.clock.now();
        if seconds(now) >= state.refilled + REFILLED_EVERY.as_secs() as u32 {
            state.refilled = seconds(now);
            state.receiver.refill();
        }
        (state.heard, state.pinged) = (nanoseconds(now), false);
        let work = state.work.get_or_insert_with(|| self.common.spare.take());
        work.input = Some(match work.input.take() {
            None => bytes,
            Some(waiting) => waiting.followed_by(&bytes),
        });
        state.wake_reader();
    }

    fn end(&self, _: Result<(), BodyError>) {
        let mut state = self.state.borrow_mut();
        state.ended = true;
        state.wake_reader();
    }

    fn queued(&self) -> usize {
        let state = self.state.borrow();
        state.work.as_ref().and_then(|work| work.input.as_ref()).map_or(0, |input| input.len())
    }

    fn throttle(&self) {
        self.state.borrow_mut().throttled = true;
    }

    fn due(&self) -> Option<Duration> {
        let state = self.state.borrow();
        (!state.over).then(|| Duration::from_nanos(state.due))
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Option<Result<Data, BodyError>>> {
        let state = &mut *self.state.borrow_mut();
        state.is_polled = false;
        let now = self.common.ports.clock.now();
        if self.common.ports.draining.has_begun() && state.closing == Closing::Open {
            let frame = CloseFrame::new(CloseCode::GOING_AWAY, "the server is ending");
            self.close_state(state, Some(&frame));
        }
        if nanoseconds(now) >= state.due && !state.over {
            self.look(state, now);
        }
        let before = out.len();
        while let Some(work) = &mut state.work
            && work.has_output()
        {
            let was_full = work.queued >= WINDOW_BYTES;
            let next = work.pop();
            if next.is_none() {
                work.take_frames(out);
            }
            if was_full && work.queued < WINDOW_BYTES {
                state.wake_writers();
            }
            match next {
                Some(bytes) if bytes.len() > COPIED_BYTES || out.len() - before >= SHORT_BYTES => {
                    return Poll::Ready(Some(Ok(bytes.into())));
                }
                Some(bytes) => out.extend_from_slice(&bytes),
                None => {}
            }
        }
        if state.over {
            return Poll::Ready(None);
        }
        state.is_served(context);
        self.rest(state);
        Poll::Pending
    }
}

impl Subscriber for Line {
    fn deliver(&self, message: &Delivered, terms: Terms) {
        let state = &mut *self.state.borrow_mut();
        if !state.is_open() {
            return;
        }
        let waiting = state.work.as_mut().filter(|work| work.published >= terms.backlog);
        if let Some(work) = waiting {
            match terms.slow {
                SlowSubscriber::DropNewest => return,
                SlowSubscriber::DropOldest => work.drop_oldest(),
                SlowSubscriber::Close => {
                    work.drop_published();
                    let frame = CloseFrame::new(CloseCode::TRY_AGAIN_LATER, "too slow for what is published");
                    return self.close_state(state, Some(&frame));
                }
            }
        }
        let bytes = state.published(message);
        state.put(&self.common.spare, Outgoing { bytes, is_published: true });
    }
}

impl Line {
    /// The moment has come to look whether the client is still there, or has answered our Close.
    fn look(&self, state: &mut State, now: Duration) {
        if state.closing != Closing::Open {
            return state.is_closed();
        }
        let heard = Duration::from_nanos(state.heard);
        let (ping, gone) =
            (heard + self.common.options.ping_interval, heard + self.common.options.idle_timeout);
        if now >= gone {
            let frame = CloseFrame::new(CloseCode::GOING_AWAY, "nothing was heard for too long");
            return state.fail(&self.common.spare, WebSocketError::Gone, Some(&frame));
        }
        if now >= ping && !state.pinged {
            state.pinged = true;
            state
                .write(&self.common.spare, |frames| ws::write_ping(&ws::ControlPayload::EMPTY, None, frames));
        }
        state.due = nanoseconds(if now >= ping { gone } else { ping.min(gone) });
    }
}
