//! Keys that tokens are verified by, each for one algorithm: a token has no say in it (RFC 8725, 3.1).

use std::fmt;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};

/// The shortest secret, in bytes: as long as what is computed with it (RFC 7518, 3.2).
const LEAST_SECRET_BYTES: usize = 32;

/// What a token's signature is verified by: a key, and the one algorithm that it is for.
#[derive(Clone)]
pub struct VerifyingKey {
    pub(super) key: DecodingKey,
    pub(super) algorithm: Algorithm,
    pub(super) id: Option<String>,
}

/// Why something is no [`VerifyingKey`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidKey(Reason);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Reason {
    ShortSecret(usize),
    Pem(&'static str, String),
}

impl VerifyingKey {
    /// A secret that both sides know, of 32 bytes at least: HMAC with SHA-256 (`HS256`). Whoever can verify tokens by it can make them, too.
    ///
    /// # Errors
    /// When it is shorter: it could be guessed from a token.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<VerifyingKey, InvalidKey> {
        let secret = secret.as_ref();
        if secret.len() < LEAST_SECRET_BYTES {
            return Err(InvalidKey(Reason::ShortSecret(secret.len())));
        }
        Ok(VerifyingKey::new(DecodingKey::from_secret(secret), Algorithm::HS256))
    }

    /// A public key of RSA, as PEM: PKCS #1 v1.5 with SHA-256 (`RS256`).
    ///
    /// # Errors
    /// When it is no such key.
    pub fn rs256(pem: impl AsRef<[u8]>) -> Result<VerifyingKey, InvalidKey> {
        VerifyingKey::from_pem("RSA", DecodingKey::from_rsa_pem(pem.as_ref()), Algorithm::RS256)
    }

    /// A public key of the curve P-256, as PEM: ECDSA with SHA-256 (`ES256`).
    ///
    /// # Errors
    /// When it is no such key.
    pub fn es256(pem: impl AsRef<[u8]>) -> Result<VerifyingKey, InvalidKey> {
        VerifyingKey::from_pem("P-256", DecodingKey::from_ec_pem(pem.as_ref()), Algorithm::ES256)
    }

    /// A public key of Ed25519, as PEM (`EdDSA`).
    ///
    /// # Errors
    /// When it is no such key.
    pub fn eddsa(pem: impl AsRef<[u8]>) -> Result<VerifyingKey, InvalidKey> {
        VerifyingKey::from_pem("Ed25519", DecodingKey::from_ed_pem(pem.as_ref()), Algorithm::EdDSA)
    }

    /// For tokens whose header names this key (`kid`), and no others. By default for all of its algorithm.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> VerifyingKey {
        self.id = Some(id.into());
        self
    }

    fn new(key: DecodingKey, algorithm: Algorithm) -> VerifyingKey {
        // Where a program has both of its libraries built in, it asks to be told which. Told before, it keeps to that.
        let _ = DEFAULT_PROVIDER.install_default();
        VerifyingKey { key, algorithm, id: None }
    }

    fn from_pem(
        kind: &'static str,
        key: Result<DecodingKey, jsonwebtoken::errors::Error>,
        algorithm: Algorithm,
    ) -> Result<VerifyingKey, InvalidKey> {
        match key {
            Ok(key) => Ok(VerifyingKey::new(key, algorithm)),
            Err(error) => Err(InvalidKey(Reason::Pem(kind, error.to_string()))),
        }
    }
}

/// Without the key.
impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::ShortSecret(bytes) => write!(
                f,
                "a secret of {bytes} bytes can be guessed: take {LEAST_SECRET_BYTES} random bytes or more (RFC 7518, 3.2)"
            ),
            Reason::Pem(kind, error) => {
                write!(f, "this is no public key of {kind} as PEM (`-----BEGIN PUBLIC KEY-----`): {error}")
            }
        }
    }
}

impl std::error::Error for InvalidKey {}
