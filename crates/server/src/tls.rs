//! A connection's TLS, where it is spoken: what `link` opens and `flush` seals.

use std::rc::Rc;

use gannet_core::{Chunk, ClientCertificate, Tls as Told};
use gannet_engine::{Block, Output};
use gannet_link::{Fault, Opened, Scratch, ServerTls, Session};

use crate::wire::Fate;

/// A connection's TLS.
pub(crate) struct Tls {
    session: Session,
    requires_client_certificate: bool,
    /// What requests tell of it, once the handshake is complete.
    told: Option<Rc<Told>>,
}

/// Plaintext, and what else came of a block.
pub(crate) struct Arrived {
    pub(crate) plain: Option<Chunk>,
    pub(crate) opened: Opened,
}

impl Tls {
    pub(crate) fn new(tls: &ServerTls) -> Result<Tls, Fault> {
        let requires_client_certificate = tls.requires_client_certificates();
        Ok(Tls { session: Session::server(tls)?, requires_client_certificate, told: None })
    }

    /// Whether HTTP/2 was chosen in the handshake.
    pub(crate) fn speaks_http2(&self) -> bool {
        self.session.protocol() == Some(b"h2")
    }

    /// Opens what arrived.
    pub(crate) fn open(&mut self, block: Block) -> Result<Arrived, Fault> {
        let mut plain: Option<Chunk> = None;
        let opened = self.session.open(block, &mut |chunk: Chunk| {
            plain = Some(match plain.take() {
                None => chunk,
                Some(waiting) => waiting.followed_by(&chunk),
            });
        })?;
        if opened.established {
            self.told = Some(Rc::new(self.told_by_session()));
        }
        Ok(Arrived { plain, opened })
    }

    fn told_by_session(&self) -> Told {
        let client_certificate = self.session.peer_identity().map(|identity| ClientCertificate {
            subject: identity.subject,
            names: identity.names,
            der: identity.certificate,
        });
        Told {
            version: self.session.version().unwrap_or_default(),
            cipher: self.session.cipher().unwrap_or_default(),
            server_name: self.session.server_name().map(Box::from),
            resumed: self.session.is_resumed(),
            client_certificate,
            requires_client_certificate: self.requires_client_certificate,
        }
    }

    /// What requests tell of it.
    pub(crate) fn told(&self) -> Option<Rc<Told>> {
        self.told.clone()
    }

    /// Seals what the session has to say, and up to `most` bytes of `plain`; says how many of those.
    pub(crate) fn seal(
        &mut self,
        plain: &mut Output,
        sealed: &mut Output,
        most: usize,
        scratch: &mut Scratch,
    ) -> std::io::Result<u64> {
        self.session.seal(plain, sealed, most, scratch).map(|count| count as u64)
    }

    /// Seals what the session has to say by itself.
    pub(crate) fn flush(&mut self, sealed: &mut Output) {
        self.session.flush(sealed);
    }

    /// Says that nothing more is sent. That is to be sent itself.
    pub(crate) fn close(&mut self) {
        self.session.close();
    }

    /// Whether it was said that nothing more is sent.
    pub(crate) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Whether the peer's end is its own: it said that it sends no more.
    pub(crate) fn peer_closed(&self) -> bool {
        self.session.peer_closed()
    }

    /// Whether a record has begun to arrive, and is not whole.
    pub(crate) fn is_within_record(&self) -> bool {
        self.session.is_within_record()
    }

    /// Whether there is something to be sent beside plaintext, for a connection of this fate.
    pub(crate) fn has_work(&self, fate: Fate) -> bool {
        self.session.wants_to_send() || fate == Fate::Finish && !self.session.is_closed()
    }

    /// Whether the session has something to say.
    pub(crate) fn wants_to_send(&self) -> bool {
        self.session.wants_to_send()
    }
}
