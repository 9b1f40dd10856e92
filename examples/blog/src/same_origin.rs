//! A guard against requests that other sites have a visitor's browser make (CSRF).
//!
//! A form on any site may be sent here, and the browser would send our cookies with it. No page can stop its browser from saying where a request comes from:
//! all that are in use say `Sec-Fetch-Site` (W3C Fetch Metadata, 2.3), older ones at least `Origin` with what changes something (Fetch, 3.2). What says neither is no
//! browser, and has nobody's cookies but its own. So no form needs a secret in it, and none can be forgotten. What only reads is let pass: links lead here
//! from everywhere. (`SameSite=Lax` on our cookie is a second wall; it lets through what comes from another subdomain of ours, and this does not.)

use gannet::Method;
use gannet::prelude::*;

/// The filter.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let is_safe = matches!(request.method(), Method::Get | Method::Head | Method::Options);
    if is_safe || is_of_same_origin(&request) {
        return next.run(request).await;
    }
    let refused = "this was sent from a page of another site: if you meant it, do it on a page of this one";
    Rejection::new(Status::FORBIDDEN, refused).into_response()
}

fn is_of_same_origin(request: &Request) -> bool {
    if let Some(site) = request.field("Sec-Fetch-Site") {
        // `none`: the visitor asked for it himself, as by a bookmark.
        return matches!(site, b"same-origin" | b"none");
    }
    let Some(origin) = request.field_str("Origin") else {
        return request.field("Origin").is_none();
    };
    // The scheme is not compared: a proxy before this may have taken TLS off.
    origin.split_once("://").is_some_and(|(_, authority)| request.authority() == Some(authority))
}
