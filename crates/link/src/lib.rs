//! TLS: blocks of ciphertext become plaintext, and output becomes records.
//!
//! A [`Session`] is one connection's TLS, of either side. It does no I/O and keeps no buffer: what it is given it opens in the
//! memory in which it came, and what it is to send it writes into the output that goes to the engine. What a session is made from is
//! built once, at start, and everything that can be wrong with it is found then: [`ServerTls`] from certificates and
//! keys in files, [`ClientTls`] from the roots that are trusted. [`Certificates`] are looked at again while the server runs.
//!
//! One folder, `tls`, knows rustls; nothing outside it does.

#![forbid(unsafe_code)]

mod certificate;
mod error;
mod pem;
mod self_signed;
mod tls;

pub use error::TlsError;
pub use pem::Kind as PemKind;
pub use self_signed::{SelfSigned, self_signed, self_signed_folder};
pub use tls::{
    AtFault, CertificateFiles, Certificates, ClientCertificates, ClientOptions, ClientTls, Fault, FaultKind,
    Look, Offer, Opened, PeerIdentity, RECORD_BYTES, Roots, Scratch, ServerOptions, ServerTls, Session,
};
