//! Fields by which browsers guard a page's visitors: what may run in it, who may frame it, what is told to others.

mod csp;
mod nonce;

use std::cell::RefCell;
use std::rc::Rc;

use gannet_core::{Bytes, Fields, Filter, IntoFilter, Request, Response, around};

use crate::hsts::{self, Hsts};
use crate::random::Random;
use crate::recycled::Recycled;
use csp::Rendered;

pub use csp::ContentSecurityPolicy;
pub use nonce::Nonce;

/// A filter that adds security fields to responses. What a handler says itself stays: each is added where a response has none of its name.
///
/// | field | by default | changed by |
/// |---|---|---|
/// | `Content-Security-Policy` | [`ContentSecurityPolicy::new`] | [`content_security_policy`](SecurityHeaders::content_security_policy) |
/// | `X-Content-Type-Options` | `nosniff` (Fetch, 3.6) | [`field`](SecurityHeaders::field) |
/// | `X-Frame-Options` | `DENY` (RFC 7034; for browsers that know no `frame-ancestors`) | `field` |
/// | `Referrer-Policy` | `strict-origin-when-cross-origin` (W3C Referrer Policy, 3.7) | `field` |
/// | `Permissions-Policy` | `camera=(), geolocation=(), microphone=()` (W3C Permissions Policy, 9.1) | `field` |
/// | `Cross-Origin-Opener-Policy` | `same-origin` (HTML, 7.1.3) | `field` |
/// | `Cross-Origin-Resource-Policy` | `same-origin` (Fetch, 3.7) | `field` |
/// | `Content-Security-Policy-Report-Only` | none | [`report_only`](SecurityHeaders::report_only) |
/// | `Strict-Transport-Security` | none; over TLS only | [`hsts`](SecurityHeaders::hsts) |
///
/// `X-XSS-Protection` is not sent: browsers dropped what it turned on, which could be turned against pages.
#[derive(Clone, Debug)]
pub struct SecurityHeaders {
    fields: Vec<(String, String)>,
    policy: Option<ContentSecurityPolicy>,
    report_only: Option<ContentSecurityPolicy>,
    hsts: Option<Hsts>,
    seed: Option<u64>,
}

const POLICY: &str = "Content-Security-Policy";
const REPORT_ONLY: &str = "Content-Security-Policy-Report-Only";

const DEFAULTS: [(&str, &str); 6] = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
];

impl Default for SecurityHeaders {
    fn default() -> SecurityHeaders {
        SecurityHeaders::new()
    }
}

impl SecurityHeaders {
    /// The safe set of the table above.
    pub fn new() -> SecurityHeaders {
        let fields = DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let policy = Some(ContentSecurityPolicy::new());
        SecurityHeaders { fields: fields.collect(), policy, ..SecurityHeaders::none() }
    }

    /// None of them.
    pub fn none() -> SecurityHeaders {
        SecurityHeaders { fields: Vec::new(), policy: None, report_only: None, hsts: None, seed: None }
    }

