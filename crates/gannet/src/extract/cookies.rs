//! `Cookies`: what a client was asked to keep, and sends back (RFC 6265, 4.2).

use gannet_core::{FromRequest, Place, Rejection, Request, Status};

/// The request's cookies.
///
/// ```
/// # use gannet::prelude::*;
/// App::new().get("/", |cookies: Cookies| match cookies.get("theme") {
///     Some(theme) => format!("in {theme}"),
///     None => "in plain".to_owned(),
/// });
/// ```
///
/// They are what the client says: anybody can write any (`SignedCookies`, of the feature `cookies`, are those that we wrote). To have one kept, a
/// handler returns a [`SetCookie`](crate::SetCookie).
///
/// Cookies that are no text, or whose names are no tokens, are refused with 400, which says which: `Result<Cookies, Rejection>` goes on without them.
/// A value without a name, which a page's script can set, is passed over.
#[derive(Clone, Default, Debug)]
pub struct Cookies {
    /// The fields' values, joined.
    text: String,
}

impl Cookies {
    /// The value of the first cookie of a name; quotes around it are not part of it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// All of them, in the order in which they were sent: names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.text)
    }
}

/// What is named, of a field's value.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim(), unquoted(value.trim()))).filter(|(name, _)| !name.is_empty())
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

impl FromRequest for Cookies {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Cookies, Rejection> {
        let mut text = String::new();
        // By HTTP/2 each may be a field of its own (RFC 9113, 8.2.3).
        for (_, value) in request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            let value = std::str::from_utf8(value)
                .map_err(|error| refused(format!("is not UTF-8 from byte {} on", error.valid_up_to() + 1)))?;
            if let Some((name, _)) = pairs(value).find(|(name, _)| !is_token(name)) {
                return Err(refused(format!("{name:?} is not the name of a cookie")));
            }
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(value);
        }
        Ok(Cookies { text })
    }
}

#[cold]
fn refused(detail: String) -> Rejection {
    Rejection::new(Status::BAD_REQUEST, "the cookies are not as expected")
        .with_error(Place::field("Cookie"), detail)
}

/// Whether this is a token (RFC 9110, 5.6.2).
pub(crate) fn is_token(name: &str) -> bool {
    let is = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(text: &str) -> Cookies {
        Cookies { text: text.to_owned() }
    }

    #[test]
    fn cookies_are_found_by_their_names_the_first_of_one() {
        let cookies = cookies("a=1; b=\"x y\";c={\"d\":1}; a=2;e=; f==");
        assert_eq!(
            (cookies.get("a"), cookies.get("b"), cookies.get("e")),
            (Some("1"), Some("x y"), Some(""))
        );
        assert_eq!(
            (cookies.get("c"), cookies.get("f"), cookies.get("A")),
            (Some("{\"d\":1}"), Some("="), None)
        );
        assert_eq!(cookies.iter().count(), 6);
    }

    #[test]
    fn what_has_no_name_is_passed_over() {
        assert_eq!(cookies(";; flag; =nameless; a=1").iter().collect::<Vec<_>>(), [("a", "1")]);
    }
}
