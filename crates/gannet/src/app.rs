//! The builder: an application, from its routes to its sockets.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use gannet_core::{IntoFilter, IntoHandler, Method, Networks, Upstream};
use gannet_features::files::IntoFiles;
use gannet_features::hsts::Hsts;
use gannet_features::redirect::Redirect;
use gannet_server::host::{
    Address, BackendChoice, Listen, ListenerOptions, Options, Running, Signals, StartError, inherited, start,
};
use gannet_server::{AccessLog, Limits, MappedSends, Preamble, SiteBuilder, SiteError};

use crate::proxy::{IntoProxy, Pending};
use crate::routes::{Routes, below, verbs};
use crate::tls::Tls;
use crate::trust::IntoNetworks;

/// An application: what it serves, and where.
///
/// Mistakes made while building (two patterns that match the same paths, a folder that is not there) are given back all at once by
/// [`start`](App::start) and [`run`](App::run).
pub struct App {
    site: SiteBuilder,
    listen: Vec<Listen>,
    tls: Option<Tls>,
    redirect: Vec<Listen>,
    hsts: Option<Hsts>,
    trust: Networks,
    proxy_protocol: bool,
    http1_only: bool,
    proxies: Vec<Pending>,
    share_port: bool,
    workers: usize,
    pin: bool,
    backend: BackendChoice,
    limits: Limits,
    admin: Option<SocketAddr>,
    access_log: Option<AccessLog>,
    mapped_sends: MappedSends,
    mistakes: Vec<String>,
}

const NOTHING_HANDED_OVER: &str = "no sockets were handed over (LISTEN_FDS is not set for this process); start it by a \
service manager, or name an address to listen on";

/// The port of `https` (RFC 9110, 4.2.2).
const HTTPS_PORT: u16 = 443;

