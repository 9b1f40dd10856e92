//! The router: built once, then only read.

use alloc::string::String;
use alloc::vec::Vec;

use crate::pattern::Parameter;
use crate::perfect::Table;
use crate::trie::{Trie, Walk};

/// Values by pattern. A [`Builder`](crate::Builder) makes it.
#[derive(Clone, Debug)]
pub struct Router<T> {
    pub(crate) routes: Vec<Route<T>>,
    /// The exact paths; none if there is no perfect hash for them, and then they are in the trie like the others.
    pub(crate) exact: Option<Table<false>>,
    pub(crate) trie: Trie,
}

/// A pattern and its value.
#[derive(Clone, Debug)]
pub struct Route<T> {
    pub(crate) pattern: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) is_exact: bool,
    pub(crate) value: T,
}

/// What a path matched.
#[derive(Debug)]
pub struct Match<'r, T> {
    /// The pattern and its value.
    pub route: &'r Route<T>,
    /// The route's number: its place in [`Router::routes`].
    pub number: usize,
    /// Where in the path the part begins that the wildcard matched; 0 for a pattern without one.
    pub tail: usize,
}

/// The patterns that match a path, the most specific first; each is looked for when it is asked for.
#[derive(Debug)]
pub struct Matches<'r, 'p, T> {
    router: &'r Router<T>,
    path: &'p str,
    /// Not looked among the exact paths yet.
    is_fresh: bool,
    walk: Walk,
}

impl<T> Router<T> {
    /// All patterns that match `path`, the most specific first.
    #[inline]
    pub fn matches<'r, 'p>(&'r self, path: &'p str) -> Matches<'r, 'p, T> {
        Matches { router: self, path, is_fresh: true, walk: Walk::new() }
    }

    /// All patterns with their values, in the order in which they were added.
    pub fn routes(&self) -> &[Route<T>] {
        &self.routes
    }
}

impl<'r, T> Matches<'r, '_, T> {
    #[inline]
    fn found(&self, number: u32, tail: usize) -> Match<'r, T> {
        let number = number as usize;
        Match { route: &self.router.routes[number], number, tail }
    }

    /// How many nodes of the trie were entered so far.
    #[cfg(test)]
    pub(crate) fn entered(&self) -> usize {
        self.walk.entered
    }
}

impl<'r, T> Iterator for Matches<'r, '_, T> {
    type Item = Match<'r, T>;

    #[inline]
    fn next(&mut self) -> Option<Match<'r, T>> {
        if core::mem::take(&mut self.is_fresh)
            && let Some(exact) = &self.router.exact
            && let Some(number) = exact.find(self.path)
        {
            return Some(self.found(number, 0));
        }
        let (number, tail) = self.walk.next(&self.router.trie, self.path)?;
        Some(self.found(number, tail))
    }
}

impl<T> Route<T> {
    /// The pattern as it was written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The parameters, a named wildcard among them, from left to right.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }
}
