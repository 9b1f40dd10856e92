//! Computations that would hold a worker up, on threads of their own.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_channel::oneshot;

use crate::{Cpu, Fs, IntoResponse, Response, Status};

thread_local! {
    /// The threads for whatever runs on this one.
    static PROVIDED: RefCell<Option<Rc<dyn Cpu>>> = const { RefCell::new(None) };
}

/// What a computation on other threads gives, once it is done. Dropping it is no reason for one that has begun to stop, but one that has
/// not does not begin.
#[derive(Debug)]
pub struct Computation<T> {
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Running(oneshot::Receiver<T>),
    Refused(CpuError),
}

/// Why there is no result. As a response: 503 where too much waits, else 500.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CpuError {
    /// As much waits for a thread already as may.
    Full,
    /// It panicked. What it said is in the log.
    Panicked,
    /// There are no threads for it here: this is not a worker's thread.
    Outside,
}

/// Computes on the threads that are there for that, while the worker goes on: for what takes longer than some 100 microseconds, during
/// which a worker would serve nobody. To be called in a handler, or in a task that one spawned.
///
/// ```
/// # use gannet_core::{CpuError, Request, cpu};
/// async fn handler(_: Request) -> Result<String, CpuError> {
///     let sum = cpu(|| (1..=1_000_000u64).sum::<u64>()).await?;
///     Ok(sum.to_string())
/// }
/// ```
///
/// There are as many threads as cores; each has a queue of its own, and takes from the others' when that is empty. As many computations
/// may wait as `docs/defaults.md` says; beyond that it is [`CpuError::Full`]. A panic is contained.
pub fn cpu<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Computation<T> {
    match PROVIDED.with_borrow(Clone::clone) {
        Some(cpu) => cpu.run(compute),
        None => Computation { state: State::Refused(CpuError::Outside) },
    }
}

/// Has [`cpu`] compute there, when it is called on this thread, until what is returned is dropped.
#[must_use]
pub fn provide_cpu(cpu: Rc<dyn Cpu>) -> impl Drop {
    Provided(PROVIDED.replace(Some(cpu)))
}

/// What was provided before.
struct Provided(Option<Rc<dyn Cpu>>);

impl Drop for Provided {
    fn drop(&mut self) {
        PROVIDED.set(self.0.take());
    }
}

impl dyn Cpu {
    /// Computes elsewhere.
    pub fn run<T: Send + 'static>(&self, compute: impl FnOnce() -> T + Send + 'static) -> Computation<T> {
        Computation::begin(compute, |job| self.spawn(job))
    }
}

impl dyn Fs {
    /// Does elsewhere what waits for the disk.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Computation<T> {
        Computation::begin(work, |job| self.spawn(job))
    }
}

impl<T: Send + 'static> Computation<T> {
    fn begin(
        compute: impl FnOnce() -> T + Send + 'static,
        spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> bool,
    ) -> Computation<T> {
        let (give, given) = oneshot::channel();
        let job = move || {
            // Whoever asked may have left meanwhile.
            if !give.is_canceled() {
                let _ = give.send(compute());
            }
        };
        let state = if spawn(Box::new(job)) { State::Running(given) } else { State::Refused(CpuError::Full) };
        Computation { state }
    }
}

impl<T> Computation<T> {
    /// Why it will not begin, if that is so: it is known from the start.
    pub fn refused(&self) -> Option<CpuError> {
        match self.state {
            State::Running(_) => None,
            State::Refused(error) => Some(error),
        }
    }
}

impl<T> Future for Computation<T> {
    type Output = Result<T, CpuError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, CpuError>> {
        match &mut self.state {
            State::Running(given) => {
                Pin::new(given).poll(context).map(|given| given.map_err(|_| CpuError::Panicked))
            }
            State::Refused(error) => Poll::Ready(Err(*error)),
        }
    }
}

impl fmt::Display for CpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CpuError::Full => "too many computations wait for a thread",
            CpuError::Panicked => "the computation panicked",
            CpuError::Outside => "there are no threads for computations here: this is not a worker's thread",
        })
    }
}

impl std::error::Error for CpuError {}

impl IntoResponse for CpuError {
    fn into_response(self) -> Response {
        let status = match self {
            CpuError::Full => Status::SERVICE_UNAVAILABLE,
            CpuError::Panicked | CpuError::Outside => Status::INTERNAL_SERVER_ERROR,
        };
        Response::text(format!("{}: {self}\n", status.code())).with_status(status)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Runs jobs at once, or refuses them.
    struct AtOnce(bool);

    impl Cpu for AtOnce {
        fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
            if self.0 {
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
            }
            self.0
        }
    }

    fn poll<T>(computation: Computation<T>) -> Poll<Result<T, CpuError>> {
        std::pin::pin!(computation).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_computation_gives_its_result_or_says_why_there_is_none() {
        assert_eq!(cpu(|| 1).refused(), Some(CpuError::Outside));
        assert_eq!(poll(cpu(|| 1)), Poll::Ready(Err(CpuError::Outside)));
        let outer = provide_cpu(Rc::new(AtOnce(true)));
        assert_eq!(cpu(|| 1).refused(), None);
        assert_eq!(poll(cpu(|| 1)), Poll::Ready(Ok(1)));
        assert_eq!(poll(cpu(|| -> u8 { panic!("part of a test") })), Poll::Ready(Err(CpuError::Panicked)));
        let inner = provide_cpu(Rc::new(AtOnce(false)));
        assert_eq!(poll(cpu(|| 1)), Poll::Ready(Err(CpuError::Full)));
        drop(inner);
        assert_eq!(poll(cpu(|| 1)), Poll::Ready(Ok(1)));
        drop(outer);
        assert_eq!(poll(cpu(|| 1)), Poll::Ready(Err(CpuError::Outside)));
    }

    #[test]
    fn as_responses_too_much_work_is_503_and_all_else_500() {
        let status = |error: CpuError| error.into_response().status();
        assert_eq!(status(CpuError::Full), Status::SERVICE_UNAVAILABLE);
        assert_eq!(status(CpuError::Panicked), Status::INTERNAL_SERVER_ERROR);
        assert_eq!(status(CpuError::Outside), Status::INTERNAL_SERVER_ERROR);
    }
}
