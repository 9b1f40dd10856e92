//! Cross-origin resource sharing (the Fetch standard, 3.3): which pages of other origins may read what is answered, and ask what a form could not.
//!
//! A browser asks beforehand (a preflight) whether a page may send what it wants to; what that says is made in `preflight`. What is answered then is
//! told by `Answered`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::{Fields, Filter, IntoFilter, Method, Request, Response, Status, around};

use crate::origin::Pattern;
use crate::recycled::Recycled;
use crate::vary::vary;

/// What decides of an origin that no pattern matches.
type OriginIf = dyn Fn(&str, &Request) -> bool + Send + Sync;

/// A filter that lets pages of other origins read what is answered.
///
/// By default no other origin may anything, which is what browsers do without it. Of those that are named ([`origins`](Cors::origins),
/// [`origin_if`](Cors::origin_if), [`any_origin`](Cors::any_origin)) a page may ask, unless told otherwise, by whatever method its path has, with
/// whatever fields it wants; it reads the answer, errors too, but not fields beyond the safelisted, and neither cookies nor other credentials come along.
///
/// * A preflight (`OPTIONS` with `Origin` and `Access-Control-Request-Method`) is answered here: 204, or 403 for an origin that may not. What
///   it asks for that is not allowed is not named in the answer: then the browser says which it was.
/// * Other requests pass, whatever origin they are of: what must not be asked is for handlers to refuse. Where the origin may, the response says so.
///   Whatever a handler or an upstream says of these fields itself is replaced, and so is what another `Cors` behind this one says: of two the
///   outer counts.
/// * `Vary` names `Origin` wherever the answer depends on it, also where there was none, so that no cache gives one origin's answer to another.
///
/// ```
/// # use std::time::Duration;
/// # use gannet_features::cors::Cors;
/// Cors::new()
///     .origins(["https://app.example.com", "https://*.example.org", "http://localhost:*"])
///     .credentials(true)
///     .expose(["X-Request-Id"])
///     .max_age(Duration::from_secs(3600));
/// ```
#[derive(Clone, Default)]
pub struct Cors {
    patterns: Vec<Pattern>,
    origin_if: Option<Arc<OriginIf>>,
    any_origin: bool,
    methods: Option<String>,
    headers: Option<String>,
    exposed: String,
    credentials: bool,
    max_age: Option<Duration>,
    private_network: bool,
}

/// Of all origins, in `Access-Control-Allow-Origin`, and of all fields.
const ANY: &str = "*";

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
const ALLOW_CREDENTIALS: &str = "Access-Control-Allow-Credentials";
const EXPOSE_HEADERS: &str = "Access-Control-Expose-Headers";
const REQUEST_METHOD: &str = "Access-Control-Request-Method";
const REQUEST_HEADERS: &str = "Access-Control-Request-Headers";
const REQUEST_PRIVATE_NETWORK: &str = "Access-Control-Request-Private-Network";

/// What begins the names of all fields of this protocol that a response can have.
const PREFIX: &str = "access-control-";

impl Cors {
    /// No other origin may anything.
    pub fn new() -> Cors {
        Cors::default()
    }

    /// Lets pages of these origins read, besides others that are named: exact ones (`https://app.example.com`, with a port where it is not the scheme's
    /// own), all hosts below one (`https://*.example.com`, which is not `https://example.com` itself), any port of one
    /// (`http://localhost:*`). `null` is the origin of pages that have none, such as files and sandboxed frames, which anybody can make.
    ///
    /// # Panics
    /// When one is no origin, at the place of the call; it says what is wrong.
    #[must_use]
    #[track_caller]
    pub fn origins(mut self, origins: impl IntoIterator<Item = impl AsRef<str>>) -> Cors {
        for origin in origins {
            match Pattern::read(origin.as_ref()) {
                Ok(pattern) => self.patterns.push(pattern),
                Err(error) => panic!("{error}"),
            }
        }
        self
    }

    /// Lets pages of those origins read, too, of which `decide` says so, which gets the origin as the browser wrote it. It is asked where none of the
    /// [origins](Cors::origins) matches. Compare whole origins: `ends_with("example.com")` is true of `https://evil-example.com`.
    #[must_use]
    pub fn origin_if(mut self, decide: impl Fn(&str, &Request) -> bool + Send + Sync + 'static) -> Cors {
        self.origin_if = Some(Arc::new(decide));
        self
    }

