//! Both ends of a conversation in a handler's hands.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use gannet_core::ws::{CloseCode, CloseFrame};
use gannet_core::{FromRequest, Needs, Rejection, Request, Status};

use super::line::Line;
use super::{Message, WebSocketError};
use crate::broadcast::Broadcast;

/// A WebSocket: what a handler of [`WebSockets`](super::WebSockets) converses by.
///
/// Pings are answered, and sent, by themselves; so is a Close, and what the client breaks. The conversation ends with its handler: with 1000 where that returns, with 1011 where it fails
/// or panics. Dropping this ends nothing by itself: [`close`](WebSocket::close) does.
/// When the server ends it is closed with 1001, and [`recv`](WebSocket::recv) gives `None` once the client has answered.
pub struct WebSocket {
    line: Rc<Line>,
}

/// The half of a WebSocket that receives.
pub struct WebSocketReceiver {
    line: Rc<Line>,
}

/// The half of a WebSocket that sends. A clone sends over the same WebSocket, each message as a whole.
#[derive(Clone)]
pub struct WebSocketSender {
    line: Rc<Line>,
}

/// A future of the next message: of [`WebSocket::recv`]. Dropped before it is ready it has taken nothing.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Receiving<'a>(&'a Line);

/// A future of a message being on its way: of [`WebSocket::send`]. Dropped before it is ready the message is not sent.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sending<'a> {
    line: &'a Line,
    /// None once it is on its way.
    message: Option<Message>,
}

/// A WebSocket that is agreed on and not open yet.
pub(super) struct Pending(pub(super) Rc<Line>);

impl WebSocket {
    /// The next message; `None` when the client has closed the conversation, or answered our closing it.
    ///
    /// What is received while nobody asks waits, and so does the client, by TCP's window or HTTP/2's.
    ///
    /// # Errors
    /// [`WebSocketError::Protocol`] when the client broke the protocol or went beyond a limit, of which it was told; [`WebSocketError::Gone`] when it left without a word, or
    /// was not heard of for [too long](super::WebSocketOptions::idle_timeout).
    pub fn recv(&mut self) -> Receiving<'_> {
        Receiving(&self.line)
    }

    /// Sends a message, after waiting until less than 64 KiB wait to be sent. That it was sent does not mean that the client has it.
    ///
    /// # Errors
    /// [`WebSocketError::Closed`] when the conversation was closed by either side; or what ended it otherwise.
    pub fn send(&mut self, message: impl Into<Message>) -> Sending<'_> {
        Sending { line: &self.line, message: Some(message.into()) }
    }

    /// Closes the conversation, and says why: with [`CloseCode::NORMAL`] where nothing is wrong. Of a reason of more than 123 bytes the first are sent. Nothing can be
    /// sent after that, and nothing that is received is given to anybody. The client has [`close_timeout`](super::WebSocketOptions::close_timeout) to answer.
    pub fn close(&mut self, code: CloseCode, reason: &str) {
        self.line.close(Some(&CloseFrame::new(code, reason)));
    }

    /// The sub-protocol that was agreed on, if any was ([`WebSocketOptions::protocols`](super::WebSocketOptions::protocols)).
    pub fn protocol(&self) -> Option<&'static str> {
        self.line.protocol()
    }

    /// What the client said when it closed, if it has and said something.
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.line.said()
    }

    /// Sends what is published there from now on, too, behind what is on its way: until it is [unsubscribed](WebSocket::unsubscribe), or closed. Subscribing again changes nothing.
    pub fn subscribe(&self, broadcast: &Broadcast) {
        self.line.subscribe(broadcast);
    }

    /// Sends nothing more of what is published there. What waits to be sent is sent.
    pub fn unsubscribe(&self, broadcast: &Broadcast) {
        self.line.unsubscribe(broadcast);
    }

    /// Both halves, so that receiving and sending need not wait for each other. The conversation ends with its handler, not with them.
    pub fn split(self) -> (WebSocketReceiver, WebSocketSender) {
        (WebSocketReceiver { line: self.line.clone() }, WebSocketSender { line: self.line })
    }

    /// The next message, of JSON, be it in a text or in a binary message; `None` when the client has closed the conversation.
    ///
    /// # Errors
    /// As [`recv`](WebSocket::recv), and [`WebSocketError::NotJson`], after which the conversation may go on; if it is the handler's result, the client is told 1007.
    #[cfg(feature = "json")]
    pub async fn recv_json<T: serde_core::de::DeserializeOwned>(
        &mut self,
    ) -> Result<Option<T>, WebSocketError> {
        let message = self.recv().await?;
        read(message)
    }

    /// Sends a value as a text message of JSON.
    ///
    /// # Errors
    /// As [`send`](WebSocket::send), and [`WebSocketError::NotJson`] for a value that JSON cannot say.
    #[cfg(feature = "json")]
    pub async fn send_json<T: serde_core::Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), WebSocketError> {
        self.send(written(value)?).await
    }
}

