//! `Query`: what the query says.

use std::ops::{Deref, DerefMut};

use gannet_core::{FromRequest, Place, Rejection, Request, Status};
use serde_core::de::DeserializeOwned;

use super::pairs::{self, FORM_FIELDS, Unread};

/// The request's query (`?name=value&...`) as a `T`: a struct of which each field is called as what it is read from.
///
/// ```
/// # use gannet::prelude::*;
/// #[derive(serde::Deserialize)]
/// struct Search {
///     text: String,
///     page: Option<u32>,
///     #[serde(default)]
///     tag: Vec<String>,
/// }
///
/// App::new().get("/search", |search: Query<Search>| format!("{} on page {}", search.text, search.page.unwrap_or(1)));
/// ```
///
/// What is not there has to be an `Option` (which is `None` for an empty value, too) or to have a `#[serde(default)]`. What is there several times
/// is a `Vec`; that it is anything else, is missing or is not what was asked for is refused with 400, which names it. What nobody asks for is passed
/// over, unless the struct says `#[serde(deny_unknown_fields)]`. `HashMap<String, String>` and `Vec<(String, String)>` take all that is there. A
/// query of more than 1024 pairs is refused.
///
/// Up to 16 pairs cost no allocation, but for texts.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Query<T>, Rejection> {
        pairs::read(request.query().unwrap_or_default()).map(Query).map_err(refused)
    }
}

#[cold]
pub(super) fn refused(unread: Unread) -> Rejection {
    match unread {
        Unread::TooMany => {
            Rejection::new(Status::BAD_REQUEST, format!("the query has more than {FORM_FIELDS} fields"))
        }
        Unread::Fault(fault) => {
            fault.rejection(Status::BAD_REQUEST, "the query is not as expected", Place::Parameter)
        }
    }
}

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Query<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
