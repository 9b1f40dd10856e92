//! The price of fish, as server-sent events.
//!
//! ```text
//! cargo run -p example-ticker           # then http://localhost:8080, or curl -N http://localhost:8080/ticks
//! ```
//! Watch for four things. Each event has an id, which a browser says when it comes again (`Last-Event-ID`): it goes on there, as far back as the history has it, and
//! is told what it missed otherwise. Events have names (`tick`, `missed`), for which a page listens. `retry` says how soon to come again. And when nothing is said for ten seconds a comment is,
//! so that nobody between takes the connection for dead.
//!
//! `GANNET_LISTEN` says another address.

#[cfg(test)]
mod tests;
mod ticks;

use std::time::Duration;

use gannet::events::{Event, EventStream, Events};
use gannet::filters::SecurityHeaders;
use gannet::prelude::*;
use gannet::{Embedded, embed};

use crate::ticks::Ticks;

static PAGE: Embedded = embed!("page");

/// How soon a client that was lost comes again.
const RETRY: Duration = Duration::from_secs(1);

/// How long nothing is said, at most.
const HEARTBEAT: Duration = Duration::from_secs(10);

#[gannet::main]
async fn main() -> gannet::Result<()> {
    tracing_subscriber::fmt().init();
    let ticks = Ticks::default();
    tokio::spawn(ticks.clone().go_on());
    app(ticks).listen("127.0.0.1:8080").environment().run().await
}

/// The application: `main` serves it, and the tests ask it.
fn app(ticks: Ticks) -> App {
    App::new().with(SecurityHeaders::new()).get("/ticks", stream).files("/", PAGE).state(ticks)
}

/// What came after the event that the client had last, or all that is remembered; then whatever comes, until the client leaves.
fn stream(events: Events, ticks: State<Ticks>) -> Result<EventStream, Rejection> {
    let mut last = match events.last_id() {
        Some(id) => Some(id.parse::<u64>().map_err(|_| refused())?),
        None => None,
    };
    let mut newest = ticks.newest();
    Ok(events.heartbeat(HEARTBEAT).written(async move |mut sender| {
        sender.send(Event::comment("fish, in pence per kilogram").retry(RETRY)).await?;
        loop {
            newest.mark_unchanged();
            let (missed, later) = ticks.after(last);
            if missed > 0 {
                sender.send(Event::new(missed.to_string()).name("missed")).await?;
            }
            for tick in later {
                last = Some(tick.number);
                sender.send(tick.event()).await?;
            }
            if newest.changed().await.is_err() {
                return Ok(());
            }
        }
    }))
}

fn refused() -> Rejection {
    Rejection::new(Status::BAD_REQUEST, "Last-Event-ID is none of ours, which are numbers")
}
