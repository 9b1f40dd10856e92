//! What breaks, and who is told: the caller if it waits for the head, else whoever reads the body.

use gannet_core::{Counter, Method, Upstream, UpstreamError, UpstreamFailure};

use crate::calls::Attempt;
use crate::exchange::Exchange;
use crate::local::Local;

/// How far a request got whose exchange cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reached {
    /// Nobody has acted on it: nothing of it was sent, or the upstream said so.
    Nobody,
    /// It was sent on a connection that was kept from before, and died without another word: the upstream had closed it meanwhile.
    Silence,
    /// The upstream may have acted on it.
    Upstream,
}

/// Ends an exchange that cannot go on. A request that is safe to send twice, and that a connection of the pool died of before it said
/// anything, is sent once more, if there is to be such an attempt (RFC 9110, 9.2.2; RFC 9112, 9.3.1; RFC 9113, 8.7).
pub(crate) fn tell(
    exchange: &mut Exchange,
    upstream: &Upstream,
    error: UpstreamError,
    reached: Reached,
    again: Option<Attempt>,
    local: &mut Local,
) {
    exchange.cut(&error);
    let Some(call) = exchange.call.take() else { return local.calls.over(upstream) };
    let mut request = exchange.request.take();
    if let (Some(request), Some(body)) = (&mut request, exchange.body.take()) {
        request.body = body;
    }
    let whole = request.filter(|_| !exchange.body_begun);
    match (whole, again) {
        (Some(request), Some(again)) if is_repeatable(reached, request.method()) => {
            call.put_back(request);
            local.counters.add(Counter::UpstreamRetried, 1);
            local.calls.again(call, again);
        }
        (whole, _) => {
            let unsent = whole.filter(|_| reached == Reached::Nobody).map(Box::new);
            local.counters.add(Counter::UpstreamFailed, 1);
            call.answer(Err(UpstreamFailure { error, unsent }));
            call.recycle();
            local.calls.over(upstream);
        }
    }
}

/// Whether a request may be sent again: nothing of it was sent, or it is idempotent and nobody has answered it.
fn is_repeatable(reached: Reached, method: Method) -> bool {
    match reached {
        Reached::Nobody => true,
        Reached::Silence => method.is_idempotent(),
        Reached::Upstream => false,
    }
}
