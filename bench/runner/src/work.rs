//! What a server is asked for: which file, in which way, and what must come back.

use std::path::PathBuf;

use crate::site::HELLO;

/// One kind of request, and the answer it must have.
#[derive(Clone, Debug)]
pub struct Work {
    /// What the row says was asked for, where a scenario asks for several things.
    pub label: &'static str,
    /// What is asked for.
    pub target: Target,
    /// What it holds.
    pub content: Content,
    /// In which way it is asked for.
    pub ask: Ask,
    /// The length of the answer's body; where only the server knows it, that of the null servers' answer.
    pub body_bytes: u64,
    /// Requests sent at once: the null servers answer as many with one constant. Over HTTP/2, streams that are under way on
    /// each connection.
    pub depth: u32,
    /// What the server is asked by.
    pub protocol: Protocol,
    /// The folder that is served, if it is not the site's own.
    pub root: Option<PathBuf>,
    /// Whether each request has a connection of its own.
    pub is_short: bool,
    /// How its connections are secured, where they are.
    pub handshake: Option<Handshake>,
    /// Where the upstream runs, where a proxy is asked for what another server has.
    pub upstream: Option<Beside>,
    /// What the upstream is asked by.
    pub upstream_protocol: Protocol,
    /// What servers do besides answering: those that do take part, each beside itself without.
    pub besides: Besides,
}

/// What a server does besides answering.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Besides {
    Nothing,
    /// It writes a log or keeps metrics.
    Observing,
    /// It has filters that do nothing.
    Filtering,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// The 13 bytes that every server knows.
    Hello,
    /// A file of the folder that is served.
    File(&'static str),
    /// A user by its number: a path with a parameter, answered with JSON.
    User,
    /// A WebSocket that is sent back what it sends.
    Echo,
    /// A WebSocket that is sent what any of those there sends.
    Topic,
}

/// The user's numbers: all have as many digits.
pub const USERS: std::ops::Range<u32> = 1000..2000;

/// The length of a message of a WebSocket.
pub const MESSAGE_BYTES: u64 = 32;

/// What a server must answer for a user.
pub fn user(id: u32) -> String {
    format!(r#"{{"id":{id},"name":"User {id}","email":"user{id}@example.org","active":true}}"#)
}

/// The TLS handshake that a connection begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Handshake {
    /// With a certificate and its signature.
    Full,
    /// With a ticket of an earlier session, and a new key exchange (RFC 8446, 2.2).
    Resumed,
}

impl Handshake {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Handshake::Full => "full",
            Handshake::Resumed => "resumed",
        }
    }
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2: by ALPN over TLS, and known beforehand in clear text (RFC 9113, 3.3).
    Http2,
    /// WebSockets that HTTP/1.1 has agreed on (RFC 6455).
    WebSocket,
}

/// On whose processor an upstream runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Beside {
    /// The client's: the proxy has one for itself.
    Client,
    /// The proxy's: the client has one for itself, to keep its time.
    Proxy,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// So many bytes, written.
    Filled(u64),
    /// So many bytes, none of them on the disk.
    Sparse(u64),
    /// So many bytes of words, which compress as prose does.
    Prose(u64),
}

/// In which way a file is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ask {
    /// All of it.
    Whole,
    /// Only if it is not what the ETag of a first response says (RFC 9110, 13.1.2). The answer is 304.
    IfNoneMatch,
    /// These bytes, both ends included (RFC 9110, 14.1.2). The answer is 206.
    Range(u64, u64),
    /// In a compressed form, if there is one.
    Compressed,
}

impl Work {
    /// The 13 bytes, asked for `depth` at once.
    pub fn hello(depth: u32) -> Work {
        Work {
            label: "13 bytes",
            target: Target::Hello,
            content: Content::Filled(HELLO.len() as u64),
            ask: Ask::Whole,
            body_bytes: HELLO.len() as u64,
            depth,
            protocol: Protocol::Http1,
            root: None,
            is_short: false,
            handshake: None,
            upstream: None,
            upstream_protocol: Protocol::Http1,
            besides: Besides::Nothing,
        }
    }

    /// A whole file of so many KiB.
    pub fn file(label: &'static str, file: &'static str, kibibytes: u64) -> Work {
        let bytes = kibibytes * 1024;
        let content = Content::Filled(bytes);
        Work { label, target: Target::File(file), content, body_bytes: bytes, ..Work::hello(1) }
    }

