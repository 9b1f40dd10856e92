//! From HTTP/1.1 to HTTP/2 in the middle of a connection: a request may offer it (`Upgrade: h2c`, RFC 7540, 3.2; RFC 9113 has left it to its past).
//!
//! The request is answered as the first stream. The offer is not taken up over TLS, nor with a body, nor where the request is passed on.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gannet_core::{BodyLength, Chunk, Head, Incoming, Interims, ReceivedBody, Request, RequestHead};
use std::rc::Rc;

use crate::connection::Facts;
use crate::local::Local;
use crate::route;

/// Bytes of SETTINGS that an offer may have.
const MOST_SETTINGS: usize = 256;

/// What a client offered: to be answered as the first stream of HTTP/2.
pub(crate) struct Offer {
    pub(super) head: RequestHead,
    /// The payload of its SETTINGS.
    pub(super) settings: Vec<u8>,
}

/// The offer that a request makes, if it does and it is taken up.
#[cold]
pub(crate) fn offer(
    head: &Head,
    text: &Chunk,
    is_secure: bool,
    facts: &Facts,
    local: &mut Local,
) -> Option<Offer> {
    let has_body = !matches!(head.body, BodyLength::None | BodyLength::Known(0));
    if facts.http1_only || is_secure || has_body || !names(head.field_values(text, "upgrade"), "h2c") {
        return None;
    }
    let settings = settings(head, text)?;
    let copy = || RequestHead::decoded(Box::new(head.clone()), text, local.heads.clone());
    let request = request(copy(), facts, local);
    (!route::is_forwarded(request, facts, local)).then(|| Offer { head: copy(), settings })
}

/// The payload of SETTINGS that it has, which must be said once and to this hop.
fn settings(head: &Head, text: &[u8]) -> Option<Vec<u8>> {
    let mut fields = head.field_values(text, "http2-settings");
    let (value, more) = (fields.next()?, fields.next());
    let named = head.connection_options(text).any(|option| option.eq_ignore_ascii_case(b"http2-settings"));
    if more.is_some() || !named || value.len() > MOST_SETTINGS {
        return None;
    }
    URL_SAFE_NO_PAD.decode(value).ok()
}

fn names<'a>(mut values: impl Iterator<Item = &'a [u8]>, protocol: &str) -> bool {
    let is = |member: &[u8]| member.trim_ascii().eq_ignore_ascii_case(protocol.as_bytes());
    values.any(|value| value.split(|byte| *byte == b',').any(is))
}

/// A request to find out where it leads; it is not answered.
fn request(head: RequestHead, facts: &Facts, local: &Local) -> Request {
    let body = ReceivedBody::new(Rc::new(Incoming::ended()));
    Request::new(head, body, local.ports.clone(), Interims::default(), facts.arrival.clone())
}
