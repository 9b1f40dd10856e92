//! Rate limits: so many requests in so long, from each client or by any key.
//!
//! 1. a rate is read (`rate`), and becomes an algorithm of one moment for each key (`gcra`);
//! 2. a request's key (`key`) is looked up in a table that all workers share and that never grows (`table`);
//! 3. who asks for too much is told so, and everyone what is left (`told`).

mod gcra;
mod key;
mod rate;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod told;

use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gannet_core::{Filter, IntoFilter, Request, Response, around};

use gcra::{Gcra, Verdict};
use table::Table;
use told::Told;

pub use key::Key;
pub use rate::{IntoRate, InvalidRate, Rate};

/// Keys that there is room for, unless [`RateLimit::keys`] says otherwise: 512 KiB.
const KEYS: usize = 65_536;

/// The most that there may be room for: 128 MiB.
const MOST_KEYS: usize = 1 << 24;

/// What a policy is called, unless [`RateLimit::name`] says otherwise.
const NAME: &str = "default";

/// What a request is counted by, if the client's address does not do.
type KeyOf = dyn for<'a> Fn(&'a Request) -> Option<Key<'a>> + Send + Sync;

/// A filter that serves so many requests in so long (GCRA), from each client or by any key; beyond it the answer is `429 Too Many Requests`, with
/// `Retry-After` in whole seconds.
///
/// By default requests are counted by the client's address ([`Request::client_address`], which honours trusted proxies), of IPv6 by its network of
/// 64 bits. Clients that have none (a Unix socket's) are not limited.
///
/// **Memory** is fixed: eight bytes for each key that there is room for, and by default there is for 65,536, shared by all workers. A key needs
/// room only until it has its whole allowance again. Where there is none left, the key is forgotten that is nearest to its whole allowance, and
/// begins anew: when very many ask at once, some are served more than their share. Nobody is refused for it, and nobody can choose who shares a
/// place: it is told by a hash under a random seed. (Two keys of which one keeps the other's place are as one, which
/// happens to one in two million keys where the table is full.)
///
/// Clones share what is counted: a limit that is put on two groups holds for both together.
///
/// Unless told otherwise, each response says what the policy is and what is left: `RateLimit-Policy: "default";q=100;w=1` and
/// `RateLimit: "default";r=99;t=1` (draft-ietf-httpapi-ratelimit-headers-11).
#[derive(Clone)]
pub struct RateLimit {
    rate: Rate,
    name: String,
    keys: usize,
    told: bool,
    key: Option<Arc<KeyOf>>,
    limiter: Arc<OnceLock<Limiter>>,
}

/// What all workers share.
struct Limiter {
    gcra: Gcra,
    table: Table,
    told: Told,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Whether it may be served.
    pub admitted: bool,
    /// How many more would be served at once.
    pub remaining: u32,
    /// In how many seconds, rounded up, there will be one more: for who was refused the time to wait.
    pub next_seconds: u64,
}

/// A limit of `rate` for each client's address: `limit("100/s")`, `limit("5/m")`.
///
/// # Panics
/// When that is no [`Rate`], at the place of the call; it says what is wrong. A rate from outside is to be parsed, and given to
/// [`RateLimit::new`].
#[track_caller]
pub fn limit(rate: impl IntoRate) -> RateLimit {
    match rate.into_rate() {
        Ok(rate) => RateLimit::new(rate),
        Err(error) => panic!("{error}"),
    }
}

impl RateLimit {
    /// A limit for each client's address.
    pub fn new(rate: Rate) -> RateLimit {
        RateLimit { rate, name: NAME.to_owned(), keys: KEYS, told: true, key: None, limiter: Arc::default() }
    }

    /// How many requests may come at once, after a pause that was long enough. By default as many as in the whole period: of `5/m` five at
    /// once, and then one each 12 seconds. With one, each waits for its turn.
    ///
    /// # Panics
    /// When it is none, or more than 1,000,000.
    #[must_use]
    #[track_caller]
    pub fn burst(mut self, burst: u32) -> RateLimit {
        match self.rate.with_burst(burst) {
            Ok(rate) => self.rate = rate,
            Err(error) => panic!("{error}"),
        }
        self.apart()
    }

