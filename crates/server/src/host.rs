//! The host: threads, Tokio and signals around the workers. Nothing else in this crate knows Tokio.
//!
//! Each worker has a thread with a current-thread Tokio runtime, so that handlers may use anything that needs one. Tokio is not
//! the data path: one root future runs the worker's turns; when nothing is left to do it awaits the engine's descriptor, the
//! next deadline and the mailbox.

mod backend;
mod cores;
mod error;
mod listening;
mod notify;
mod renewal;
mod running;
mod signals;
mod start;
mod thread;
mod watch;

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use gannet_engine::Moment;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, Sleep, sleep};

pub use backend::{BackendChoice, UnknownBackend};
pub use error::StartError;
pub use gannet_engine::Address;
pub use gannet_engine::sys::inherited::{self, Inherited, InheritedError};
pub use listening::{Listen, ListenerOptions, UnixError};
pub use running::Running;
pub use signals::Signals;
pub use start::{Options, start};

use crate::worker::{Turn, Worker};

/// Turns between which Tokio's own driver is not asked. Handlers' timers and sockets wait at most for these. Each time that it is asked
/// while there is something to do costs two system calls: our waking ourselves is a write to its eventfd, and it looks for what happened.
const TURNS: usize = 8;

/// What the root future waits with.
struct Waits {
    engine: AsyncFd<OwnedFd>,
    alarm_at: Option<Moment>,
}

/// Runs a worker to its end, on the runtime of the current thread.
///
/// # Errors
/// When the engine cannot go on.
pub async fn drive(worker: &mut Worker) -> io::Result<()> {
    let descriptor = worker.descriptor().ok_or(io::ErrorKind::Unsupported)?.try_clone_to_owned()?;
    let mut waits = Waits { engine: watched(descriptor)?, alarm_at: None };
    let mut alarm = pin!(sleep(Duration::ZERO));
    // Handlers are polled within this one future: Tokio's budget for one task would starve them all.
    tokio::task::coop::unconstrained(poll_fn(|context| turns(worker, &mut waits, alarm.as_mut(), context)))
        .await
}

#[expect(
    deprecated,
    reason = "its successor is unsafe for the sake of types that change or lose their descriptor; an OwnedFd does neither"
)]
fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}

/// Some turns, then either nothing is left to do or it is Tokio's turn.
fn turns(
    worker: &mut Worker,
    waits: &mut Waits,
    mut alarm: Pin<&mut Sleep>,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    worker.mailbox().attend(context.waker());
    // The descriptor is watched edge-triggered: what woke us is forgotten before, not after, it is looked at.
    waits.forget_readiness(context)?;
    for _ in 0..TURNS {
        match worker.turn()? {
            Turn::Busy => {}
            Turn::Done => return Poll::Ready(Ok(())),
            Turn::Idle(deadline) => {
                if waits.park(deadline, worker.now(), alarm.as_mut(), context)?.is_pending() {
                    return Poll::Pending;
                }
            }
        }
    }
    context.waker().wake_by_ref();
    Poll::Pending
}

impl Waits {
    fn forget_readiness(&mut self, context: &mut Context<'_>) -> io::Result<bool> {
        match self.engine.poll_read_ready(context) {
            Poll::Ready(guard) => {
                guard?.clear_ready();
                Ok(true)
            }
            Poll::Pending => Ok(false),
        }
    }

    /// Sees to it that we are woken; ready when that moment has come already.
    fn park(
        &mut self,
        deadline: Option<Moment>,
        now: Moment,
        mut alarm: Pin<&mut Sleep>,
        context: &mut Context<'_>,
    ) -> io::Result<Poll<()>> {
        if self.forget_readiness(context)? {
            return Ok(Poll::Ready(()));
        }
        if let Some(deadline) = deadline {
            // Deadlines are far off and seldom change: nearly always the alarm is set already.
            if self.alarm_at != Some(deadline) {
                self.alarm_at = Some(deadline);
                alarm.as_mut().reset(Instant::now() + deadline.since(now));
            }
            if alarm.poll(context).is_ready() {
                self.alarm_at = None;
                return Ok(Poll::Ready(()));
            }
        }
        Ok(Poll::Pending)
    }
}
