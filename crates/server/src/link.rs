//! Step 2, receive: a completion becomes bytes. TLS will be opened here.

use gannet_core::BodyError;
use gannet_engine::Block;

use crate::close;
use crate::connection::{Active, Connection, Stage};
use crate::local::Local;

/// Bytes arrived.
pub(crate) fn received(connection: &mut Connection, block: Block, local: &mut Local) {
    local.observer.counters.received_bytes.add(block.len() as u64);
    match &mut connection.stage {
        Stage::Idle => {
            let mut active = local.take_active();
            active.receiving = true;
            active.input = Some(block.share());
            active.accounts.connect(connection.peer);
            connection.spoke = true;
            connection.enter(Stage::Active(active), local);
        }
        Stage::Active(active) => active.take_in(block),
        Stage::Lingering | Stage::Closed => return,
    }
    connection.advance(local);
}

/// The peer sends no more.
pub(crate) fn ended(connection: &mut Connection, local: &mut Local) {
    match &mut connection.stage {
        Stage::Active(active) => {
            active.receiving = false;
            active.peer_ended = true;
            connection.advance(local);
        }
        Stage::Idle | Stage::Lingering => close::now(connection, local),
        Stage::Closed => {}
    }
}

/// The peer is gone: so is whoever would have read a response.
pub(crate) fn failed(connection: &mut Connection, local: &mut Local) {
    close::now(connection, local);
}

impl Active {
    /// Puts bytes behind those that wait: in place where there is room, else both into memory of their own.
    fn take_in(&mut self, block: Block) {
        self.input = Some(match self.input.take() {
            None => block.share(),
            Some(waiting) => waiting.followed_by(&block),
        });
    }

    /// The request will not be completed.
    pub(crate) fn cut_short(&mut self, error: BodyError) {
        if let Some(exchange) = &self.exchange {
            exchange.incoming.end(Err(error), None);
        }
    }
}
