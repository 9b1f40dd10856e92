//! A client's connection, of either version.

use std::net::IpAddr;
use std::rc::Rc;
use std::task::Context;

use gannet_engine::sim;

use super::exchange::Exchange;
use super::http1::Http1;
use super::http2::Http2;
use super::upload::Outgoing;
use super::wire::Wire;

/// A connection.
pub(super) struct Connection {
    /// Where it comes from, if that was said.
    peer: Option<IpAddr>,
    wire: Wire,
    protocol: Protocol,
}

enum Protocol {
    Http1(Box<Http1>),
    Http2(Box<Http2>),
}

impl Connection {
    pub(super) fn new(client: sim::Client, peer: Option<IpAddr>, http2: bool) -> Connection {
        let mut wire = Wire::new(client);
        let protocol = match http2 {
            false => Protocol::Http1(Box::new(Http1::new())),
            true => Protocol::Http2(Box::new(Http2::new(&mut wire))),
        };
        Connection { peer, wire, protocol }
    }

    /// Whether a request of this kind may go by it now.
    pub(super) fn takes(&self, peer: Option<IpAddr>, http2: bool) -> bool {
        let takes = match &self.protocol {
            Protocol::Http1(protocol) => !http2 && protocol.takes_requests(),
            Protocol::Http2(protocol) => http2 && protocol.takes_requests(),
        };
        takes && self.peer == peer
    }

    pub(super) fn is_over(&self) -> bool {
        match &self.protocol {
            Protocol::Http1(protocol) => protocol.is_over(),
            Protocol::Http2(protocol) => protocol.is_over(),
        }
    }

    pub(super) fn begin(&mut self, outgoing: Outgoing, exchange: Rc<Exchange>) {
        match &mut self.protocol {
            Protocol::Http1(protocol) => protocol.begin(outgoing, exchange, &mut self.wire),
            Protocol::Http2(protocol) => protocol.begin(outgoing, exchange, &mut self.wire),
        }
    }

    /// Does what can be done; says whether that was anything.
    pub(super) fn step(&mut self, context: &mut Context<'_>) -> bool {
        match &mut self.protocol {
            Protocol::Http1(protocol) => protocol.step(&mut self.wire, context),
            Protocol::Http2(protocol) => protocol.step(&mut self.wire, context),
        }
    }
}
