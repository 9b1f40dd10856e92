//! Where an application listens, and what comes before HTTP there.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use gannet_features::hsts::Hsts;
use gannet_features::redirect::Redirect;
use gannet_server::Preamble;
use gannet_server::host::{Listen, ListenerOptions, inherited};

use crate::App;
use crate::trust::IntoNetworks;

const NOTHING_HANDED_OVER: &str = "no sockets were handed over (LISTEN_FDS is not set for this process); start it by a \
service manager, or name an address to listen on";

impl App {
    /// Listens on an address, too; port 0 takes a free one. Without any: `127.0.0.1:8080`.
    #[must_use]
    #[track_caller]
    pub fn listen(mut self, address: impl ToSocketAddrs + fmt::Debug) -> App {
        match address.to_socket_addrs() {
            Ok(addresses) => self.listen.extend(addresses.map(Listen::Internet)),
            Err(error) => {
                self.mistake(Location::caller(), format!("{address:?} is no address to listen on: {error}"))
            }
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
    #[track_caller]
    pub fn listen_inherited(mut self) -> App {
        match inherited::take() {
            Ok(sockets) if sockets.is_empty() => self.mistake(Location::caller(), NOTHING_HANDED_OVER),
            Ok(sockets) => self.listen.extend(sockets.into_iter().map(Listen::Inherited)),
            Err(error) => self.mistake(Location::caller(), error),
        }
        self
    }

    /// Speaks TLS on whatever is listened on, but for the [`redirect`](App::redirect) and the [`admin`](App::admin) listener.
    #[cfg(feature = "tls")]
    #[must_use]
    #[track_caller]
    pub fn tls(mut self, tls: crate::Tls) -> App {
        self.asked_for("tls");
        self.tls = Some(tls);
        self
    }

    /// Listens in clear text on this address, too, and leads whoever comes there to the same place over TLS: to the port that is listened
    /// on first.
    #[must_use]
    #[track_caller]
    pub fn redirect(mut self, address: impl ToSocketAddrs + fmt::Debug) -> App {
        self.asked_for("redirect");
        match address.to_socket_addrs() {
            Ok(addresses) => self.redirect.extend(addresses.map(Listen::Internet)),
            Err(error) => {
                let mistake = format!("{address:?} is no address for the redirect to listen on: {error}");
                self.mistake(Location::caller(), mistake);
            }
        }
        self
    }

    /// As [`redirect`](App::redirect), on a Unix socket.
    #[must_use]
    #[track_caller]
    pub fn redirect_unix(mut self, path: impl Into<PathBuf>) -> App {
        self.asked_for("redirect");
        self.redirect.push(Listen::Unix(path.into()));
        self
    }

    /// Tells browsers to ask this host over TLS only, for so long ([`Hsts`]; RFC 6797). By default they are not told. It is told over TLS, by what
    /// handlers answer.
    #[must_use]
    #[track_caller]
    pub fn hsts(mut self, hsts: Hsts) -> App {
        self.asked_for("hsts");
        self.hsts = Some(hsts);
        self
    }

    /// Believes the proxies of these networks what they say of a client's address ([`Request::client_address`](crate::Request::client_address)):
    /// `10.0.0.0/8, fd00::/8`; `loopback` and `private` are short for networks, too. Several calls add up. By default nobody is believed.
    #[must_use]
    #[track_caller]
    pub fn trust(mut self, networks: impl IntoNetworks) -> App {
        match networks.into_networks() {
            Ok(networks) => self.trust.extend(networks),
            Err(error) => self.mistake(Location::caller(), format!("nobody can be trusted by this: {error}")),
        }
        self
    }

    /// Whether every connection begins with a header of the PROXY protocol (haproxy's `proxy-protocol.txt`, version 1 or 2), which says whose it is.
    /// It is taken from those who are [trusted](App::trust), and the connections of others are closed: so without `trust` this is a mistake.
    /// By default none is expected.
    #[must_use]
    #[track_caller]
    pub fn proxy_protocol(mut self, proxy_protocol: bool) -> App {
        self.asked_for("proxy_protocol");
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

    /// What is to be listened on, and what comes before HTTP there. The redirect leads to the port that `port` will have: where port 0
    /// was asked for, it is known when the server listens.
    pub(crate) fn listeners(&mut self, port: &Arc<OnceLock<u16>>) -> Vec<ListenerOptions> {
        let has_tls = self.tls.is_some();
        self.check_edge();
        let tls = self.tls.take().map(|tls| tls.build(self.http1_only)).transpose();
        let tls = tls.map_err(|error| self.mistake_in("tls", error)).unwrap_or_default();
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
            (
                self.tls.is_none() && !self.redirect.is_empty(),
                "redirect",
                "App::redirect leads to TLS; add App::tls",
            ),
            (
                self.tls.is_none() && self.hsts.is_some(),
                "hsts",
                "App::hsts is told over TLS only; add App::tls",
            ),
            (
                self.proxy_protocol && self.trust.is_empty(),
                "proxy_protocol",
                "App::proxy_protocol lets whoever connects say who the client is; name those who may by App::trust",
            ),
        ];
        for (_, what, mistake) in mistakes.into_iter().filter(|(is_made, ..)| *is_made) {
            self.mistake_in(what, mistake);
        }
    }
}
