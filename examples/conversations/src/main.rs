//! Conversations of all kinds, for programs that others wrote: browsers and clients hold them in `cargo xtask ci`, and whoever writes a client may, too.
//!
//! ```text
//! cargo run -p example-conversations                        # http:// and ws://
//! cargo run -p example-conversations -- cert.pem key.pem    # https:// and wss://, by HTTP/2 where the client knows how
//! ```
//! `/` is an empty page, for scripts that a browser is told to run. The rest are WebSockets: `/echo` sends back what it gets, in a sub-protocol where one is asked for,
//! `/alone` and `/takeover` do so compressed; `/close/:code` says Close at once, `/version` by which HTTP it was asked. But `/events`: server-sent events, three at a
//! time, then the stream ends, and whoever comes again gets those behind the last that he had.

use std::time::Duration;

use gannet::events::{Event, EventStream, Events};
use gannet::prelude::*;
use gannet::websocket::{CloseCode, WebSocketCompression, WebSocketOptions, WebSocketResult, WebSockets};
use gannet::{Tls, Version};
use tokio::time::sleep;

/// Events of one stream.
const AT_A_TIME: u64 = 3;
/// Between events: heartbeats are to come in between.
const PAUSE: Duration = Duration::from_millis(250);
const HEARTBEAT: Duration = Duration::from_millis(20);
/// Until a browser comes again.
const RETRY: Duration = Duration::from_millis(100);

#[gannet::main]
async fn main() -> gannet::Result<()> {
    tracing_subscriber::fmt().init();
    let mut app = app().listen("127.0.0.1:8080").environment();
    let mut arguments = std::env::args().skip(1);
    if let (Some(certificate), Some(key)) = (arguments.next(), arguments.next()) {
        app = app.tls(Tls::files(certificate, key));
    }
    app.run().await
}

fn app() -> App {
    let alone = WebSocketCompression::new().threshold_bytes(0);
    let plain = WebSocketOptions::new().protocols(["v2.echo", "v1.echo"]);
    let echoing = |options| WebSockets::new(echo).options(options);
    App::new()
        .get("/", Html("<!doctype html><meta charset=utf-8><title>conversations</title>"))
        .get("/echo", echoing(plain))
        .get("/alone", echoing(WebSocketOptions::new().compression(alone)))
        .get("/takeover", echoing(WebSocketOptions::new().compression(alone.context_takeover())))
        .ws("/close/:code", close)
        .ws("/version", tell_version)
        .get("/events", count)
}

async fn echo(mut socket: WebSocket) -> WebSocketResult {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn close(mut socket: WebSocket, code: Path<u16>) {
    let code = CloseCode::new(*code).unwrap_or(CloseCode::NORMAL);
    socket.close(code, "as was asked");
}

/// By which HTTP a request came.
struct By(Version);

impl FromRequest for By {
    async fn from_request(request: &mut Request) -> Result<By, Rejection> {
        Ok(By(request.version()))
    }
}

async fn tell_version(mut socket: WebSocket, by: By) -> WebSocketResult {
    Ok(socket.send(format!("{:?}", by.0)).await?)
}

fn count(events: Events) -> EventStream {
    let last: u64 = events.last_id().and_then(|id| id.parse().ok()).unwrap_or(0);
    events.heartbeat(HEARTBEAT).written(async move |mut sender| {
        for number in last + 1..=last + AT_A_TIME {
            sleep(PAUSE).await;
            let event = Event::new(format!("{number}\nafter {last}")).id(&number.to_string()).retry(RETRY);
            sender.send(if number % 2 == 0 { event.name("even") } else { event }).await?;
        }
        Ok(())
    })
}