    /// A user, by a path with a parameter, as JSON.
    pub fn user() -> Work {
        let bytes = user(USERS.start).len() as u64;
        Work {
            label: "JSON",
            target: Target::User,
            content: Content::Filled(bytes),
            body_bytes: bytes,
            ..Work::hello(1)
        }
    }

    /// A short text message over a WebSocket, `depth` at once, sent back.
    pub fn echo(depth: u32) -> Work {
        Work {
            label: "message",
            target: Target::Echo,
            content: Content::Filled(MESSAGE_BYTES),
            body_bytes: MESSAGE_BYTES,
            protocol: Protocol::WebSocket,
            ..Work::hello(depth)
        }
    }

    /// The same message, published to all WebSockets of a topic.
    pub fn topic() -> Work {
        Work { target: Target::Topic, ..Work::echo(1) }
    }

    /// A body of so many KiB that an upstream has.
    pub fn body(label: &'static str, kibibytes: u64) -> Work {
        let bytes = kibibytes * 1024;
        Work { label, content: Content::Filled(bytes), body_bytes: bytes, ..Work::hello(1) }
    }

    /// The same through a proxy.
    pub fn proxied(self, upstream: Beside) -> Work {
        Work { upstream: Some(upstream), ..self }
    }

    /// The same over HTTP/2, so many streams at once on each connection.
    pub fn over_http2(self, depth: u32) -> Work {
        Work { protocol: Protocol::Http2, depth, ..self }
    }

    /// The same with an upstream that is asked over HTTP/2, too.
    pub fn all_http2(self) -> Work {
        Work { upstream_protocol: Protocol::Http2, ..self }
    }

    /// The same over TLS.
    pub fn over_tls(self, handshake: Handshake) -> Work {
        Work { handshake: Some(handshake), ..self }
    }

    /// The same, by servers that do this besides, too.
    pub fn besides(self, besides: Besides) -> Work {
        Work { besides, ..self }
    }

    /// The same, with a connection for each request.
    pub fn short(self) -> Work {
        Work { is_short: true, ..self }
    }

    /// The same file, asked for in another way.
    pub fn asked(self, label: &'static str, ask: Ask, body_bytes: u64) -> Work {
        Work { label, ask, body_bytes, ..self }
    }

    /// Whether the null servers' one constant answers it: they look at nothing, so they know no ranges.
    pub fn suits_null(&self) -> bool {
        matches!(self.ask, Ask::Whole | Ask::Compressed)
    }

    /// For a table: what is asked for, and in which way.
    pub fn describe(&self) -> String {
        let bytes = match self.content {
            Content::Filled(bytes) => format!("{bytes} bytes"),
            Content::Sparse(bytes) => format!("{} GiB, sparse", bytes >> 30),
            Content::Prose(bytes) => format!("{bytes} bytes of prose"),
        };
        let what = match self.target {
            Target::Hello => "body",
            Target::File(_) => "file",
            Target::Echo => return format!("a text message of {bytes} over a WebSocket, sent back"),
            Target::Topic => return format!("a text message of {bytes}, published to WebSockets"),
            Target::User => return format!("`GET /users/:id`, answered with {bytes} of JSON"),
        };
        let way = match self.ask {
            Ask::Whole => String::new(),
            Ask::IfNoneMatch => ", asked for if its ETag is another".to_owned(),
            Ask::Range(first, last) => format!(", of which bytes {first}-{last}"),
            Ask::Compressed => ", asked for with `Accept-Encoding: br, gzip`".to_owned(),
        };
        let by = match self.upstream_protocol {
            Protocol::Http1 | Protocol::WebSocket => "",
            Protocol::Http2 => ", which is asked over HTTP/2 too,",
        };
        let way = match (self.protocol, self.handshake) {
            (Protocol::Http2, None) => format!("{way} over HTTP/2 in clear text"),
            (Protocol::Http2, Some(_)) => format!("{way} over HTTP/2"),
            (Protocol::Http1 | Protocol::WebSocket, _) => way,
        };
        let way = match (self.upstream, self.handshake) {
            (Some(Beside::Client), _) => format!("{way} through a proxy, its upstream{by} beside the client"),
            (Some(Beside::Proxy), _) => format!("{way} through a proxy, its upstream{by} beside it"),
            (None, Some(Handshake::Full)) if self.is_short => format!("{way} over TLS 1.3, a full handshake"),
            (None, Some(Handshake::Resumed)) => format!("{way} over TLS 1.3, a resumed handshake"),
            (None, Some(Handshake::Full)) => format!("{way} over TLS 1.3"),
            (None, None) => way,
        };
        format!("a {what} of {bytes}{way}")
    }
}
