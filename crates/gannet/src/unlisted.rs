//! Handlers that are not among what an application offers: its own documents and pages.

use std::rc::Rc;

use gannet_core::{Handler, IntoHandler, Needs};

/// The note of such a handler.
pub(crate) struct Hidden;

/// A handler that is left out of descriptions.
#[derive(Clone)]
pub(crate) struct Unlisted<H>(pub(crate) H);

impl<H: IntoHandler<M>, M> IntoHandler<(Hidden, M)> for Unlisted<H> {
    fn into_handler(self) -> Rc<dyn Handler> {
        self.0.into_handler()
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
        needs.note(Hidden);
    }
}
