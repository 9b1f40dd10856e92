//! What a WebSocket may cost, and who may have one.

use std::time::Duration;

use gannet_core::ws::Limits;

use crate::origin::Pattern;

/// Nothing was heard of a client for so long: it is asked.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// Nothing was heard for so long: it is gone.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A Close was not answered for so long.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How WebSockets are agreed on, and what they may cost: for [`WebSockets::options`](super::WebSockets::options). What is not said here is as in
/// [`new`](WebSocketOptions::new).
#[derive(Clone, Debug)]
pub struct WebSocketOptions {
    pub(super) protocols: Vec<&'static str>,
    pub(super) origins: Origins,
    pub(super) limits: Limits,
    pub(super) ping_interval: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) close_timeout: Duration,
    #[cfg(feature = "compression")]
    pub(super) compression: Option<super::deflate::WebSocketCompression>,
}

/// Of which origins pages may be that open a WebSocket here (RFC 6455, 10.2).
#[derive(Clone, Debug)]
pub(super) enum Origins {
    Same,
    Any,
    These(Vec<Pattern>),
}

impl WebSocketOptions {
    /// The defaults: pages of the same origin only, no sub-protocol, no compression, messages of up to 16 MiB in up to 131,072 fragments; a Ping after 30 seconds
    /// without a word, the end after 60; five seconds for the closing handshake.
    pub fn new() -> WebSocketOptions {
        WebSocketOptions {
            protocols: Vec::new(),
            origins: Origins::Same,
            limits: Limits::default(),
            ping_interval: PING_INTERVAL,
            idle_timeout: IDLE_TIMEOUT,
            close_timeout: CLOSE_TIMEOUT,
            #[cfg(feature = "compression")]
            compression: None,
        }
    }

    /// The sub-protocols that are spoken here (RFC 6455, 1.9). The client's first that is among them is agreed on, and none where none is:
    /// [`WebSocket::protocol`](super::WebSocket::protocol) tells.
    #[must_use]
    pub fn protocols(mut self, protocols: impl IntoIterator<Item = &'static str>) -> WebSocketOptions {
        self.protocols = protocols.into_iter().collect();
        self
    }

    /// Of which origins pages may be that open a WebSocket here, as `https://app.example.com`, `https://*.example.com` or `http://localhost:*`; by default that of
    /// the server alone. Browsers let every page open one, with the user's cookies, and leave it to the server to look where it comes from (RFC 6455, 10.2). Who is
    /// no browser says no origin, and is let in.
    ///
    /// # Panics
    /// At once, when one is no origin: the message says what is wrong with it.
    #[must_use]
    pub fn origins<'a>(mut self, origins: impl IntoIterator<Item = &'a str>) -> WebSocketOptions {
        let read = |origin| Pattern::read(origin).unwrap_or_else(|error| panic!("{error}"));
        self.origins = Origins::These(origins.into_iter().map(read).collect());
        self
    }

    /// Pages of any origin may open one: for what is public, and asks for no cookie.
    #[must_use]
    pub fn any_origin(mut self) -> WebSocketOptions {
        self.origins = Origins::Any;
        self
    }

    /// The most bytes that a message may have, 16 MiB by default; beyond it the conversation ends with 1009. A message is in memory until it is whole.
    #[must_use]
    pub fn message_bytes(mut self, bytes: u32) -> WebSocketOptions {
        self.limits.message_bytes = bytes;
        self
    }

    /// The most fragments that a message may come in, 131,072 by default; beyond it the conversation ends with 1009.
    #[must_use]
    pub fn fragments(mut self, fragments: u32) -> WebSocketOptions {
        self.limits.fragments = fragments;
        self
    }

    /// A client of which nothing was heard for so long is sent a Ping, by default after 30 seconds: it answers, or is found to be gone. That also keeps open what
    /// would close an idle connection between.
    #[must_use]
    pub fn ping_interval(mut self, interval: Duration) -> WebSocketOptions {
        self.ping_interval = interval;
        self
    }

    /// A client of which nothing was heard for so long, not even an answer to a Ping, is gone: the conversation ends with 1001, by default after 60 seconds.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> WebSocketOptions {
        self.idle_timeout = timeout;
        self
    }

    /// How long the client may take to answer our Close, by default five seconds; after that the connection is closed.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> WebSocketOptions {
        self.close_timeout = timeout;
        self
    }

    /// Compresses messages where the client knows how (permessage-deflate, RFC 7692). By default they are not: a secret and what others chose, compressed
    /// together, can be told from their length (as with BREACH).
    #[cfg(feature = "compression")]
    #[must_use]
    pub fn compression(mut self, compression: super::deflate::WebSocketCompression) -> WebSocketOptions {
        self.compression = Some(compression);
        self
    }
}

impl Default for WebSocketOptions {
    fn default() -> WebSocketOptions {
        WebSocketOptions::new()
    }
}
