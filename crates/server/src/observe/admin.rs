//! The admin listener's site: whether the server lives, whether it is ready, what it counted.
//!
//! It is a small site like any other, on a worker thread of its own, so that it answers while the server's workers are busy or drain.

use std::sync::Arc;

use gannet_core::{Method, Request, Response, Status};

use super::exposition::Style;
use super::overview::Overview;
use crate::site::{Site, SiteBuilder};

/// The site that tells of `overview`.
pub(crate) fn site(overview: Arc<Overview>) -> Site {
    let ready = overview.clone();
    let mut site = SiteBuilder::new();
    site.route(Some(Method::Get), "/healthz", |_: Request| state(Status::OK, "ok"));
    site.route(Some(Method::Get), "/readyz", move |_: Request| match ready.condition.ready() {
        Ok(()) => state(Status::OK, "ready"),
        Err(why) => state(Status::SERVICE_UNAVAILABLE, why),
    });
    site.route(Some(Method::Get), "/metrics", move |request: Request| metrics(&overview, &request));
    site.build().expect("three patterns that are sound")
}

/// An answer that holds for now and must not be kept.
fn state(status: Status, word: &str) -> Response {
    Response::text(format!("{word}\n")).with_status(status).with("Cache-Control", "no-store")
}

fn metrics(overview: &Overview, request: &Request) -> Response {
    let style = Style::accepted(request.field_str("accept").unwrap_or_default());
    Response::new(Status::OK)
        .with("Content-Type", style.media_type())
        .with("Vary", "Accept")
        .with_body(gannet_core::Body::Bytes(overview.metrics(style).into()))
}
