//! WebSockets: [`App::ws`](crate::App::ws).
//!
//! ```
//! use gannet::prelude::*;
//! use gannet::websocket::{WebSocketOptions, WebSockets};
//!
//! async fn echo(mut socket: WebSocket) -> gannet::websocket::WebSocketResult {
//!     while let Some(message) = socket.recv().await? {
//!         socket.send(message).await?;
//!     }
//!     Ok(())
//! }
//!
//! App::new()
//!     .ws("/echo", echo)
//!     // With options: pages of one other origin may open it, and messages are short.
//!     .get("/small", WebSockets::new(echo).options(WebSocketOptions::new().origins(["https://app.example.com"]).message_bytes(4096)));
//! ```

pub use gannet_features::websocket::*;
