//! Without the feature `proxy`: a worker's client that connects to nobody, as the worker sees it.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Call, Counters, Upstream, UpstreamError, Upstreams};
use gannet_engine::{Completion, Moment};
use gannet_proto::scan::Level;

use crate::limits::Limits;
use crate::local::Local;

/// No connections.
pub(crate) struct Client;

/// Nothing needs to be lent.
pub(crate) struct Lent;

/// None are left to other workers.
#[derive(Debug, Default)]
pub struct Takeover;

pub(crate) fn client(_: &Limits, _: Level, _: Rc<dyn Counters>) -> Client {
    Client
}

impl Local {
    pub(crate) fn with_client<T>(&mut self, run: impl FnOnce(&mut Client, &mut Lent) -> T) -> T {
        run(&mut self.client, &mut Lent)
    }
}

impl Takeover {
    pub(crate) fn new(_: usize) -> Takeover {
        Takeover
    }
}

impl Client {
    pub(crate) fn port(&self) -> Rc<dyn Upstreams> {
        Rc::new(Nowhere)
    }

    pub(crate) fn share(&mut self, _: Arc<Takeover>) {}

    pub(crate) fn has_connected(&self) -> bool {
        false
    }

    pub(crate) fn has_calls(&self) -> bool {
        false
    }

    pub(crate) fn held(&self) -> (usize, usize) {
        (0, 0)
    }

    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        None
    }

    pub(crate) fn take_on(&mut self, completion: Completion, _: &mut Lent) -> Option<Completion> {
        Some(completion)
    }

    pub(crate) fn begin(&mut self, _: &mut Lent) -> bool {
        false
    }

    pub(crate) fn woken(&mut self, _: u32, _: &mut Lent) {}

    pub(crate) fn exchange_woken(&mut self, _: u32, _: u32) -> bool {
        false
    }

    pub(crate) fn all_woken(&mut self, _: &mut Lent) {}

    pub(crate) fn expired(&mut self, _: u32, _: &mut Lent) {}

    pub(crate) fn sweep(&mut self, _: &mut Lent) -> bool {
        false
    }

    pub(crate) fn drain(&mut self, _: &mut Lent) {}

    pub(crate) fn abort(&mut self, _: &mut Lent) -> bool {
        false
    }
}

/// The port: nothing of the library makes an upstream without the feature; who has one all the same is told.
struct Nowhere;

impl Upstreams for Nowhere {
    fn begin(&self, call: Rc<Call>) {
        call.answer(Err(UpstreamError::Connect(io::ErrorKind::Unsupported).into()));
    }

    fn under_way(&self, _: &Upstream) -> usize {
        0
    }
}
