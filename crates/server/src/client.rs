//! Requests to other servers: the worker's [`Client`], and what the worker lends it.

use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use gannet_core::Counters;
use gannet_proto::scan::Level;

pub use gannet_client::Takeover;
pub(crate) use gannet_client::{Client, Lent};

use crate::limits::Limits;
use crate::local::Local;
use crate::wake::{Owner, Wakers};

/// A client without connections.
pub(crate) fn client(limits: &Limits, level: Level, counters: Rc<dyn Counters>) -> Client {
    Client::new(limits.upstream, limits.protocol, level, Arc::<Takeover>::default(), counters)
}

impl gannet_client::SlotWakers for Wakers {
    fn waker(&mut self, index: u32) -> Waker {
        Wakers::waker(self, index)
    }

    fn lease(&mut self, index: u32, exchange: u32) -> u32 {
        Wakers::lease(self, Owner { connection: index, exchange })
    }

    fn leased(&self, number: u32) -> Waker {
        Wakers::leased(self, number)
    }

    fn release(&mut self, number: u32) {
        Wakers::release(self, number);
    }
}

impl Local {
    /// Lends the client the engine and what comes with it.
    pub(crate) fn with_client<T>(&mut self, run: impl FnOnce(&mut Client, &mut Lent<'_>) -> T) -> T {
        let Local { client, engine, timers, wakers, .. } = self;
        run(client, &mut Lent { engine, timers, wakers })
    }
}
