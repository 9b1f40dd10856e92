//! HTTP Strict Transport Security.

#[expect(dead_code, reason = "shared with the tests of files, which use all of it")]
mod files {
    pub mod world;
}

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use files::world::{Served, field};
use gannet_core::{Chain, HandlerFactory, IntoFilter, IntoHandler, Request, Response, Tls};
use gannet_features::hsts::Hsts;

const FIELD: &str = "strict-transport-security";

/// What a handler answers behind the filter, to a request that came over TLS or not.
fn answered(response: fn() -> Response, secure: bool) -> Response {
    let hsts = Hsts::for_duration(Duration::from_secs(600)).include_subdomains(true);
    let factory: HandlerFactory = Arc::new(move || {
        let handler = move |_: Request| response();
        Rc::new(Chain::new([hsts.into_filter()], handler.into_handler()))
    });
    let mut served = Served { handler: factory(), ..Served::new(|files| files) };
    served.tls = secure.then(|| {
        Rc::new(Tls {
            version: "TLSv1.3",
            cipher: "TLS_AES_256_GCM_SHA384",
            server_name: None,
            resumed: false,
            client_certificate: None,
            requires_client_certificate: false,
        })
    });
    served.get("/")
}

#[test]
fn it_is_told_over_tls_and_never_in_clear_text() {
    let plain = || Response::text("hello");
    assert_eq!(field(&answered(plain, true), FIELD), Some("max-age=600; includeSubDomains"));
    assert_eq!(field(&answered(plain, false), FIELD), None);
}

#[test]
fn what_a_handler_says_itself_is_not_said_twice() {
    let own = || Response::text("hello").with("Strict-Transport-Security", "max-age=0");
    let response = answered(own, true);
    let said: Vec<_> =
        response.fields().iter().filter(|(name, _)| name.eq_ignore_ascii_case(FIELD)).collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].1, b"max-age=0");
}
