//! Builds a site; mistakes are collected and given back all at once, each with the place in the code that made it.

use std::any::TypeId;
use std::fmt;
use std::panic::Location;

use gannet_core::{HandlerFactory, IntoFilter, IntoHandler, Method, StateFactory};
use gannet_router::{HostProblem, Hosts, HostsBuilder};

use super::routes::{Registered, Routes, filter_factory, shortened};
use super::{FilterFactory, Site, Tree};

/// A place in the code.
pub(super) type Place = &'static Location<'static>;

/// Builds a [`Site`]. What is added to it directly is the default: served for all that no host names.
#[derive(Default)]
pub struct SiteBuilder {
    default: Routes,
    hosts: Vec<Host>,
    filters: Vec<FilterFactory>,
    states: Vec<(StateFactory, Place)>,
}

struct Host {
    patterns: Vec<String>,
    routes: Routes,
    place: Place,
}

/// What is wrong with a site: every mistake in it.
#[derive(Debug)]
pub struct SiteError {
    mistakes: Vec<String>,
}

impl SiteBuilder {
    /// Nothing is served yet.
    pub fn new() -> SiteBuilder {
        SiteBuilder::default()
    }

    /// What is served for all that no host names.
    pub fn routes(&mut self) -> &mut Routes {
        &mut self.default
    }

    /// Answers `method` (none: any method) on `pattern` with `handler`, for all that no host names.
    #[track_caller]
    pub fn route<M>(&mut self, method: Option<Method>, pattern: &str, handler: impl IntoHandler<M>) {
        self.default.route(method, pattern, handler);
    }

    /// The same, for a handler that makes its own instances.
    #[track_caller]
    pub fn endpoint(&mut self, method: Option<Method>, pattern: &str, handler: HandlerFactory) {
        self.default.endpoint(method, pattern, handler);
    }

    /// Puts all handlers of the site, those of its hosts too, behind a filter; the first one added is outermost.
    pub fn filter<M>(&mut self, filter: impl IntoFilter<M>) {
        self.filters.push(filter_factory(filter));
    }

    /// Serves `routes`, and nothing else, for hosts: each a name or a wildcard (`*.example.com`).
    #[track_caller]
    pub fn host(&mut self, patterns: impl IntoIterator<Item = impl Into<String>>, routes: Routes) {
        let patterns = patterns.into_iter().map(Into::into).collect();
        self.hosts.push(Host { patterns, routes, place: Location::caller() });
    }

    /// Gives handlers, and filters, a state; there is one of a type.
    #[track_caller]
    pub fn state(&mut self, state: StateFactory) {
        self.states.push((state, Location::caller()));
    }

    /// Everything that was registered, with the hosts that it is for (none: all that no host names), in the order in which it was.
    pub fn registered(&self) -> impl Iterator<Item = (&[String], &Registered)> {
        let default = self.default.registered().iter().map(|route| (&[][..], route));
        let of_hosts = self
            .hosts
            .iter()
            .flat_map(|host| host.routes.registered().iter().map(|route| (host.patterns.as_slice(), route)));
        default.chain(of_hosts)
    }

    /// The site. Without a route of its own it answers for its hosts only, if it has any.
    ///
    /// # Errors
    /// Every mistake that was made.
    pub fn build(self) -> Result<Site, SiteError> {
        let mut mistakes = Vec::new();
        let has_default = self.hosts.is_empty() || !self.default.is_empty();
        let hosts = hosts(&self.hosts, has_default, &mut mistakes);
        let states = states(self.states, &mut mistakes);
        let mut trees: Vec<Tree> = Vec::new();
        let default = has_default.then_some((Vec::new(), self.default));
        let named = self.hosts.into_iter().map(|host| (host.patterns, host.routes));
        for (patterns, routes) in default.into_iter().chain(named) {
            let first_route = trees.last().map_or(0, |tree| tree.first_route + tree.router.routes().len());
            trees.extend(routes.build(patterns, first_route, &states, &mut mistakes));
        }
        match hosts {
            Some(hosts) if mistakes.is_empty() => Ok(Site { hosts, trees, filters: self.filters, states }),
            _ => Err(SiteError { mistakes }),
        }
    }
}

