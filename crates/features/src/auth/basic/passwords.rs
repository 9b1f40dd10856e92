//! Passwords, hashed (RFC 9106): what is kept of them, and whether one is right.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};

/// Of a password that nobody has, by what [`hash_password`] takes: verifying one takes as long as for somebody who is there.
pub(super) const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$Fb1MrxoX0wd9KiB3YJmQx7KdlcbQkHWnMmW4pFjWc1E";

/// The hash of a password, to be kept in its place: Argon2id with a random salt, 19 MiB and two passes, as a PHC string
/// (`$argon2id$v=19$m=19456,t=2,p=1$...`). It takes tens of milliseconds: in a handler by [`cpu`](gannet_core::cpu).
///
/// # Errors
/// When the password is too long (4 GiB), or the system has no random bytes.
pub fn hash_password(password: &str) -> Result<String, InvalidPasswordHash> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| InvalidPasswordHash(error.to_string()))
}

/// Why something is not the hash of a password, or none could be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidPasswordHash(String);

impl fmt::Display for InvalidPasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this is no hash of a password by Argon2 ({}); `hash_password` makes one, as `$argon2id$v=19$m=19456,t=2,p=1$...`",
            self.0
        )
    }
}

impl std::error::Error for InvalidPasswordHash {}

/// What verifying a password against this hash takes, in arbitrary units.
pub(super) fn cost(hash: &str) -> Result<u64, InvalidPasswordHash> {
    let invalid = |error: &dyn fmt::Display| InvalidPasswordHash(error.to_string());
    let hash = PasswordHash::new(hash).map_err(|error| invalid(&error))?;
    argon2::Algorithm::new(hash.algorithm).map_err(|error| invalid(&error))?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(invalid(&"salt and hash are missing"));
    }
    let params = Params::try_from(&hash).map_err(|error| invalid(&error))?;
    Ok(u64::from(params.m_cost()) * u64::from(params.t_cost()))
}

/// Whether a password is the one that was hashed ([`hash_password`]): for forms and the like; [`BasicAuth`](super::BasicAuth) does it by itself. Compared in constant time.
/// It takes as long as making the hash did: in a handler by [`cpu`](gannet_core::cpu). What is no hash is that of no password.
pub fn verify_password(password: &str, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_for_its_own_hash_only_and_no_hash_is_like_another() {
        let [one, other] = [(); 2].map(|()| hash_password("correct horse").expect("random bytes"));
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != other, "{one}");
        assert!(verify_password("correct horse", &one) && verify_password("correct horse", &other));
        assert!(!verify_password("correct horsf", &one) && !verify_password("", &one));
    }

    #[test]
    fn nobody_s_hash_takes_as_long_as_one_that_is_made_and_no_password_is_right_for_it() {
        let made = hash_password("x").expect("random bytes");
        assert_eq!(cost(NOBODY), cost(&made));
        assert!(!verify_password("", NOBODY) && !verify_password("nobody", NOBODY));
    }

    #[test]
    fn what_is_no_hash_is_told_with_the_way_out() {
        let bcrypt = "$2y$10$sfTKMTvzkMpLwqUYc0NBFOd0PPqQKtHwGOLaWSjJMhsgCVYyhaxJC";
        for bad in [
            "",
            "secret",
            bcrypt,
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=1,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
        ] {
            let error = cost(bad).expect_err(bad).to_string();
            assert!(error.contains("hash_password"), "{error}");
        }
    }
}
