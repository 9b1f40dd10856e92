//! From a request to the upstream's request: every part of it is written anew, from what was understood of it.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use gannet_core::{
    Body, BodyLength, Fields, Method, Request, Response, Status, UpgradeOffer, UpstreamProtocol,
    UpstreamRequest, Version, client_address, error_page,
};

use super::forwarded::{Origin, Said};
use super::names::{Kind, kind};
use super::upstreams::Member;
use super::websocket::{Handshake, is_websocket};
use super::{HostField, ProxyOptions};
use crate::accept::Accept;
use crate::request_id::{self, RequestId};

/// Options that a request's `Connection` may have where it names fields: each field is compared with each of them.
const MOST_CONNECTION_OPTIONS: usize = 32;

/// What is said to be allowed by the answer to an `OPTIONS` that ends here, and with a 405: what is passed on. Methods that have no name here are, too.
const ALLOW: &str = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";

/// Says what is answered without an upstream, if that is so.
pub(super) fn answer_here(request: &Request) -> Option<Response> {
    match request.method() {
        // What asks for a protocol here, as HTTP/1.1 does by `Upgrade`.
        Method::Connect if request.protocol().is_some() => None,
        // A tunnel to wherever a client says is what a forward proxy is for. TRACE would show a client what we and other proxies added, and
        // scripts the cookies that are kept from them.
        Method::Connect | Method::Trace => {
            let refusal = error_page(Status::METHOD_NOT_ALLOWED, request.field("accept"));
            Some(refusal.with("Allow", ALLOW))
        }
        // It was for us (RFC 9110, 7.6.2).
        Method::Options if max_forwards(request) == Some(0) => {
            Some(Response::new(Status::NO_CONTENT).with("Allow", ALLOW))
        }
        _ => None,
    }
}

/// What a client's request becomes.
pub(super) struct Forwarded {
    /// The request that goes to the upstream, without its body.
    pub(super) request: UpstreamRequest,
    /// What the client would rather read.
    pub(super) accept: Accept,
    /// What it asks for a WebSocket by, if it does.
    pub(super) handshake: Option<Box<Handshake>>,
}

/// What goes to `member`. `scratch` is memory that is used again.
pub(super) fn prepare(
    request: &Request,
    member: &Member,
    options: &ProxyOptions,
    scratch: &mut Vec<u8>,
) -> Result<Forwarded, Response> {
    let (target, protocol) = (target(request), request.protocol());
    let (method, method_name) = match protocol {
        Some(_) => (Method::Get, "GET"),
        None => (request.method(), request.method_name()),
    };
    let mut forwarded = UpstreamRequest::new(request.ports(), method, method_name, &target);
    append_host(&mut forwarded.fields, request, member, options);
    let mut said = forward_fields(request, options, &mut forwarded, false);
    if said.names_fields {
        if connection_options(request).count() > MOST_CONNECTION_OPTIONS {
            return Err(error_page(Status::BAD_REQUEST, request.field("accept")));
        }
        // Once more, since it may name what stood before it.
        (forwarded.fields, forwarded.upgrade) = (Fields::new(), UpgradeOffer::None);
        append_host(&mut forwarded.fields, request, member, options);
        said = forward_fields(request, options, &mut forwarded, true);
    }
    let handshake = match protocol {
        Some(protocol) => offer(protocol, request, &mut forwarded)?,
        None if forwarded.upgrade != UpgradeOffer::None => take_up(request, member, &mut forwarded)?,
        None => None,
    };
    let accept = Accept::of(said.accept);
    forwarded.fields.forward("Via", via(request.version()));
    Origin::new(request, said, options).append(options.forwarded, &mut forwarded.fields, scratch);
    if let Some(id) = RequestId::of(request) {
        let told = forwarded.fields.insert(request_id::FIELD, id.as_str());
        debug_assert!(told.is_ok(), "its letters can be sent");
    }
    forwarded.expects_continue = request.expects_continue();
    forwarded.interims = Some(request.interims().clone());
    if options.proxy_protocol.is_some() {
        forwarded.client = connection(request, options);
    }
    Ok(Forwarded { request: forwarded, accept, handshake })
}

