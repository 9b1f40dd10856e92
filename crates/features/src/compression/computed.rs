//! A body that other threads compress as a whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use gannet_core::{BodyError, Bytes, Computation, Cpu, Frame, Source};

use super::encoder::compress;
use crate::coding::Coding;

/// What is computed, until it was given.
pub(super) struct Computed(Option<Computation<io::Result<Vec<u8>>>>);

impl Computed {
    /// Has `content` compressed; nothing if there is no time for it.
    pub(super) fn begin(coding: Coding, content: Bytes, cpu: &(dyn Cpu + 'static)) -> Option<Computed> {
        let computation = cpu.run(move || compress(coding, &content));
        computation.refused().is_none().then(|| Computed(Some(computation)))
    }
}

impl Source for Computed {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        let Some(computation) = &mut self.0 else { return Poll::Ready(None) };
        let result = ready!(Pin::new(computation).poll(context));
        self.0 = None;
        Poll::Ready(Some(match result {
            Ok(Ok(bytes)) => Ok(Frame::Data(bytes.into())),
            Ok(Err(error)) => {
                tracing::error!(%error, "a response could not be compressed");
                Err(BodyError::Aborted)
            }
            // A panic has told of itself.
            Err(_) => Err(BodyError::Aborted),
        }))
    }
}
