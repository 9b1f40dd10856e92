//! The client's end: streams are opened by our requests, and answered (RFC 9113 sections 5.1.1, 8.1, 8.5; RFC 8441).

use super::connection::Connection;
use super::error::{Error, ErrorCode};
use super::event::Event;
use super::frame::{flag, kind};
use super::hpack::Encoder;
use super::response::{self, opens_tunnel};
use super::role::{ClientRole, Opening, Part};
use super::send::{Head as HeadFrame, lines};
use super::state::{Receiving, Sending};
use super::streams::{Stream, StreamKey, UNKNOWN};
use crate::http::{BodyLength, Method, Priority, ResponseBody, ResponseHead};
use alloc::vec::Vec;

/// What a request's head says.
#[derive(Clone, Copy, Debug)]
pub struct RequestToSend<'a> {
    /// The method.
    pub method: Method,
    /// Its text: what counts for [`Method::Other`]. A token.
    pub method_text: &'a str,
    /// `http` or `https`. Not sent with a plain CONNECT.
    pub scheme: &'a str,
    /// Host, and port if it is not the scheme's own.
    pub authority: &'a str,
    /// The path and the query, never empty; `*` for OPTIONS. Not sent with a plain CONNECT.
    pub path: &'a str,
    /// The protocol that an extended CONNECT asks for (RFC 8441), which the server must have [offered](Connection::takes_connect_protocol).
    pub protocol: Option<&'a str>,
    /// Rendered lines, each `name: value\r\n`. Not among them: Host, Content-Length, TE. Those that are for a connection of HTTP/1.1 are left out.
    pub fields: &'a [u8],
    /// How much content follows; with [`BodyLength::None`] there is none, and the request ends with its head.
    pub body: BodyLength,
    /// Trailers of the response will not be dropped (RFC 9110 section 10.1.4): `te: trailers`.
    pub accepts_trailers: bool,
}

impl Part for ClientRole {
    type Head = ResponseHead;
    const SERVER: bool = false;

    fn new(seed: u64) -> ClientRole {
        ClientRole { encoder: Encoder::new(seed) }
    }

    fn resize_table(&mut self, peers: u32, ours: u32) {
        self.encoder.set_max_size(peers, ours);
    }

    fn begin_block(&mut self, out: &mut Vec<u8>) {
        self.encoder.begin(out);
    }

    fn message(
        connection: &mut Connection<ClientRole>,
        key: Option<StreamKey>,
        opening: Opening<'_>,
        head: &mut ResponseHead,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Error> {
        let key = key.ok_or(Error::IdleStream)?;
        connection.response(key, opening, head, out).map(Some)
    }
}

impl Connection<ClientRole> {
    /// The answer to a request, or one before it.
    fn response(
        &mut self,
        key: StreamKey,
        opening: Opening<'_>,
        head: &mut ResponseHead,
        out: &mut Vec<u8>,
    ) -> Result<Event, Error> {
        let Opening { block, ended, consumed, .. } = opening;
        self.decode(block)?;
        let stream = self.streams.at(key.slot);
        if let Err(fault) = response::read(self.level, &self.scratch.list, stream.method, ended, head) {
            return self.fault(key, ErrorCode::PROTOCOL_ERROR, fault, consumed, out);
        }
        if head.status.is_informational() {
            if stream.interim_responses == self.limits.interim_responses {
                let fault = "too many interim responses precede the final one";
                return self.fault(key, ErrorCode::ENHANCE_YOUR_CALM, fault, consumed, out);
            }
            stream.interim_responses += 1;
            return Ok(Event::Interim { stream: key, consumed });
        }
        stream.receiving = if ended { Receiving::Ended } else { Receiving::Content };
        stream.is_tunnel = opens_tunnel(stream.method, head.status);
        stream.to_receive = match head.body {
            ResponseBody::None => 0,
            ResponseBody::Known(length) => length,
            _ => UNKNOWN,
        };
        self.budgets.earn();
        Ok(Event::Head { stream: key, ended, consumed })
    }

    /// Whether the server's SETTINGS have come, which are the first that it says (RFC 9113 section 3.4): what it has not said there it does not do.
    pub fn has_settings(&self) -> bool {
        self.peer.has_told
    }

