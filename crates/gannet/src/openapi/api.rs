//! A handler that is described.

use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Handler, IntoHandler, Needs};
use schemars::JsonSchema;

use super::Operation;
use super::functions::Described;
use crate::unlisted::Hidden;

/// Has a handler described in the OpenAPI document: by its arguments and its result, and by what is added.
///
/// ```
/// # use gannet::openapi::api;
/// # use gannet::prelude::*;
/// # use gannet::Path;
/// App::new().get("/squares/:number", api(|number: Path<u32>| (*number * *number).to_string()).summary("A square"));
/// ```
pub fn api<H>(handler: H) -> Api<H> {
    Api { handler, said: Said::default() }
}

/// A handler, and what is said of it.
#[derive(Clone)]
pub struct Api<H> {
    handler: H,
    said: Said,
}

/// What is said of a handler.
#[derive(Clone, Default)]
pub(super) struct Said {
    pub(super) id: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) status: Option<u16>,
    pub(super) is_deprecated: bool,
    pub(super) security: Vec<String>,
    is_hidden: bool,
    more: Vec<Describe>,
}

type Describe = Arc<dyn Fn(&mut Operation<'_>) + Send + Sync>;

/// What a handler tells those who list routes.
pub(super) struct Note {
    pub(super) said: Said,
    describe: fn(&mut Operation<'_>),
}

impl Note {
    /// Says all that is known of it.
    pub(super) fn describe(&self, operation: &mut Operation<'_>) {
        (self.describe)(operation);
        if let Some(status) = self.said.status {
            operation.set_status(status);
        }
        for more in &self.said.more {
            more(operation);
        }
    }
}

impl<H> Api<H> {
    /// What programs call it: unique in the document. By default made of method and path: `GET /tasks/:id` is `getTasksById`.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Api<H> {
        self.said.id = Some(id.into());
        self
    }

    /// What it does, in a line.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Api<H> {
        self.said.summary = Some(summary.into());
        self
    }

    /// What it does, at length, in CommonMark.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Api<H> {
        self.said.description = Some(description.into());
        self
    }

    /// A group that it belongs to. Several calls add up.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Api<H> {
        self.said.tags.push(tag.into());
        self
    }

    /// The status of its answer where all went well: 200, or 204 where the result is `()`, unless this says so. What `(Status, R)` answers no type says.
    #[must_use]
    pub fn status(mut self, status: u16) -> Api<H> {
        self.said.status = Some(status);
        self
    }

    /// A status that is answered with problem details (RFC 9457), as a [`Rejection`](crate::Rejection) is. What the arguments may be rejected with is described by itself.
    #[must_use]
    pub fn problem(self, status: u16) -> Api<H> {
        self.more(move |operation| operation.problem(status))
    }

    /// A status that is answered with a `T` in JSON.
    #[must_use]
    pub fn response<T: JsonSchema>(self, status: u16) -> Api<H> {
        self.more(move |operation| operation.response::<T>(status, "application/json"))
    }

    /// A status that is answered without content, or with one of which there is nothing to say: a redirect.
    #[must_use]
    pub fn plain_response(self, status: u16) -> Api<H> {
        self.more(move |operation| operation.plain_response(status))
    }

    /// It is asked for by who says who he is in this way, which [`Info`](super::Info) has described under this name. Several calls name several ways, of
    /// which one is enough. That nobody else is answered is a filter's work.
    #[must_use]
    pub fn security(mut self, name: impl Into<String>) -> Api<H> {
        self.said.security.push(name.into());
        self
    }

    /// It is there for those only who use it already.
    #[must_use]
    pub fn deprecated(mut self) -> Api<H> {
        self.said.is_deprecated = true;
        self
    }

    /// It is left out of the document.
    #[must_use]
    pub fn hidden(mut self) -> Api<H> {
        self.said.is_hidden = true;
        self
    }

    fn more(mut self, describe: impl Fn(&mut Operation<'_>) + Send + Sync + 'static) -> Api<H> {
        self.said.more.push(Arc::new(describe));
        self
    }
}

impl<H, M, N> IntoHandler<(M, N)> for Api<H>
where
    H: IntoHandler<M> + Described<N>,
{
    fn into_handler(self) -> Rc<dyn Handler> {
        self.handler.into_handler()
    }

    fn needs(&self, needs: &mut Needs) {
        self.handler.needs(needs);
        if self.said.is_hidden {
            needs.note(Hidden);
        } else {
            needs.note(Note { said: self.said.clone(), describe: H::describe });
        }
    }
}