/// The request's body, as it comes.
pub(super) fn body(request: Request) -> Body {
    match request.body_length() {
        BodyLength::None => Body::Empty,
        BodyLength::Known(length) => Body::Received(request.into_body(), Some(length)),
        // What comes behind it is the tunnel's.
        BodyLength::Chunked if request.protocol().is_some() => Body::Empty,
        BodyLength::Chunked => Body::Received(request.into_body(), None),
    }
}

/// Names the upstream in the place of the one that was to be asked before.
pub(super) fn rename_host(forwarded: &mut UpstreamRequest, member: &Member) {
    let renamed = forwarded.fields.insert("Host", &member.authority);
    debug_assert!(renamed.is_ok(), "what names a server can be sent");
}

/// Whether the upstream is called by its own name, and not by the one that the client asked for.
pub(super) fn has_own_host(request: &Request, options: &ProxyOptions) -> bool {
    options.host == HostField::Upstream || request.authority().is_none()
}

fn append_host(fields: &mut Fields, request: &Request, member: &Member, options: &ProxyOptions) {
    let host = match request.authority() {
        Some(host) if !has_own_host(request, options) => host,
        _ => &member.authority,
    };
    fields.forward("Host", host.as_bytes());
}

/// A protocol that HTTP/2's client asks for by CONNECT is asked for likewise, or offered as HTTP/1.1 offers it (RFC 8441, 5).
fn offer(
    protocol: &str,
    request: &Request,
    forwarded: &mut UpstreamRequest,
) -> Result<Option<Box<Handshake>>, Response> {
    let is_offered = may_be_offered(protocol.as_bytes());
    if !is_offered || forwarded.fields.append("Upgrade", protocol).is_err() {
        return Err(error_page(Status::NOT_IMPLEMENTED, request.field("accept")));
    }
    forwarded.upgrade = UpgradeOffer::AnyVersion;
    Ok(Handshake::of_http2(protocol, forwarded).map(Box::new))
}

/// An offer of HTTP/1.1's client. That of a WebSocket goes by HTTP/2, too; any other does not, and who makes it has to bear with that (RFC 9110, 7.8).
fn take_up(
    request: &Request,
    member: &Member,
    forwarded: &mut UpstreamRequest,
) -> Result<Option<Box<Handshake>>, Response> {
    if let Some(handshake) = Handshake::of_http1(request, forwarded) {
        forwarded.upgrade = UpgradeOffer::AnyVersion;
        return Ok(Some(Box::new(handshake)));
    }
    if member.upstream.protocol == UpstreamProtocol::Http2 {
        // Nothing but a WebSocket is worth anything to whoever asks for one, and nobody behind us could tell it what is wrong (RFC 6455, 4.2.1).
        let offered = forwarded.fields.get("upgrade").unwrap_or_default();
        if members(offered).any(is_websocket) {
            return Err(error_page(Status::BAD_REQUEST, request.field("accept")));
        }
        forwarded.fields.remove("upgrade");
        forwarded.upgrade = UpgradeOffer::None;
    }
    Ok(None)
}

/// Passes on what is for the upstream, and says what else was read. Fields that `Connection` names are left out if `filters`.
fn forward_fields<'a>(
    request: &'a Request,
    options: &ProxyOptions,
    forwarded: &mut UpstreamRequest,
    filters: bool,
) -> Said<'a> {
    let is_trusted = request.peer().is_some_and(|peer| options.trusted.contains(peer.ip()));
    let mut said = Said::default();
    for (name, value) in request.fields() {
        let fields = &mut forwarded.fields;
        match kind(name.as_bytes()) {
            kind @ (Kind::EndToEnd | Kind::Accept) => {
                if kind == Kind::Accept {
                    said.accept = said.accept.or(Some(value));
                }
                if !filters || !is_named(request, name) {
                    fields.forward(name, value);
                }
            }
            Kind::Connection => said.names_fields |= names_fields(value),
            Kind::Te => forwarded.accepts_trailers |= members(value).any(is_trailers),
            Kind::Upgrade
                if request.offers_upgrade()
                    && may_be_offered(value)
                    && fields.append("Upgrade", value).is_ok() =>
            {
                forwarded.upgrade = UpgradeOffer::Http1;
            }
            Kind::MaxForwards => forward_max_forwards(request, fields, name, value),
            Kind::Claim if is_trusted => _ = fields.forward(name, value),
            Kind::ForwardedFor => said.addresses |= is_trusted,
            Kind::Forwarded => said.elements |= is_trusted,
            Kind::ForwardedProto if is_trusted => said.proto = said.proto.or(Some(value)),
            Kind::ForwardedHost if is_trusted => said.host = said.host.or(Some(value)),
            _ => {}
        }
    }
    said
}

