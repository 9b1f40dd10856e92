//! `SignedCookies` and `PrivateCookies`: cookies that nobody but us can have written.

use std::fmt;

use cookie::{Cookie, CookieJar};
use gannet_core::{FromRequest, Needs, Rejection, Request, State};

use super::Cookies;
use crate::respond::SetCookie;

/// What cookies are signed and encrypted with: a state of the application, the same wherever they are to be read.
///
/// ```
/// # use gannet::prelude::*;
/// # use gannet::{Key, SignedCookies};
/// # fn secret() -> Vec<u8> { vec![7; 64] }
/// async fn login(cookies: SignedCookies) -> impl IntoResponse {
///     (cookies.sign(SetCookie::new("user", "7")), Redirect::to("/"))
/// }
/// async fn home(cookies: SignedCookies) -> String {
///     format!("hello {}", cookies.get("user").unwrap_or_default())
/// }
/// # fn build() -> Result<(), gannet::InvalidKey> {
/// App::new().post("/login", login).get("/", home).state(Key::derive_from(&secret())?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Key(cookie::Key);

/// Why there is no [`Key`]: the secret has less than 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidKey;

/// Bytes that a secret has at least.
const SECRET_BYTES: usize = 32;

impl Key {
    /// The key of a secret that is kept somewhere: at least 32 bytes that nobody can guess (`openssl rand 64`), not a password.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn derive_from(secret: &[u8]) -> Result<Key, InvalidKey> {
        if secret.len() < SECRET_BYTES { Err(InvalidKey) } else { Ok(Key(cookie::Key::derive_from(secret))) }
    }

    /// A new key: what it signs nobody can read after the program has ended, and no other server.
    pub fn generate() -> Key {
        Key(cookie::Key::generate())
    }
}

/// The request's cookies that this application has signed: nobody else can have written them, but everybody can read them, and send an old one again.
///
/// They are made and read with the [`Key`] that is a state of the application; that there is none is a mistake that is found when it is built. One that
/// was tampered with is not there.
#[derive(Clone, Debug)]
pub struct SignedCookies {
    cookies: Cookies,
    key: State<Key>,
}

/// The request's cookies that this application has encrypted: nobody else can read or have written them, but an old one may be sent again.
///
/// They are made and read with the [`Key`] that is a state of the application; that there is none is a mistake that is found when it is built. One that
/// was tampered with is not there.
#[derive(Clone, Debug)]
pub struct PrivateCookies {
    cookies: Cookies,
    key: State<Key>,
}

impl SignedCookies {
    /// The value of a cookie that we have signed.
    pub fn get(&self, name: &str) -> Option<String> {
        let cookie = Cookie::new(name.to_owned(), self.cookies.get(name)?.to_owned());
        let verified = CookieJar::new().signed(&self.key.get().0).verify(cookie)?;
        Some(verified.value().to_owned())
    }

    /// Signs a cookie, which grows by 44 bytes: name and value, not how long it is kept, which a value has to say itself if it matters.
    pub fn sign(&self, cookie: SetCookie) -> SetCookie {
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key.get().0)
            .add(Cookie::new(cookie.name().to_owned(), cookie.value().to_owned()));
        with_sealed(cookie, &jar)
    }
}

impl PrivateCookies {
    /// The value of a cookie that we have encrypted.
    pub fn get(&self, name: &str) -> Option<String> {
        let cookie = Cookie::new(name.to_owned(), self.cookies.get(name)?.to_owned());
        let decrypted = CookieJar::new().private(&self.key.get().0).decrypt(cookie)?;
        Some(decrypted.value().to_owned())
    }

    /// Encrypts a cookie's value, whatever characters it has.
    pub fn encrypt(&self, cookie: SetCookie) -> SetCookie {
        let mut jar = CookieJar::new();
        jar.private_mut(&self.key.get().0)
            .add(Cookie::new(cookie.name().to_owned(), cookie.value().to_owned()));
        with_sealed(cookie, &jar)
    }
}

/// The cookie with the value that it has in the jar now.
fn with_sealed(cookie: SetCookie, jar: &CookieJar) -> SetCookie {
    let value = jar.get(cookie.name()).map(|sealed| sealed.value().to_owned());
    cookie.with_value(value.unwrap_or_default())
}

impl FromRequest for SignedCookies {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<SignedCookies, Rejection> {
        let key = State::from_request(request).await?;
        Ok(SignedCookies { cookies: Cookies::from_request(request).await?, key })
    }

    fn needs(needs: &mut Needs) {
        needs.state::<Key>();
    }
}

impl FromRequest for PrivateCookies {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<PrivateCookies, Rejection> {
        let key = State::from_request(request).await?;
        Ok(PrivateCookies { cookies: Cookies::from_request(request).await?, key })
    }

    fn needs(needs: &mut Needs) {
        needs.state::<Key>();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(secret)")
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key's secret has {SECRET_BYTES} bytes at least: `openssl rand 64` makes one")
    }
}

impl std::error::Error for InvalidKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_too_short_is_no_key() {
        assert!(matches!(Key::derive_from(&[7; 31]), Err(InvalidKey)));
        let key = Key::derive_from(&[7; 32]).expect("it is long enough");
        assert_eq!(format!("{key:?}"), "Key(secret)");
    }
}
