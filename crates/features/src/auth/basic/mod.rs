//! Basic authentication: a name and a password with each request (RFC 7617).
//!
//! 1. the request's credentials are read (`credentials`);
//! 2. those that were right a moment ago are known (`cache`), and the request goes on at once;
//! 3. of others the user's hash is looked up, and the password verified by the threads for computations (`passwords`);
//! 4. who it is goes with the request ([`User`]).

mod cache;
mod credentials;
mod passwords;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::{
    CpuError, Decision, Filter, IntoFilter, IntoResponse, Next, Rejection, Request, Response, Status,
    deciding,
};

use super::{User, challenge};
use crate::permit::Permits;
use cache::Cache;
use credentials::Credentials;

pub use passwords::{InvalidPasswordHash, hash_password, verify_password};

/// For how long credentials that were right are not verified again.
const KEPT: Duration = Duration::from_secs(60);

/// Verifications of one worker that may be under way, or wait for a thread.
const VERIFICATIONS: usize = 64;

/// When to come again if there are more, in seconds.
const RETRY_AFTER: &str = "1";

/// A filter that asks for a name and a password (Basic, RFC 7617), and serves who has both. Over TLS only: they are sent as good as in clear text.
///
/// ```
/// use gannet_features::auth::basic::{BasicAuth, hash_password};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hash = hash_password("correct horse")?; // once; the hash is what you keep
/// let filter = BasicAuth::new("the office").user("alice", hash)?;
/// # Ok(())
/// # }
/// ```
///
/// Who has no credentials, or wrong ones, gets `401 Unauthorized` with `WWW-Authenticate: Basic realm="...", charset="UTF-8"`. Behind the filter handlers take a
/// [`User`] as an argument.
///
/// **Passwords** are verified by Argon2, in the threads for computations, so that nobody else waits. It takes as long for a name that nobody has; only where users' hashes were
/// made by different parameters does the time tell them from each other. What was right is known for a minute ([`remember`](BasicAuth::remember)):
/// each worker keeps 256 keyed hashes of credentials, never a password. So a password that was changed is right for a minute longer.
///
/// Argon2 is slow on purpose, and who guesses passwords costs time: a worker has 64 verifications under way, beyond which the answer is 503 with
/// `Retry-After`; users who are known do not wait for them. A rate limit before this filter (`limit("10/m").name("login")`) bounds guesses
/// by address.
///
/// Names and passwords are compared byte by byte, as UTF-8: none is normalised.
#[derive(Clone)]
pub struct BasicAuth {
    realm: String,
    /// Hashes of passwords, by their users' names.
    hashes: HashMap<String, Arc<str>>,
    /// Whom else to ask for them.
    ask: Option<Arc<Ask>>,
    /// What is verified for a name that nobody has: what takes longest of all, and how long.
    dearest: (Arc<str>, u64),
    remembered: Duration,
    verifications: usize,
}

type Ask = dyn Fn(String) -> Asked + Send + Sync;
type Asked = Pin<Box<dyn Future<Output = Option<String>>>>;

impl BasicAuth {
    /// For the users that are [added](BasicAuth::user). Realm is what a browser shows, and for which it keeps a password.
    pub fn new(realm: impl Into<String>) -> BasicAuth {
        BasicAuth {
            realm: realm.into(),
            hashes: HashMap::new(),
            ask: None,
            dearest: (passwords::NOBODY.into(), 0),
            remembered: KEPT,
            verifications: VERIFICATIONS,
        }
    }

    /// For users whose password's hash `find` knows, by their names: from a database, for one. It is asked when credentials are not known, and a
    /// name that nobody has takes as long as a wrong password.
    ///
    /// ```
    /// # use gannet_features::auth::basic::BasicAuth;
    /// # async fn select_hash(_: &str) -> Option<String> { None }
    /// BasicAuth::with_users("the office", async |name: String| select_hash(&name).await);
    /// ```
    pub fn with_users<F, T>(realm: impl Into<String>, find: F) -> BasicAuth
    where
        F: Fn(String) -> T + Send + Sync + 'static,
        T: Future<Output = Option<String>> + 'static,
    {
        BasicAuth { ask: Some(Arc::new(move |name| Box::pin(find(name)))), ..BasicAuth::new(realm) }
    }

