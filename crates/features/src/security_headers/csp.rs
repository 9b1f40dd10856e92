//! A content security policy (CSP level 3): from where a page may load what, and who may frame it.

use std::fmt;

use super::Nonce;

/// A policy: directives, each with its sources.
///
/// ```
/// # use gannet_features::security_headers::ContentSecurityPolicy;
/// let policy = ContentSecurityPolicy::new().script_nonces().directive("img-src", "'self' https://images.example.com");
/// assert!(policy.to_string().contains("img-src 'self' https://images.example.com"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContentSecurityPolicy {
    /// In the order in which they are told.
    directives: Vec<(String, String)>,
}

/// Stands for the nonce until there is one. It can be in no source: those are visible ASCII.
const NONCE: &str = "\u{0}";

/// What a nonce is for, as the text of it.
const NONCE_SOURCE: &str = "'nonce-\u{0}'";

/// A policy in pieces: between each two of them stands the nonce.
#[derive(Clone, Debug)]
pub(super) struct Rendered(Vec<String>);

impl Default for ContentSecurityPolicy {
    fn default() -> ContentSecurityPolicy {
        ContentSecurityPolicy::new()
    }
}

impl ContentSecurityPolicy {
    /// All from the page's own origin and nothing written into the page; no plugins; forms are sent to it alone; nobody frames it: `default-src 'self'; base-uri
    /// 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'`.
    pub fn new() -> ContentSecurityPolicy {
        ContentSecurityPolicy::empty()
            .directive("default-src", "'self'")
            .directive("base-uri", "'self'")
            .directive("form-action", "'self'")
            .directive("frame-ancestors", "'none'")
            .directive("object-src", "'none'")
    }

    /// Nothing is said yet.
    pub fn empty() -> ContentSecurityPolicy {
        ContentSecurityPolicy { directives: Vec::new() }
    }

    /// Sets a directive, in the place of one of its name: its sources or values as CSP writes them, with blanks between, or none at all
    /// (`upgrade-insecure-requests`).
    ///
    /// # Panics
    /// When the name has other than letters, digits and hyphens, or the value has a semicolon, a comma or what is not visible ASCII: it would be another directive or
    /// another policy (CSP level 3, 2.2).
    #[must_use]
    #[track_caller]
    pub fn directive(mut self, name: &str, value: &str) -> ContentSecurityPolicy {
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        assert!(is_name, "{name:?} is no directive of a content security policy");
        let fits = |byte: u8| byte == b' ' || byte.is_ascii_graphic() && !b";,".contains(&byte);
        assert!(
            value.bytes().all(fits),
            "{value:?} can be no value of {name}: sources have neither semicolons nor commas, and are of visible ASCII"
        );
        self.put(name, value.trim().to_owned());
        self
    }

    /// Takes a directive out.
    #[must_use]
    pub fn without(mut self, name: &str) -> ContentSecurityPolicy {
        self.directives.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Lets scripts run that are marked with the response's [`Nonce`], besides those of the directive `script-src`; where there is none, of `default-src`.
    #[must_use]
    pub fn script_nonces(self) -> ContentSecurityPolicy {
        self.with_nonce("script-src")
    }

    /// The same of styles, and `style-src`.
    #[must_use]
    pub fn style_nonces(self) -> ContentSecurityPolicy {
        self.with_nonce("style-src")
    }

    fn with_nonce(mut self, name: &str) -> ContentSecurityPolicy {
        let find = |name: &str| self.directives.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        let sources = find(name).or_else(|| find("default-src")).map_or("", |(_, sources)| sources);
        // 'none' is alone or means nothing (CSP level 3, 6.7.2.3).
        let sources = if sources == "'none'" { "" } else { sources };
        if !sources.contains(NONCE) {
            let sources = format!("{sources} {NONCE_SOURCE}").trim().to_owned();
            self.put(name, sources);
        }
        self
    }

    fn put(&mut self, name: &str, value: String) {
        match self.directives.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.directives.push((name.to_ascii_lowercase(), value)),
        }
    }

    /// Whether there is a nonce in it.
    pub fn has_nonces(&self) -> bool {
        self.directives.iter().any(|(_, value)| value.contains(NONCE))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.directives.is_empty()
    }

    fn text(&self) -> String {
        let directives = self.directives.iter().map(|(name, value)| match value.as_str() {
            "" => name.clone(),
            value => format!("{name} {value}"),
        });
        directives.collect::<Vec<_>>().join("; ")
    }

    pub(super) fn render(&self) -> Rendered {
        Rendered(self.text().split(NONCE).map(str::to_owned).collect())
    }
}

impl Rendered {
    /// The policy, with the nonce in its places. `scratch` is memory that is used again.
    pub(super) fn with<'a>(&'a self, nonce: Option<&Nonce>, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let [first, rest @ ..] = &self.0[..] else { return b"" };
        if rest.is_empty() {
            return first.as_bytes();
        }
        scratch.clear();
        scratch.extend_from_slice(first.as_bytes());
        for piece in rest {
            scratch.extend_from_slice(nonce.map_or("", Nonce::as_str).as_bytes());
            scratch.extend_from_slice(piece.as_bytes());
        }
        scratch
    }
}

/// As it is told, with `NONCE` in a nonce's place.
impl fmt::Display for ContentSecurityPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().replace(NONCE, "NONCE"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_says_its_directives_in_their_order_each_once() {
        assert_eq!(
            ContentSecurityPolicy::new().to_string(),
            "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        );
        let policy = ContentSecurityPolicy::empty()
            .directive("default-src", "'none'")
            .directive("Upgrade-Insecure-Requests", "")
            .directive("img-src", " https://a.example ")
            .directive("DEFAULT-SRC", "'self'")
            .without("Img-Src");
        assert_eq!(policy.to_string(), "default-src 'self'; upgrade-insecure-requests");
    }

    #[test]
    fn a_nonce_is_beside_the_sources_that_there_are_and_never_beside_none() {
        let policy = ContentSecurityPolicy::new().script_nonces().script_nonces().style_nonces();
        assert!(policy.has_nonces() && !ContentSecurityPolicy::new().has_nonces());
        assert!(
            policy.to_string().ends_with("script-src 'self' 'nonce-NONCE'; style-src 'self' 'nonce-NONCE'")
        );
        let strict = ContentSecurityPolicy::empty().directive("default-src", "'none'").script_nonces();
        assert_eq!(strict.to_string(), "default-src 'none'; script-src 'nonce-NONCE'");
        let mut nonce = Nonce::default();
        nonce.draw(&mut crate::random::Random::new(Some(1)));
        let (rendered, mut scratch) = (strict.render(), Vec::new());
        let told = rendered.with(Some(&nonce), &mut scratch);
        assert_eq!(told, format!("default-src 'none'; script-src 'nonce-{nonce}'").as_bytes());
    }

    #[test]
    fn a_value_cannot_become_another_directive() {
        for (name, value) in [
            ("img-src", "'self'; script-src *"),
            ("img-src", "a, b"),
            ("img-src", "a\r\nb"),
            ("img-src", "\u{0}"),
            ("img-src", "\u{e9}"),
            ("img src", ""),
            ("", ""),
        ] {
            let panicked = std::panic::catch_unwind(|| ContentSecurityPolicy::empty().directive(name, value));
            assert!(panicked.is_err(), "{name} {value}");
        }
    }
}