/// The target in the form that an origin server is sent (RFC 9112, 3.2): of an absolute one path and query; `*` stays.
fn target(request: &Request) -> Cow<'_, str> {
    let target = request.target();
    if target.starts_with('/') || target == "*" {
        return Cow::Borrowed(target);
    }
    let behind_scheme = target.find("://").map_or(0, |at| at + 3);
    match target[behind_scheme..].find(['/', '?']).map(|at| &target[behind_scheme + at..]) {
        Some(path) if path.starts_with('/') => Cow::Borrowed(path),
        Some(query) => Cow::Owned(format!("/{query}")),
        // RFC 9112, 3.2.4
        None if request.method() == Method::Options => Cow::Borrowed("*"),
        None => Cow::Borrowed("/"),
    }
}

fn via(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"1.0 gannet",
        Version::Http11 => b"1.1 gannet",
        Version::Http2 => b"2.0 gannet",
    }
}

/// Client and server of the connection, as the PROXY protocol says them: no particular address of ours where it is not known. The client that a
/// trusted proxy vouches for has no port that we know.
fn connection(request: &Request, options: &ProxyOptions) -> Option<(SocketAddr, SocketAddr)> {
    let peer = request.peer()?;
    let client = client_address(peer.ip(), request.fields(), &options.trusted);
    let is_peer = client == peer.ip().to_canonical();
    let unspecified = match client {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let server = request.server().unwrap_or(SocketAddr::new(unspecified, 0));
    Some((SocketAddr::new(client, if is_peer { peer.port() } else { 0 }), server))
}

/// Whether a `Connection` names more than what is left out in any case.
fn names_fields(options: &[u8]) -> bool {
    let is_known = |option: &[u8]| {
        let is = |known: &str| option.eq_ignore_ascii_case(known.as_bytes());
        is("keep-alive") || is("close") || is("upgrade")
    };
    !is_known(options) && !members(options).all(is_known)
}

/// Whether `Connection` names a field: then it is for this connection only (RFC 9110, 7.6.1).
fn is_named(request: &Request, name: &str) -> bool {
    connection_options(request).any(|option| option.eq_ignore_ascii_case(name.as_bytes()))
}

fn connection_options(request: &Request) -> impl Iterator<Item = &[u8]> {
    let lines = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    lines.flat_map(|(_, value)| members(value))
}

/// The members of a list (RFC 9110, 5.6.1).
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

fn is_trailers(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"trailers")
}

/// Whether an offer of other protocols is passed on: not one of another HTTP or of TLS. What were spoken behind it would be requests that nobody here sees,
/// however they are filtered.
fn may_be_offered(protocols: &[u8]) -> bool {
    let begins = |protocol: &[u8], known: &[u8]| {
        protocol.get(..known.len()).is_some_and(|first| first.eq_ignore_ascii_case(known))
    };
    let is_other =
        |protocol: &[u8]| !begins(protocol, b"h2") && !begins(protocol, b"http") && !begins(protocol, b"tls");
    members(protocols).next().is_some() && members(protocols).all(is_other)
}

/// How many may still pass an OPTIONS on, if it says so as RFC 9110, 7.6.2 has it.
fn max_forwards(request: &Request) -> Option<u64> {
    read_number(request.field("max-forwards")?)
}

fn read_number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// One less for OPTIONS; of other methods it means nothing, and goes on as it is.
fn forward_max_forwards(request: &Request, fields: &mut Fields, name: &str, value: &[u8]) {
    match read_number(value).filter(|_| request.method() == Method::Options) {
        Some(left) => _ = fields.forward(name, left.saturating_sub(1).to_string().as_bytes()),
        None => _ = fields.forward(name, value),
    }
}