/// Why an application did not start, or ended.
#[derive(Debug)]
pub enum Error {
    /// What was built cannot be served: every mistake in it, a line each.
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
            site: SiteBuilder::new(),
            listen: Vec::new(),
            tls: None,
            redirect: Vec::new(),
            hsts: None,
            trust: Networks::none(),
            proxy_protocol: false,
            http1_only: false,
            proxies: Vec::new(),
            share_port: false,
            workers: 0,
            pin: false,
            backend: BackendChoice::Auto,
            limits: Limits::default(),
            admin: None,
            access_log: None,
            mapped_sends: MappedSends::Auto,
            mistakes: Vec::new(),
        }
    }

    verbs!(App);

    /// Answers `method` (none: any method) on `pattern`, for every host that has no routes of its own ([`host`](App::host)).
    ///
    /// | pattern | matches |
    /// |---|---|
    /// | `/about` | only that |
    /// | `/users/:id`, `/users/{id}` | one segment in the place of the parameter: [`Request::param`](crate::Request::param) gives it |
    /// | `/api/*` | `/api/` and everything below it: [`Request::tail`](crate::Request::tail) gives what is below |
    /// | `/files/*path`, `/files/{*path}` | the same, and gives it the name of a parameter |
    ///
    /// A parameter is a whole segment, and not empty. Paths are compared as they are sent, percent-encoded. A colon or a brace that
    /// stands for itself is written twice.
    ///
    /// The most specific pattern answers, whatever the order: segment by segment from the left, itself before a parameter before a
    /// wildcard. Where it has no handler for the method, a less specific one that has answers; only if none has, the
    /// answer is 405. HEAD is answered by the handler of GET, and OPTIONS by the server, unless they have handlers of their own.
    #[must_use]
    #[track_caller]
    pub fn route<M>(mut self, method: Option<Method>, pattern: &str, handler: impl IntoHandler<M>) -> App {
        self.site.route(method, pattern, handler);
        self
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
        let Routes { routes, proxies, mistakes } = build(Routes::default());
        self.site.host(patterns, routes);
        self.proxies.extend(proxies);
        self.mistakes.extend(mistakes);
        self
    }

    /// Serves the files of a folder below `prefix`: a path, or [`Files`](crate::files::Files) to say how.
    #[must_use]
    #[track_caller]
    pub fn files(mut self, prefix: &str, files: impl IntoFiles) -> App {
        match files.into_files() {
            Ok(files) => self.site.endpoint(Some(Method::Get), &below(prefix), files.factory()),
            Err(error) => self.mistakes.push(error.to_string()),
        }
        self
    }

    /// Passes what is asked for on `pattern`, by any method, on to another server: its name, or [`Proxy`](crate::Proxy) to say how.
    #[must_use]
    #[track_caller]
    pub fn proxy(mut self, pattern: &str, proxy: impl IntoProxy) -> App {
        let pending = Pending::new(proxy.into_proxy());
        self.site.endpoint(None, pattern, pending.factory());
        self.proxies.push(pending);
        self
    }

    /// Puts every handler, those of hosts too, behind a filter; the first one added is outermost.
    #[must_use]
    pub fn with<M>(mut self, filter: impl IntoFilter<M>) -> App {
        self.site.filter(filter);
        self
    }

    /// Listens on an address, too; port 0 takes a free one. Without any: `127.0.0.1:8080`.
    #[must_use]
    pub fn listen(mut self, address: impl ToSocketAddrs + fmt::Debug) -> App {
        match address.to_socket_addrs() {
            Ok(addresses) => self.listen.extend(addresses.map(Listen::Internet)),
            Err(error) => self.mistakes.push(format!("{address:?} is no address to listen on: {error}")),
        }
        self
    }

    /// Listens on a Unix socket, too: made at `path`, for whom the umask lets write to it. One that a dead server left there is
    /// replaced; ours is removed when the server ends.
    #[must_use]
    pub fn listen_unix(mut self, path: impl Into<PathBuf>) -> App {
        self.listen.push(Listen::Unix(path.into()));
        self
    }

    /// Listens on the sockets, too, that a service manager hands over to this process (sd_listen_fds(3)); that there are none is a
    /// mistake. They can be taken once. Call this before there are other threads: then the variables that announce them are
    /// taken out of the environment.
    #[must_use]
    pub fn listen_inherited(mut self) -> App {
        match inherited::take() {
            Ok(sockets) if sockets.is_empty() => self.mistakes.push(NOTHING_HANDED_OVER.to_owned()),
            Ok(sockets) => self.listen.extend(sockets.into_iter().map(Listen::Inherited)),
            Err(error) => self.mistakes.push(error.to_string()),
        }
        self
    }

    /// Speaks TLS on whatever is listened on, but for the [`redirect`](App::redirect) and the [`admin`](App::admin) listener.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> App {
        self.tls = Some(tls);
        self
    }

    /// Listens in clear text on this address, too, and leads whoever comes there to the same place over TLS: to the port that is listened
    /// on first.
    #[must_use]
    pub fn redirect(mut self, address: impl ToSocketAddrs + fmt::Debug) -> App {
        match address.to_socket_addrs() {
            Ok(addresses) => self.redirect.extend(addresses.map(Listen::Internet)),
            Err(error) => {
                self.mistakes
                    .push(format!("{address:?} is no address for the redirect to listen on: {error}"));
            }
        }
        self
    }

    /// As [`redirect`](App::redirect), on a Unix socket.
    #[must_use]
    pub fn redirect_unix(mut self, path: impl Into<PathBuf>) -> App {
        self.redirect.push(Listen::Unix(path.into()));
        self
    }

    /// Tells browsers to ask this host over TLS only, for so long ([`Hsts`]; RFC 6797). By default they are not told. It is told over TLS, by what
    /// handlers answer.
    #[must_use]
    pub fn hsts(mut self, hsts: Hsts) -> App {
        self.hsts = Some(hsts);
        self
    }

    /// Believes the proxies of these networks what they say of a client's address ([`Request::client_address`](crate::Request::client_address)):
    /// `10.0.0.0/8, fd00::/8`; `loopback` and `private` are short for networks, too. Several calls add up. By default nobody is believed.
    #[must_use]
    pub fn trust(mut self, networks: impl IntoNetworks) -> App {
        match networks.into_networks() {
            Ok(networks) => self.trust.extend(networks),
            Err(error) => self.mistakes.push(format!("nobody can be trusted by this: {error}")),
        }
        self
    }

    /// Whether every connection begins with a header of the PROXY protocol (haproxy's `proxy-protocol.txt`, version 1 or 2), which says whose it is.
    /// It is taken from those who are [trusted](App::trust), and the connections of others are closed: so without `trust` this is a mistake.
    /// By default none is expected.
    #[must_use]
    pub fn proxy_protocol(mut self, proxy_protocol: bool) -> App {
        self.proxy_protocol = proxy_protocol;
        self
    }

    /// Whether HTTP/2 is not spoken. By default it is, with those who ask for it: by ALPN over TLS, in clear text by prior knowledge or an
    /// `Upgrade: h2c`.
    #[must_use]
    pub fn http1_only(mut self, http1_only: bool) -> App {
        self.http1_only = http1_only;
        self
    }

    /// Whether other processes may listen on the same ports (`SO_REUSEPORT`, socket(7)), of which the kernel then gives each its
    /// share of connections. By default a port that another process has is an error.
    #[must_use]
    pub fn share_port(mut self, share_port: bool) -> App {
        self.share_port = share_port;
        self
    }

    /// Whether each worker is kept on one core of those that this process may use; more workers than cores take turns. By default
    /// the kernel moves them as it likes.
    #[must_use]
    pub fn pin(mut self, pin: bool) -> App {
        self.pin = pin;
        self
    }

    /// How many worker threads; 0, the default: one for each core.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> App {
        self.workers = workers;
        self
    }

    /// Which engine; by default the best this machine can run.
    #[must_use]
    pub fn backend(mut self, backend: BackendChoice) -> App {
        self.backend = backend;
        self
    }

    /// The limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> App {
        self.limits = limits;
        self
    }

    /// Tells health (`/healthz`, `/readyz`) and metrics (`/metrics`) on an address of their own, which nobody but those who watch
    /// the server should reach; port 0 takes a free one. By default nowhere. `docs/metrics.md` has every metric.
    #[must_use]
    pub fn admin(mut self, address: impl ToSocketAddrs + fmt::Debug) -> App {
        match address.to_socket_addrs().map(|mut addresses| addresses.next()) {
            Ok(Some(address)) => self.admin = Some(address),
            Ok(None) => self.mistakes.push(format!("{address:?} is no address for the admin listener")),
            Err(error) => {
                self.mistakes.push(format!("{address:?} is no address for the admin listener: {error}"));
            }
        }
        self
    }

    /// Logs a line for each request, when it is over. By default there is no access log. `docs/logging.md` has the formats.
    #[must_use]
    pub fn access_log(mut self, log: AccessLog) -> App {
        self.access_log = Some(log);
        self
    }

    /// Which files are sent from a mapping of them, which only the kernel reads; by default those that are cheaper to send so.
    #[must_use]
    pub fn mapped_sends(mut self, mapped_sends: MappedSends) -> App {
        self.mapped_sends = mapped_sends;
        self
    }

    /// Lets the environment have the last word: `GANNET_LISTEN` (addresses and `unix:PATH`s, separated by commas), `GANNET_WORKERS`,
    /// `GANNET_BACKEND` (`auto`, `epoll`, `uring`), `GANNET_MMAP` (`auto`, `on`, `off`).
    #[must_use]
    pub fn environment(mut self) -> App {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(addresses) = set("GANNET_LISTEN") {
            self.listen.clear();
            self =
                addresses.split(',').fold(self, |app, address| match address.trim().strip_prefix("unix:") {
                    Some(path) => app.listen_unix(path),
                    None => app.listen(address.trim()),
                });
        }
        if let Some(workers) = set("GANNET_WORKERS") {
            match workers.parse() {
                Ok(workers) => self.workers = workers,
                Err(_) => {
                    self.mistakes.push(format!("GANNET_WORKERS is {workers:?}; it is a number of threads"));
                }
            }
        }
        if let Some(backend) = set("GANNET_BACKEND") {
            match backend.parse() {
                Ok(backend) => self.backend = backend,
                Err(error) => self.mistakes.push(format!("GANNET_BACKEND is {backend:?}: {error}")),
            }
        }
        if let Some(mapped_sends) = set("GANNET_MMAP") {
            match mapped_sends.parse() {
                Ok(mapped_sends) => self.mapped_sends = mapped_sends,
                Err(error) => self.mistakes.push(format!("GANNET_MMAP is {mapped_sends:?}: {error}")),
            }
        }
        self
    }

    /// Starts serving, and returns when connections are accepted.
    ///
    /// # Errors
    /// When what was built cannot be served, or the server cannot start.
    pub fn start(mut self) -> Result<Running, Error> {
        let port = Arc::<OnceLock<u16>>::default();
        let listen = self.listeners(&port);
        let trust = self.trust.clone();
        for proxy in std::mem::take(&mut self.proxies) {
            self.mistakes.extend(proxy.build(&trust).err());
        }
        if let Some(hsts) = self.hsts {
            self.site.filter(hsts);
        }
        let site = self.site.build().map_err(|error| SiteError::to_string(&error));
        let site = match (site, self.mistakes.is_empty()) {
            (Ok(site), true) => site,
            (site, _) => {
                self.mistakes.extend(site.err());
                return Err(Error::Build(self.mistakes.join("\n")));
            }
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
        let running = start(site, options).map_err(Error::Start)?;
        let secure = running.addresses().iter().find_map(Address::internet);
        let _ = port.set(secure.map_or(HTTPS_PORT, |address| address.port())); // it is set once
        Ok(running)
    }

    /// What is to be listened on, and what comes before HTTP there. The redirect leads to the port that `port` will have: where port 0
    /// was asked for, it is known when the server listens.
    fn listeners(&mut self, port: &Arc<OnceLock<u16>>) -> Vec<ListenerOptions> {
        let has_tls = self.tls.is_some();
        self.check_edge();
        let tls = self.tls.take().map(|tls| tls.build(self.http1_only)).transpose();
        let tls = tls.map_err(|error| self.mistakes.push(error.to_string())).unwrap_or_default();
        if self.listen.is_empty() {
            let port = if has_tls { 8443 } else { 8080 };
            self.listen.push(Listen::Internet(SocketAddr::from(([127, 0, 0, 1], port))));
        }
        let redirect = Redirect::to(port.clone()).factory();
        let clear = Preamble { tls: None, proxy_protocol: self.proxy_protocol, http1_only: self.http1_only };
        let site = std::mem::take(&mut self.listen).into_iter().map(|listen| ListenerOptions {
            listen,
            preamble: Preamble { tls: tls.clone(), ..clear },
            handler: None,
        });
        let aside = std::mem::take(&mut self.redirect).into_iter().map(|listen| ListenerOptions {
            listen,
            preamble: clear.clone(),
            handler: Some(redirect.clone()),
        });
        site.chain(aside).collect()
    }

    /// What goes together only.
    fn check_edge(&mut self) {
        let mistakes = [
            (self.tls.is_none() && !self.redirect.is_empty(), "App::redirect leads to TLS; add App::tls"),
            (self.tls.is_none() && self.hsts.is_some(), "App::hsts is told over TLS only; add App::tls"),
            (
                self.proxy_protocol && self.trust.is_empty(),
                "App::proxy_protocol lets whoever connects say who the client is; name those who may by App::trust",
            ),
        ];
        let made = mistakes.iter().filter(|(is_made, _)| *is_made);
        self.mistakes.extend(made.map(|(_, mistake)| (*mistake).to_owned()));
    }

    /// Serves until `SIGTERM` or `SIGINT`, then drains; a second signal ends at once. `SIGUSR1` opens the access log's file anew.
    /// Dropping the future stops the server.
    ///
    /// # Errors
    /// As [`start`](App::start), and when the server ends on its own.
    pub async fn run(self) -> Result<(), Error> {
        let signals = Signals::listen().map_err(Error::Run)?;
        self.start()?.obey(signals).await.map_err(Error::Run)
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
