//! A client of an application, without sockets.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use gannet_core::Method;

use super::cookies::Jar;
use super::request::RequestBuilder;
use super::world::{Setup, World};
use crate::{App, Server};

/// Asks an application, without sockets: [`App::test`]. Clones are the same client, with the same cookies.
#[derive(Clone)]
pub struct Client {
    pub(super) world: Rc<World>,
    pub(super) jar: Rc<RefCell<Jar>>,
    pub(super) http2: bool,
    pub(super) peer: Option<IpAddr>,
    pub(super) host: String,
    /// Of every request.
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

impl App {
    /// A client of this application, without sockets. What it listens on, TLS, the admin listener and the access log do not count.
    ///
    /// # Panics
    /// If the application cannot be built: with every mistake in it.
    #[track_caller]
    pub fn test(self) -> Client {
        match self.build() {
            Ok(server) => server.test(),
            Err(error) => panic!("the application cannot be built:\n{error}"),
        }
    }
}

impl Server {
    /// A client of this server, without sockets. What it listens on, TLS, the admin listener and the access log do not count.
    pub fn test(self) -> Client {
        let (site, options) = self.into_parts();
        let http1_only = options.listen.iter().any(|listener| listener.preamble.http1_only);
        let setup = Setup { site, limits: options.limits, trusted: options.trusted, http1_only };
        Client {
            world: World::new(setup),
            jar: Rc::default(),
            http2: false,
            peer: None,
            host: "localhost".to_owned(),
            headers: Vec::new(),
        }
    }
}

impl Client {
    /// Asks for `target`, a path and perhaps a query, by GET.
    #[track_caller]
    pub fn get(&self, target: &str) -> RequestBuilder {
        self.request("GET", target)
    }

    /// As [`get`](Client::get), by HEAD.
    #[track_caller]
    pub fn head(&self, target: &str) -> RequestBuilder {
        self.request("HEAD", target)
    }

    /// As [`get`](Client::get), by POST.
    #[track_caller]
    pub fn post(&self, target: &str) -> RequestBuilder {
        self.request("POST", target)
    }

    /// As [`get`](Client::get), by PUT.
    #[track_caller]
    pub fn put(&self, target: &str) -> RequestBuilder {
        self.request("PUT", target)
    }

    /// As [`get`](Client::get), by PATCH.
    #[track_caller]
    pub fn patch(&self, target: &str) -> RequestBuilder {
        self.request("PATCH", target)
    }

    /// As [`get`](Client::get), by DELETE.
    #[track_caller]
    pub fn delete(&self, target: &str) -> RequestBuilder {
        self.request("DELETE", target)
    }

    /// As [`get`](Client::get), by OPTIONS.
    #[track_caller]
    pub fn options(&self, target: &str) -> RequestBuilder {
        self.request("OPTIONS", target)
    }

    /// As [`get`](Client::get), by QUERY.
    #[track_caller]
    pub fn query(&self, target: &str) -> RequestBuilder {
        self.request("QUERY", target)
    }

    /// As [`get`](Client::get), by any method.
    ///
    /// # Panics
    /// If this is no method, or `target` none that can be asked for: it begins with a slash, and what is no ASCII in it is percent-encoded.
    #[track_caller]
    pub fn request(&self, method: &str, target: &str) -> RequestBuilder {
        let is_method = !method.is_empty() && method.bytes().all(is_token);
        assert!(is_method && method != "CONNECT", "{method:?} is no method that can be asked with here");
        let is_target = target.starts_with('/') || target == "*" || target.contains("://");
        assert!(
            is_target && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'),
            "{target:?} cannot be asked for: it begins with a slash, and blanks, `#` and what is no ASCII are percent-encoded"
        );
        RequestBuilder::new(self.clone(), Method::from_bytes(method.as_bytes()), method, target)
    }

    /// The same client, with the same cookies, by HTTP/2.
    #[must_use]
    pub fn http2(&self) -> Client {
        Client { http2: true, ..self.clone() }
    }

    /// The same client, from another address: what [`Request::peer`](crate::Request::peer) tells. By default it is one of 192.0.2.1.
    ///
    /// # Panics
    /// If this is no IP address.
    #[must_use]
    #[track_caller]
    pub fn peer(&self, address: &str) -> Client {
        let Ok(peer) = address.parse() else { panic!("{address:?} is no IP address") };
        Client { peer: Some(peer), ..self.clone() }
    }

    /// The same client, asking another host; by default `localhost`.
    #[must_use]
    pub fn host(&self, host: &str) -> Client {
        Client { host: host.to_owned(), ..self.clone() }
    }

    /// The same client, with a field in all of its requests; one that a request has of its own comes in its place.
    #[must_use]
    pub fn header(&self, name: &str, value: impl AsRef<[u8]>) -> Client {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.as_ref().to_vec()));
        client
    }

    /// Another client of the same server: without cookies.
    #[must_use]
    pub fn stranger(&self) -> Client {
        Client { jar: Rc::default(), ..self.clone() }
    }

    /// The value of a cookie that this client has.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.borrow_mut().get(name)
    }

    /// Gives this client a cookie, for all paths.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar.borrow_mut().set(name, value);
    }

    /// Takes all of its cookies.
    pub fn clear_cookies(&self) {
        self.jar.borrow_mut().clear();
    }
}

/// What a method is made of (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("host", &self.host).field("http2", &self.http2).finish_non_exhaustive()
    }
}