    /// Lets all pages read: `Access-Control-Allow-Origin: *`. For what is public anyway.
    ///
    /// # Panics
    /// With [`credentials`](Cors::credentials): then any page could act for whoever looks at it, and browsers refuse it (Fetch, 3.3.5).
    #[must_use]
    #[track_caller]
    pub fn any_origin(mut self) -> Cors {
        self.any_origin = true;
        self.checked()
    }

    /// Which methods a page may ask by, beside GET, HEAD and POST, by which any page may anyway. By default those that the path
    /// has; where that is not known, since a handler takes all, the one that is asked for.
    ///
    /// # Panics
    /// When one is no method's name.
    #[must_use]
    #[track_caller]
    pub fn methods(mut self, methods: impl IntoIterator<Item = impl AsRef<str>>) -> Cors {
        self.methods = Some(list("methods", methods));
        self
    }

    /// Which fields a page may send, beside those that any page may. By default all that it asks for.
    ///
    /// # Panics
    /// When one is no field's name.
    #[must_use]
    #[track_caller]
    pub fn headers(mut self, headers: impl IntoIterator<Item = impl AsRef<str>>) -> Cors {
        self.headers = Some(list("fields", headers));
        self
    }

    /// Which fields of a response a page may read, beside `Cache-Control`, `Content-Language`, `Content-Length`, `Content-Type`, `Expires`,
    /// `Last-Modified` and `Pragma`, which any page may that may read the response. `*` is all of them, where there are no credentials. By default none.
    ///
    /// # Panics
    /// When one is no field's name, or is `*` with [`credentials`](Cors::credentials).
    #[must_use]
    #[track_caller]
    pub fn expose(mut self, headers: impl IntoIterator<Item = impl AsRef<str>>) -> Cors {
        self.exposed = list("fields", headers);
        self.checked()
    }

    /// Whether a page may have cookies, certificates and what the browser knows of passwords sent along, and read what is answered then. By default not.
    ///
    /// # Panics
    /// With [`any_origin`](Cors::any_origin), or with all fields [exposed](Cors::expose).
    #[must_use]
    #[track_caller]
    pub fn credentials(mut self, credentials: bool) -> Cors {
        self.credentials = credentials;
        self.checked()
    }

    /// For how long a browser need not ask again, in whole seconds. By default it is not told, and takes five seconds (Fetch, 4.8). Chromium takes two
    /// hours at most, Firefox a day.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Cors {
        self.max_age = Some(max_age);
        self
    }

    /// Whether pages of public sites may ask, where this server is in a private network (WICG, Private Network Access, 3.1.3). By default not.
    #[must_use]
    pub fn private_network(mut self, private_network: bool) -> Cors {
        self.private_network = private_network;
        self
    }

    /// Whether what any origin may is together with what needs a particular one.
    #[track_caller]
    fn checked(self) -> Cors {
        assert!(
            !(self.credentials && self.any_origin),
            "Cors: credentials are for origins that are named, never for any_origin (Fetch, 3.3.5): name them by Cors::origins"
        );
        assert!(
            !(self.credentials && self.exposed == ANY),
            "Cors: with credentials \"*\" exposes nothing (Fetch, 3.3.5): name the fields"
        );
        self
    }

    /// Whether a page of this origin may ask.
    fn admits(&self, origin: &[u8], request: &Request) -> bool {
        self.any_origin
            || self.patterns.iter().any(|pattern| pattern.matches(origin))
            || self.origin_if.as_ref().is_some_and(|decide| {
                let is_ascii = origin.is_ascii().then(|| std::str::from_utf8(origin).ok()).flatten();
                is_ascii.is_some_and(|origin| decide(origin, request))
            })
    }

    /// Whether all origins get the same answer.
    fn is_constant(&self) -> bool {
        self.any_origin || self.patterns.is_empty() && self.origin_if.is_none()
    }

    /// Says who may read.
    fn allow(&self, fields: &mut Fields, origin: &[u8]) {
        let origin = if self.any_origin { ANY.as_bytes() } else { origin };
        fields.append(ALLOW_ORIGIN, origin).expect("an origin that was received can be sent");
        if self.credentials {
            fields.append(ALLOW_CREDENTIALS, "true").expect("a word can be sent");
        }
    }

    /// What a browser is told that asks beforehand.
    fn preflight(&self, request: &Request, origin: &[u8], method: &str) -> Response {
        let is_admitted = self.admits(origin, request);
        let status = if is_admitted { Status::NO_CONTENT } else { Status::FORBIDDEN };
        let mut response = Response::new(status);
        let fields = response.fields_mut();
        if !self.is_constant() {
            vary(fields, "Origin");
        }
        vary(fields, REQUEST_METHOD);
        vary(fields, REQUEST_HEADERS);
        if self.private_network {
            vary(fields, REQUEST_PRIVATE_NETWORK);
        }
        if !is_admitted {
            return response;
        }
        self.allow(fields, origin);
        let methods = self.methods.as_deref().or(request.allowed()).unwrap_or(method);
        let mut say = |name: &str, value: &[u8]| {
            // What is repeated was received, and can be sent.
            let _ = if value.is_empty() { Ok(()) } else { fields.append(name, value) };
        };
        say("Access-Control-Allow-Methods", methods.as_bytes());
        match &self.headers {
            Some(headers) => say("Access-Control-Allow-Headers", headers.as_bytes()),
            // Field by field what is asked for: `*` would not have `Authorization` in it (Fetch, 4.8).
            None => {
                let asked = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case(REQUEST_HEADERS));
                asked.for_each(|(_, value)| say("Access-Control-Allow-Headers", value));
            }
        }
        if let Some(max_age) = self.max_age {
            say("Access-Control-Max-Age", max_age.as_secs().to_string().as_bytes());
        }
        if self.private_network && request.field(REQUEST_PRIVATE_NETWORK) == Some(b"true") {
            say("Access-Control-Allow-Private-Network", b"true");
        }
        response
    }

    /// Tells of a response who may read it: a page of `origin`, if it may.
    fn tell(&self, response: &mut Response, origin: Option<&[u8]>) {
        let fields = response.fields_mut();
        remove_others(fields);
        if !self.is_constant() {
            vary(fields, "Origin");
        }
        if let Some(origin) = origin {
            self.allow(fields, origin);
            if !self.exposed.is_empty() {
                fields.append(EXPOSE_HEADERS, &self.exposed).expect("names were checked");
            }
        }
    }
}

