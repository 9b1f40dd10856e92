//! Step 6, route: a path, then a method, lead to a handler.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gannet_core::{Method, Reply, Request, Response, Status, error_page};

use crate::handle;
use crate::local::Local;
use crate::site::{LocalSite, Route};

/// What the site answers: the handler's reply, or 404 or 405.
pub(crate) fn answer(mut request: Request, local: &Local) -> Reply {
    let site = &local.site;
    match find(&mut request, site) {
        Found::Endpoint(index) => {
            let handler = &site.endpoints[index];
            // A handler that panics answers 500 and harms nobody: what it held is dropped with it.
            catch_unwind(AssertUnwindSafe(|| handler.handle(request)))
                .unwrap_or_else(|panic| Reply::ready(handle::panicked(&*panic)))
        }
        Found::Nothing => Reply::ready(refusal(Status::NOT_FOUND, &request)),
        Found::OtherMethods(allow) if request.method() == Method::Options => {
            Reply::ready(Response::new(Status::NO_CONTENT).with("Allow", allow))
        }
        Found::OtherMethods(allow) => {
            Reply::ready(refusal(Status::METHOD_NOT_ALLOWED, &request).with("Allow", allow))
        }
    }
}

/// A response that says its status, in the form that the client prefers.
fn refusal(status: Status, request: &Request) -> Response {
    error_page(status, request.field("Accept"))
}

/// A response that says its status in a line: for where the request is gone.
pub(crate) fn error(status: Status) -> Response {
    error_page(status, None)
}

/// Where a request leads.
enum Found {
    Endpoint(usize),
    Nothing,
    /// The path is there, the method is not: those that are, as `Allow` names them (RFC 9110, 10.2.1).
    OtherMethods(String),
}

fn find(request: &mut Request, site: &LocalSite) -> Found {
    let method = request.method();
    let mut others: Vec<&Route> = Vec::new();
    let mut found = None;
    for candidate in site.site.routes().matches(request.path()) {
        if let Some(index) = candidate.value.endpoint(method) {
            found = Some((index, candidate.tail));
            break;
        }
        others.push(candidate.value);
    }
    match found {
        Some((index, tail)) => {
            request.set_tail(tail);
            Found::Endpoint(index)
        }
        None if others.is_empty() && request.target() != "*" => Found::Nothing,
        None => Found::OtherMethods(allow(&others)),
    }
}

impl Route {
    /// The endpoint for a method: its own, for HEAD that of GET, or that of any method.
    fn endpoint(&self, method: Method) -> Option<usize> {
        let of = |wanted: Option<Method>| {
            self.methods.iter().find(|(method, _)| *method == wanted).map(|(_, index)| *index)
        };
        of(Some(method))
            .or_else(|| if method == Method::Head { of(Some(Method::Get)) } else { None })
            .or_else(|| of(None))
    }
}

fn allow(routes: &[&Route]) -> String {
    let mut methods: Vec<Method> =
        routes.iter().flat_map(|route| route.methods.iter().filter_map(|(method, _)| *method)).collect();
    if methods.contains(&Method::Get) {
        methods.push(Method::Head);
    }
    methods.push(Method::Options);
    methods.sort_unstable_by_key(|method| method.as_str());
    methods.dedup();
    methods.iter().filter_map(|method| method.as_str()).collect::<Vec<_>>().join(", ")
}