    /// Adds a user, with the hash of their password: what [`hash_password`] gave (or `gannet hash-password`), a PHC string of Argon2.
    ///
    /// # Errors
    /// When that is no such hash.
    pub fn user(
        mut self,
        name: impl Into<String>,
        hash: impl Into<String>,
    ) -> Result<BasicAuth, InvalidPasswordHash> {
        let hash: Arc<str> = hash.into().into();
        let cost = passwords::cost(&hash)?;
        if cost > self.dearest.1 {
            self.dearest = (hash.clone(), cost);
        }
        self.hashes.insert(name.into(), hash);
        Ok(self)
    }

    /// For how long credentials that were right are not verified again. By default a minute; zero: each request is verified.
    #[must_use]
    pub fn remember(mut self, duration: Duration) -> BasicAuth {
        self.remembered = duration;
        self
    }

    /// How many verifications of one worker may be under way, or wait. By default 64. Beyond it: 503.
    #[must_use]
    pub fn verifications(mut self, verifications: usize) -> BasicAuth {
        self.verifications = verifications;
        self
    }

    fn challenge(&self) -> Response {
        let challenge = format!("Basic realm={}, charset=\"UTF-8\"", challenge::quoted(&self.realm));
        let rejection =
            Rejection::new(Status::UNAUTHORIZED, "a name and a password are needed, and to be right");
        rejection.into_response().with("WWW-Authenticate", challenge)
    }
}

/// One worker's.
struct Guard {
    options: BasicAuth,
    cache: RefCell<Cache>,
    permits: Permits,
}

/// Asks for a name and a password.
impl IntoFilter<BasicAuth> for BasicAuth {
    fn into_filter(self) -> Rc<dyn Filter> {
        let (cache, permits) = (RefCell::new(Cache::new()), Permits::new(self.verifications));
        let guard = Rc::new(Guard { options: self, cache, permits });
        let later = guard.clone();
        deciding(
            move |request| guard.decide(request),
            move |request, next| {
                let guard = later.clone();
                async move { guard.verify(request, next).await }
            },
        )
    }
}

impl Guard {
    /// What can be said at once.
    fn decide(&self, request: &mut Request) -> Decision {
        let Some(credentials) = Credentials::of(request) else {
            return Decision::Answer(self.options.challenge());
        };
        let now = request.ports().clock.now();
        match self.cache.borrow().find(credentials.as_bytes(), now) {
            Some(user) => {
                request.extensions_mut().insert_shared(user);
                Decision::Pass
            }
            None => Decision::Later,
        }
    }

    async fn verify(&self, mut request: Request, next: Next) -> Response {
        let Some(credentials) = Credentials::of(&request) else { return self.options.challenge() };
        let Some(permit) = self.permits.take(1) else { return busy() };
        let (hash, is_known) = self.hash_of(credentials.name()).await;
        let (cpu, password) = (request.ports().cpu.clone(), credentials.password().to_owned());
        let verified = cpu.run(move || verify_password(&password, &hash)).await;
        drop(permit);
        match verified {
            Ok(is_right) if is_right & is_known => {
                let user = Rc::new(User::new(credentials.name()));
                let until = request.ports().clock.now() + self.options.remembered;
                self.cache.borrow_mut().keep(credentials.as_bytes(), user.clone(), until);
                request.extensions_mut().insert_shared(user);
                next.run(request).await
            }
            Ok(_) => self.options.challenge(),
            Err(CpuError::Full) => busy(),
            Err(error) => error.into_response(),
        }
    }

    /// The hash of a user's password; of nobody's where there is no such user.
    async fn hash_of(&self, name: &str) -> (Arc<str>, bool) {
        let BasicAuth { hashes, ask, dearest, .. } = &self.options;
        if let Some(hash) = hashes.get(name) {
            return (hash.clone(), true);
        }
        let found = match ask {
            Some(ask) => ask(name.to_owned()).await,
            None => None,
        };
        found.map_or_else(|| (dearest.0.clone(), false), |hash| (hash.into(), true))
    }
}

fn busy() -> Response {
    let detail = "too many passwords are being verified; come again in a moment";
    let rejection = Rejection::new(Status::SERVICE_UNAVAILABLE, detail);
    rejection.into_response().with("Retry-After", RETRY_AFTER)
}

/// Without hashes.
impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("BasicAuth");
        debug
            .field("realm", &self.realm)
            .field("users", &self.hashes.len())
            .field("remembered", &self.remembered);
        debug.finish_non_exhaustive()
    }
}
