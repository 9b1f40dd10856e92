//! A deadline for handlers: who takes longer is dropped, and the client answered.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use gannet_core::{ErrorForm, Filter, IntoFilter, Reply, Request, Response, Sleep, Status, waiting};

/// A filter that answers in the place of handlers that take too long: by default `503 Service Unavailable`.
///
/// **What is timed** is from when this filter sees the request to when there is a response: a body that is sent then may take as long as it
/// takes (the server's own `write_timeout` has its eye on it), and so may a conversation after an upgrade. A body that the handler waits for counts.
///
/// **What happens to the handler**: its future is dropped where it waits, with all that it holds, as when a client leaves. What it has handed to others (a task that
/// was spawned, a computation by [`cpu`](gannet_core::cpu), a statement that a database has begun) goes on without it. A handler that computes without
/// waiting cannot be dropped; the server's watchdog names it in the log.
///
/// **Why 503** and not 504: that says that a *gateway* waited for another server (RFC 9110, 15.6.5), which the
/// [proxy](crate::proxy) answers by itself. 503 says that this one cannot handle the request just now (15.6.4); so does Go's `http.TimeoutHandler`. It is
/// not 408 either: there it is the client that was slow (15.5.9). [`status`](Timeout::status) makes it another.
///
/// The deadline is the worker's: never early, up to 64 ms late. It costs no allocation.
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    duration: Duration,
    status: Status,
}

impl Timeout {
    /// After so long. There is no default: what is long for a page is short for an upload.
    pub fn after(duration: Duration) -> Timeout {
        Timeout { duration, status: Status::SERVICE_UNAVAILABLE }
    }

    /// What is answered then: [`error_page`](gannet_core::error_page) of this status. By default 503.
    #[must_use]
    pub fn status(mut self, status: Status) -> Timeout {
        self.status = status;
        self
    }
}

/// The form that a client prefers, told by what nearly all send; of others all of it is read.
fn form(accept: Option<&[u8]>) -> ErrorForm {
    match accept {
        // Browsers name it first, and programs that take anything do not name it.
        Some(accept) if accept.starts_with(b"text/html,") => ErrorForm::Page,
        None | Some(b"*/*") => ErrorForm::Text,
        accept => ErrorForm::preferred(accept),
    }
}

#[cold]
fn late(status: Status, form: ErrorForm) -> Response {
    form.response(status)
}

impl IntoFilter<Timeout> for Timeout {
    fn into_filter(self) -> Rc<dyn Filter> {
        let before = |request: &mut Request| (request.ports().clock.clone(), form(request.field("Accept")));
        waiting(before, move |(clock, form), reply: Reply| async move {
            let mut reply = pin!(reply);
            // No alarm is set before there is something to wait for.
            let mut sleep = pin!(Sleep::new(clock, self.duration));
            poll_fn(|context| match reply.as_mut().poll(context) {
                Poll::Ready(response) => Poll::Ready(response),
                Poll::Pending => sleep.as_mut().poll(context).map(|()| late(self.status, form)),
            })
            .await
        })
    }
}
