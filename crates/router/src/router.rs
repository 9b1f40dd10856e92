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
        Matches { router: self, path, is_fresh: true, walk: Walk::new(path) }
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

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::Builder;

    fn builder(patterns: &[String]) -> Builder<()> {
        let mut builder = Builder::new();
        patterns.iter().for_each(|pattern| builder.insert(pattern, ()));
        builder
    }

    /// How many nodes are entered until there are no more matches.
    fn entered(router: &Router<()>, path: &str) -> usize {
        let mut matches = router.matches(path);
        while matches.next().is_some() {}
        matches.entered()
    }

    /// Every pattern of this many segments, each of them `a` or a parameter.
    fn all_of(segments: usize) -> Vec<String> {
        let pattern = |number: usize| -> String {
            let segment = |at: usize| if number >> at & 1 == 0 { "/a".into() } else { format!("/:p{at}") };
            (0..segments).map(segment).collect()
        };
        (0..1 << segments).map(pattern).collect()
    }

    #[test]
    fn no_path_makes_a_walk_enter_a_node_twice() {
        let router = builder(&all_of(8)).build().expect("no conflicts");
        let nodes = router.trie.nodes();
        assert_eq!(router.matches("/a/a/a/a/a/a/a/a").count(), 1 << 8);
        let steps = entered(&router, "/a/a/a/a/a/a/a/a");
        assert!(
            (1 << 8..=nodes).contains(&steps),
            "all match: each is entered, or passed over: {steps} of {nodes}"
        );
        for path in ["/a/a/a/a/a/a/a", "/a/a/a/a/a/a/a/", "/a/a/a/a/a/a/a/a/a", "/b/a/a/a/a/a/a/a"] {
            assert_eq!(router.matches(path).count(), usize::from(path.starts_with("/b")) << 7, "{path}");
            assert!(entered(&router, path) <= nodes, "{path}");
        }
    }

    #[test]
    fn a_long_path_enters_no_more_nodes_than_a_short_one() {
        let router = builder(&all_of(6)).build().expect("no conflicts");
        let most = router.trie.nodes();
        for unit in ["/", "/a", "/b", "//a", "/a/", "a", "/aa"] {
            assert!(entered(&router, &unit.repeat(8192)) <= most, "{unit}");
        }
    }

    #[test]
    fn an_exact_path_is_found_without_a_walk() {
        let patterns = ["/about".to_string(), "/:any".to_string()];
        let router = builder(&patterns).build().expect("no conflicts");
        let mut matches = router.matches("/about");
        assert_eq!(matches.next().map(|found| found.number), Some(0));
        assert_eq!(matches.entered(), 1, "only the root, where a walk begins");
    }

    #[test]
    fn where_there_is_no_perfect_hash_exact_paths_are_found_in_the_trie() {
        let patterns: Vec<String> =
            ["/", "/about", "/about/us", "/:any", "/about/*", "/items::search"].map(String::from).into();
        let without = builder(&patterns).build_with(0).expect("no conflicts");
        assert!(without.exact.is_none());
        let with = builder(&patterns).build().expect("no conflicts");
        for path in ["/", "/about", "/about/", "/about/us", "/about/them", "/items:search", "/x", "//", ""] {
            let numbers = |router: &Router<()>| {
                router.matches(path).map(|found| (found.number, found.tail)).collect::<Vec<_>>()
            };
            assert_eq!(numbers(&without), numbers(&with), "{path}");
        }
        assert_eq!(without.matches("/about").map(|found| found.number).collect::<Vec<_>>(), vec![1, 3]);
    }
}
