//! Why a run was given up: what the server did that a server under test must not do.

use std::{fmt, io};

use crate::work::Handshake;

use rustix::io::Errno;

/// Why a run was given up.
#[derive(Debug)]
pub enum LoadError {
    /// The server sent another status.
    Status {
        /// What the scenario expects.
        expected: u16,
        /// The response's first line.
        line: String,
    },
    /// The server announced a body of another length, or of none that could be read.
    Length {
        /// What the scenario expects.
        expected: u64,
        /// What the server announced.
        length: Option<u64>,
    },
    /// The server's first body came in chunks, and a later one did not.
    Unchunked,
    /// The server's answer is another one.
    Body {
        /// What it is.
        body: String,
    },
    /// The server lets a body end with its connection.
    NoLength,
    /// The server sends no ETag to ask with.
    NoEtag,
    /// The server closed a connection that it was to keep.
    Closed,
    /// The server sent more responses than it was asked for.
    Unasked,
    /// The server does not take requests off its socket.
    Refused,
    /// The server keeps a connection that it was asked to close.
    KeptOpen,
    /// The server answers fewer requests than the rate sends.
    Overloaded,
    /// The handshake was of another kind.
    Handshake {
        /// What the scenario is about.
        expected: Handshake,
        /// What it was.
        was: Handshake,
    },
    /// The server wants another key exchange than the one that all are measured with.
    HelloRetry,
    /// The server gives nothing to resume a session with.
    NoTicket,
    /// The server does not agree to speak HTTP/2.
    Alpn,
    /// The server gave a stream up.
    Reset {
        /// The code of its reason (RFC 9113, 7).
        code: u32,
    },
    /// The server ends an HTTP/2 connection that it was to keep.
    GoAway {
        /// The code of its reason (RFC 9113, 7).
        code: u32,
    },
    /// The server sent a frame that the load does not know how to take.
    Frame(&'static str),
    /// This cannot be asked for over HTTP/2 here.
    Target {
        /// The target, or the authority.
        text: String,
    },
    /// The two sides do not understand each other.
    Tls(rustls::Error),
    /// The server did not answer for ten seconds.
    Stalled,
    /// The operating system refused something, or the server could not be started.
    System(io::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Status { expected, line } => {
                write!(formatter, "the server answered {line:?} and not {expected}")
            }
            LoadError::Length { expected, length: Some(length) } => {
                write!(formatter, "the server sent a body of {length} bytes, not {expected}")
            }
            LoadError::Length { expected, length: None } => {
                write!(formatter, "the server sent no single Content-Length, {expected} was expected")
            }
            LoadError::Unchunked => {
                formatter.write_str("the server sent a body once in chunks, then without")
            }
            LoadError::Body { body } => write!(formatter, "the server answered {body:?}"),
            LoadError::NoLength => formatter.write_str("the server does not say how long its body is"),
            LoadError::NoEtag => formatter.write_str("the server sends no ETag"),
            LoadError::Closed => formatter.write_str("the server closed a connection that it was to keep"),
            LoadError::Unasked => formatter.write_str("the server sent a response that nobody asked for"),
            LoadError::Refused => formatter.write_str("the server does not take requests off its socket"),
            LoadError::KeptOpen => {
                formatter.write_str("the server keeps a connection open that it was asked to close")
            }
            LoadError::Overloaded => formatter.write_str("the server cannot keep up with the rate"),
            LoadError::Handshake { expected, was } => {
                write!(formatter, "the handshake was {}, not {}", was.name(), expected.name())
            }
            LoadError::HelloRetry => formatter.write_str("the server wants another key exchange than X25519"),
            LoadError::NoTicket => formatter.write_str("the server gives no session tickets"),
            LoadError::Alpn => formatter.write_str("the server does not agree to speak HTTP/2"),
            LoadError::Reset { code } => write!(formatter, "the server reset a stream with error {code}"),
            LoadError::GoAway { code } => {
                write!(formatter, "the server ended a connection that it was to keep with error {code}")
            }
            LoadError::Frame(what) => write!(formatter, "the server sent a frame {what}"),
            LoadError::Target { text } => {
                write!(formatter, "{text:?} is too long, or has characters that the load cannot encode")
            }
            LoadError::Tls(error) => error.fmt(formatter),
            LoadError::Stalled => formatter.write_str("the server did not answer for ten seconds"),
            LoadError::System(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<io::Error> for LoadError {
    fn from(error: io::Error) -> LoadError {
        LoadError::System(error)
    }
}

impl From<rustls::Error> for LoadError {
    fn from(error: rustls::Error) -> LoadError {
        LoadError::Tls(error)
    }
}

impl From<Errno> for LoadError {
    fn from(error: Errno) -> LoadError {
        match error {
            Errno::CONNRESET | Errno::PIPE => LoadError::Closed,
            error => LoadError::System(error.into()),
        }
    }
}
