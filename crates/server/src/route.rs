//! Step 6, route: a host, a path, then a method, lead to a handler.
//!
//! Of the patterns that match the path the most specific one that has the method answers. Only if none has it is the answer 405, and `Allow`
//! the union of what they have. HEAD is answered by GET's handler where it has none of its own, OPTIONS here where nobody has it.

use gannet_core::{Handler, Method, Reply, Request, Response, Status, error_page};
use gannet_router::Route;

use crate::connection::Facts;
use crate::handle;
use crate::local::Local;
use crate::observe::NO_ROUTE;
use crate::site::{LocalTree, Methods};

/// What the site answers: the handler's reply, or 404, 405 or 421; and the number of the route that it is from.
#[inline(always)]
pub(crate) fn answer(mut request: Request, local: &Local) -> (Reply, u16) {
    let tree = if asks_past_its_handshake(&request) { None } else { local.site.tree(&request) };
    let Some(tree) = tree else {
        return (Reply::ready(error_page(Status::MISDIRECTED_REQUEST, request.field("Accept"))), NO_ROUTE);
    };
    match find(&mut request, tree) {
        Found::Endpoint(handler, route) => {
            local.route.set(route);
            (handle::answer(handler, request, local), route)
        }
        Found::Nothing => (answer_elsewhere(tree.fallback(request.path()), request, local), NO_ROUTE),
        Found::OtherMethods(allow) => {
            request.set_allowed(allow);
            (answer_elsewhere(tree.refusal(request.path()), request, local), NO_ROUTE)
        }
    }
}

/// What answers where no route does, which is behind filters as they are.
#[cold]
fn answer_elsewhere(handler: &dyn Handler, mut request: Request, local: &Local) -> Reply {
    request.set_tail(0);
    local.route.set(NO_ROUTE);
    handle::answer(handler, request, local)
}

/// Whether the request is passed on to another server.
pub(crate) fn is_forwarded(mut request: Request, facts: &Facts, local: &Local) -> bool {
    if let Some(handler) = &facts.aside {
        return handler.forwards();
    }
    let Some(tree) = local.site.tree(&request) else { return false };
    match find(&mut request, tree) {
        Found::Endpoint(handler, _) => handler.forwards(),
        Found::Nothing => tree.fallback(request.path()).forwards(),
        Found::OtherMethods(_) => false,
    }
}

/// Whether the request asks another host than its client named in the handshake, where clients have to show certificates: who is let in there was
/// decided for the host that it named (RFC 9110, 7.4 and 15.5.20).
#[inline(always)]
fn asks_past_its_handshake(request: &Request) -> bool {
    let Some(tls) = request.tls().filter(|tls| tls.requires_client_certificate) else { return false };
    let (Some(named), Some(authority)) = (&tls.server_name, request.authority()) else { return false };
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    !host.trim_end_matches('.').eq_ignore_ascii_case(named)
}

/// Says that there is nothing, or that there is nothing for the method: 404, 405, or for OPTIONS what there is.
pub(crate) fn refuse(request: &Request) -> Response {
    match request.allowed() {
        None => request.refusal(Status::NOT_FOUND, || format!("There is nothing at {}.", request.path())),
        Some(allow) if request.method() == Method::Options => {
            Response::new(Status::NO_CONTENT).with("Allow", allow)
        }
        Some(allow) => {
            let detail =
                || format!("{} takes {allow}; it does not take {}.", request.path(), request.method_name());
            request.refusal(Status::METHOD_NOT_ALLOWED, detail).with("Allow", allow)
        }
    }
}

/// A response that says its status in a line: for where the request is gone.
pub(crate) fn error(status: Status) -> Response {
    error_page(status, None)
}

/// Where a request leads.
enum Found<'a> {
    /// The handler, and its route's number.
    Endpoint(&'a dyn Handler, u16),
    Nothing,
    /// The path is there, the method is not: those that are, as `Allow` names them (RFC 9110, 10.2.1).
    OtherMethods(String),
}

#[inline(always)]
fn find<'a>(request: &mut Request, tree: &'a LocalTree) -> Found<'a> {
    // A CONNECT that asks for a protocol is by HTTP/2 what a GET that offers it is by HTTP/1.1 (RFC 8441, 5).
    let method = match request.method() {
        Method::Connect if request.protocol().is_some() => Method::Get,
        method => method,
    };
    if method == Method::Options && request.target() == "*" {
        // The server as such is meant (RFC 9110, 9.3.7): whatever it has, on whatever path.
        return Found::OtherMethods(allow(tree.router().routes().iter().map(Route::value)));
    }
    let router = tree.router();
    let found = router.matches(request.path()).find_map(|found| {
        let endpoint = found.route.value().endpoint(method)?;
        Some((endpoint, found.number, found.tail))
    });
    if let Some((endpoint, route, tail)) = found {
        request.set_tail(tail);
        request.set_route(tree.routes[route].clone());
        return Found::Endpoint(&*tree.endpoints[endpoint], tree.site_number(route));
    }
    let mut others = router.matches(request.path()).map(|found| found.route.value()).peekable();
    match others.peek() {
        None => Found::Nothing,
        Some(_) => Found::OtherMethods(allow(others)),
    }
}

fn allow<'a>(routes: impl Iterator<Item = &'a Methods>) -> String {
    let named: Vec<Method> = routes.flat_map(Methods::named).collect();
    let is_allowed = |method: &&Method| match method {
        Method::Options => true,
        Method::Head => named.contains(&Method::Head) || named.contains(&Method::Get),
        method => named.contains(method),
    };
    let allowed = Method::NAMED.iter().filter(is_allowed).filter_map(|method| method.as_str());
    allowed.collect::<Vec<_>>().join(", ")
}
