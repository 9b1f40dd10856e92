//! What went wrong in a session, and who is at fault.

use std::fmt;

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

/// A session broke. Where there is an alert for it, it waits to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What it was.
    pub kind: FaultKind,
    /// In words, for a log.
    pub message: String,
}

/// What went wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The peer speaks HTTP without TLS: nothing of it was read.
    PlainHttp,
    /// What the peer sends is no TLS.
    NotTls,
    /// There is no version of TLS, cipher or group that both have.
    NothingInCommon,
    /// The client wants application protocols only that the server does not have.
    NoProtocol,
    /// The client showed no certificate, and has to.
    CertificateRequired,
    /// The peer's certificate is not accepted.
    BadCertificate,
    /// The peer does not accept ours, or something else of what we said: its alert says so.
    Refused,
    /// The peer broke the protocol, or somebody between changed what it sent.
    Broken,
    /// The peer's handshake is larger than any that is one.
    TooLarge,
    /// What is wrong is here.
    Ours,
}

/// Who is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtFault {
    /// The peer, or somebody between.
    Peer,
    /// Us, or what was configured.
    Us,
    /// One of both: they do not fit.
    Either,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, message: &str) -> Fault {
        Fault { kind, message: message.to_owned() }
    }

    /// Who is at fault.
    pub fn at_fault(&self) -> AtFault {
        match self.kind {
            FaultKind::PlainHttp | FaultKind::NotTls | FaultKind::Broken | FaultKind::TooLarge => {
                AtFault::Peer
            }
            FaultKind::CertificateRequired | FaultKind::BadCertificate => AtFault::Peer,
            FaultKind::NothingInCommon | FaultKind::NoProtocol | FaultKind::Refused => AtFault::Either,
            FaultKind::Ours => AtFault::Us,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let kind = match &error {
            Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(_)) => {
                FaultKind::Refused
            }
            Error::PeerIncompatible(_) => FaultKind::NothingInCommon,
            Error::NoApplicationProtocol => FaultKind::NoProtocol,
            Error::NoCertificatesPresented => FaultKind::CertificateRequired,
            Error::InvalidCertificate(CertificateError::BadEncoding) => FaultKind::Broken,
            Error::InvalidCertificate(_) | Error::UnsupportedNameType => FaultKind::BadCertificate,
            Error::AlertReceived(_) => FaultKind::Refused,
            Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => FaultKind::Broken,
            Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
                FaultKind::Broken
            }
            Error::PeerMisbehaved(_) | Error::DecryptError => FaultKind::Broken,
            _ => FaultKind::Ours,
        };
        let message = match &error {
            Error::AlertReceived(alert) => format!("the peer sent the alert {}", alert_name(*alert)),
            Error::NoCertificatesPresented => {
                "the client has no certificate, which it has to show".to_owned()
            }
            Error::NoApplicationProtocol => {
                "the client speaks no application protocol that this server has".to_owned()
            }
            error => error.to_string(),
        };
        Fault { kind, message }
    }
}

/// As RFC 8446, 6 writes it.
fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::new();
    for character in format!("{alert:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
