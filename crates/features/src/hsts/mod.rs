//! HTTP Strict Transport Security (RFC 6797): a browser is told to ask this host over TLS only, for so long.
//!
//! It is told over TLS, and never in clear text, where anybody could say it (RFC 6797, 7.2). A browser passes over what a host says that
//! is an address (8.1.1), so nothing is looked up here.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use gannet_core::{Filter, IntoFilter, around};

/// What is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hsts {
    max_age: Duration,
    include_subdomains: bool,
    preload: bool,
}

pub(crate) const NAME: &str = "Strict-Transport-Security";

/// What the lists that browsers come with ask for (hstspreload.org).
const SHORTEST_TO_PRELOAD: Duration = Duration::from_secs(365 * 24 * 3600);

impl Hsts {
    /// For so long after each response, in whole seconds. Zero has browsers forget it.
    pub fn for_duration(max_age: Duration) -> Hsts {
        Hsts { max_age, include_subdomains: false, preload: false }
    }

    /// Whether it is said of all hosts below this one, too. By default not.
    #[must_use]
    pub fn include_subdomains(mut self, include_subdomains: bool) -> Hsts {
        self.include_subdomains = include_subdomains;
        self
    }

    /// Whether the host may be put on the lists that browsers come with, which is hard to take back. By default not. They take it only if it
    /// is for a year or more, and for all hosts below: [`can_be_preloaded`](Hsts::can_be_preloaded).
    #[must_use]
    pub fn preload(mut self, preload: bool) -> Hsts {
        self.preload = preload;
        self
    }

    /// Whether browsers' lists take it (hstspreload.org).
    pub fn can_be_preloaded(&self) -> bool {
        self.include_subdomains && self.max_age >= SHORTEST_TO_PRELOAD
    }

    /// Whether the lists are asked to take it.
    pub fn asks_to_be_preloaded(&self) -> bool {
        self.preload
    }
}

/// Tells it in every response to a request that came over TLS, once: what a handler says itself stays (RFC 6797, 7.1: one field only).
impl IntoFilter<Hsts> for Hsts {
    fn into_filter(self) -> Rc<dyn Filter> {
        let value = self.to_string();
        around(
            |request| Ok(request.is_secure()),
            move |is_secure, mut response| {
                if is_secure && response.fields().get(NAME).is_none() {
                    response.fields_mut().append(NAME, &value).expect("a name and digits can be sent");
                }
                response
            },
        )
    }
}

/// The field's value (RFC 6797, 6.1).
impl fmt::Display for Hsts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "max-age={}", self.max_age.as_secs())?;
        if self.include_subdomains {
            f.write_str("; includeSubDomains")?;
        }
        if self.preload {
            f.write_str("; preload")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_has_what_was_asked_for() {
        let hsts = Hsts::for_duration(Duration::from_secs(31_536_000));
        assert_eq!(hsts.to_string(), "max-age=31536000");
        assert!(!hsts.can_be_preloaded());
        let hsts = hsts.include_subdomains(true).preload(true);
        assert_eq!(hsts.to_string(), "max-age=31536000; includeSubDomains; preload");
        assert!(hsts.can_be_preloaded());
        assert_eq!(Hsts::for_duration(Duration::ZERO).to_string(), "max-age=0");
    }
}
