//! A WebSocket that sends back what it gets: text as text, bytes as bytes. What the Autobahn suite is run against.
//!
//! ```text
//! cargo run --release -p example-echo-ws           # ws://127.0.0.1:8080
//! cargo run --release -p example-echo-ws -- tls    # wss://127.0.0.1:8080, as pages of https:// need it
//! ```
//! Watch for two things. Pings, fragments, closing, text that is none: the handler knows nothing of them. And messages are compressed where the client knows
//! how: at `/` each by itself; at `/takeover` each goes back to those before it, so that even short ones get shorter, which costs every conversation memory.

use gannet::Tls;
use gannet::prelude::*;
use gannet::websocket::{WebSocketCompression, WebSocketOptions, WebSocketResult, WebSockets};

#[gannet::main]
async fn main() -> gannet::Result<()> {
    tracing_subscriber::fmt().init();
    let mut app = app().listen("127.0.0.1:8080").environment();
    if std::env::args().nth(1).is_some_and(|argument| argument == "tls") {
        app = app.tls(Tls::self_signed([""; 0]));
    }
    app.run().await
}

fn app() -> App {
    let alone = WebSocketCompression::new();
    let together = alone.context_takeover().threshold_bytes(0);
    App::new()
        .get("/", WebSockets::new(echo).options(WebSocketOptions::new().compression(alone)))
        .get("/takeover", WebSockets::new(echo).options(WebSocketOptions::new().compression(together)))
}

async fn echo(mut socket: WebSocket) -> WebSocketResult {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
