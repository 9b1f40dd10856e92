//! What a client is told where there is no response: which of its kinds of failure it was, and nothing of who the upstream is.

use gannet_core::{ErrorForm, Response, Status, UpstreamError};

use crate::accept::Accept;

/// When a client that there was no room for may ask again.
const RETRY_AFTER_SECONDS: u64 = 1;

/// The answer to a client: a problem (RFC 9457) for programs, a page for browsers.
pub(super) fn response(error: &UpstreamError, accept: &Accept) -> Response {
    let status = error.status();
    let form = ErrorForm::preferred_to_problems(accept.value());
    let response = form.response_with(status, || detail(error).to_owned());
    match status {
        Status::SERVICE_UNAVAILABLE => response.with("Retry-After", RETRY_AFTER_SECONDS.to_string()),
        _ => response,
    }
}

/// What happened, without what only the log is for: what a system or a certificate said.
fn detail(error: &UpstreamError) -> &'static str {
    match error {
        UpstreamError::Connect(_) => "The upstream cannot be connected to.",
        UpstreamError::ConnectTimeout => "The upstream did not answer to connecting in time.",
        UpstreamError::Tls(_) => "TLS to the upstream failed.",
        UpstreamError::Busy => "As many requests as may be are under way to the upstream.",
        UpstreamError::Closed => "The upstream closed the connection before it answered.",
        UpstreamError::Reset(_) => "The upstream broke the exchange off.",
        UpstreamError::NoConnectProtocol => "The upstream does not take what was asked for by HTTP/2.",
        UpstreamError::HeadTimeout => "The upstream did not answer in time.",
        UpstreamError::SendTimeout => "The upstream did not take the request in time.",
        UpstreamError::Malformed(_) => "The upstream sent what is no response.",
        UpstreamError::RequestBody => "The request's body broke off.",
        UpstreamError::Stopping => "The server is ending.",
    }
}