    /// What requests are counted by, instead of the client's address: a user, a token, a field. Where a request has no key, its
    /// client's address is taken: who leaves a key out gains nothing.
    ///
    /// ```
    /// use gannet_features::rate_limit::{Key, limit};
    ///
    /// limit("1000/h").by(|request| request.field("x-api-key").map(Key::from));
    /// limit("5/m").by(|request| Some(Key::from(format!("{} {:?}", request.path(), request.client_address()))));
    /// ```
    #[must_use]
    pub fn by(
        mut self,
        key: impl for<'a> Fn(&'a Request) -> Option<Key<'a>> + Send + Sync + 'static,
    ) -> RateLimit {
        self.key = Some(Arc::new(key));
        self.apart()
    }

    /// What the policy is called in `RateLimit-Policy` and `RateLimit`, which tells several limits apart. By default `default`. What is not a
    /// letter, a digit or one of `-_.` becomes `-`.
    #[must_use]
    pub fn name(mut self, name: &str) -> RateLimit {
        let fit = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        self.name = name.chars().map(|letter| if fit(letter) { letter } else { '-' }).collect();
        self.apart()
    }

    /// For how many keys there is room, rounded up to a power of two: eight bytes each. By default 65,536; at least 8, at most 2^24. Beyond it
    /// the key is forgotten that is nearest to its whole allowance.
    #[must_use]
    pub fn keys(mut self, keys: usize) -> RateLimit {
        self.keys = keys.clamp(1, MOST_KEYS);
        self.apart()
    }

    /// Whether responses tell the policy and what is left. By default so. A refusal has `Retry-After` in any case.
    #[must_use]
    pub fn fields(mut self, told: bool) -> RateLimit {
        self.told = told;
        self
    }

    /// The bytes that what is counted takes, whoever asks.
    pub fn memory_bytes(&self) -> usize {
        self.limiter().table.bytes()
    }

    /// Counts a request by `key`, outside of the filter. `now` is [`Clock::now`](gannet_core::Clock::now), of whichever worker.
    pub fn check(&self, key: &Key<'_>, now: Duration) -> Allowance {
        self.limiter().check(key, now)
    }

    /// With a table of its own: what is counted by another rule is no use here.
    fn apart(mut self) -> RateLimit {
        self.limiter = Arc::default();
        self
    }

    fn limiter(&self) -> &Limiter {
        self.limiter.get_or_init(|| Limiter {
            gcra: Gcra::new(self.rate),
            table: Table::new(self.keys),
            told: Told::new(&self.name, self.rate),
        })
    }
}

impl Limiter {
    fn check(&self, key: &Key<'_>, now: Duration) -> Allowance {
        let verdict = self.table.check(key, self.gcra.ticks(now), &self.gcra);
        self.allowance(verdict)
    }

    fn allowance(&self, verdict: Verdict) -> Allowance {
        Allowance {
            admitted: verdict.admitted,
            remaining: self.gcra.remaining(verdict),
            next_seconds: self.gcra.seconds_to_next(verdict),
        }
    }
}

/// Refuses whoever asks for too much, and tells everyone what is left.
impl IntoFilter<RateLimit> for RateLimit {
    fn into_filter(self) -> Rc<dyn Filter> {
        // Once for all workers, before any of them serves.
        self.limiter();
        let shared = Rc::new(self);
        let after = shared.clone();
        around(
            move |request| {
                let Some(key) = shared.key_of(request) else { return Ok(None) };
                let limiter = shared.limiter();
                let allowance = limiter.check(&key, request.ports().clock.now());
                if allowance.admitted {
                    return Ok(Some(allowance));
                }
                Err(shared.told(Some(allowance), limiter.told.refusal(allowance)))
            },
            move |allowance, response| after.told(allowance, response),
        )
    }
}

impl RateLimit {
    /// What a request is counted by; nothing where there is no telling.
    fn key_of<'a>(&self, request: &'a Request) -> Option<Key<'a>> {
        let key = self.key.as_ref().and_then(|key| key(request));
        key.or_else(|| request.client_address().map(Key::from))
    }

    fn told(&self, allowance: Option<Allowance>, mut response: Response) -> Response {
        if let Some(allowance) = allowance.filter(|_| self.told) {
            self.limiter().told.add(response.fields_mut(), allowance);
        }
        response
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RateLimit { rate, name, keys, told, key, limiter: _ } = self;
        f.debug_struct("RateLimit")
            .field("rate", rate)
            .field("name", name)
            .field("keys", keys)
            .field("told", told)
            .field("by_address", &key.is_none())
            .finish()
    }
}
