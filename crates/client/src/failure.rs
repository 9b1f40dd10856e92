//! What breaks, and who is told: the caller if it waits for the head, else whoever reads the body.

use gannet_core::{Counter, Method, UpstreamError, UpstreamFailure};

use crate::connection::{Active, Connection, Stage};
use crate::local::Local;
use crate::receive;

/// Ends an exchange that cannot go on. A request that is safe to send twice, and that a connection of the pool died of before it said
/// anything, is sent once more, on a new one: the upstream had closed it meanwhile (RFC 9110, 9.2.2; RFC 9112, 9.3.1).
pub(crate) fn tell(connection: &mut Connection, error: UpstreamError, local: &mut Local) {
    let reused = connection.reused;
    let Stage::Active(active) = &mut connection.stage else { return };
    receive::cut(active, &error);
    let Some(call) = active.call.take() else { return local.calls.over(&connection.upstream) };
    let mut request = active.request.take();
    if let (Some(request), Some(body)) = (&mut request, active.body.take()) {
        request.body = body;
    }
    let whole = request.filter(|_| !active.body_begun);
    match whole {
        Some(request) if reused && error == UpstreamError::Closed && repeatable(active, request.method()) => {
            call.put_back(request);
            local.counters.add(Counter::UpstreamRetried, 1);
            local.calls.again(call);
        }
        whole => {
            let unsent = whole.filter(|_| is_unsent(active)).map(Box::new);
            local.counters.add(Counter::UpstreamFailed, 1);
            call.answer(Err(UpstreamFailure { error, unsent }));
            call.recycle();
            local.calls.over(&connection.upstream);
        }
    }
}

/// Whether a request may be sent again: nothing of it was sent, or it is idempotent; and nobody has answered it.
fn repeatable(active: &Active, method: Method) -> bool {
    let idempotent = matches!(
        method,
        Method::Get | Method::Head | Method::Options | Method::Trace | Method::Put | Method::Delete
    );
    !active.received_any && (idempotent || is_unsent(active))
}

/// Whether the kernel has taken nothing of it; where it has not said so yet, it may have.
fn is_unsent(active: &Active) -> bool {
    !active.sent_any && !active.sending
}
