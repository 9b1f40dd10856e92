//! `Claims`: what a bearer token says.

use std::ops::Deref;

use gannet_core::{FromRequest, OptionalFromRequest, Rejection, Request, Status};
use gannet_features::auth::bearer::TokenClaims;
use serde_core::de::DeserializeOwned;

/// What the JSON Web Token claims that the client was let in by, behind a [`Bearer`](crate::filters::Bearer): as a type of yours.
///
/// ```
/// # use gannet::prelude::*;
/// # use gannet::Claims;
/// #[derive(serde::Deserialize)]
/// struct Account {
///     sub: String,
///     role: String,
/// }
///
/// App::new().get("/me", |claims: Claims<Account>| format!("{} is {}", claims.sub, claims.role));
/// ```
///
/// A token that is good and does not say what `T` needs is refused with 403, which says what is missing. Where no token was looked at (an
/// `Option<Claims<T>>` is `None` then) it is 500, and said in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claims<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Claims<T> {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Claims<T>, Rejection> {
        let Some(claims) = request.extension::<TokenClaims>() else {
            tracing::error!("a handler takes a token's claims: put the filter `Bearer::jwt` before it");
            return Err(Rejection::new(Status::INTERNAL_SERVER_ERROR, "the application is not complete"));
        };
        T::deserialize(claims.value()).map(Claims).map_err(|error| {
            Rejection::new(Status::FORBIDDEN, format!("the token does not say what is needed here: {error}"))
        })
    }
}

impl<T: DeserializeOwned + 'static> OptionalFromRequest for Claims<T> {
    fn is_there(request: &Request) -> bool {
        request.extension::<TokenClaims>().is_some()
    }
}

impl<T> Deref for Claims<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
