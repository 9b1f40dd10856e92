//! Builds a [`Router`]; what is wrong is collected and given back all at once.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::index;
use crate::mistake::{Mistake, Problem};
use crate::pattern::{Parameter, Pattern};
use crate::perfect::{SEEDS, Table};
use crate::router::{Route, Router};
use crate::trie::Growing;

/// Patterns and values on their way to a [`Router`].
#[derive(Clone, Debug)]
pub struct Builder<T> {
    routes: Vec<Route<T>>,
    by_shape: BTreeMap<String, Added>,
    insertions: usize,
    mistakes: Vec<Mistake>,
}

#[derive(Clone, Copy, Debug)]
struct Added {
    route: usize,
    position: usize,
}

impl<T> Default for Builder<T> {
    fn default() -> Builder<T> {
        Builder { routes: Vec::new(), by_shape: BTreeMap::new(), insertions: 0, mistakes: Vec::new() }
    }
}

impl<T> Builder<T> {
    /// No patterns yet.
    pub fn new() -> Builder<T> {
        Builder::default()
    }

    /// Adds a pattern. What is wrong with it [`build`](Builder::build) says.
    pub fn insert(&mut self, pattern: &str, value: T) {
        let position = self.insertions;
        self.insertions += 1;
        if let Err(problem) = self.add(pattern, position, value) {
            self.mistakes.push(Mistake { pattern: pattern.into(), position, problem });
        }
    }

    /// The value of a pattern that was added; also if a parameter of it is written in the other way (`:id`, `{id}`).
    pub fn get_mut(&mut self, pattern: &str) -> Option<&mut T> {
        let pattern = Pattern::read(pattern).ok()?;
        let route = &mut self.routes[self.by_shape.get(&pattern.shape)?.route];
        (route.parameters == pattern.parameters).then_some(&mut route.value)
    }

    /// The names of a pattern's parameters, from left to right, if it was added.
    pub fn parameters(&self, pattern: &str) -> Option<Vec<&str>> {
        let pattern = Pattern::read(pattern).ok()?;
        let route = &self.routes[self.by_shape.get(&pattern.shape)?.route];
        Some(route.parameters.iter().map(Parameter::name).collect())
    }

    /// Whether nothing was added, right or wrong.
    pub fn is_empty(&self) -> bool {
        self.insertions == 0
    }

    /// The router.
    ///
    /// # Errors
    /// Every mistake that was made, in the order in which they were.
    pub fn build(self) -> Result<Router<T>, Vec<Mistake>> {
        self.build_with(SEEDS)
    }

    pub(crate) fn build_with(self, seeds: u64) -> Result<Router<T>, Vec<Mistake>> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        let numbered = self.by_shape.iter().map(|(shape, added)| (shape.as_str(), index(added.route)));
        let is_exact = |(_, route): &(&str, u32)| self.routes[*route as usize].is_exact;
        let exact = Table::new(numbered.clone().filter(is_exact), seeds);
        let mut trie = Growing::new();
        for (shape, route) in numbered.filter(|one| exact.is_none() || !is_exact(one)) {
            trie.insert(shape, route);
        }
        Ok(Router { trie: trie.grown(), exact, routes: self.routes })
    }

    fn add(&mut self, text: &str, position: usize, value: T) -> Result<(), Problem> {
        let pattern = Pattern::read(text)?;
        if let Some(Added { route, position: first }) = self.by_shape.get(&pattern.shape).copied() {
            let other = &self.routes[route];
            return Err(match other.parameters == pattern.parameters {
                true => Problem::Twice { first },
                false => Problem::SameShape { other: other.pattern.clone(), first },
            });
        }
        let is_exact = pattern.is_exact();
        self.by_shape.insert(pattern.shape, Added { route: self.routes.len(), position });
        self.routes.push(Route { pattern: text.into(), parameters: pattern.parameters, is_exact, value });
        Ok(())
    }
}
