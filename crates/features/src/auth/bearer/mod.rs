//! Bearer tokens (RFC 6750): who has one is who it says.
//!
//! 1. the request's token is read, or its client told how to come by one (`fault`);
//! 2. a JSON Web Token is verified (`jwt`, `key`), or somebody asked who knows tokens;
//! 3. what it claims goes with the request ([`TokenClaims`], [`User`]).

mod fault;
mod jwt;
mod key;

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Decision, Extensions, Filter, IntoFilter, Next, Request, Response, deciding};
use serde_json::Value;

use super::{User, challenge};
use fault::Fault;

pub use jwt::Jwt;
pub use key::{InvalidKey, VerifyingKey};

/// Longer tokens are not looked at.
const MOST_TOKEN_BYTES: usize = 8 * 1024;

/// A filter that asks for a token (`Authorization: Bearer ...`, RFC 6750), and serves who has one that is good.
///
/// ```
/// use gannet_features::auth::bearer::{Bearer, Jwt, VerifyingKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = [7; 32];
/// let jwt = Jwt::new(VerifyingKey::hs256(secret)?).issuer("https://login.example").audience("https://api.example");
/// let filter = Bearer::jwt("api", jwt);
/// # Ok(())
/// # }
/// ```
///
/// Who has no token gets `401 Unauthorized` with `WWW-Authenticate: Bearer realm="..."`; whose token is not good, the same with `error="invalid_token"` and
/// what is wrong with it in `error_description`; who has it for less than a [scope](Bearer::scope), 403 with `insufficient_scope`; and who sends two, or something that is no
/// token, 400 with `invalid_request`. Tokens in a query or a form are not taken (RFC 9700, 2.6).
///
/// Behind the filter handlers take what a JSON Web Token claims as `Claims<T>`, and who its subject (`sub`) is as [`User`]. Verifying one takes the worker some ten microseconds (`RS256`) to a
/// hundred (`ES256`).
#[derive(Clone)]
pub struct Bearer {
    realm: String,
    scopes: Vec<String>,
    known: Known,
}

/// Who knows tokens.
#[derive(Clone)]
enum Known {
    Jwt(Arc<Jwt>),
    Opaque(Arc<Ask>),
}

type Ask = dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<Leave>>>> + Send + Sync;

/// Leaves with a request what a token means.
type Leave = Box<dyn FnOnce(&mut Extensions)>;

/// What a token claims: what it left with a request. Handlers take it as `Claims<T>`.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenClaims(Value);

impl TokenClaims {
    /// The claims, an object of JSON.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl Bearer {
    /// Takes JSON Web Tokens. Realm is what is protected, in a word.
    pub fn jwt(realm: impl Into<String>, jwt: Jwt) -> Bearer {
        Bearer { realm: realm.into(), scopes: Vec::new(), known: Known::Jwt(Arc::new(jwt)) }
    }

    /// Takes tokens that somebody else can read: a database, an authorization server. `find` gives what a token means, which handlers
    /// take as `Extension<T>` (a [`User`] as itself), or nothing if it is not good. What compares secrets does it in constant time, or looks up their hashes.
    ///
    /// ```
    /// # use gannet_features::auth::{User, bearer::Bearer};
    /// # async fn select_user(_: &str) -> Option<String> { None }
    /// Bearer::opaque("api", async |token: String| select_user(&token).await.map(User::new));
    /// ```
    pub fn opaque<F, T, V>(realm: impl Into<String>, find: F) -> Bearer
    where
        F: Fn(String) -> T + Send + Sync + 'static,
        T: Future<Output = Option<V>> + 'static,
        V: 'static,
    {
        let ask = move |token| -> Pin<Box<dyn Future<Output = Option<Leave>>>> {
            let found = find(token);
            Box::pin(async move {
                let value = found.await?;
                let leave: Leave = Box::new(move |extensions| extensions.insert(value));
                Some(leave)
            })
        };
        Bearer { realm: realm.into(), scopes: Vec::new(), known: Known::Opaque(Arc::new(ask)) }
    }

    /// For JSON Web Tokens that are for this, too (`scope`, RFC 8693, 4.2). Beyond it: 403. By default for all.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Bearer {
        self.scopes.push(scope.into());
        self
    }

    /// What can be said of a request at once.
    fn decide(&self, request: &mut Request) -> Result<Decision, Fault> {
        let token = token(request)?;
        let Known::Jwt(jwt) = &self.known else { return Ok(Decision::Later) };
        let claims = jwt.verify(token, request.ports().clock.unix_seconds())?;
        self.check_scopes(&claims)?;
        let user = claims["sub"].as_str().map(User::new);
        let extensions = request.extensions_mut();
        extensions.insert(TokenClaims(claims));
        user.into_iter().for_each(|user| extensions.insert(user));
        Ok(Decision::Pass)
    }

    fn check_scopes(&self, claims: &Value) -> Result<(), Fault> {
        let has = |scope: &String| {
            claims["scope"].as_str().is_some_and(|all| all.split(' ').any(|one| one == scope))
        };
        if self.scopes.iter().all(has) { Ok(()) } else { Err(Fault::Scope(self.scopes.join(" "))) }
    }

    async fn ask(&self, mut request: Request, next: Next) -> Response {
        let found = match (&self.known, token(&request)) {
            (Known::Opaque(ask), Ok(token)) => ask(token.to_owned()).await,
            (_, Ok(_)) => None,
            (_, Err(fault)) => return fault.answer(&self.realm),
        };
        match found {
            Some(leave) => {
                leave(request.extensions_mut());
                next.run(request).await
            }
            None => Fault::Token("it is not known here, or no longer".into()).answer(&self.realm),
        }
    }
}

/// The token that a request has (RFC 6750, 2.1).
fn token(request: &Request) -> Result<&str, Fault> {
    let mut fields = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let Some((_, field)) = fields.next() else { return Err(Fault::Missing) };
    if fields.next().is_some() {
        return Err(Fault::Request("there is more than one field Authorization"));
    }
    // Who speaks of another scheme has no token.
    let token = challenge::credentials(field, "Bearer").ok_or(Fault::Missing)?;
    let is_token68 = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    if token.is_empty() || token.len() > MOST_TOKEN_BYTES || !token.iter().all(is_token68) {
        return Err(Fault::Request("this is no token, or too long a one"));
    }
    std::str::from_utf8(token).map_err(|_| Fault::Request("this is no token"))
}

/// Asks for a token.
impl IntoFilter<Bearer> for Bearer {
    fn into_filter(self) -> Rc<dyn Filter> {
        let bearer = Rc::new(self);
        let later = bearer.clone();
        deciding(
            move |request| match bearer.decide(request) {
                Ok(decision) => decision,
                Err(fault) => Decision::Answer(fault.answer(&bearer.realm)),
            },
            move |request, next| {
                let bearer = later.clone();
                async move { bearer.ask(request, next).await }
            },
        )
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Bearer");
        debug.field("realm", &self.realm).field("scopes", &self.scopes);
        if let Known::Jwt(jwt) = &self.known {
            debug.field("jwt", jwt);
        }
        debug.finish_non_exhaustive()
    }
}
