//! A request, as a service sees it.

use std::net::{IpAddr, SocketAddr};

use gannet_core::{Request, Version};
use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Uri};

use super::Stripped;
use super::body::{Pump, RequestBody, channel};

/// The URI that was asked for, with the prefix: an extension of each request.
#[derive(Clone, Debug)]
pub struct OriginalUri(pub Uri);

/// Who asks, and how: an extension of each request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connected {
    /// The address that the connection comes from; none by a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The client's, where proxies that are trusted say so: [`Request::client_address`](crate::Request::client_address).
    pub client: Option<IpAddr>,
    /// Our own address of the connection.
    pub server: Option<SocketAddr>,
    /// Whether it came by TLS.
    pub secure: bool,
}

/// The request, and what brings its body. None: it has what an `http::Request` cannot hold.
pub(super) fn converted(request: Request, stripped: Stripped) -> Option<(http::Request<RequestBody>, Pump)> {
    let method = Method::from_bytes(request.method_name().as_bytes()).ok()?;
    let headers = header_map(request.fields())?;
    let original = uri(&request, request.path())?;
    let uri = uri(&request, stripped.0.map_or("/", |start| &request.path()[start..]))?;
    let connected = Connected {
        peer: request.peer(),
        client: request.client_address(),
        server: request.server(),
        secure: request.is_secure(),
    };
    let version = match request.version() {
        Version::Http10 => http::Version::HTTP_10,
        Version::Http11 => http::Version::HTTP_11,
        Version::Http2 => http::Version::HTTP_2,
    };
    let length = request.body_length();
    let (body, pump) = channel(request.into_body(), length);
    let mut converted = http::Request::new(body);
    *converted.method_mut() = method;
    *converted.uri_mut() = uri;
    *converted.version_mut() = version;
    *converted.headers_mut() = headers;
    converted.extensions_mut().insert(OriginalUri(original));
    converted.extensions_mut().insert(connected);
    Some((converted, pump))
}

/// The URI with this path: by HTTP/2 with scheme and host, as hyper's server has it.
fn uri(request: &Request, path: &str) -> Option<Uri> {
    let path_and_query = match request.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(path_and_query.ok()?);
    if request.version() == Version::Http2
        && let Some(authority) = request.authority()
    {
        parts.authority = Some(Authority::try_from(authority).ok()?);
        parts.scheme = Some(if request.is_secure() { Scheme::HTTPS } else { Scheme::HTTP });
    }
    Uri::from_parts(parts).ok()
}

/// Fields; none where one cannot be held.
pub(super) fn header_map<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.try_append(name, HeaderValue::from_bytes(value).ok()?).ok()?;
    }
    Some(headers)
}
