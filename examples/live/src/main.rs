//! A live page: what somebody types is seen by all who have it open, letter by letter.
//!
//! `cargo run -p example-live`, then <http://localhost:8080> in two windows.

use gannet::{Broadcast, prelude::*};

async fn live(mut socket: WebSocket, all: State<Broadcast>) {
    socket.subscribe(&all);
    while let Ok(Some(typed)) = socket.recv().await {
        all.send(typed);
    }
}

#[gannet::main]
async fn main() -> gannet::Result<()> {
    let app = App::new().get("/", Html(include_str!("live.html"))).ws("/live", live);
    app.state(Broadcast::new()).listen("127.0.0.1:8080").environment().run().await
}

#[cfg(test)]
mod tests;
