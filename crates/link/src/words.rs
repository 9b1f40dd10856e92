//! What is said of sessions, and to them: the same with TLS and without.

/// The most plaintext that a record holds (RFC 8446, 5.1).
pub const RECORD_BYTES: usize = 16 * 1024;

/// Which protocols a client offers, for the server to choose one of (ALPN, RFC 7301).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// HTTP/2 and HTTP/1.1, the first rather.
    Either,
}

/// What opening led to, beside plaintext.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Opened {
    /// The handshake was completed just now.
    pub established: bool,
    /// The peer said just now that it sends no more (`close_notify`).
    pub peer_closed: bool,
}

/// Whom the peer's certificate, which was verified, names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerIdentity {
    /// Its subject, as text (RFC 4514).
    pub subject: String,
    /// Its alternative names that are host names or addresses.
    pub names: Vec<String>,
    /// The certificate itself, in DER.
    pub certificate: Vec<u8>,
}
