//! What went wrong in a session, and who is at fault.

use std::fmt;

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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