impl IntoFilter<Cors> for Cors {
    fn into_filter(self) -> Rc<dyn Filter> {
        let cors = Rc::new(self);
        let cors_after = cors.clone();
        let spare = Rc::new(Recycled::<Vec<u8>>::default());
        let spare_after = spare.clone();
        let before = move |request: &mut Request| {
            let Some(origin) = request.field("Origin") else { return Ok(None) };
            if request.method() == Method::Options
                && let Some(method) = request.field_str(REQUEST_METHOD)
            {
                return Err(cors.preflight(request, origin, method));
            }
            let is_admitted = cors.admits(origin, request);
            Ok(is_admitted.then(|| {
                spare.take(|kept| {
                    kept.clear();
                    kept.extend_from_slice(origin);
                })
            }))
        };
        around(before, move |origin: Option<Rc<Vec<u8>>>, mut response: Response| {
            cors_after.tell(&mut response, origin.as_deref().map(Vec::as_slice));
            if let Some(origin) = origin {
                spare_after.give_back(origin);
            }
            response
        })
    }
}

/// Takes out what somebody else says: two voices would be none (Fetch, 4.9).
fn remove_others(fields: &mut Fields) {
    let is_other =
        |name: &str| name.get(..PREFIX.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(PREFIX));
    let find = |fields: &Fields| {
        let other = fields.iter().find(|(name, _)| is_other(name));
        other.map(|(name, _)| name.to_owned())
    };
    // Bounded: each round takes out all fields of a name.
    while let Some(name) = find(fields) {
        fields.remove(&name);
    }
}

/// Names, as a field has them.
#[track_caller]
fn list(of_what: &str, names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut text = String::new();
    for name in names {
        let name = name.as_ref();
        // What can be a field's name is a token, as methods are (RFC 9110, 5.6.2).
        let is_token = Fields::new().append(&format!("x{name}"), "").is_ok() && !name.is_empty();
        assert!(is_token, "Cors: {name:?} is no name of {of_what}");
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(name);
    }
    text
}

impl fmt::Debug for Cors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cors")
            .field("patterns", &self.patterns)
            .field("origin_if", &self.origin_if.is_some())
            .field("any_origin", &self.any_origin)
            .field("methods", &self.methods)
            .field("headers", &self.headers)
            .field("exposed", &self.exposed)
            .field("credentials", &self.credentials)
            .field("max_age", &self.max_age)
            .field("private_network", &self.private_network)
            .finish()
    }
}
