//! HTTP/2 by clients and servers that others wrote: the crates h2, hyper, and gRPC by tonic. Over real sockets, on each backend that this machine can run.

#[path = "../common/mod.rs"]
mod common;
mod grpc;
mod hyper_client;
mod streams;

use std::net::SocketAddr;
use std::time::Duration;

use gannet::{App, BackendChoice, Running};

/// No wait is longer than this; a test that waits so long fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves on a free port of loopback, by one worker.
fn serve(app: App, backend: BackendChoice) -> Running {
    app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("the application is sound")
}

fn address(server: &Running) -> SocketAddr {
    server.socket_addresses()[0]
}

/// Runs a future to its end, as a client with Tokio does.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime on this thread");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("not so long") })
}
