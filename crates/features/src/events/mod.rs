//! Server-sent events: a response that goes on (the HTML standard, 9.2), as a browser's `EventSource` reads it.
//!
//! A handler takes [`Events`], and answers with the [`EventStream`] that it makes of them. While nothing is said a comment is sent now and then, so that nobody
//! between takes the connection for dead, and a client that is gone is noticed. When the server ends so does the stream: the browser comes again, with the id of the event that it
//! had last.

mod event;
mod stream;
#[cfg(feature = "websocket")]
mod subscribed;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use gannet_core::{
    Body, BodyError, FromRequest, IntoResponse, Ports, Rejection, Request, Response, Sender, Source, Status,
};

pub use event::Event;
use stream::Heart;

/// Nothing was said for so long: a comment is, unless it is said otherwise.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a request for events says, as an argument of a handler: it makes the response.
pub struct Events {
    ports: Rc<Ports>,
    last_id: Option<String>,
    heartbeat: Duration,
}

/// A response of server-sent events.
pub struct EventStream {
    body: Body,
}

/// Writes events. Dropping it ends the stream, after which a browser comes again.
pub struct EventSender {
    sender: Sender,
}

impl Events {
    /// The id of the last event that the client had (`Last-Event-ID`), if it was there before and events have ids: what came after it may be told first.
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// Sends a comment when nothing was sent for so long, by default 15 seconds.
    #[must_use]
    pub fn heartbeat(mut self, interval: Duration) -> Events {
        self.heartbeat = interval;
        self
    }

    /// Events that a future writes, which is dropped when the client leaves, or the server ends.
    ///
    /// ```
    /// # use gannet_features::events::{Event, EventStream, Events};
    /// async fn count(events: Events) -> EventStream {
    ///     events.written(async |mut sender| {
    ///         for number in 1.. {
    ///             sender.send(Event::new(number.to_string()).id(&number.to_string())).await?;
    ///             // and wait for the next
    ///         }
    ///         Ok(())
    ///     })
    /// }
    /// ```
    pub fn written<F>(self, write: impl FnOnce(EventSender) -> F) -> EventStream
    where
        F: Future<Output = Result<(), BodyError>> + 'static,
    {
        let body = Body::written(|sender| {
            let writing = write(EventSender { sender });
            async move {
                // It says no more than that the client has left, and then nobody is there to be told.
                let _ = writing.await;
            }
        });
        self.stream_of(body)
    }

    /// What is published there from now on, each text message as the data of an event; others are left out. A client that is slow is treated as the broadcast's terms say;
    /// one that is closed for it comes again.
    #[cfg(feature = "websocket")]
    pub fn subscribe(self, broadcast: &crate::broadcast::Broadcast) -> EventStream {
        let body = Body::stream(subscribed::Subscribed::new(broadcast, &self.ports));
        self.stream_of(body)
    }

    /// Events that a source gives, as [`Event::into_bytes`] writes them.
    pub fn stream(self, events: impl Source + 'static) -> EventStream {
        self.stream_of(Body::stream(events))
    }

    fn stream_of(self, body: Body) -> EventStream {
        EventStream { body: Body::stream(Heart::new(body, self.ports, self.heartbeat)) }
    }
}

impl FromRequest for Events {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Events, Rejection> {
        let last_id = request.field_str("Last-Event-ID").map(str::to_owned);
        Ok(Events { ports: request.shared_ports(), last_id, heartbeat: HEARTBEAT })
    }
}

impl EventSender {
    /// Sends an event, after waiting until less than 64 KiB wait to be sent.
    ///
    /// # Errors
    /// [`BodyError::Incomplete`] when the client is gone.
    pub async fn send(&mut self, event: Event) -> Result<(), BodyError> {
        self.sender.send(event.into_bytes()).await
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        // Kept, or changed, by nobody between; nor held back until there is more of it, as nginx would.
        Response::new(Status::OK)
            .with("Content-Type", "text/event-stream")
            .with("Cache-Control", "no-store")
            .with("X-Accel-Buffering", "no")
            .with_body(self.body)
    }
}
