//! Handlers of every kind, which count their futures and bodies while they live.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use gannet_core::{
    Body, BodyError, Bytes, Frame, Method, ReceivedBody, Request, Response, Sender, Source, Upgraded,
};
use gannet_features::files::Files;
use gannet_server::{Site, SiteBuilder};

/// More than a socket's buffers hold.
pub const LARGE_BYTES: usize = 1 << 20;
/// The largest body that is sent here.
pub const BODY_BYTES: usize = 100_000;
const LATER: Duration = Duration::from_millis(2);
const PIECES: usize = 20;
const PIECE_BYTES: usize = 3000;
/// What `/produced` sends.
pub const PRODUCED_BYTES: usize = PIECES * PIECE_BYTES;

thread_local! {
    /// Of the worker on this thread.
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// Handlers' futures and bodies that are not dropped yet.
pub fn live() -> usize {
    LIVE.get()
}

/// Counts itself while it lives.
struct Live;

impl Live {
    fn new() -> Live {
        LIVE.set(LIVE.get() + 1);
        Live
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
    }
}

/// The site; its files are made in `folder`.
pub fn build(folder: &Path) -> Result<Site, String> {
    for (name, bytes) in [("small", 1000), ("large", LARGE_BYTES)] {
        fs::write(folder.join(name), vec![b'f'; bytes]).map_err(|error| format!("{name}: {error}"))?;
    }
    let files = Files::open(folder).map_err(|error| error.to_string())?;
    let large = Bytes::from(vec![b'l'; LARGE_BYTES]);
    let (get, post) = (Some(Method::Get), Some(Method::Post));
    let mut site = SiteBuilder::new();
    site.route(get, "/plain", |_: Request| Response::text("plain"));
    site.route(get, "/later", later);
    site.route(get, "/large", move |_: Request| Response::bytes(large.clone()));
    site.route(get, "/produced", |_: Request| Response::bytes("").with_body(Body::written(produce)));
    site.route(get, "/panic", |_: Request| -> Response { panic_quietly() });
    site.route(get, "/upgrade", |_: Request| Response::upgrade("echo", converse));
    site.route(post, "/collect", collect);
    site.route(post, "/echo", echo);
    site.route(post, "/ignore", |_: Request| Response::text("ignored"));
    site.endpoint(get, "/files/*", files.factory());
    site.build().map_err(|error| error.to_string())
}

async fn later(_: Request) -> Response {
    let _live = Live::new();
    tokio::time::sleep(LATER).await;
    Response::text("later")
}

async fn produce(mut sender: Sender) {
    let _live = Live::new();
    for _ in 0..PIECES {
        tokio::task::yield_now().await;
        if sender.send(vec![b'p'; PIECE_BYTES]).await.is_err() {
            return; // the client is gone
        }
    }
}

/// Panics without a message on the terminal.
fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("a handler panics, as the load wants it"))
}

async fn converse(mut connection: Upgraded) {
    let _live = Live::new();
    while let Some(Ok(chunk)) = connection.reader.next().await {
        if connection.writer.send(chunk).await.is_err() {
            return; // the client is gone
        }
    }
}

async fn collect(mut request: Request) -> Result<Response, BodyError> {
    let _live = Live::new();
    let body = request.body().collect(BODY_BYTES).await?;
    tokio::time::sleep(LATER).await;
    Ok(Response::bytes(body))
}

/// Says the body again while it comes.
fn echo(request: Request) -> Response {
    let echo = Echo { body: request.into_body(), _live: Live::new() };
    Response::bytes("").with_body(Body::stream(echo))
}

struct Echo {
    body: ReceivedBody,
    _live: Live,
}

impl Source for Echo {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        let next = self.body.poll_next(context);
        next.map(|next| next.map(|chunk| chunk.map(Frame::Data)))
    }
}
