//! A proxy with handlers of its own beside it: `cargo run --release -p example-proxy -- 127.0.0.1:3000`, then
//! <http://127.0.0.1:8080>. What is below `/api/` is answered by the upstream, the rest here.

use std::time::Duration;

use gannet::prelude::*;
use gannet::{Balance, Proxy};

#[gannet::main]
async fn main() -> gannet::Result<()> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let upstreams = if named.is_empty() { vec![":3000".to_owned()] } else { named };
    let proxy = Proxy::to(upstreams)
        .balance(Balance::LeastConnections)
        .connect_timeout(Duration::from_secs(2))
        .head_timeout(Duration::from_secs(30));
    App::new()
        .get("/", "what is below /api/ is answered by the upstream\n")
        // More specific than the proxy's pattern: it stays here.
        .get("/api/health", |request: Request| {
            let client =
                request.client_address().map_or_else(|| "somebody".to_owned(), |address| address.to_string());
            format!("well, {client}\n")
        })
        .proxy("/api/*", proxy)
        // Whom a proxy before this one asks for is believed where it runs on this machine.
        .trust("loopback")
        .run()
        .await
}
