//! Cookies that a client keeps between requests (RFC 6265), as far as there is one server: `Domain` and `Secure` are not looked at.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A client's cookies.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<Cookie>);

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    expires: Option<Instant>,
}

impl Jar {
    /// Takes what a `Set-Cookie` says, in an answer to what `path` asked for (RFC 6265, 5.2 and 5.3).
    pub(super) fn take(&mut self, set_cookie: &str, path: &str) {
        let mut parts = set_cookie.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        let mut cookie =
            Cookie { name: name.into(), value: value.into(), path: default_path(path), expires: None };
        let mut max_age = None;
        for attribute in parts {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "path" if value.trim().starts_with('/') => cookie.path = value.trim().into(),
                "max-age" => max_age = value.trim().parse::<i64>().ok(),
                "expires" => cookie.expires = expires(value.trim()),
                _ => {}
            }
        }
        if let Some(seconds) = max_age {
            cookie.expires = Some(Instant::now() + Duration::from_secs(seconds.max(0).unsigned_abs()));
        }
        self.put(cookie);
    }

    /// Sets one for all paths.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.put(Cookie { name: name.into(), value: value.into(), path: "/".into(), expires: None });
    }

    fn put(&mut self, cookie: Cookie) {
        self.0.retain(|other| other.name != cookie.name || other.path != cookie.path);
        self.0.push(cookie);
        self.forget_what_is_over();
    }

    fn forget_what_is_over(&mut self) {
        let now = Instant::now();
        self.0.retain(|cookie| cookie.expires.is_none_or(|expires| expires > now));
    }

    /// The value of a cookie, whatever its path.
    pub(super) fn get(&mut self, name: &str) -> Option<String> {
        self.forget_what_is_over();
        self.0.iter().rev().find(|cookie| cookie.name == name).map(|cookie| cookie.value.clone())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What `Cookie` says where `path` is asked for: longer paths first (RFC 6265, 5.4).
    pub(super) fn field(&mut self, path: &str) -> Option<String> {
        self.forget_what_is_over();
        let mut sent: Vec<&Cookie> = self.0.iter().filter(|cookie| is_within(path, &cookie.path)).collect();
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if pairs.is_empty() { None } else { Some(pairs.join("; ")) }
    }
}

/// The path of a cookie that names none (RFC 6265, 5.1.4).
fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(last) => path[..last].to_owned(),
    }
}

/// Whether a cookie of `folder` goes with a request for `path` (RFC 6265, 5.1.4).
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
}

/// When a date comes on the clock of the test, whose calendar begins now. None: it cannot be read.
fn expires(date: &str) -> Option<Instant> {
    // Some write it with dashes (RFC 850).
    let date =
        httpdate::parse_http_date(date).or_else(|_| httpdate::parse_http_date(&date.replace('-', " ")));
    let left = date.ok()?.duration_since(SystemTime::now()).unwrap_or_default();
    Some(Instant::now() + left.min(Duration::from_secs(365 * 24 * 3600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_come_back_where_their_path_says_until_they_are_over() {
        let mut jar = Jar::default();
        jar.take("a=1; Path=/; HttpOnly", "/login");
        jar.take("b=2; path=/admin", "/login");
        jar.take("c=3", "/users/7");
        jar.take("gone=4; Max-Age=0", "/");
        jar.take("past=5; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "/");
        jar.take("nothing", "/");
        assert_eq!(jar.field("/").as_deref(), Some("a=1"));
        assert_eq!(jar.field("/admin").as_deref(), Some("b=2; a=1"));
        assert_eq!(jar.field("/administrator").as_deref(), Some("a=1"));
        assert_eq!(jar.field("/users/8").as_deref(), Some("c=3; a=1"));
        jar.take("a=6; Path=/", "/");
        assert_eq!((jar.get("a").as_deref(), jar.get("gone")), (Some("6"), None));
        jar.take("a=; Path=/; Max-Age=0", "/");
        assert_eq!(jar.field("/"), None);
    }
}
