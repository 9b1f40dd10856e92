//! Before all else, on the listeners that expect it: the header of the PROXY protocol, by which a proxy says whose connection it relays
//! (haproxy's `proxy-protocol.txt`).
//!
//! Only a trusted proxy may say it. What it says stands in for the peer's address from then on: for who is let in, for handlers and in the
//! log. A connection that begins otherwise is closed without an answer, since nobody knows whose it is.

use std::net::SocketAddr;
use std::rc::Rc;

use gannet_core::Arrival;
use gannet_engine::{Block, Moment};
use gannet_proto::proxy::{Read, read};

use crate::accept::{QUIET, is_let_in_from};
use crate::connection::{Connection, Stage};
use crate::local::Local;
use crate::{close, deadline, link};

/// Whether a header is taken from there. Who comes by a Unix socket was let in by its file's mode.
pub(crate) fn may_be_sent_by(peer: Option<SocketAddr>, local: &mut Local) -> bool {
    let Some(peer) = peer.filter(|peer| !local.ports.trusted.contains(peer.ip())) else { return true };
    if is_news(local) {
        tracing::warn!(
            %peer,
            "a connection that is not from a trusted proxy is turned away where a PROXY header is expected; --trust names those that are"
        );
    }
    false
}

/// Bytes arrived.
pub(crate) fn received(connection: &mut Connection, block: &[u8], local: &mut Local) {
    let Stage::ProxyHeader(gathered) = &mut connection.stage else { return };
    let whole = gathered.take().map(|before| before.followed_by(block));
    let input = whole.as_deref().unwrap_or(block);
    match read(input) {
        Ok(Read::Need) => *gathered = Some(Box::new(whole.unwrap_or_else(|| copied(block).share()))),
        Ok(Read::Header { consumed, source, .. }) => {
            let rest = copied(&input[consumed..]);
            introduced(connection, source, rest, local);
        }
        Err(error) => {
            local.observer.counters.refused.add(1);
            if is_news(local) {
                let peer = connection.facts.arrival.peer.map(tracing::field::display);
                tracing::warn!(peer, %error, "a connection does not begin with a PROXY header, and is closed");
            }
            close::now(connection, local);
        }
    }
}

/// It is known whose connection it is; the proxy's own, where the header does not say.
fn introduced(connection: &mut Connection, source: Option<SocketAddr>, rest: Block, local: &mut Local) {
    if source.is_some() {
        let arrival = Arrival::clone(&connection.facts.arrival);
        connection.facts.arrival = Rc::new(Arrival { peer: source, ..arrival });
    }
    if !is_let_in_from(connection.facts.arrival.peer, local) {
        local.observer.counters.refused.add(1);
        return close::now(connection, local);
    }
    connection.facts.is_counted = true;
    connection.enter(Stage::first(connection.tls.is_some()), local);
    deadline::await_beginning(connection, local);
    if !rest.is_empty() {
        link::arrived(connection, rest, local);
    }
}

/// In memory of their own, which may be changed.
fn copied(bytes: &[u8]) -> Block {
    let mut block = Block::oversized(bytes.len());
    block.append(bytes);
    block
}

/// Whether it was long ago that this was told: what is misconfigured happens with each connection.
fn is_news(local: &mut Local) -> bool {
    let now = local.now();
    let before = local.header_refused_at.replace(now);
    before.is_none_or(|moment: Moment| moment.after(QUIET) <= now)
}
