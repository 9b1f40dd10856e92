//! A live page: what somebody types is seen by all who have it open, letter by letter.
//!
//! `cargo run -p example-live`, then <http://localhost:8080> in two windows.

use gannet::{Broadcast, prelude::*};

async fn live(mut socket: WebSocket, all: State<Broadcast>) -> gannet::websocket::WebSocketResult {
    socket.subscribe(&all);
    while let Some(typed) = socket.recv().await? {
        all.send(typed);
    }
    Ok(())
}

#[gannet::main]
async fn main() -> gannet::Result<()> {
    App::new().get("/", Html(include_str!("live.html"))).ws("/live", live).state(Broadcast::new()).run().await
}

#[cfg(test)]
mod tests;
