//! The builder: an application, from its routes to its sockets.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use gannet_core::{
    IntoFilter, IntoResponse, Method, Networks, Rejection, Rejections, Request, StateFactory, Upstream,
};
use gannet_features::hsts::Hsts;
use gannet_server::host::{Address, BackendChoice, Listen, Options, Running, Signals, StartError, start};
use gannet_server::{AccessLog, Limits, MappedSends, Site, SiteBuilder, SiteError};

use crate::routes::{Routes, verbs};
use crate::tls::Tls;

/// An application: what it serves, and where.
///
/// Mistakes made while building (two patterns that match the same paths, a state that a handler needs and nobody gave, a folder that is not there) are
/// given back all at once by [`build`](App::build), [`start`](App::start) and [`run`](App::run), each with the places in the code.
pub struct App {
    /// What is served for all that no host names.
    pub(crate) routes: Routes,
    pub(crate) site: SiteBuilder,
    pub(crate) listen: Vec<Listen>,
    pub(crate) tls: Option<Tls>,
    pub(crate) redirect: Vec<Listen>,
    pub(crate) hsts: Option<Hsts>,
    pub(crate) trust: Networks,
    pub(crate) proxy_protocol: bool,
    pub(crate) http1_only: bool,
    pub(crate) share_port: bool,
    pub(crate) workers: usize,
    pub(crate) pin: bool,
    pub(crate) backend: BackendChoice,
    pub(crate) limits: Limits,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) mapped_sends: MappedSends,
    /// Where in the code some of it was asked for.
    pub(crate) places: HashMap<&'static str, &'static Location<'static>>,
    /// OpenAPI documents, to be made when all routes are known.
    #[cfg(feature = "openapi")]
    pub(crate) documents: Vec<crate::openapi::Pending>,
}

/// An application without mistakes, to be started.
pub struct Server {
    site: Site,
    options: Options,
    /// Where the redirect leads to, once it is known.
    port: Arc<OnceLock<u16>>,
}

/// A handler in its place, as [`App::routes`] lists them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedRoute {
    /// The patterns of the hosts that it is for; none: all that no host names.
    pub hosts: Vec<String>,
    /// The method; `None`: any that has no handler of its own there.
    pub method: Option<Method>,
    /// The pattern, with the prefixes of its groups.
    pub pattern: String,
    /// Where in the code it was registered.
    pub place: &'static Location<'static>,
}

/// The port of `https` (RFC 9110, 4.2.2).
const HTTPS_PORT: u16 = 443;

/// Why an application did not start, or ended.
#[derive(Debug)]
pub enum Error {
    /// What was built cannot be served: every mistake in it, a line each, which begins with the place in the code; in the order of those.
    Build(String),
    /// The server could not start.
    Start(StartError),
    /// The server ended on its own.
    Run(io::Error),
}

impl Default for App {
    fn default() -> App {
        App::new()
    }
}

impl App {
    /// An application that serves nothing yet, on `127.0.0.1:8080`; with TLS on `127.0.0.1:8443`.
    pub fn new() -> App {
        App {
            routes: Routes::default(),
            site: SiteBuilder::new(),
            listen: Vec::new(),
            tls: None,
            redirect: Vec::new(),
            hsts: None,
            trust: Networks::none(),
            proxy_protocol: false,
            http1_only: false,
            share_port: false,
            workers: 0,
            pin: false,
            backend: BackendChoice::Auto,
            limits: Limits::default(),
            admin: None,
            access_log: None,
            mapped_sends: MappedSends::Auto,
            places: HashMap::new(),
            #[cfg(feature = "openapi")]
            documents: Vec::new(),
        }
    }

    verbs!(App);

    pub(crate) fn routes_mut(&mut self) -> &mut Routes {
        &mut self.routes
    }

    /// Keeps a mistake that was made at a place in the code; each is told with it.
    pub(crate) fn mistake(&mut self, place: &Location<'_>, mistake: impl fmt::Display) {
        self.routes.mistakes.push(format!("{place}: {mistake}"));
    }

    /// Remembers where something was asked for, of which only later is known whether it is a mistake.
    #[track_caller]
    pub(crate) fn asked_for(&mut self, what: &'static str) {
        self.places.insert(what, Location::caller());
    }

