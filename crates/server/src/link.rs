//! Step 2, receive: a completion becomes bytes of HTTP. TLS is opened here.

use gannet_core::BodyError;
use gannet_engine::Block;

use crate::connection::{Active, Connection, Stage};
use crate::local::Local;
use crate::{close, handshake, proxy_header};

/// Bytes arrived.
pub(crate) fn received(connection: &mut Connection, block: Block, local: &mut Local) {
    local.observer.counters.received_bytes.add(block.len() as u64);
    arrived(connection, block, local);
}

/// Bytes are there, behind those that are for somebody else.
#[inline]
pub(crate) fn arrived(connection: &mut Connection, block: Block, local: &mut Local) {
    match &mut connection.stage {
        Stage::ProxyHeader(_) => proxy_header::received(connection, &block, local),
        Stage::Handshaking(_) => handshake::received(connection, block, local),
        Stage::Idle | Stage::Active(_) | Stage::Multiplexed(_) | Stage::Conversing(_)
            if connection.tls.is_some() =>
        {
            open(connection, block, local);
        }
        Stage::Idle => {
            let active = begin(connection, local);
            active.wire.input = Some(block.share());
            connection.facts.spoke = true;
            connection.advance(local);
        }
        Stage::Active(active) => {
            active.wire.take_in(block.share());
            connection.advance(local);
        }
        Stage::Multiplexed(multiplexed) => {
            multiplexed.wire.take_in(block.share());
            connection.advance(local);
        }
        Stage::Conversing(conversing) => {
            conversing.wire(local).take_in(block.share());
            connection.advance(local);
        }
        Stage::Lingering | Stage::Closed => {}
    }
}

/// Something goes on, on a connection that was idle.
#[inline]
pub(crate) fn begin<'a>(connection: &'a mut Connection, local: &mut Local) -> &'a mut Active {
    let mut active = local.take_active();
    active.wire.connect(&connection.facts.arrival);
    active.wire.is_first = !connection.facts.spoke;
    connection.enter(Stage::Active(active), local);
    match &mut connection.stage {
        Stage::Active(active) => active,
        _ => unreachable!("it was entered just now"),
    }
}

/// Opens what arrived by TLS. What is no whole record is the beginning of something, too.
fn open(connection: &mut Connection, block: Block, local: &mut Local) {
    if matches!(connection.stage, Stage::Idle) {
        begin(connection, local);
    }
    if let Stage::Conversing(conversing) = &mut connection.stage {
        conversing.wire(local);
    }
    let (Some(wire), Some(tls)) = (connection.stage.wire(), &mut connection.tls) else { return };
    match tls.open(block) {
        Ok(arrived) => {
            if let Some(plain) = arrived.plain {
                connection.facts.spoke = true;
                wire.take_in(plain);
            }
            wire.peer_ended |= arrived.opened.peer_closed;
        }
        Err(fault) => {
            tracing::debug!(%fault, "a session of TLS broke");
            let has_alert = tls.wants_to_send();
            match &mut connection.stage {
                Stage::Active(active) => active.break_off(has_alert, local),
                Stage::Multiplexed(multiplexed) => multiplexed.break_off(has_alert, local),
                Stage::Conversing(conversing) => conversing.break_off(has_alert, local),
                _ => {}
            }
        }
    }
    connection.advance(local);
}

/// The peer sends no more.
pub(crate) fn ended(connection: &mut Connection, local: &mut Local) {
    match &mut connection.stage {
        Stage::Handshaking(_) => handshake::ended(connection, local),
        Stage::Active(_) | Stage::Multiplexed(_) | Stage::Conversing(_) => {
            if let Stage::Conversing(conversing) = &mut connection.stage {
                conversing.wire(local);
            }
            let Some(wire) = connection.stage.wire() else { return };
            wire.receiving = false;
            wire.peer_ended = true;
            wire.peer_cut_off = connection.tls.as_ref().is_some_and(|tls| !tls.peer_closed());
            connection.advance(local);
        }
        Stage::ProxyHeader(_) | Stage::Idle | Stage::Lingering => close::now(connection, local),
        Stage::Closed => {}
    }
}

/// The peer is gone: so is whoever would have read a response.
pub(crate) fn failed(connection: &mut Connection, local: &mut Local) {
    handshake::give_up(connection, local);
}

impl Active {
    /// The request will not be completed.
    pub(crate) fn cut_short(&mut self, error: BodyError) {
        if let Some(exchange) = &self.exchange {
            exchange.incoming.end(Err(error), None);
        }
    }
}
