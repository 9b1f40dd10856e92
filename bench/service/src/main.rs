//! `gannet-service [FILTERS]`: Gannet's library as it is measured. It answers `GET /` with 13 bytes and `GET /users/:id` with JSON, as the peers do, and
//! `GET /later` after 10 ms. A WebSocket at `/echo` is sent back what it sends, and what one at `/topic` sends is published to all there. All of it is behind so many filters that do nothing. `GANNET_LISTEN`, `GANNET_WORKERS` and `GANNET_BACKEND` say where and how.

use std::rc::Rc;
use std::time::Duration;

use gannet::prelude::*;
use gannet::websocket::WebSocketResult;
use gannet::{Broadcast, Filter, IntoFilter, around};
use serde::Serialize;

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

fn user(id: Path<u32>) -> Json<User> {
    let id = *id;
    Json(User { id, name: format!("User {id}"), email: format!("user{id}@example.org"), active: true })
}

async fn echo(mut socket: WebSocket) -> WebSocketResult {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn topic(mut socket: WebSocket, all: State<Broadcast>) -> WebSocketResult {
    socket.subscribe(&all);
    while let Some(message) = socket.recv().await? {
        all.send(message);
    }
    Ok(())
}

/// A filter that is passed, both ways, and finds nothing to do.
#[derive(Clone)]
struct Idle;

impl IntoFilter<Idle> for Idle {
    fn into_filter(self) -> Rc<dyn Filter> {
        around(|_| Ok(()), |(), response| response)
    }
}

#[gannet::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filters = std::env::args().nth(1).map_or(Ok(0), |count| count.parse())?;
    let app = App::new().get("/", "Hello, World!").get("/users/:id", user).get("/later", async || {
        tokio::time::sleep(Duration::from_millis(10)).await;
        "This took a while.\n"
    });
    let app = app.state(Broadcast::new()).ws("/echo", echo).ws("/topic", topic);
    let app = (0..filters).fold(app, |app, _: usize| app.with(Idle));
    Ok(app.environment().run().await?)
}