impl WebSocketReceiver {
    /// As [`WebSocket::recv`].
    ///
    /// # Errors
    /// As there.
    pub fn recv(&mut self) -> Receiving<'_> {
        Receiving(&self.line)
    }

    /// As [`WebSocket::close_frame`].
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.line.said()
    }

    /// As [`WebSocket::recv_json`].
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "json")]
    pub async fn recv_json<T: serde_core::de::DeserializeOwned>(
        &mut self,
    ) -> Result<Option<T>, WebSocketError> {
        let message = self.recv().await?;
        read(message)
    }
}

impl WebSocketSender {
    /// As [`WebSocket::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send(&mut self, message: impl Into<Message>) -> Sending<'_> {
        Sending { line: &self.line, message: Some(message.into()) }
    }

    /// As [`WebSocket::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) {
        self.line.close(Some(&CloseFrame::new(code, reason)));
    }

    /// As [`WebSocket::subscribe`].
    pub fn subscribe(&self, broadcast: &Broadcast) {
        self.line.subscribe(broadcast);
    }

    /// As [`WebSocket::unsubscribe`].
    pub fn unsubscribe(&self, broadcast: &Broadcast) {
        self.line.unsubscribe(broadcast);
    }

    /// As [`WebSocket::protocol`].
    pub fn protocol(&self) -> Option<&'static str> {
        self.line.protocol()
    }

    /// As [`WebSocket::send_json`].
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "json")]
    pub async fn send_json<T: serde_core::Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), WebSocketError> {
        self.send(written(value)?).await
    }
}

impl Future for Receiving<'_> {
    type Output = Result<Option<Message>, WebSocketError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_receive(context)
    }
}

impl Future for Sending<'_> {
    type Output = Result<(), WebSocketError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.line.poll_room(context))?;
        if let Some(message) = self.message.take() {
            self.line.send(message);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(feature = "json")]
fn read<T: serde_core::de::DeserializeOwned>(message: Option<Message>) -> Result<Option<T>, WebSocketError> {
    let read = |message: Message| serde_json::from_slice(message.as_bytes());
    message.map(read).transpose().map_err(|_| WebSocketError::NotJson)
}

#[cfg(feature = "json")]
fn written<T: serde_core::Serialize + ?Sized>(value: &T) -> Result<String, WebSocketError> {
    serde_json::to_string(value).map_err(|_| WebSocketError::NotJson)
}

/// Only for handlers of WebSockets: what is not one has none.
impl FromRequest for WebSocket {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<WebSocket, Rejection> {
        match request.extension::<Pending>() {
            Some(Pending(line)) => Ok(WebSocket { line: line.clone() }),
            None => Err(Rejection::new(
                Status::INTERNAL_SERVER_ERROR,
                "a handler that takes a WebSocket is to be added by `ws`, and was added for plain requests",
            )),
        }
    }

    fn needs(needs: &mut Needs) {
        needs.body("WebSocket");
        needs.wants::<WebSocket>("takes a WebSocket, which only handlers have that are added by `ws`");
    }
}
