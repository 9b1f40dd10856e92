//! Server push (RFC 9113 section 8.4).

use super::client::RequestToSend;
use super::connection::Connection;
use super::frame::kind;
use super::hpack::{put_lines, put_static};
use super::role::{Part, ServerRole};
use super::send::Head;
use super::settings::LARGEST_WINDOW;
use super::state::{Receiving, Sending};
use super::streams::{Stream, StreamKey, UNKNOWN};
use crate::http::Priority;
use alloc::vec::Vec;

impl Connection<ServerRole> {
    /// Promises the response to a request that the client has not made, on a stream of its own, which is then [responded](Connection::respond) to. `None`, with nothing written, where the client does
    /// not allow it, the stream that it belongs to has ended, or the connection is to end. The request is one that has no content and is safe to repeat: GET or HEAD.
    ///
    /// # Panics
    /// In debug builds, if the method is not safe.
    pub fn promise(
        &mut self,
        key: StreamKey,
        request: RequestToSend<'_>,
        out: &mut Vec<u8>,
    ) -> Option<StreamKey> {
        debug_assert!(request.method.is_safe(), "what is promised is safe to ask for");
        let most = self.peer.max_concurrent_streams.min(self.limits.pushed_streams) as usize;
        let id = self.streams.last_even + 2;
        let is_allowed = self.peer.enable_push && self.streams.count().1 < most && id <= LARGEST_WINDOW;
        // A promise belongs to a request of the client's whose response has not ended.
        let belongs = key.id & 1 == 1 && !self.sending_ended(key);
        if !is_allowed || !belongs || self.is_draining() {
            return None;
        }
        let frame = Head::begin(kind::PUSH_PROMISE, key.id, out);
        out.extend_from_slice(&id.to_be_bytes());
        self.role.begin_block(out);
        put_static(b":method", request.method.as_str().unwrap_or(request.method_text).as_bytes(), out);
        put_static(b":scheme", request.scheme.as_bytes(), out);
        put_static(b":path", request.path.as_bytes(), out);
        put_static(b":authority", request.authority.as_bytes(), out);
        put_lines(request.fields, out);
        frame.end(0, self.peer.max_frame_size, out);
        Some(self.streams.open(Stream {
            id,
            receiving: Receiving::Ended,
            sending: Sending::Head,
            method: request.method,
            priority: Priority::default(),
            is_due: false,
            was_cut_off: false,
            is_tunnel: false,
            interim_responses: 0,
            send_window: self.applied_window,
            receive_window: 0,
            unread_bytes: 0,
            unreturned_bytes: 0,
            to_receive: 0,
            to_send: UNKNOWN,
        }))
    }
}