    /// Sets a field, in the place of one of its name: `field("X-Frame-Options", "SAMEORIGIN")`.
    ///
    /// # Panics
    /// When it cannot be sent ([`InvalidField`](gannet_core::InvalidField)).
    #[must_use]
    #[track_caller]
    pub fn field(mut self, name: &str, value: &str) -> SecurityHeaders {
        if let Err(error) = Fields::new().append(name, value) {
            panic!("the field {name:?} cannot be sent: {error}");
        }
        self = self.without(name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a field out, whichever of the table's it is.
    #[must_use]
    pub fn without(mut self, name: &str) -> SecurityHeaders {
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        if name.eq_ignore_ascii_case(POLICY) {
            self.policy = None;
        }
        if name.eq_ignore_ascii_case(REPORT_ONLY) {
            self.report_only = None;
        }
        self
    }

    /// Tells this policy. With [nonces](ContentSecurityPolicy::script_nonces) in it each response has another [`Nonce`], which handlers take as an argument.
    #[must_use]
    pub fn content_security_policy(mut self, policy: ContentSecurityPolicy) -> SecurityHeaders {
        self.policy = Some(policy);
        self
    }

    /// Has browsers report what this policy would not let run, and let it run (CSP level 3, 3.2): to try one out. It should have a `report-to`.
    #[must_use]
    pub fn report_only(mut self, policy: ContentSecurityPolicy) -> SecurityHeaders {
        self.report_only = Some(policy);
        self
    }

    /// Tells browsers, over TLS, to ask this host over TLS only. By default they are not told: what they were told they remember, right or wrong.
    #[must_use]
    pub fn hsts(mut self, hsts: Hsts) -> SecurityHeaders {
        self.hsts = Some(hsts);
        self
    }

    /// Makes nonces from a seed, the same on each worker: for tests, since anybody can foretell them, and then they guard nothing. By default the system's random
    /// numbers are taken.
    #[must_use]
    pub fn nonce_seed(mut self, seed: u64) -> SecurityHeaders {
        self.seed = Some(seed);
        self
    }
}

/// What is added to every response.
struct Told {
    /// Those of always the same value, and their lines.
    fixed: Vec<(String, String)>,
    lines: Bytes,
    policies: Vec<(&'static str, Rendered)>,
    hsts: Option<String>,
    scratch: RefCell<Vec<u8>>,
}

/// What of a request is to be known of its response.
struct Asked {
    nonce: Option<Rc<Nonce>>,
    is_secure: bool,
}

impl Told {
    fn add(&self, fields: &mut Fields, asked: &Asked) {
        let is_fixed = |name: &str| self.fixed.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if fields.iter().any(|(name, _)| is_fixed(name)) {
            self.fixed.iter().for_each(|(name, value)| append_unless_said(fields, name, value.as_bytes()));
        } else {
            fields.append_prepared(&self.lines);
        }
        let scratch = &mut *self.scratch.borrow_mut();
        for (name, policy) in &self.policies {
            append_unless_said(fields, name, policy.with(asked.nonce.as_deref(), scratch));
        }
        if let Some(value) = self.hsts.as_ref().filter(|_| asked.is_secure) {
            append_unless_said(fields, hsts::NAME, value.as_bytes());
        }
    }
}

fn append_unless_said(fields: &mut Fields, name: &str, value: &[u8]) {
    if fields.get(name).is_none() {
        fields.append(name, value).expect("it was tried when it was named");
    }
}

impl IntoFilter<SecurityHeaders> for SecurityHeaders {
    fn into_filter(self) -> Rc<dyn Filter> {
        let policies = [(POLICY, self.policy), (REPORT_ONLY, self.report_only)];
        let policies = policies.into_iter().filter_map(|(name, policy)| Some((name, policy?)));
        let policies: Vec<_> = policies.filter(|(_, policy)| !policy.is_empty()).collect();
        let (with_nonces, constant): (Vec<_>, Vec<_>) =
            policies.into_iter().partition(|(_, policy)| policy.has_nonces());
        let constant = constant.into_iter().map(|(name, policy)| (name.to_owned(), policy.to_string()));
        let fixed: Vec<(String, String)> = self.fields.into_iter().chain(constant).collect();
        let mut lines = Fields::new();
        for (name, value) in &fixed {
            lines.append(name, value).expect("it was tried when it was named");
        }
        let told = Told {
            fixed,
            lines: lines.prepare(),
            policies: with_nonces.into_iter().map(|(name, policy)| (name, policy.render())).collect(),
            hsts: self.hsts.map(|hsts| hsts.to_string()),
            scratch: RefCell::default(),
        };
        let has_nonces = !told.policies.is_empty();
        let random = RefCell::new(Random::new(self.seed));
        let spare = Rc::new(Recycled::<Nonce>::default());
        let spare_after = spare.clone();
        let before = move |request: &mut Request| {
            let is_secure = request.is_secure();
            let nonce = has_nonces.then(|| spare.take(|nonce| nonce.draw(&mut random.borrow_mut())));
            if let Some(nonce) = &nonce {
                request.extensions_mut().insert_shared(nonce.clone());
            }
            Ok(Asked { nonce, is_secure })
        };
        around(before, move |asked: Asked, mut response: Response| {
            told.add(response.fields_mut(), &asked);
            if let Some(nonce) = asked.nonce {
                spare_after.give_back(nonce);
            }
            response
        })
    }
}
