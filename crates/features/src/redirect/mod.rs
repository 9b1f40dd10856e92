//! The redirect from clear text to TLS: what is asked for over `http` is at the same place over `https`.
//!
//! A listener of its own answers so, whatever the site has: no route comes before it. (What has to be answered in clear text before there
//! is a certificate, such as `/.well-known/acme-challenge/`, will have its place at the top of `Redirect::answer`.)

use std::sync::{Arc, OnceLock};

use gannet_core::{HandlerFactory, Method, Request, Response, Status, error_page, factory};

/// The port of `https` (RFC 9110, 4.2.2), which is not written.
const HTTPS_PORT: u16 = 443;

/// A redirect to the same host, path and query over TLS.
#[derive(Clone, Debug)]
pub struct Redirect {
    port: Arc<OnceLock<u16>>,
}

impl Redirect {
    /// To a port of the same host, which is known when the server listens. Until then the answer is 503.
    pub fn to(port: Arc<OnceLock<u16>>) -> Redirect {
        Redirect { port }
    }

    /// What makes each worker's instance.
    pub fn factory(self) -> HandlerFactory {
        factory(move |request: Request| self.answer(&request))
    }

    /// 308 (Permanent Redirect), which keeps the method. The host is the one that was asked for: the parser lets it be nothing but a name or an
    /// address, and a path begins with a slash, so nothing that a client writes leads to another host than it asked. Without a host (HTTP/1.0
    /// may have none) there is nowhere to lead, and CONNECT asks for no resource: 400.
    fn answer(&self, request: &Request) -> Response {
        let host = request.authority().filter(|_| request.method() != Method::Connect).map(without_port);
        let Some(host) = host else { return error_page(Status::BAD_REQUEST, request.field("Accept")) };
        let Some(port) = self.port.get() else {
            return error_page(Status::SERVICE_UNAVAILABLE, request.field("Accept"));
        };
        let mut location = format!("https://{host}");
        if *port != HTTPS_PORT {
            location += &format!(":{port}");
        }
        // `OPTIONS *` asks about a host without a path (RFC 9110, 7.1).
        if request.target() != "*" {
            location += request.path();
        }
        if let Some(query) = request.query() {
            location.extend(["?", query]);
        }
        Response::new(Status::PERMANENT_REDIRECT).with("Location", location)
    }
}

/// The host of an authority. The colons of an IPv6 address are within brackets.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    }
}
