//! `SetCookie`: what a client is asked to keep, and to send back (RFC 6265, 4.1).

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use gannet_core::{Rejection, Response, ResponsePart, Status};

use crate::extract::is_token;

/// Asks the client to keep a cookie: a part of a response's head, of which there may be several.
///
/// ```
/// # use gannet::prelude::*;
/// App::new()
///     .post("/theme/:name", |name: Path<String>| (SetCookie::new("theme", name.0), Redirect::see_other("/")))
///     .post("/forget", || (SetCookie::removal("theme"), Redirect::see_other("/")));
/// ```
///
/// Unless it is said otherwise the client sends it back over TLS only (and to `localhost`), with every path, until it is closed; to this site
/// only, when a person follows a link from another (`SameSite=Lax`); and no script can read it.
///
/// A name that is no token, or a value with a semicolon, control characters or others than ASCII, makes the response a 500, which the log explains.
#[derive(Clone, Debug)]
#[must_use]
pub struct SetCookie {
    name: Cow<'static, str>,
    value: Cow<'static, str>,
    path: Cow<'static, str>,
    domain: Option<Cow<'static, str>>,
    max_age: Option<Duration>,
    same_site: SameSite,
    secure: bool,
    http_only: bool,
}

/// Whether a cookie goes along with what other sites have a browser ask for (RFC 6265bis, 5.6.7).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum SameSite {
    /// Never: somebody who follows a link from elsewhere is not signed in.
    Strict,
    /// When a person follows a link, and the method is safe.
    #[default]
    Lax,
    /// Always; browsers take it of secure cookies only.
    None,
}

impl SetCookie {
    /// A cookie that is kept until the browser is closed.
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> SetCookie {
        SetCookie {
            name: name.into(),
            value: value.into(),
            path: "/".into(),
            domain: None,
            max_age: None,
            same_site: SameSite::Lax,
            secure: true,
            http_only: true,
        }
    }

    /// Asks the client to forget it. Path and domain have to be what they were.
    pub fn removal(name: impl Into<Cow<'static, str>>) -> SetCookie {
        SetCookie::new(name, "").max_age(Duration::ZERO)
    }

    /// How long it is kept, in whole seconds. By default until the browser is closed.
    pub fn max_age(mut self, max_age: Duration) -> SetCookie {
        self.max_age = Some(max_age);
        self
    }

    /// Below which path it is sent back; by default everywhere (`/`).
    pub fn path(mut self, path: impl Into<Cow<'static, str>>) -> SetCookie {
        self.path = path.into();
        self
    }

    /// Sends it to the hosts of this domain, too; by default to this host only.
    pub fn domain(mut self, domain: impl Into<Cow<'static, str>>) -> SetCookie {
        self.domain = Some(domain.into());
        self
    }

    /// Whether it goes along with what other sites ask for; by default when a person follows a link.
    pub fn same_site(mut self, same_site: SameSite) -> SetCookie {
        self.same_site = same_site;
        self
    }

    /// Whether it is sent over TLS only, which is the default. Browsers make an exception for `localhost`.
    pub fn secure(mut self, secure: bool) -> SetCookie {
        self.secure = secure;
        self
    }

    /// Whether no script can read it, which is the default.
    pub fn http_only(mut self, http_only: bool) -> SetCookie {
        self.http_only = http_only;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The same cookie with another value.
    #[cfg(feature = "cookies")]
    pub(crate) fn with_value(mut self, value: String) -> SetCookie {
        self.value = value.into();
        self
    }

    /// The field's value; what is wrong, if it cannot be written.
    fn write(&self) -> Result<String, &'static str> {
        if !is_token(&self.name) {
            return Err("its name is no token (RFC 6265, 4.1.1)");
        }
        let may_be = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';');
        if !may_be(&self.value) || self.value.contains(['"', '\\']) {
            return Err(
                "its value has other characters than a cookie may have: encode it, as base64 or percent-encoded",
            );
        }
        if !may_be(&self.path) || !self.domain.as_deref().is_none_or(may_be) {
            return Err("its path or domain has other characters than a cookie may have");
        }
        // Blanks and commas are within quotes, which are no part of the value.
        let quote = if self.value.contains([' ', ',']) { "\"" } else { "" };
        let mut text = format!("{}={quote}{}{quote}; Path={}", self.name, self.value, self.path);
        if let Some(domain) = &self.domain {
            let _ = write!(text, "; Domain={domain}"); // a `String` takes all
        }
        if let Some(max_age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", max_age.as_secs());
        }
        text.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        text.push_str(if self.secure { "; Secure" } else { "" });
        text.push_str(if self.http_only { "; HttpOnly" } else { "" });
        Ok(text)
    }
}

impl ResponsePart for SetCookie {
    fn change(self, response: Response) -> Response {
        match self.write() {
            Ok(text) => response.with("Set-Cookie", text),
            Err(error) => {
                tracing::error!("the cookie {:?} cannot be sent: {error}", self.name);
                gannet_core::IntoResponse::into_response(Rejection::new(
                    Status::INTERNAL_SERVER_ERROR,
                    "a cookie of the response cannot be sent",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_safe_unless_it_is_said_otherwise() {
        let plain = SetCookie::new("a", "1").write();
        assert_eq!(plain.as_deref(), Ok("a=1; Path=/; SameSite=Lax; Secure; HttpOnly"));
        let other = SetCookie::new("a", "x, y")
            .path("/b")
            .domain("example.com")
            .max_age(Duration::from_millis(60_500))
            .same_site(SameSite::Strict)
            .secure(false)
            .http_only(false);
        let expected = "a=\"x, y\"; Path=/b; Domain=example.com; Max-Age=60; SameSite=Strict";
        assert_eq!(other.write().as_deref(), Ok(expected));
        let gone = SetCookie::removal("a").write();
        assert_eq!(gone.as_deref(), Ok("a=; Path=/; Max-Age=0; SameSite=Lax; Secure; HttpOnly"));
    }

    #[test]
    fn what_would_be_read_as_something_else_is_not_sent() {
        for cookie in [
            SetCookie::new("a b", "1"),
            SetCookie::new("", "1"),
            SetCookie::new("a", "1; Domain=evil.example"),
            SetCookie::new("a", "1\r\nX: y"),
            SetCookie::new("a", "\"1\""),
            SetCookie::new("a", "é"),
            SetCookie::new("a", "1").path("/; Domain=evil.example"),
        ] {
            let response = cookie.change(Response::text("fine"));
            assert_eq!(response.status(), Status::INTERNAL_SERVER_ERROR);
            assert_eq!(response.fields().get("set-cookie"), None);
        }
    }

    #[test]
    fn several_cookies_are_a_field_each() {
        let parts = (SetCookie::new("a", "1"), SetCookie::new("b", "2"), "text");
        let response = gannet_core::IntoResponse::into_response(parts);
        assert_eq!(response.fields().iter().filter(|(name, _)| *name == "Set-Cookie").count(), 2);
    }
}
