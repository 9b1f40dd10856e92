//! Waiting for a moment.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::Clock;

/// A future that is ready when some time has passed, by a worker's clock ([`Ports::clock`](crate::Ports)): never earlier, up to 64 ms later. It costs no
/// allocation. Dropped before, it leaves nothing behind.
pub struct Sleep {
    clock: Rc<dyn Clock>,
    deadline: Duration,
    alarm: Option<u32>,
}

impl Sleep {
    /// Sleeps for so long from now on.
    pub fn new(clock: Rc<dyn Clock>, duration: Duration) -> Sleep {
        let deadline = clock.now().saturating_add(duration);
        Sleep { clock, deadline, alarm: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        self.alarm = Some(self.clock.set_alarm(self.alarm, self.deadline, context.waker()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm {
            self.clock.clear_alarm(alarm);
        }
    }
}
