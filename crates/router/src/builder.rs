//! Builds a [`Router`]; what is wrong is collected and given back all at once.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::index;
use crate::mistake::{Mistake, Problem};
use crate::pattern::{Parameter, Pattern};
use crate::perfect::{SEEDS, Table};
use crate::router::{Route, Router};
use crate::trie::{Growing, Trie};

/// Patterns and values on their way to a [`Router`].
#[derive(Clone, Debug)]
pub struct Builder<T> {
    routes: Vec<Route<T>>,
    shapes: Shapes,
    insertions: usize,
    mistakes: Vec<Mistake>,
}

/// The patterns' shapes, whatever their values are: so this is compiled once, and not for each kind of value.
#[derive(Clone, Debug, Default)]
struct Shapes(BTreeMap<String, Added>);

#[derive(Clone, Copy, Debug)]
struct Added {
    route: usize,
    position: usize,
    is_exact: bool,
}

impl Shapes {
    fn get(&self, shape: &str) -> Option<Added> {
        self.0.get(shape).copied()
    }

    fn insert(&mut self, shape: String, added: Added) {
        self.0.insert(shape, added);
    }

    /// What finds the exact ones, if there is a perfect hash for them, and what finds the others.
    fn build(&self, seeds: u64) -> (Option<Table<false>>, Trie) {
        let exact = self.0.iter().filter(|(_, added)| added.is_exact);
        let exact = Table::new(exact.map(|(shape, added)| (shape.as_str(), index(added.route))), seeds);
        let mut trie = Growing::new();
        for (shape, added) in &self.0 {
            if exact.is_none() || !added.is_exact {
                trie.insert(shape, index(added.route));
            }
        }
        (exact, trie.grown())
    }
}

impl<T> Default for Builder<T> {
    fn default() -> Builder<T> {
        Builder { routes: Vec::new(), shapes: Shapes::default(), insertions: 0, mistakes: Vec::new() }
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
        let route = &mut self.routes[self.shapes.get(&pattern.shape)?.route];
        (route.parameters == pattern.parameters).then_some(&mut route.value)
    }

    /// The names of a pattern's parameters, from left to right, if it was added.
    pub fn parameters(&self, pattern: &str) -> Option<Vec<&str>> {
        let pattern = Pattern::read(pattern).ok()?;
        let route = &self.routes[self.shapes.get(&pattern.shape)?.route];
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
        let (exact, trie) = self.shapes.build(seeds);
        Ok(Router { trie, exact, routes: self.routes })
    }

    fn add(&mut self, text: &str, position: usize, value: T) -> Result<(), Problem> {
        let pattern = Pattern::read(text)?;
        if let Some(Added { route, position: first, .. }) = self.shapes.get(&pattern.shape) {
            let other = &self.routes[route];
            return Err(match other.parameters == pattern.parameters {
                true => Problem::Twice { first },
                false => Problem::SameShape { other: other.pattern.clone(), first },
            });
        }
        let is_exact = pattern.is_exact();
        self.shapes.insert(pattern.shape, Added { route: self.routes.len(), position, is_exact });
        self.routes.push(Route { pattern: text.into(), parameters: pattern.parameters, value });
        Ok(())
    }
}
