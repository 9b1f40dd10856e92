//! The proxy of an application.

#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "proxy/without_tls.rs"]
mod tls;

use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gannet_core::{HandlerFactory, Networks, ProxyProtocol, UpstreamProtocol};
use gannet_features::proxy::{Balance, Ejection, ForwardedStyle, HostField, ProxyOptions};

use tls::to_upstreams;

/// Where requests are passed on to, and how: [`App::proxy`](crate::App::proxy) takes it, or an upstream's name alone. It is there with the
/// feature `proxy`.
///
/// ```
/// # use std::time::Duration;
/// # use gannet::prelude::*;
/// # use gannet::{Balance, Proxy};
/// let app = Proxy::to(["app1:3000", "app2:3000"]).balance(Balance::LeastConnections).head_timeout(Duration::from_secs(10));
/// App::new().proxy("/api/*", app).proxy("/live/*", ":4000").files("/", "public");
/// ```
#[derive(Clone, Debug)]
pub struct Proxy {
    upstreams: Vec<String>,
    options: ProxyOptions,
    authorities: Option<PathBuf>,
}

/// What can be made into a [`Proxy`]: an upstream's name, or a `Proxy` itself.
pub trait IntoProxy {
    /// Makes it one.
    fn into_proxy(self) -> Proxy;
}

impl IntoProxy for Proxy {
    fn into_proxy(self) -> Proxy {
        self
    }
}

impl IntoProxy for &str {
    fn into_proxy(self) -> Proxy {
        Proxy::to([self])
    }
}

impl IntoProxy for String {
    fn into_proxy(self) -> Proxy {
        Proxy::to([self])
    }
}

impl Proxy {
    /// To these upstreams: `app:3000`, `:3000` (on this machine), `http://app`, `https://app:8443`, `h2c://app:50051` (HTTP/2 in clear
    /// text), `unix:/run/app.sock`, `h2c://unix:/run/app.sock`; `https` needs the feature `tls`. Names are looked up once, at start; each address of a name is an upstream.
    pub fn to(upstreams: impl IntoIterator<Item = impl Into<String>>) -> Proxy {
        let upstreams = upstreams.into_iter().map(Into::into).collect();
        Proxy { upstreams, options: ProxyOptions::default(), authorities: None }
    }

    /// Which upstream a request goes to; by default each in its turn.
    #[must_use]
    pub fn balance(mut self, balance: Balance) -> Proxy {
        self.options.balance = balance;
        self
    }

    /// What `Host` an upstream is sent; by default the client's.
    #[must_use]
    pub fn host(mut self, host: HostField) -> Proxy {
        self.options.host = host;
        self
    }

    /// How an upstream is told whom a request came from; by default by `X-Forwarded-For` and its kin, and by `Forwarded`.
    #[must_use]
    pub fn forwarded(mut self, style: ForwardedStyle) -> Proxy {
        self.options.forwarded = style;
        self
    }

    /// Which HTTP upstreams are spoken to by; by default what they choose over TLS, and HTTP/1.1 in clear text, but for those that begin with
    /// `h2c://`.
    #[must_use]
    pub fn protocol(mut self, protocol: UpstreamProtocol) -> Proxy {
        self.options.protocol = protocol;
        self
    }

    /// The version of the PROXY protocol that each connection to an upstream begins with, which then serves one request; by default none.
    #[must_use]
    pub fn send_proxy_protocol(mut self, version: ProxyProtocol) -> Proxy {
        self.options.proxy_protocol = Some(version);
        self
    }

    /// Trusts, for upstreams over TLS, only certificates that lead to a root in this file of PEM; by default those that the system
    /// trusts.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn authorities(mut self, roots: impl Into<PathBuf>) -> Proxy {
        self.authorities = Some(roots.into());
        self
    }

    /// How long a connection to an upstream may take to be there, with TLS if it has that; by default 5 s. Beyond it: elsewhere, or 504.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Proxy {
        self.options.timeouts.connect = timeout;
        self
    }

    /// How long the head of a response may take, from when the upstream has the whole request; by default 60 s. Beyond it: 504.
    #[must_use]
    pub fn head_timeout(mut self, timeout: Duration) -> Proxy {
        self.options.timeouts.head = timeout;
        self
    }

    /// How long a body, or a tunnel after an upgrade, may pause; by default 60 s. Beyond it the exchange is broken off.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Proxy {
        self.options.timeouts.idle = timeout;
        self
    }

    /// When an upstream that fails is left out, and for how long.
    #[must_use]
    pub fn ejection(mut self, ejection: Ejection) -> Proxy {
        self.options.ejection = ejection;
        self
    }

    /// Looks the names up and reads the roots.
    fn build(mut self, trusted: &Networks) -> Result<gannet_features::proxy::Proxy, String> {
        self.options.trusted = trusted.clone();
        let tls = to_upstreams(self.authorities);
        gannet_features::proxy::Proxy::new(&self.upstreams, self.options, &tls)
            .map_err(|error| error.to_string())
    }
}

/// A proxy that has its place in the site, and is built when all of the application is known: whom it trusts.
pub(crate) struct Pending {
    proxy: Proxy,
    place: &'static Location<'static>,
    built: Arc<OnceLock<HandlerFactory>>,
}

impl Pending {
    #[track_caller]
    pub(crate) fn new(proxy: Proxy) -> Pending {
        Pending { proxy, place: Location::caller(), built: Arc::default() }
    }

    /// Where in the code it was asked for.
    pub(crate) fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// What makes each worker's instance, once it is built.
    pub(crate) fn factory(&self) -> HandlerFactory {
        let built = self.built.clone();
        Arc::new(move || built.get().expect("an application with a proxy that is not built does not start")())
    }

    /// Builds it.
    pub(crate) fn build(self, trusted: &Networks) -> Result<(), String> {
        let proxy = self.proxy.build(trusted)?;
        let _ = self.built.set(proxy.factory()); // it is built once
        Ok(())
    }
}
