//! PEM files (RFC 7468): what is in them, and what was expected there.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::TlsError;

/// Files larger than this hold no certificates; also a device that never ends is not read to its end.
const LARGEST_BYTES: u64 = 4 * 1024 * 1024;

/// What a file is to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One certificate or a chain.
    Certificate,
    /// A private key, in any of its forms.
    PrivateKey,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Certificate => "a certificate",
            Kind::PrivateKey => "a private key",
        })
    }
}

impl Kind {
    /// The command of OpenSSL for it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Kind::Certificate => "x509",
            Kind::PrivateKey => "pkey",
        }
    }

    fn is_labelled(self, label: &str) -> bool {
        match self {
            Kind::Certificate => label == "CERTIFICATE",
            Kind::PrivateKey => matches!(label, "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY"),
        }
    }
}

/// Reads a file that holds something.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |error| TlsError::Unreadable { file: file.to_owned(), error };
    let opened = fs::File::open(file).map_err(failed)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(opened, LARGEST_BYTES), &mut bytes)
        .map_err(failed)?;
    if bytes.is_empty() { Err(TlsError::Empty { file: file.to_owned() }) } else { Ok(bytes) }
}

/// Finds out how often `wanted` is there. That it is not there at all is an error, which says what is.
pub(crate) fn count(file: &Path, bytes: &[u8], wanted: Kind) -> Result<usize, TlsError> {
    let file = || file.to_owned();
    let text = String::from_utf8_lossy(bytes);
    let labels: Vec<&str> = labels(&text).collect();
    let count = labels.iter().filter(|label| wanted.is_labelled(label)).count();
    if count > 0 {
        // An old form of encryption is said in the section's head, and not in its label (RFC 1421, 4.6.1.1).
        if wanted == Kind::PrivateKey && text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(TlsError::Encrypted { file: file() });
        }
        return Ok(count);
    }
    if wanted == Kind::PrivateKey && labels.contains(&"ENCRYPTED PRIVATE KEY") {
        return Err(TlsError::Encrypted { file: file() });
    }
    if labels.is_empty() {
        return Err(TlsError::NoPem { file: file(), wanted });
    }
    Err(TlsError::OtherKind { file: file(), wanted, found: found(&labels) })
}

/// The labels of the sections that begin.
fn labels(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
}

/// In words, each kind once.
fn found(labels: &[&str]) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for label in labels {
        let kind = match *label {
            "CERTIFICATE" => "a certificate".to_owned(),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => "a certificate request".to_owned(),
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => "a private key".to_owned(),
            "ENCRYPTED PRIVATE KEY" => "an encrypted private key".to_owned(),
            "PUBLIC KEY" => "a public key".to_owned(),
            "OPENSSH PRIVATE KEY" => "a private key of OpenSSH".to_owned(),
            "X509 CRL" => "a revocation list".to_owned(),
            "DH PARAMETERS" | "EC PARAMETERS" => "parameters".to_owned(),
            "TRUSTED CERTIFICATE" => "a certificate in OpenSSL's own form".to_owned(),
            other => format!("\"{}\"", other.chars().take(40).collect::<String>()),
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, wanted: Kind) -> String {
        count(Path::new("server.pem"), text.as_bytes(), wanted).unwrap_err().to_string()
    }

    #[test]
    fn what_is_in_the_place_of_a_key_is_named() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert!(
            told(certificate, Kind::PrivateKey)
                .starts_with("server.pem holds a certificate; a private key was expected")
        );
        let request = "-----BEGIN CERTIFICATE REQUEST-----\n-----BEGIN PUBLIC KEY-----\n";
        assert!(
            told(request, Kind::Certificate)
                .starts_with("server.pem holds a certificate request and a public key; a certificate was")
        );
        assert!(told("-----BEGIN X-----", Kind::Certificate).contains("holds \"X\";"));
    }

    #[test]
    fn what_is_no_pem_at_all_may_be_der() {
        assert!(told("\u{30}\u{82}binary", Kind::Certificate).contains("nothing in PEM form"));
    }

    #[test]
    fn an_encrypted_key_is_known_in_both_of_its_forms() {
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n";
        for text in ["-----BEGIN ENCRYPTED PRIVATE KEY-----\n", old] {
            assert!(told(text, Kind::PrivateKey).contains("is encrypted"), "{text}");
        }
    }

    #[test]
    fn all_forms_of_a_private_key_count() {
        let text =
            "-----BEGIN PRIVATE KEY-----\n-----BEGIN EC PRIVATE KEY-----\n-----BEGIN RSA PRIVATE KEY-----\n";
        assert_eq!(count(Path::new("a"), text.as_bytes(), Kind::PrivateKey).unwrap(), 3);
    }
}
