//! WebSockets between HTTP/1.1 and HTTP/2: what the one makes sure of by a key and its answer (RFC 6455, 4.2.2) the other says by `:protocol` and a status
//! (RFC 8441, 5). A client of HTTP/1.1 gives us its key; for one of HTTP/2 we make one up, and check the answer as that client would have.

use std::hash::{BuildHasher, Hasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gannet_core::ws::handshake::{accept, key};
use gannet_core::{Body, BodyLength, Method, Request, Response, Status, UpstreamError, UpstreamRequest};

/// How the field `Upgrade`, and `:protocol`, call it. Without case.
const NAME: &str = "websocket";

const KEY: &str = "Sec-WebSocket-Key";
const ACCEPT: &str = "Sec-WebSocket-Accept";

/// What is said of an upstream that answers 101 to a key and has not read it.
const NOT_ANSWERED: &str = "it switches to WebSocket without the key's answer";

/// Sixteen bytes in base64.
type Key = [u8; 24];

/// What is kept of a handshake until it is answered.
pub(super) struct Handshake {
    key: Key,
    /// The client speaks HTTP/2, and never saw the key.
    is_ours: bool,
}

impl Handshake {
    /// That of a client of HTTP/1.1 which asks for a WebSocket before all else, as RFC 6455, 4.1 has it: by a GET without a body, and with one key.
    pub(super) fn of_http1(request: &Request, forwarded: &UpstreamRequest) -> Option<Handshake> {
        let offered = forwarded.fields.get("upgrade")?.split(|byte| *byte == b',').next()?;
        let is_bare = matches!(request.body_length(), BodyLength::None | BodyLength::Known(0));
        if !is_websocket(offered.trim_ascii()) || request.method() != Method::Get || !is_bare {
            return None;
        }
        let mut keys = forwarded.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(KEY));
        let (Some((_, key)), None) = (keys.next(), keys.next()) else { return None };
        let key: Key = key.try_into().ok()?;
        let is_key = STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16);
        is_key.then_some(Handshake { key, is_ours: false })
    }

    /// That of a client of HTTP/2, with the key that HTTP/1.1 wants.
    pub(super) fn of_http2(protocol: &str, forwarded: &mut UpstreamRequest) -> Option<Handshake> {
        if !is_websocket(protocol.as_bytes()) {
            return None;
        }
        let random = || u128::from(RandomState::new().build_hasher().finish());
        let key = key(&(random() << 64 | random()).to_ne_bytes());
        let told = forwarded.fields.insert(KEY, key);
        debug_assert!(told.is_ok(), "its letters can be sent");
        Some(Handshake { key, is_ours: true })
    }

    /// An upstream's answer, as the client is told it. What refuses is passed on as it is.
    ///
    /// # Errors
    /// Where an upstream of HTTP/1.1 has not read the key that we made up: it speaks no WebSocket.
    pub(super) fn finish(&self, mut response: Response) -> Result<Response, UpstreamError> {
        if !matches!(response.body(), Body::Upgrade(_)) {
            return Ok(response);
        }
        let switches = response.status() == Status::SWITCHING_PROTOCOLS;
        if switches && self.is_ours && !self.is_answered_by(&response) {
            return Err(UpstreamError::Malformed(NOT_ANSWERED));
        }
        if switches && !self.is_ours {
            return Ok(response); // the answer is the client's to check
        }
        response.fields_mut().remove(ACCEPT);
        if self.is_ours {
            return Ok(response); // the server says 200 in the place of 101
        }
        let fields = response.fields_mut();
        let said = fields.insert("Upgrade", NAME).and_then(|()| fields.insert(ACCEPT, accept(&self.key)));
        debug_assert!(said.is_ok(), "their letters can be sent");
        Ok(response.with_status(Status::SWITCHING_PROTOCOLS))
    }

    /// Whether a 101 says that the key was read, and once.
    fn is_answered_by(&self, response: &Response) -> bool {
        let mut answers = response.fields().iter().filter(|(name, _)| name.eq_ignore_ascii_case(ACCEPT));
        let is_read = answers.next().is_some_and(|(_, answer)| answer == accept(&self.key));
        is_read && answers.next().is_none() && response.fields().get("upgrade").is_some_and(is_websocket)
    }
}

/// Whether a protocol is this one; it is without case (RFC 6455, 4.2.1).
pub(super) fn is_websocket(protocol: &[u8]) -> bool {
    protocol.eq_ignore_ascii_case(NAME.as_bytes())
}
