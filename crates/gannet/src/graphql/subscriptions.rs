//! Subscriptions: a WebSocket's conversation by the protocol `graphql-transport-ws`, as
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md> has it. Each operation is a stream of results; as many as may are under way at a time.
//!
//! | close code | when |
//! |---|---|
//! | 4400 | a message is none of the protocol's |
//! | 4401 | something is asked for before the connection was acknowledged |
//! | 4403 | [`GraphQl::admit`](super::GraphQl::admit) does not let the client in |
//! | 4406 | the sub-protocol `graphql-transport-ws` was not agreed on |
//! | 4408 | no `connection_init` came within [`INIT_TIMEOUT`] |
//! | 4409 | an operation's id is one that is under way |
//! | 4429 | a second `connection_init` |

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_graphql::{Data, Executor, Response as GraphQlResponse};
use futures_core::Stream;
use gannet_core::{Request, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use super::{GraphQl, answer};
use crate::websocket::{
    CloseCode, Converses, Message, WebSocket, WebSocketError, WebSocketOptions, WebSocketResult,
};

/// The sub-protocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// How long a client may take to say `connection_init`; after that it is closed with 4408.
pub const INIT_TIMEOUT: Duration = Duration::from_secs(3);

/// The most operations of a connection that are under way at a time; one more is answered with an error.
pub const OPERATIONS: usize = 100;

/// The most bytes of a message of a client; a longer one closes the connection with 1009.
pub const MESSAGE_BYTES: u32 = 1024 * 1024;

/// What a client said when it connected: the payload of `connection_init`, for resolvers to find by `context.data::<ConnectionInit>()`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConnectionInit(pub Map<String, Value>);

/// A client's messages.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectionInit { payload: Option<Map<String, Value>> },
    Ping { payload: Option<Map<String, Value>> },
    Pong,
    Subscribe { id: String, payload: Parameters },
    Complete { id: String },
}

/// Why the connection is closed.
struct Closed(u16, String);

/// What is next.
enum Event {
    Said(Option<Message>),
    /// A result of an operation, or its end.
    Result(usize, Option<GraphQlResponse>),
    NoInit,
}

struct Operation {
    id: String,
    results: Pin<Box<dyn Stream<Item = GraphQlResponse> + Send>>,
}

/// A conversation under way.
struct Conversation<E> {
    graphql: GraphQl<E>,
    /// What resolvers find; shared once the connection was acknowledged.
    data: Data,
    shared: Option<Arc<Data>>,
    operations: Vec<Operation>,
    /// Which one is asked first, so that none keeps the others waiting.
    first: usize,
}

/// Whether a request asks for a WebSocket.
pub(super) fn are_wanted(request: &Request) -> bool {
    let asked = request.protocol().or_else(|| request.field_str("Upgrade"));
    asked.is_some_and(|asked| asked.eq_ignore_ascii_case("websocket"))
}

/// How it is agreed on.
pub(super) fn options() -> WebSocketOptions {
    WebSocketOptions::new().protocols([PROTOCOL]).message_bytes(MESSAGE_BYTES)
}

/// Answers a request that asks for a WebSocket.
pub(super) async fn answer<E: Executor>(
    graphql: GraphQl<E>,
    request: Request,
    options: Arc<WebSocketOptions>,
) -> Response {
    let mut data = Data::default();
    graphql.data.iter().for_each(|add| add(&request, &mut data));
    // A handler can be called again; this one is called once.
    let data = Arc::new(Mutex::new(data));
    let converse = move |socket: WebSocket| {
        let data = std::mem::take(&mut *data.lock().unwrap_or_else(PoisonError::into_inner));
        Conversation { graphql: graphql.clone(), data, shared: None, operations: Vec::new(), first: 0 }
            .run(socket)
    };
    converse.answer(request, options).await
}

