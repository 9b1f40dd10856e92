//! Patterns to values, by specificity and never by order. Knows no HTTP.
//!
//! A pattern is an exact path (`/about`) or a prefix (`/api/*`, which matches `/api/` and everything below it, but not `/api`).
//! An exact path is more specific than a prefix, a longer prefix more specific than a shorter one. The same pattern twice is
//! a conflict.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Values by pattern.
#[derive(Clone, Debug)]
pub struct Router<T> {
    exact: BTreeMap<String, T>,
    /// Without their star, longest first.
    prefixes: Vec<(String, T)>,
}

/// What a path matched.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'a, T> {
    /// The pattern's value.
    pub value: &'a T,
    /// Where in the path the part begins that the star matched; 0 for an exact pattern.
    pub tail: usize,
}

/// Why a pattern was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PatternError {
    /// Patterns begin with a slash.
    NoSlash(String),
    /// A star is a pattern's last segment.
    Star(String),
    /// The pattern is there already.
    Conflict(String),
}

impl<T> Default for Router<T> {
    fn default() -> Router<T> {
        Router { exact: BTreeMap::new(), prefixes: Vec::new() }
    }
}

impl<T> Router<T> {
    /// Adds a pattern.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn insert(&mut self, pattern: &str, value: T) -> Result<(), PatternError> {
        if !pattern.starts_with('/') {
            return Err(PatternError::NoSlash(pattern.into()));
        }
        match pattern.strip_suffix('*') {
            Some(prefix) if prefix.ends_with('/') && !prefix.contains('*') => {
                self.insert_prefix(pattern, prefix, value)
            }
            None if !pattern.contains('*') => self.insert_exact(pattern, value),
            _ => Err(PatternError::Star(pattern.into())),
        }
    }

    /// The value of a pattern, as it was written.
    pub fn get_mut(&mut self, pattern: &str) -> Option<&mut T> {
        match pattern.strip_suffix('*') {
            Some(prefix) => {
                self.prefixes.iter_mut().find(|(other, _)| other == prefix).map(|(_, value)| value)
            }
            None => self.exact.get_mut(pattern),
        }
    }

    /// All patterns that match `path`, the most specific first.
    pub fn matches<'a>(&'a self, path: &str) -> impl Iterator<Item = Match<'a, T>> {
        let exact = self.exact.get(path).map(|value| Match { value, tail: 0 });
        let below = self.prefixes.iter().filter(move |(prefix, _)| path.starts_with(prefix.as_str()));
        exact.into_iter().chain(below.map(|(prefix, value)| Match { value, tail: prefix.len() }))
    }

    fn insert_exact(&mut self, pattern: &str, value: T) -> Result<(), PatternError> {
        if self.exact.contains_key(pattern) {
            return Err(PatternError::Conflict(pattern.into()));
        }
        self.exact.insert(pattern.into(), value);
        Ok(())
    }

    fn insert_prefix(&mut self, pattern: &str, prefix: &str, value: T) -> Result<(), PatternError> {
        if self.prefixes.iter().any(|(other, _)| other == prefix) {
            return Err(PatternError::Conflict(pattern.into()));
        }
        let position = self.prefixes.partition_point(|(other, _)| other.len() >= prefix.len());
        self.prefixes.insert(position, (prefix.into(), value));
        Ok(())
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatternError::NoSlash(pattern) => write!(f, "pattern {pattern:?} does not begin with a slash"),
            PatternError::Star(pattern) => {
                write!(f, "pattern {pattern:?}: a star stands alone in the last segment, as in \"/api/*\"")
            }
            PatternError::Conflict(pattern) => write!(f, "pattern {pattern:?} is there twice"),
        }
    }
}

impl core::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn matched(patterns: &[&str], path: &str) -> Vec<(usize, usize)> {
        let mut router = Router::default();
        for (index, pattern) in patterns.iter().enumerate() {
            router.insert(pattern, index).expect("no conflict");
        }
        router.matches(path).map(|found| (*found.value, found.tail)).collect()
    }

    #[test]
    fn the_most_specific_pattern_comes_first_whatever_the_order() {
        assert_eq!(matched(&["/*", "/api/*", "/api/users"], "/api/users"), [(2, 0), (1, 5), (0, 1)]);
        assert_eq!(matched(&["/api/users", "/api/*", "/*"], "/api/users"), [(0, 0), (1, 5), (2, 1)]);
    }

    #[test]
    fn the_root_is_only_the_root_and_a_prefix_only_what_is_below_it() {
        assert_eq!(matched(&["/"], "/a"), []);
        assert_eq!(matched(&["/api/*"], "/api"), []);
        assert_eq!(matched(&["/api/*"], "/api/"), [(0, 5)]);
        assert_eq!(matched(&["/api/*"], "/apish"), []);
    }

    #[test]
    fn mistakes_are_named() {
        let mut router = Router::default();
        assert_eq!(router.insert("a", 0), Err(PatternError::NoSlash("a".into())));
        for pattern in ["/a*", "/*/b", "/*a/*", "/**"] {
            assert_eq!(router.insert(pattern, 0), Err(PatternError::Star(pattern.into())));
        }
        assert_eq!(router.insert("/a/*", 0), Ok(()));
        assert_eq!(router.insert("/a/*", 1), Err(PatternError::Conflict("/a/*".into())));
        assert_eq!(router.get_mut("/a/*"), Some(&mut 0));
        assert_eq!(vec![0], router.matches("/a/b").map(|found| *found.value).collect::<Vec<_>>());
    }
}