    /// A mistake in what was asked for.
    pub(crate) fn mistake_in(&mut self, what: &'static str, mistake: impl fmt::Display) {
        match self.places.get(what).copied() {
            Some(place) => self.mistake(place, mistake),
            None => self.routes.mistakes.push(mistake.to_string()),
        }
    }

    /// Serves other routes for some hosts: names (`api.example.com`) and wildcards (`*.example.com`: one label or more). The
    /// name itself comes before a wildcard, and a longer wildcard before a shorter one; case and port do not count.
    ///
    /// A host has its own routes only. What no host names gets the routes of the application itself; if it has none, the
    /// answer is 421 (Misdirected Request).
    ///
    /// ```
    /// # use gannet::prelude::*;
    /// App::new().get("/", "hello").host(["api.example.com", "*.api.example.com"], |api| {
    ///     api.get("/users/:id", |request: Request| request.param("id").unwrap_or_default().to_owned())
    /// });
    /// ```
    #[must_use]
    #[track_caller]
    pub fn host(
        mut self,
        patterns: impl IntoIterator<Item = impl Into<String>>,
        build: impl FnOnce(Routes) -> Routes,
    ) -> App {
        let routes = self.routes.absorb(build(Routes::default()));
        self.site.host(patterns, routes);
        self
    }

    /// Puts every handler, those of hosts too, behind a filter; the first one added is outermost. So is what is answered where there is no handler: 404, 405
    /// and what OPTIONS is told.
    #[must_use]
    pub fn with<M>(mut self, filter: impl IntoFilter<M>) -> App {
        self.site.filter(filter);
        self
    }

