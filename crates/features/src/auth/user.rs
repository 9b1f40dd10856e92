//! Who asked, once that is known.

use std::fmt;
use std::sync::Arc;

use gannet_core::{FromRequest, OptionalFromRequest, Rejection, Request, Status};

/// Who asks: an argument of handlers behind a filter that knows it ([`BasicAuth`](super::basic::BasicAuth), or
/// [`Bearer`](super::bearer::Bearer) of tokens that name a subject). Others reach it by `request.extension::<User>()`.
///
/// As an `Option` it may be missing; else a handler that no such filter is before answers 500: that is a mistake of the program.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct User {
    name: Arc<str>,
}

impl User {
    /// Somebody of this name: for filters of your own, which leave it with the request (`request.extensions_mut().insert(...)`).
    pub fn new(name: impl Into<Arc<str>>) -> User {
        User { name: name.into() }
    }

    /// The name: of a user, or a token's subject.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromRequest for User {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<User, Rejection> {
        request.extension::<User>().cloned().ok_or_else(|| {
            tracing::error!("a handler asks who the user is: put a filter before it that finds out");
            Rejection::new(Status::INTERNAL_SERVER_ERROR, "the application is not complete")
        })
    }
}

impl OptionalFromRequest for User {
    fn is_there(request: &Request) -> bool {
        request.extension::<User>().is_some()
    }
}
