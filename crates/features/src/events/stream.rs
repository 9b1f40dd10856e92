//! A stream of events that is never silent for long.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gannet_core::{Body, BodyError, Frame, Ports, Sleep, Source};

/// What is said where nothing else is: an empty comment.
const BEAT: &[u8] = b":\n\n";

/// Events, and a comment where there are none.
pub(super) struct Heart {
    events: Body,
    ports: Rc<Ports>,
    interval: Duration,
    beat: Sleep,
}

impl Heart {
    pub(super) fn new(events: Body, ports: Rc<Ports>, interval: Duration) -> Heart {
        let beat = Sleep::new(ports.clock.clone(), interval);
        Heart { events, ports, interval, beat }
    }
}

impl Source for Heart {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        let heart = &mut *self;
        if heart.ports.draining.has_begun() {
            return Poll::Ready(None);
        }
        let polled = heart.events.poll_frame(context);
        if polled.is_ready() {
            heart.beat = Sleep::new(heart.ports.clock.clone(), heart.interval);
            return polled;
        }
        if Pin::new(&mut heart.beat).poll(context).is_ready() {
            heart.beat = Sleep::new(heart.ports.clock.clone(), heart.interval);
            return Poll::Ready(Some(Ok(Frame::Data(Bytes::from_static(BEAT).into()))));
        }
        Poll::Pending
    }
}
