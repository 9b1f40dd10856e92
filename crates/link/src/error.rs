//! What is wrong with the files that TLS is built from: the file, what was found, and the way out.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::pem::Kind;

/// Why TLS cannot be had with what was given. Nothing of it is found later than at start, but for what changes meanwhile.
#[derive(Debug)]
pub enum TlsError {
    /// No certificate was named at all.
    NoCertificate,
    /// A file cannot be read.
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file holds nothing.
    Empty {
        /// Which.
        file: PathBuf,
    },
    /// A file is no PEM.
    NoPem {
        /// Which.
        file: PathBuf,
        /// What it was to hold.
        wanted: Kind,
    },
    /// A file holds something else.
    OtherKind {
        /// Which.
        file: PathBuf,
        /// What it was to hold.
        wanted: Kind,
        /// What it holds.
        found: String,
    },
    /// A file holds more than one private key.
    SeveralKeys {
        /// Which.
        file: PathBuf,
        /// How many.
        count: usize,
    },
    /// A private key is encrypted.
    Encrypted {
        /// In which file.
        file: PathBuf,
    },
    /// What a file holds cannot be made out.
    Damaged {
        /// Which.
        file: PathBuf,
        /// What it was to hold.
        wanted: Kind,
        /// What is wrong with it.
        reason: String,
    },
    /// A private key is of a kind that cannot be used.
    UnusableKey {
        /// In which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A key is not that of its certificate.
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// Its subject.
        subject: String,
        /// The key's file.
        key: PathBuf,
    },
    /// A certificate is not valid any more.
    Expired {
        /// In which file.
        file: PathBuf,
        /// Its subject.
        subject: String,
        /// When it ended.
        ended: String,
        /// What the time is.
        now: String,
    },
    /// A certificate is not valid yet.
    NotYetValid {
        /// In which file.
        file: PathBuf,
        /// Its subject.
        subject: String,
        /// When it begins.
        begins: String,
        /// What the time is.
        now: String,
    },
    /// A file of roots holds no certificate that can be a root.
    UnusableRoot {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file holds no OCSP response that says that a certificate is good.
    NoStaple {
        /// Which.
        file: PathBuf,
    },
    /// The system has no trusted roots.
    NoSystemRoots {
        /// What was said where they were looked for.
        reason: String,
    },
    /// No home folder is known, for what is kept of the user's.
    NoHome,
    /// What is to be kept cannot be written.
    Unwritable {
        /// Where.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A key that others than its user can read.
    Exposed {
        /// In which file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// An authority of which one file is missing.
    Half {
        /// The one that is there,
        there: PathBuf,
        /// and the one that is not.
        missing: PathBuf,
    },
    /// The TLS library refuses what it was given.
    Refused(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::NoCertificate => f.write_str("TLS needs at least one certificate with its key"),
            TlsError::Unreadable { file, error } => {
                let way = match error.kind() {
                    io::ErrorKind::PermissionDenied => "; let the user that the server runs as read it",
                    io::ErrorKind::IsADirectory => "; name the file in it",
                    _ => "",
                };
                write!(f, "{} cannot be read: {}{way}", file.display(), said(error))
            }
            TlsError::Empty { file } => write!(f, "{} is empty", file.display()),
            TlsError::NoPem { file, wanted } => write!(
                f,
                "{} holds nothing in PEM form; {wanted} was expected. If it is DER, convert it: openssl {} -inform DER -in FILE",
                file.display(),
                wanted.command()
            ),
            TlsError::OtherKind { file, wanted, found } => {
                write!(
                    f,
                    "{} holds {found}; {wanted} was expected. Name the file that has it",
                    file.display()
                )
            }
            TlsError::SeveralKeys { file, count } => {
                write!(f, "{} holds {count} private keys; leave the certificate's one there", file.display())
            }
            TlsError::Encrypted { file } => write!(
                f,
                "the private key in {} is encrypted; decrypt it (openssl pkey -in FILE -out NEW) and let only the server's user read it",
                file.display()
            ),
            TlsError::Damaged { file, wanted, reason } => {
                write!(f, "{} is to hold {wanted}, which cannot be made out: {reason}", file.display())
            }
            TlsError::UnusableKey { file, reason } => write!(
                f,
                "the private key in {} cannot be used: {reason}; ECDSA P-256 is the best choice, RSA of 2048 bits or more and Ed25519 work too",
                file.display()
            ),
            TlsError::Mismatch { certificate, subject, key } => write!(
                f,
                "the private key in {} is not that of the certificate in {} ({subject}); its own certificate comes first in its file, and both are renewed together",
                key.display(),
                certificate.display()
            ),
            TlsError::Expired { file, subject, ended, now } => {
                write!(
                    f,
                    "the certificate in {} ({subject}) expired on {ended}; it is {now} now. Renew it",
                    file.display()
                )
            }
            TlsError::NotYetValid { file, subject, begins, now } => write!(
                f,
                "the certificate in {} ({subject}) is not valid before {begins}; it is {now} now. Is the clock right?",
                file.display()
            ),
            TlsError::UnusableRoot { file, reason } => {
                write!(f, "a certificate in {} cannot be a root: {reason}", file.display())
            }
            TlsError::NoStaple { file } => {
                write!(
                    f,
                    "{} holds no successful OCSP response in DER form; make one (openssl ocsp -respout FILE), or leave it out",
                    file.display()
                )
            }
            TlsError::NoSystemRoots { reason } => write!(
                f,
                "this system has no trusted roots: {reason}; install ca-certificates, or name a file of roots"
            ),
            TlsError::NoHome => f.write_str(
                "there is no folder for what is kept of a user's: set XDG_DATA_HOME or HOME, or name a certificate and a key",
            ),
            TlsError::Unwritable { file, error } => write!(f, "{} cannot be written: {}", file.display(), said(error)),
            TlsError::Exposed { file, mode } => write!(
                f,
                "the key in {} can be read by others (mode {mode:04o}), who could then pretend to be any site to those who trust its authority: chmod 600 it, or, if somebody may have read it, remove it and authority.pem, and trust the next",
                file.display()
            ),
            TlsError::Half { there, missing } => write!(
                f,
                "{} is there and {} is not: put it back, or remove both and trust the authority that is made then",
                there.display(),
                missing.display()
            ),
            TlsError::Refused(reason) => write!(f, "TLS cannot be had: {reason}"),
        }
    }
}

impl std::error::Error for TlsError {}

/// What the system says, in lower case and without its number.
pub(crate) fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}
