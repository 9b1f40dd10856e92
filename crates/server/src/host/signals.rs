//! The signals that a server obeys.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// `SIGTERM`, `SIGINT` and `SIGUSR1`, listened for.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reopen: Signal,
}

/// What one asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// To end, by the signal of this name.
    End(&'static str),
    /// To open the access log anew, and to look at the certificates.
    Reopen,
}

impl Signals {
    /// Listens from now on: the signals no longer end the process by themselves, even after this is dropped. To be called
    /// within a Tokio runtime that has its I/O driver.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reopen: signal(SignalKind::user_defined1())?,
        })
    }

    /// What the next one asks.
    pub(super) async fn next(&mut self) -> Asked {
        poll_fn(|context| {
            let signals = [
                (&mut self.terminate, Asked::End("SIGTERM")),
                (&mut self.interrupt, Asked::End("SIGINT")),
                (&mut self.reopen, Asked::Reopen),
            ];
            // Where none has come all have been asked, and each wakes this.
            let mut came = signals
                .into_iter()
                .filter_map(|(signal, asked)| signal.poll_recv(context).is_ready().then_some(asked));
            came.next().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
