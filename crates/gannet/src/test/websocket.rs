//! A WebSocket of the test client: the protocol's other end, over a connection as requests have.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use gannet_core::{Bytes, Sender, channel};
use gannet_proto::scan::Level;
use gannet_proto::ws::handshake::{ResponseFields, check_response};
use gannet_proto::ws::{
    CloseCode, CloseFrame, Event, Kind, Limits, Receiver, Role, write_close, write_message, write_pong,
};
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;

use super::answer::{Answer, StreamedAnswer};
use super::client::Client;
use crate::websocket::Message;

/// A key is a nonce of 16 bytes (RFC 6455, 4.1): nobody is between who would mistake an older answer for ours.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What masks our frames. A mask keeps those between from mistaking them (RFC 6455, 10.3), and nobody is.
const MASK: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

/// How long a message may take, which on virtual time is nothing. More, and it never comes.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Bytes of an answer in the place of a WebSocket that are gathered.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// A WebSocket of the test client: [`Client::ws`]. Pings are answered while it receives. Dropping it is leaving without a word.
pub struct ClientSocket {
    answer: StreamedAnswer,
    /// None once we have closed.
    sender: Option<Sender>,
    receiver: Receiver,
    unread: Bytes,
    message: Vec<u8>,
    /// What the server closed with: outside, whether it has; inside, whether it said why.
    closed: Option<Option<CloseFrame>>,
}

impl Client {
    /// Opens a WebSocket, by HTTP/1.1. What the handshake says besides is a field of the client: `client.header("Origin", ...).ws("/chat")`.
    ///
    /// # Panics
    /// If it is refused: [`try_ws`](Client::try_ws) gives the answer. If the server does not answer as RFC 6455 has it.
    pub async fn ws(&self, target: &str) -> ClientSocket {
        match self.try_ws(target).await {
            Ok(socket) => socket,
            Err(answer) => panic!("the WebSocket is refused:\n{answer}"),
        }
    }

    /// Opens a WebSocket, by HTTP/1.1.
    ///
    /// # Errors
    /// What is answered in its place.
    ///
    /// # Panics
    /// If there is no answer, or none as RFC 6455 has it.
    pub async fn try_ws(&self, target: &str) -> Result<ClientSocket, Answer> {
        assert!(!self.http2, "the test client opens WebSockets by HTTP/1.1");
        let (sender, body) = channel();
        let request = self
            .get(target)
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", KEY)
            .upgrading(body);
        let answer = request.begin().await.unwrap_or_else(|failure| panic!("{target}: {failure}"));
        if answer.status() != 101 {
            return Err(answer
                .whole(ANSWER_BYTES)
                .await
                .unwrap_or_else(|failure| panic!("{target}: {failure}")));
        }
        let lines = |name| answer.header(name).map(str::as_bytes);
        let (connection, upgrade) = (lines("Connection"), lines("Upgrade"));
        let accept = lines("Sec-WebSocket-Accept");
        let fields = ResponseFields {
            connection: connection.as_slice(),
            upgrade: upgrade.as_slice(),
            accept: accept.as_slice(),
        };
        if let Err(disbelief) = check_response(KEY.as_bytes(), fields) {
            panic!("{target}: {disbelief}");
        }
        Ok(ClientSocket {
            answer,
            sender: Some(sender),
            receiver: Receiver::new(Role::Client, Level::detect()),
            unread: Bytes::new(),
            message: Vec::new(),
            closed: None,
        })
    }
}

impl ClientSocket {
    /// The next message; `None` once the server has closed, or is gone: [`close_frame`](ClientSocket::close_frame) tells.
    ///
    /// # Panics
    /// If none comes in a day, or the server breaks the protocol.
    pub async fn recv(&mut self) -> Option<Message> {
        let received = tokio::time::timeout(MESSAGE_TIMEOUT, self.receive()).await;
        received.unwrap_or_else(|_| panic!("no message in a day of virtual time"))
    }

    async fn receive(&mut self) -> Option<Message> {
        while self.closed.is_none() {
            let mut input = &self.unread[..];
            let event = self.receiver.poll_event(&mut input, &Limits::default(), &mut self.message, None);
            let consumed = self.unread.len() - input.len();
            self.unread = self.unread.slice(consumed..);
            let mut frame = Vec::new();
            match event.unwrap_or_else(|error| panic!("the server breaks the protocol: {error}")) {
                Some(Event::Text) => {
                    let text = String::from_utf8(std::mem::take(&mut self.message));
                    return Some(Message::text(text.expect("the receiver has looked")));
                }
                Some(Event::Binary) => return Some(Message::binary(std::mem::take(&mut self.message))),
                Some(Event::Ping(payload)) => {
                    write_pong(&payload, MASK, &mut frame);
                    self.write(frame).await;
                }
                Some(Event::Pong(_)) => {}
                Some(Event::Close(says)) => {
                    write_close(says.as_ref(), MASK, &mut frame);
                    self.write(frame).await;
                    (self.closed, self.sender) = (Some(says), None);
                }
                None => self.unread = self.answer.piece().await.ok().flatten()?,
            }
        }
        None
    }

    /// The next message, of JSON.
    ///
    /// # Panics
    /// If there is none, or it is none of this shape; and as [`recv`](ClientSocket::recv).
    pub async fn recv_json<T: DeserializeOwned>(&mut self) -> T {
        let message = self.recv().await.unwrap_or_else(|| panic!("no message: {:?}", self.closed));
        serde_json::from_slice(message.as_bytes()).unwrap_or_else(|error| panic!("{message:?}: {error}"))
    }

    /// Sends a message. After a close, or when the server is gone, nothing is sent.
    pub async fn send(&mut self, message: impl Into<Message>) {
        let mut frame = Vec::new();
        match message.into() {
            Message::Text(text) => write_message(Kind::Text, text.as_bytes(), MASK, &mut frame),
            Message::Binary(bytes) => write_message(Kind::Binary, &bytes, MASK, &mut frame),
        }
        self.write(frame).await;
    }

    /// Sends a value as a text message of JSON.
    ///
    /// # Panics
    /// If it is one that JSON cannot say.
    pub async fn send_json<T: Serialize + ?Sized>(&mut self, value: &T) {
        let text = serde_json::to_string(value).unwrap_or_else(|error| panic!("it is no JSON: {error}"));
        self.send(text).await;
    }

    /// Closes, and waits until the server has answered. What it had sent before is dropped.
    pub async fn close(&mut self, code: CloseCode, reason: &str) {
        let mut frame = Vec::new();
        write_close(Some(&CloseFrame::new(code, reason)), MASK, &mut frame);
        self.write(frame).await;
        self.sender = None;
        while self.recv().await.is_some() {}
    }

    /// What the server closed with, if it has and said why.
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.closed?
    }

    /// The sub-protocol that was agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.answer.header("Sec-WebSocket-Protocol")
    }

    /// Whoever has closed says nothing more.
    async fn write(&mut self, frame: Vec<u8>) {
        let Some(sender) = &mut self.sender else { return };
        let mut sending = pin!(sender.send(frame));
        // Who is gone is noticed by what is received.
        let _ = self.answer.world().until(|context| sending.as_mut().poll(context)).await;
    }
}

impl fmt::Debug for ClientSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSocket").field("closed", &self.closed).finish_non_exhaustive()
    }
}