impl<E: Executor> Conversation<E> {
    async fn run(mut self, mut socket: WebSocket) -> WebSocketResult {
        if socket.protocol() != Some(PROTOCOL) {
            close(&mut socket, 4406, "Subprotocol not acceptable");
            return Ok(());
        }
        let mut timeout = pin!(tokio::time::sleep(INIT_TIMEOUT));
        loop {
            let event = poll_fn(|context| {
                if self.shared.is_none() && timeout.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Ok(Event::NoInit));
                }
                self.poll_event(&mut socket, context)
            });
            let answer = match event.await? {
                Event::Said(None) => return Ok(()),
                Event::Said(Some(message)) => self.hear(&message),
                Event::Result(place, result) => Ok(self.tell(place, result)),
                Event::NoInit => Err(Closed(4408, "Connection initialisation timeout".to_owned())),
            };
            match answer {
                Ok(Some(answer)) => socket.send_json(&answer).await?,
                Ok(None) => {}
                Err(Closed(code, why)) => {
                    close(&mut socket, code, &why);
                    return Ok(());
                }
            }
        }
    }

    /// What the client says comes first: it may be that it wants no more results.
    fn poll_event(
        &mut self,
        socket: &mut WebSocket,
        context: &mut Context<'_>,
    ) -> Poll<Result<Event, WebSocketError>> {
        if let Poll::Ready(message) = Pin::new(&mut socket.recv()).poll(context) {
            return Poll::Ready(message.map(Event::Said));
        }
        let count = self.operations.len();
        for place in (0..count).map(|step| (self.first + step) % count) {
            if let Poll::Ready(result) = self.operations[place].results.as_mut().poll_next(context) {
                self.first = place + 1;
                return Poll::Ready(Ok(Event::Result(place, result)));
            }
        }
        Poll::Pending
    }

    /// Does what the client says, and gives what it is answered at once.
    fn hear(&mut self, message: &Message) -> Result<Option<Value>, Closed> {
        let invalid = |what: &dyn std::fmt::Display| Closed(4400, format!("Invalid message: {what}"));
        let text = message.as_text().ok_or_else(|| invalid(&"it is no text"))?;
        match serde_json::from_str(text).map_err(|error| invalid(&error))? {
            Said::ConnectionInit { .. } if self.shared.is_some() => {
                Err(Closed(4429, "Too many initialisation requests".to_owned()))
            }
            Said::ConnectionInit { payload } => self.admit(ConnectionInit(payload.unwrap_or_default())),
            Said::Ping { payload: None } => Ok(Some(json!({ "type": "pong" }))),
            Said::Ping { payload } => Ok(Some(json!({ "type": "pong", "payload": payload }))),
            Said::Pong => Ok(None),
            Said::Subscribe { id, payload } => self.subscribe(id, payload),
            Said::Complete { id } => {
                // It may have ended meanwhile.
                self.operations.retain(|operation| operation.id != id);
                Ok(None)
            }
        }
    }

    fn admit(&mut self, init: ConnectionInit) -> Result<Option<Value>, Closed> {
        if self.graphql.admit.as_ref().is_some_and(|admits| !admits(&init)) {
            return Err(Closed(4403, "Forbidden".to_owned()));
        }
        let mut data = std::mem::take(&mut self.data);
        data.insert(init);
        self.shared = Some(Arc::new(data));
        Ok(Some(json!({ "type": "connection_ack" })))
    }

    fn subscribe(&mut self, id: String, parameters: Parameters) -> Result<Option<Value>, Closed> {
        let Some(data) = self.shared.clone() else { return Err(Closed(4401, "Unauthorized".to_owned())) };
        if self.operations.iter().any(|operation| operation.id == id) {
            return Err(Closed(4409, format!("Subscriber for {id} already exists")));
        }
        if self.operations.len() == OPERATIONS {
            let message = format!("{OPERATIONS} operations are under way, and no more may be at a time");
            return Ok(Some(json!({ "id": id, "type": "error", "payload": [{ "message": message }] })));
        }
        let results = Box::pin(self.graphql.executor.execute_stream(parameters.into(), Some(data)));
        self.operations.push(Operation { id, results });
        Ok(None)
    }

    /// A result as it is told; what could not be executed at all is an error, with which the operation ends.
    fn tell(&mut self, place: usize, result: Option<GraphQlResponse>) -> Option<Value> {
        match result {
            Some(result) if answer::is_refused(&result) => {
                let Operation { id, .. } = self.operations.remove(place);
                Some(json!({ "id": id, "type": "error", "payload": answer::told(&result)["errors"] }))
            }
            Some(result) => {
                let id = &self.operations[place].id;
                Some(json!({ "id": id, "type": "next", "payload": answer::told(&result) }))
            }
            None => {
                let Operation { id, .. } = self.operations.remove(place);
                Some(json!({ "id": id, "type": "complete" }))
            }
        }
    }
}

fn close(socket: &mut WebSocket, code: u16, why: &str) {
    socket.close(CloseCode::new(code).expect("applications may say 4000 to 4999"), why);
}
