//! Origins, and patterns of them (RFC 6454, 6.2; `Origin` of the Fetch standard, 3.1).

/// Which origins a page may be of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Pattern {
    /// This one: `https://a.example`, or `null`.
    Exact(String),
    /// Hosts below another, of one scheme and port: `https://*.a.example`. What is before the star, and what is behind.
    Below(String, String),
    /// Any port of a host: `http://localhost:*`. What is before the star.
    AnyPort(String),
}

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Pattern, String> {
        if text == "null" {
            return Ok(Pattern::Exact(text.to_owned()));
        }
        let wrong = |what: &str| {
            Err(format!(
                "{text:?} is no origin: {what}; one is written as in \"https://app.example.com\", \"https://*.example.com\" or \"http://localhost:*\""
            ))
        };
        let Some((scheme, authority)) = text.split_once("://") else { return wrong("it has no scheme") };
        if authority.contains(['/', '?', '#', '@']) {
            return wrong("it has more than scheme, host and port");
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii_graphic()) {
            return wrong("browsers write it in small letters, of ASCII alone");
        }
        // The colons of an IPv6 address are within brackets.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        if scheme.is_empty() || host.is_empty() || host == "*" {
            return wrong("it names no host");
        }
        let is_default = matches!((scheme, port), ("http", Some("80")) | ("https", Some("443")));
        if is_default {
            return wrong("browsers leave the scheme's own port out");
        }
        let is_port =
            |port: &str| port.parse::<u16>().is_ok_and(|_| port.bytes().all(|byte| byte.is_ascii_digit()));
        match (host.strip_prefix("*."), port) {
            (_, Some(port)) if port != "*" && !is_port(port) => wrong("its port is no number"),
            (Some(_), Some("*")) => wrong("it has two stars"),
            (Some(below), _) if below.is_empty() || below.contains('*') => {
                wrong("its star is not the first label")
            }
            (Some(_), _) => {
                let (before, behind) = text.split_once('*').expect("there is a star");
                Ok(Pattern::Below(before.to_owned(), behind.to_owned()))
            }
            (None, _) if host.contains('*') => wrong("its star is not the first label"),
            (None, Some("*")) => Ok(Pattern::AnyPort(text[..text.len() - 1].to_owned())),
            (None, _) => Ok(Pattern::Exact(text.to_owned())),
        }
    }

    /// Whether a page of this origin may.
    pub(crate) fn matches(&self, origin: &[u8]) -> bool {
        match self {
            Pattern::Exact(exact) => origin == exact.as_bytes(),
            Pattern::Below(before, behind) => {
                let labels = origin.strip_prefix(before.as_bytes());
                let labels = labels.and_then(|rest| rest.strip_suffix(behind.as_bytes()));
                let of_host = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
                labels.is_some_and(|labels| !labels.is_empty() && labels.iter().all(of_host))
            }
            Pattern::AnyPort(before) => {
                let without = origin == &before.as_bytes()[..before.len() - 1];
                let port = origin.strip_prefix(before.as_bytes());
                without || port.is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, origin: &str) -> bool {
        Pattern::read(pattern).expect("a pattern").matches(origin.as_bytes())
    }

    #[test]
    fn an_origin_is_compared_as_a_whole() {
        for (pattern, fits, others) in [
            (
                "https://a.example",
                vec!["https://a.example"],
                vec![
                    "http://a.example",
                    "https://a.example:444",
                    "https://a.example.evil.test",
                    "https://b.a.example",
                    "https://a.example/",
                    "null",
                    "",
                ],
            ),
            (
                "https://*.a.example",
                vec!["https://b.a.example", "https://c.b.a.example"],
                vec![
                    "https://a.example",
                    "https://.a.example.evil.test",
                    "https://evila.example",
                    "https://evil.test/.a.example",
                    "https://evil.test:1.a.example",
                    "https://user@b.a.example",
                    "http://b.a.example",
                    "https://b.a.example:8443",
                    "https://*.a.example",
                ],
            ),
            ("https://*.a.example:8443", vec!["https://b.a.example:8443"], vec!["https://b.a.example"]),
            (
                "http://localhost:*",
                vec!["http://localhost", "http://localhost:3000"],
                vec![
                    "http://localhost:",
                    "http://localhost:a",
                    "http://localhost.evil.test",
                    "http://localhost:1.evil.test",
                ],
            ),
            ("http://[::1]:*", vec!["http://[::1]:3000", "http://[::1]"], vec!["http://[::2]:3000"]),
            ("null", vec!["null"], vec!["https://null", "NULL"]),
        ] {
            for origin in fits {
                assert!(matches(pattern, origin), "{pattern} {origin}");
            }
            for origin in others {
                assert!(!matches(pattern, origin), "{pattern} {origin}");
            }
        }
    }

    #[test]
    fn what_no_browser_would_say_is_refused_and_why() {
        for (text, why) in [
            ("a.example", "no scheme"),
            ("*", "no scheme"),
            ("https://", "no host"),
            ("https://*", "no host"),
            ("https://a.example/", "more than"),
            ("https://a.example/b", "more than"),
            ("https://user@a.example", "more than"),
            ("https://A.example", "small letters"),
            ("https://\u{e9}.example", "small letters"),
            ("https://a.example:443", "own port"),
            ("http://a.example:80", "own port"),
            ("https://a.example:x", "no number"),
            ("https://a.example:+1", "no number"),
            ("https://a.*.example", "first label"),
            ("https://*a.example", "first label"),
            ("https://*.*.example", "first label"),
            ("https://*.a.example:*", "two stars"),
        ] {
            let error = Pattern::read(text).expect_err(text);
            assert!(error.contains(why) && error.contains(text), "{error}");
        }
    }
}
