//! Without the feature `tls`: the types that the server and its client have in hand, of which nobody can have a value.
//!
//! So both are the same code with TLS and without, and the compiler leaves out of it what cannot happen.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use gannet_block::{Block, Chunk};
use gannet_engine::Output;

use crate::{Fault, Offer, Opened, PeerIdentity};

/// A server's TLS: there is none.
#[derive(Clone, Debug)]
pub struct ServerTls(Infallible);

/// A client's TLS: there is none.
#[derive(Clone, Debug)]
pub struct ClientTls(Infallible);

/// The certificates of a server: there are none.
#[derive(Debug)]
pub struct Certificates(Infallible);

/// One connection's TLS: there is none.
#[derive(Debug)]
pub struct Session(Infallible);

/// Where a worker puts pieces together that become one record: there are none.
#[derive(Default, Debug)]
pub struct Scratch(());

/// What a look at the files found.
#[derive(Debug)]
pub enum Look {
    /// Nothing has changed.
    Same,
    /// New certificates are in use.
    Renewed,
    /// The files changed, and cannot be used; the certificates are those from before.
    Refused(Infallible),
}

impl ServerTls {
    /// The same for one worker.
    #[must_use]
    pub fn for_worker(&self) -> ServerTls {
        match self.0 {}
    }

    /// The certificates, to be looked at again.
    pub fn certificates(&self) -> &Arc<Certificates> {
        match self.0 {}
    }

    /// Whether a client without a certificate is refused.
    pub fn requires_client_certificates(&self) -> bool {
        match self.0 {}
    }
}

impl Certificates {
    /// Looks whether the files have changed.
    pub fn look(&self) -> Look {
        match self.0 {}
    }
}

/// As with TLS; no session exists on which it could be called.
impl Session {
    /// A server's, with a client that connected.
    ///
    /// # Errors
    /// Never.
    pub fn server(tls: &ServerTls) -> Result<Session, Fault> {
        match tls.0 {}
    }

    /// A client's, with the server of this name.
    ///
    /// # Errors
    /// Never.
    pub fn client(tls: &ClientTls, _server_name: &str, _offer: Offer) -> Result<Session, Fault> {
        match tls.0 {}
    }

    /// Opens what was received.
    ///
    /// # Errors
    /// Never.
    pub fn open(&mut self, _block: Block, _plain: &mut impl FnMut(Chunk)) -> Result<Opened, Fault> {
        match self.0 {}
    }

    /// Seals what is to be sent.
    ///
    /// # Errors
    /// Never.
    pub fn seal(
        &mut self,
        _plain: &mut Output,
        _sealed: &mut Output,
        _most: usize,
        _scratch: &mut Scratch,
    ) -> io::Result<usize> {
        match self.0 {}
    }

    /// Puts what the session has to say behind `sealed`.
    pub fn flush(&mut self, _sealed: &mut Output) {
        match self.0 {}
    }

    /// Says that we send no more.
    pub fn close(&mut self) {
        match self.0 {}
    }

    /// Whether the session has something to say by itself.
    pub fn wants_to_send(&self) -> bool {
        match self.0 {}
    }

    /// Whether we said that we send no more.
    pub fn is_closed(&self) -> bool {
        match self.0 {}
    }

    /// Whether something came of a record that is not whole.
    pub fn is_within_record(&self) -> bool {
        match self.0 {}
    }

    /// Whether the handshake is not complete.
    pub fn is_handshaking(&self) -> bool {
        match self.0 {}
    }

    /// Whether the peer said that it sends no more.
    pub fn peer_closed(&self) -> bool {
        match self.0 {}
    }

    /// The host that the client asked for.
    pub fn server_name(&self) -> Option<&str> {
        match self.0 {}
    }

    /// The application protocol that was agreed upon.
    pub fn protocol(&self) -> Option<&[u8]> {
        match self.0 {}
    }

    /// The version.
    pub fn version(&self) -> Option<&'static str> {
        match self.0 {}
    }

    /// The cipher suite.
    pub fn cipher(&self) -> Option<&'static str> {
        match self.0 {}
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        match self.0 {}
    }

    /// Whom the peer's certificate names.
    pub fn peer_identity(&self) -> Option<PeerIdentity> {
        match self.0 {}
    }
}