/// The states, of which there may be one of a type.
fn states(states: Vec<(StateFactory, Place)>, mistakes: &mut Vec<String>) -> Vec<StateFactory> {
    let mut places: Vec<(TypeId, Place)> = Vec::new();
    for (state, place) in &states {
        match places.iter().find(|(type_id, _)| *type_id == state.type_id()) {
            None => places.push((state.type_id(), place)),
            Some((_, first)) => mistakes.push(format!(
                "{place}: there is a state of type `{}` already: leave one of them away, or give one a type of its own \
                 (the first one is at {first})",
                shortened(state.type_name())
            )),
        }
    }
    states.into_iter().map(|(state, _)| state).collect()
}

/// Which hosts have which tree: the default, if there is one, the first, then each in its order.
fn hosts(hosts: &[Host], has_default: bool, mistakes: &mut Vec<String>) -> Option<Hosts<usize>> {
    let mut builder = HostsBuilder::new();
    let mut places: Vec<Place> = Vec::new();
    if has_default {
        builder.set_default(0);
    }
    for (host, tree) in hosts.iter().zip(usize::from(has_default)..) {
        if host.patterns.is_empty() {
            mistakes
                .push(format!("{}: a host without a name: give it one, as in \"example.com\"", host.place));
        }
        for pattern in &host.patterns {
            builder.insert(pattern, tree);
            places.push(host.place);
        }
    }
    let said = |mistake: gannet_router::HostMistake| {
        let place = places[mistake.position];
        match mistake.problem {
            HostProblem::Twice { first } => {
                format!("{place}: {mistake} (the first one is at {})", places[first])
            }
            _ => format!("{place}: {mistake}"),
        }
    };
    builder.build().map_err(|wrong| mistakes.extend(wrong.into_iter().map(said))).ok()
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistakes.join("\n"))
    }
}

impl std::error::Error for SiteError {}

impl SiteError {
    /// The mistakes, each with its place before it.
    pub fn into_mistakes(self) -> Vec<String> {
        self.mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Option<Method> = Some(Method::Get);

    #[test]
    fn every_mistake_is_named_at_once_with_its_place_and_that_of_the_other() {
        let mut builder = SiteBuilder::new();
        let line = line!();
        builder.route(GET, "/a", "one");
        builder.route(GET, "/a", "two");
        builder.route(None, "b", "three");
        builder.route(GET, "/c/:id", "four");
        builder.route(Some(Method::Put), "/c/:name", "five");
        let mut routes = Routes::new();
        routes.route(GET, "/*/d", "six");
        builder.host(["a.example", "*"], routes);
        builder.host(["A.example"], Routes::new());
        builder.host([""; 0], Routes::new());
        let error = builder.build().expect_err("mistakes").to_string();
        let expected = [
            (2, "pattern \"/a\" has two handlers for GET", Some(1)),
            (3, "pattern \"b\" does not begin with a slash", None),
            (5, "pattern \"/c/:name\" matches the same paths as \"/c/:id\"", Some(4)),
            (7, "pattern \"/*/d\" has a star", None),
            (8, "host \"*\" has a star", None),
            (9, "host \"A.example\" is there twice", Some(8)),
            (10, "a host without a name", None),
        ];
        for (lines, what, first) in expected {
            let line_of = |lines: u32| format!("build.rs:{}:", line + lines);
            let said =
                error.lines().find(|said| said.contains(what)).unwrap_or_else(|| panic!("{what}: {error}"));
            assert!(said.contains(&line_of(lines)), "{said}");
            let names_first = |first| {
                said.contains(&format!("first one is at {}", file!())) && said.contains(&line_of(first))
            };
            assert!(first.is_none_or(names_first), "{said}");
        }
        assert_eq!(error.lines().count(), expected.len(), "{error}");
    }

    #[test]
    fn a_pattern_has_one_route_in_either_way_of_writing_and_routes_are_numbered_in_their_order() {
        let mut builder = SiteBuilder::new();
        builder.route(GET, "/users/:id", "one");
        builder.route(Some(Method::Put), "/users/{id}", "two");
        builder.route(None, "/*", "three");
        let mut routes = Routes::new();
        routes.route(GET, "/", "four");
        builder.host(["a.example", "b.example"], routes);
        let site = builder.build().expect("no mistakes");
        let routes: Vec<_> = site
            .routes()
            .map(|route| (route.hosts.len(), route.pattern, route.methods().collect()))
            .collect();
        let expected: [(usize, &str, Vec<Option<Method>>); 3] =
            [(0, "/users/:id", vec![GET, Some(Method::Put)]), (0, "/*", vec![None]), (2, "/", vec![GET])];
        assert_eq!(routes, expected);
        assert_eq!(site.trees[1].first_route, 2);
    }
}
