//! `Extension`: what a filter has left with the request.

use std::any::type_name;
use std::ops::Deref;
use std::rc::Rc;

use gannet_core::{FromRequest, OptionalFromRequest, Rejection, Request, Status};

/// A value that a filter before the handler has left with the request ([`Request::extensions_mut`]), by its type.
///
/// ```
/// # use gannet::prelude::*;
/// struct User(String);
///
/// let find = async |mut request: Request, next: Next| {
///     request.extensions_mut().insert(User("alice".to_owned()));
///     next.run(request).await
/// };
/// App::new().get("/me", |user: Extension<User>| user.0.clone()).with(find);
/// ```
///
/// Where there is none it is 500, and said in the log, since which filters a handler is behind is not known of its arguments; `None` as an
/// `Option<Extension<T>>`.
#[derive(Debug)]
pub struct Extension<T>(Rc<T>);

impl<T> Clone for Extension<T> {
    fn clone(&self) -> Extension<T> {
        Extension(self.0.clone())
    }
}

impl<T: 'static> FromRequest for Extension<T> {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Extension<T>, Rejection> {
        let value = request.extensions().and_then(|extensions| extensions.get_shared());
        value.map(Extension).ok_or_else(missing::<T>)
    }
}

#[cold]
fn missing<T>() -> Rejection {
    let name = type_name::<T>();
    tracing::error!(
        "no filter has left a {name} with the request: put the filter that does before this handler"
    );
    Rejection::new(Status::INTERNAL_SERVER_ERROR, "the application is not complete")
}

impl<T: 'static> OptionalFromRequest for Extension<T> {
    fn is_there(request: &Request) -> bool {
        request.extension::<T>().is_some()
    }
}

impl<T> Deref for Extension<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