    /// Gives handlers a value that all workers share, as the argument [`State<T>`](crate::State). There is one of a type.
    ///
    /// ```
    /// # use gannet::prelude::*;
    /// # use std::sync::atomic::{AtomicU64, Ordering};
    /// App::new()
    ///     .get("/visits", |visits: State<AtomicU64>| visits.fetch_add(1, Ordering::Relaxed).to_string())
    ///     .state(AtomicU64::new(0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> App {
        self.site.state(StateFactory::shared(value));
        self
    }

    /// Gives handlers a value that each worker has one of, as the argument [`State<T>`](crate::State): made on the worker's thread, before it serves, and needs to be
    /// neither `Send` nor `Sync`. [`start`](App::start) waits for it, and blocks its thread meanwhile.
    #[must_use]
    #[track_caller]
    pub fn state_per_worker<T, F>(self, make: impl Fn() -> F + Send + Sync + 'static) -> App
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        self.try_state_per_worker(move || {
            let making = make();
            async move { Ok::<T, std::convert::Infallible>(making.await) }
        })
    }

    /// As [`state_per_worker`](App::state_per_worker), for what may fail: then the server does not start, and says why.
    #[must_use]
    #[track_caller]
    pub fn try_state_per_worker<T, F, E>(mut self, make: impl Fn() -> F + Send + Sync + 'static) -> App
    where
        T: 'static,
        F: Future<Output = Result<T, E>> + 'static,
        E: fmt::Display,
    {
        self.site.state(StateFactory::per_worker(make));
        self
    }

    /// Answers in the place of every [`Rejection`]: where an argument of a handler could not be made of a request. By default that is told as problem details
    /// (RFC 9457).
    #[must_use]
    #[track_caller]
    pub fn rejections<R: IntoResponse>(
        self,
        answer: impl Fn(Rejection, &Request) -> R + Send + Sync + 'static,
    ) -> App {
        self.state(Rejections::new(answer))
    }

    /// All routes, in the order in which they were registered.
    pub fn routes(&self) -> Vec<ListedRoute> {
        let default = self.routes.routes.registered().iter().map(|route| (&[][..], route));
        let listed = default.chain(self.site.registered()).map(|(hosts, route)| ListedRoute {
            hosts: hosts.to_vec(),
            method: route.method,
            pattern: route.pattern.clone(),
            place: route.place,
        });
        listed.collect()
    }

    /// The application, ready to be started.
    ///
    /// # Errors
    /// Every mistake that was made, a line each: [`Error::Build`].
    pub fn build(mut self) -> Result<Server, Error> {
        let port = Arc::<OnceLock<u16>>::default();
        let listen = self.listeners(&port);
        #[cfg(feature = "proxy")]
        for proxy in std::mem::take(&mut self.routes.proxies) {
            let place = proxy.place();
            if let Err(mistake) = proxy.build(&self.trust) {
                self.mistake(place, mistake);
            }
        }
        if let Some(hsts) = self.hsts {
            self.site.filter(hsts);
        }
        #[cfg(feature = "openapi")]
        self.describe();
        let Routes { routes, mut mistakes, .. } = self.routes;
        *self.site.routes() = routes;
        let site = self.site.build().map_err(|error| mistakes.extend(SiteError::into_mistakes(error)));
        let Some(site) = site.ok().filter(|_| mistakes.is_empty()) else {
            mistakes.sort_by(|one, other| place_of(one).cmp(&place_of(other)));
            return Err(Error::Build(mistakes.join("\n")));
        };
        let options = Options {
            listen,
            trusted: self.trust,
            upstreams: Upstream::made() > 0,
            share_port: self.share_port,
            workers: self.workers,
            pin: self.pin,
            backend: self.backend,
            limits: self.limits,
            admin: self.admin,
            access_log: self.access_log,
            mapped_sends: self.mapped_sends,
        };
        Ok(Server { site, options, port })
    }

    /// Starts serving, and returns when connections are accepted.
    ///
    /// # Errors
    /// When what was built cannot be served, or the server cannot start.
    pub fn start(self) -> Result<Running, Error> {
        self.build()?.start()
    }

    /// Serves until `SIGTERM` or `SIGINT`, then drains; a second signal ends at once. `SIGUSR1` opens the access log's file anew.
    /// The future may be spawned; dropping it stops the server. Where it listens is in the log (`tracing`, level `INFO`); on the standard error where no
    /// subscriber of `tracing` was ever installed.
    ///
    /// # Errors
    /// As [`start`](App::start), and when the server ends on its own.
    pub async fn run(self) -> Result<(), Error> {
        let signals = Signals::listen().map_err(Error::Run)?;
        let is_logged = tracing::dispatcher::has_been_set();
        let tell = |line: &str| match is_logged {
            true => tracing::info!("{line}"),
            // A program without a log says at least this; where nobody reads it, it serves all the same.
            false => _ = writeln!(io::stderr(), "{line}"),
        };
        self.start_and_tell(tell)?.obey(signals).await.map_err(Error::Run)
    }

    /// Serves until `shutdown` is done, then drains. Signals are left alone. The future may be spawned; dropping it stops the server at once. Where it
    /// listens is in the log (`tracing`, level `INFO`).
    ///
    /// # Errors
    /// As [`start`](App::start), and when the server ends on its own.
    pub async fn serve_with_shutdown(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        self.start_and_tell(|line| tracing::info!("{line}"))?.drain_after(shutdown).await.map_err(Error::Run)
    }

    /// Starts serving, and says where.
    fn start_and_tell(self, tell: impl Fn(&str)) -> Result<Running, Error> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let running = self.start()?;
        for address in running.addresses() {
            match address.internet() {
                Some(address) => tell(&format!("listening on {scheme}://{address}")),
                None => tell(&format!("listening on {address}")),
            }
        }
        Ok(running)
    }
}

/// Where in the code a mistake was made: file, line and column, with which each begins.
fn place_of(mistake: &str) -> Option<(&str, u32, u32)> {
    let (place, _) = mistake.split_once(": ")?;
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some((parts.next()?, line, column))
}

impl Server {
    /// For those who serve it otherwise.
    #[cfg(feature = "test")]
    pub(crate) fn into_parts(self) -> (Site, Options) {
        (self.site, self.options)
    }

    /// Starts serving, and returns when connections are accepted.
    ///
    /// # Errors
    /// When the server cannot start: [`Error::Start`].
    pub fn start(self) -> Result<Running, Error> {
        let running = start(self.site, self.options).map_err(Error::Start)?;
        let secure = running.addresses().iter().find_map(Address::internet);
        let _ = self.port.set(secure.map_or(HTTPS_PORT, |address| address.port())); // it is set once
        Ok(running)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.site).finish()
    }
}

/// As `GET /users/:id`, with the place behind it.
impl fmt::Display for ListedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.method.and_then(Method::as_str).unwrap_or("*");
        write!(f, "{method:7} {}{}  {}", self.hosts.join(","), self.pattern, self.place)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Build(mistakes) => f.write_str(mistakes),
            Error::Start(error) => error.fmt(f),
            Error::Run(error) => write!(f, "the server ended: {error}"),
        }
    }
}

impl std::error::Error for Error {}
