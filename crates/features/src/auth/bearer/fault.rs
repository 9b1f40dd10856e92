//! What is wrong with a request's token, and how its client is told (RFC 6750, 3.1).

use std::borrow::Cow;

use gannet_core::{IntoResponse, Rejection, Response, Status};

use crate::auth::challenge::quoted;

/// Why a request is not served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It has no token. It is told how to come by one, and of no error.
    Missing,
    /// It has several, or something that is no token.
    Request(&'static str),
    /// Its token is not, or no longer, to be believed.
    Token(Cow<'static, str>),
    /// Its token is for less than is asked for.
    Scope(String),
}

impl Fault {
    /// What is answered where `realm` is asked for.
    pub(super) fn answer(&self, realm: &str) -> Response {
        let (status, error, detail, scope) = match self {
            Fault::Missing => (Status::UNAUTHORIZED, "", "a token is needed", None),
            Fault::Request(detail) => (Status::BAD_REQUEST, "invalid_request", *detail, None),
            Fault::Token(detail) => (Status::UNAUTHORIZED, "invalid_token", &**detail, None),
            Fault::Scope(scope) => {
                (Status::FORBIDDEN, "insufficient_scope", "the token is not for this", Some(scope.as_str()))
            }
        };
        let mut challenge = format!("Bearer realm={}", quoted(realm));
        if !error.is_empty() {
            challenge += &format!(", error=\"{error}\", error_description={}", quoted(detail));
        }
        if let Some(scope) = scope {
            challenge += &format!(", scope={}", quoted(scope));
        }
        let rejection = Rejection::new(status, detail.to_owned());
        rejection.into_response().with("WWW-Authenticate", challenge)
    }
}
