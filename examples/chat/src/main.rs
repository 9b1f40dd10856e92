//! A chat: rooms that are made when somebody comes and forgotten when the last one leaves.
//!
//! ```text
//! cargo run -p example-chat             # then http://localhost:8080, in two windows
//! ```
//! `rooms` knows who is where: a room is a `Broadcast`, which each of its sockets subscribes to. `talk` is one conversation, from its first message to its last.
//! The page (`page/`) is in the program; it writes what others say as text, never as markup, and comes again when the connection is lost.
//!
//! `GANNET_LISTEN` says another address.

mod rooms;
mod talk;
#[cfg(test)]
mod tests;

use std::time::Duration;

use gannet::filters::SecurityHeaders;
use gannet::prelude::*;
use gannet::websocket::{WebSocketOptions, WebSockets};
use gannet::{Embedded, embed};

use crate::rooms::Rooms;

static PAGE: Embedded = embed!("page");

/// The most bytes of a message, of which the text is a part; a longer one ends the conversation with 1009.
const MESSAGE_BYTES: u32 = 8 * 1024;

#[gannet::main]
async fn main() -> gannet::Result<()> {
    tracing_subscriber::fmt().init();
    app(Rooms::default()).listen("127.0.0.1:8080").environment().run().await
}

/// The application: `main` serves it, and the tests ask it.
fn app(rooms: Rooms) -> App {
    // Who is gone leaves soon, so that the name is free when they come again.
    let options = WebSocketOptions::new()
        .message_bytes(MESSAGE_BYTES)
        .ping_interval(Duration::from_secs(10))
        .idle_timeout(Duration::from_secs(20));
    App::new()
        .with(SecurityHeaders::new())
        .get("/rooms/:room", WebSockets::new(talk::talk).options(options))
        .files("/", PAGE)
        .state(rooms)
}
