//! What axum's documentation says of its routers, extractors and middleware holds where a router is mounted: by HTTP/1.1 and HTTP/2.

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod extractors;
mod middleware;
mod routing;
mod services;
mod sockets;

use axum::Router;
use gannet::App;
use gannet::test::Client;

/// A router at `/api`, asked by both versions.
fn mounted(router: Router) -> [Client; 2] {
    both(App::new().mount("/api", router))
}

fn both(app: App) -> [Client; 2] {
    let client = app.test();
    [client.clone(), client.http2()]
}
