//! What rustls calls an error, as a fault of the session.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use crate::{Fault, FaultKind};

impl Fault {
    pub(super) fn new(kind: FaultKind, message: &str) -> Fault {
        Fault { kind, message: message.to_owned() }
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