    /// Whether the server takes extended CONNECT (RFC 8441 section 3), as far as it [has told](Connection::has_settings).
    pub fn takes_connect_protocol(&self) -> bool {
        self.peer.enable_connect_protocol
    }

    /// How many requests may be begun now: what the server takes at once (100 before it has told), less what is under way. None once the connection is to end.
    pub fn may_request(&self) -> usize {
        let most = self.peer.max_concurrent_streams.min(self.limits.streams) as usize;
        if self.is_draining() { 0 } else { most.saturating_sub(self.streams.count().0) }
    }

    fn next_stream(&self) -> u32 {
        if self.streams.last_odd == 0 { 1 } else { self.streams.last_odd + 2 }
    }

    /// The head of a request, which opens a stream. Behind it come [pieces](Connection::push) of content as `head.body` has it, and
    /// [`finish`](Connection::finish); without content the request has ended. `None`, with nothing written, where the server takes [no more](Connection::may_request).
    ///
    /// # Panics
    /// In debug builds, if a pseudo-field's value is none.
    pub fn request(&mut self, head: RequestToSend<'_>, out: &mut Vec<u8>) -> Option<StreamKey> {
        if self.may_request() == 0 {
            return None;
        }
        debug_assert!(
            is_one_word(head.authority) && (head.method == Method::Connect || is_one_word(head.path))
        );
        let id = self.next_stream();
        let ended = head.body == BodyLength::None && head.method != Method::Connect;
        let frame = HeadFrame::begin(kind::HEADERS, id, out);
        self.role.begin_block(out);
        encode(&mut self.role.encoder, &head, out);
        frame.end(if ended { flag::END_STREAM } else { 0 }, self.peer.max_frame_size, out);
        self.budgets.earn();
        Some(self.streams.open(Stream {
            id,
            receiving: Receiving::Head,
            sending: if ended { Sending::Ended } else { Sending::Content },
            method: head.method,
            priority: Priority::default(),
            is_due: false,
            was_cut_off: false,
            is_tunnel: false,
            interim_responses: 0,
            send_window: self.applied_window,
            receive_window: self.stream_window,
            unread_bytes: 0,
            unreturned_bytes: 0,
            to_receive: UNKNOWN,
            to_send: if let BodyLength::Known(length) = head.body { length } else { UNKNOWN },
        }))
    }
}

/// Pseudo-fields come first (RFC 9113 section 8.3).
fn encode(encoder: &mut Encoder, head: &RequestToSend<'_>, out: &mut Vec<u8>) {
    let method = head.method.as_str().unwrap_or(head.method_text);
    encoder.field(b":method", method.as_bytes(), out);
    if head.method != Method::Connect || head.protocol.is_some() {
        encoder.field(b":scheme", head.scheme.as_bytes(), out);
        encoder.field(b":path", head.path.as_bytes(), out);
    }
    encoder.field(b":authority", head.authority.as_bytes(), out);
    if let Some(protocol) = head.protocol {
        encoder.field(b":protocol", protocol.as_bytes(), out);
    }
    for (name, value) in lines(head.fields) {
        encoder.field(name, value, out);
    }
    if head.accepts_trailers {
        encoder.field(b"te", b"trailers", out);
    }
    if let BodyLength::Known(length) = head.body {
        super::hpack::put_length(length, out);
    }
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::RequestToSend;
    use crate::h2::{Client, Limits};
    use crate::http::{BodyLength, Method};
    use alloc::vec::Vec;

    #[test]
    fn section_5_1_1_a_client_whose_identifiers_have_run_out_begins_no_more_requests() {
        let (mut client, mut out) = (Client::new(Limits::default(), 7), Vec::new());
        client.streams.last_odd = 0x7fff_fffd;
        let request = RequestToSend {
            method: Method::Get,
            method_text: "GET",
            scheme: "http",
            authority: "a",
            path: "/",
            protocol: None,
            fields: b"",
            body: BodyLength::None,
            accepts_trailers: false,
        };
        assert!(!client.is_draining());
        assert_eq!(client.request(request, &mut out).map(|stream| stream.id), Some(0x7fff_ffff));
        assert!(client.is_draining() && client.may_request() == 0);
        assert_eq!(client.request(request, &mut out), None);
    }
}
