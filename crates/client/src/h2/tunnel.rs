//! Tunnels: a request for another protocol is an extended CONNECT (RFC 8441), of an upstream that has told that it takes those. Until it has told
//! anything such a request is held back: what is sent to one that does not take them is an error (RFC 8441, section 3).

use gannet_core::{
    Body, ReceivedBody, Upgrade, Upgraded, UpstreamError, UpstreamProtocol, UpstreamRequest, channel,
};
use gannet_engine::Moment;
use gannet_proto::h2::RequestToSend;
use gannet_proto::{BodyLength, Method};

use super::{Multiplexed, Stream};
use crate::calls::{Attempt, Waiting};
use crate::local::{Lent, Local};

/// A request that waits for the upstream's SETTINGS, since then.
pub(super) struct HeldBack {
    waiting: Waiting,
    since: Moment,
}

/// The head of an extended CONNECT: what that of a GET would be, but for the method and the protocol (RFC 8441, section 4). It is the first that the field names.
pub(super) fn head<'a>(request: &'a UpstreamRequest, head: RequestToSend<'a>) -> RequestToSend<'a> {
    let offered = request.fields.get("upgrade").unwrap_or_default();
    let first = offered.split(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
    let protocol = std::str::from_utf8(first).ok();
    RequestToSend {
        method: Method::Connect,
        method_text: "CONNECT",
        protocol,
        body: BodyLength::None,
        accepts_trailers: false,
        ..head
    }
}

/// The upstream has opened a tunnel: what its response's body is, for whoever asked for it to join.
pub(super) fn open(stream: &mut Stream, reader: ReceivedBody) -> Body {
    let (writer, body) = channel();
    stream.exchange.body = Some(body);
    Body::Upgrade(Upgrade::tunnel(Upgraded { reader, writer }))
}

impl Multiplexed {
    /// A request for a tunnel cannot go now: it waits for the upstream to tell of itself, or is not for this upstream.
    pub(super) fn hold_back(&mut self, waiting: Waiting, local: &mut Local, lent: &mut Lent<'_>) {
        if self.protocol.has_settings() {
            return self.decline(waiting, local);
        }
        waiting.call.watch(lent.wakers.waker(self.socket.index));
        self.held_back.push(HeldBack { waiting, since: lent.now() });
    }

    /// One that speaks HTTP/1.1, too, is asked by that.
    fn decline(&self, waiting: Waiting, local: &mut Local) {
        match self.upstream.protocol {
            UpstreamProtocol::Negotiated => local.calls.again(waiting.call, Attempt::AgainByHttp1),
            _ => local.refuse(waiting.call, UpstreamError::NoConnectProtocol),
        }
    }

    /// Begins what was held back, once the upstream has told of itself, and forgets what nobody waits for any more.
    pub(super) fn take_on_held_back(&mut self, local: &mut Local, lent: &mut Lent<'_>) {
        self.held_back.extract_if(.., |held| held.waiting.call.is_abandoned()).for_each(|held| {
            local.forget(held.waiting.call);
        });
        if !self.protocol.has_settings() || self.wire.broken.is_some() {
            return;
        }
        let mut refused = Vec::new();
        for HeldBack { waiting, .. } in std::mem::take(&mut self.held_back) {
            match self.takes_more() {
                true => refused.extend(self.begin(waiting, local, lent).err()),
                false => refused.push(waiting),
            }
        }
        // Where others are on this connection they are as many as it takes. A connection that takes none at all is no reason to make another, and another.
        if self.open > 0 {
            return local.calls.put_back(refused.into_iter());
        }
        refused.into_iter().for_each(|waiting| again(waiting, UpstreamError::Busy, local));
    }

    /// Ends what is held back, of which nothing was sent.
    pub(super) fn fail_held_back(&mut self, error: &UpstreamError, local: &mut Local) {
        for HeldBack { waiting, .. } in std::mem::take(&mut self.held_back) {
            again(waiting, error.clone(), local);
        }
    }

    /// Until when the upstream must have told of itself.
    pub(super) fn settings_deadline(&self) -> Option<Moment> {
        self.held_back.first().map(|held| held.since.after(self.upstream.timeouts.head))
    }

    /// Ends what was held back for so long as a head may take. An upstream that has still not begun with what it has to begin with gets no more requests.
    pub(super) fn expire_held_back(&mut self, now: Moment, local: &mut Local) {
        while self.settings_deadline().is_some_and(|deadline| deadline <= now) {
            self.retire();
            let HeldBack { waiting, .. } = self.held_back.remove(0);
            local.refuse(waiting.call, UpstreamError::HeadTimeout);
        }
    }
}

/// Begins a call elsewhere that got nowhere, or tells why not where that was so before.
fn again(waiting: Waiting, error: UpstreamError, local: &mut Local) {
    match waiting.attempt {
        Attempt::First if !local.draining => local.calls.again(waiting.call, Attempt::Again),
        _ => local.refuse(waiting.call, error),
    }
}
