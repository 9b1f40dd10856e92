//! What is served for a host, on its way to a site: what was registered, where in the code, and behind which filters.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use gannet_core::{HandlerFactory, IntoFilter, IntoHandler, Method, Needs, StateFactory, factory};
use gannet_router::{Builder, Problem, Router};

use super::build::Place;
use super::{FilterFactory, Methods, Scope, Tree};

/// What is served for a host: patterns, methods, filters and handlers; and groups of them, each with its prefix and filters of its own.
pub struct Routes {
    registered: Vec<Registered>,
    /// The first is that of all; a group is one within another, which comes before it.
    scopes: Vec<Pending>,
    mistakes: Vec<String>,
}

/// A handler in its place.
pub struct Registered {
    /// The method; none: any.
    pub method: Option<Method>,
    /// The pattern, with the prefixes of its groups.
    pub pattern: String,
    /// What must be there for it, and what it tells of itself.
    pub needs: Needs,
    /// Where in the code it was registered.
    pub place: &'static Location<'static>,
    handler: HandlerFactory,
    scope: usize,
}

/// A scope, as it is written.
struct Pending {
    parent: usize,
    prefix: String,
    filters: Vec<FilterFactory>,
    fallback: Option<(HandlerFactory, Place)>,
    place: Place,
}

impl Default for Routes {
    #[track_caller]
    fn default() -> Routes {
        let whole = Pending {
            parent: 0,
            prefix: String::new(),
            filters: Vec::new(),
            fallback: None,
            place: Location::caller(),
        };
        Routes { registered: Vec::new(), scopes: vec![whole], mistakes: Vec::new() }
    }
}

impl Routes {
    /// Nothing is served yet.
    #[track_caller]
    pub fn new() -> Routes {
        Routes::default()
    }

    /// Answers `method` (none: any method) on `pattern` with `handler`.
    #[track_caller]
    pub fn route<M>(&mut self, method: Option<Method>, pattern: &str, handler: impl IntoHandler<M>) {
        let mut needs = Needs::default();
        handler.needs(&mut needs);
        self.register(method, pattern, factory(handler), needs, Location::caller());
    }

    /// The same, for a handler that makes its own instances.
    #[track_caller]
    pub fn endpoint(&mut self, method: Option<Method>, pattern: &str, handler: HandlerFactory) {
        self.register(method, pattern, handler, Needs::default(), Location::caller());
    }

    fn register(
        &mut self,
        method: Option<Method>,
        pattern: &str,
        handler: HandlerFactory,
        needs: Needs,
        place: Place,
    ) {
        let pattern = pattern.to_owned();
        self.registered.push(Registered { method, pattern, needs, place, handler, scope: 0 });
    }

    /// Puts these handlers behind a filter, within those of the site; the first one added is outermost.
    pub fn filter<M>(&mut self, filter: impl IntoFilter<M>) {
        self.scopes[0].filters.push(filter_factory(filter));
    }

    /// Answers what no pattern matches, in the place of 404.
    #[track_caller]
    pub fn fallback<M>(&mut self, handler: impl IntoHandler<M>) {
        let place = Location::caller();
        if let Some((_, first)) = &self.scopes[0].fallback {
            self.mistakes.push(format!(
                "{place}: there is a fallback already (it is at {first}): leave one of them away"
            ));
        }
        self.scopes[0].fallback = Some((factory(handler), place));
    }

    /// Adds a group: its patterns behind `prefix`, its handlers behind its own filters within these; what no pattern matches below the prefix is answered by
    /// its fallback, if it has one.
    #[track_caller]
    pub fn group(&mut self, prefix: &str, group: Routes) {
        let place = Location::caller();
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() && !prefix.starts_with('/') || prefix.contains('*') {
            self.mistakes.push(format!(
                "{place}: a group's prefix begins with a slash and has no star, and {prefix:?} is not so: write it as in \"/api\""
            ));
        }
        let first = self.scopes.len();
        self.mistakes.extend(group.mistakes);
        self.scopes.extend(group.scopes.into_iter().enumerate().map(|(number, mut scope)| {
            scope.parent = if number == 0 { 0 } else { first + scope.parent };
            scope.prefix.insert_str(0, prefix);
            scope
        }));
        for mut route in group.registered {
            route.scope += first;
            if !route.pattern.is_empty() && !route.pattern.starts_with('/') {
                let (place, pattern) = (route.place, &route.pattern);
                self.mistakes.push(format!(
                    "{place}: pattern {pattern:?} does not begin with a slash: put one in front"
                ));
                continue;
            }
            // The group's own root is its prefix.
            route.pattern = match route.pattern.as_str() {
                "" | "/" if !prefix.is_empty() => prefix.to_owned(),
                pattern => format!("{prefix}{pattern}"),
            };
            self.registered.push(route);
        }
    }

    /// What was registered, in the order in which it was.
    pub fn registered(&self) -> &[Registered] {
        &self.registered
    }

    pub(super) fn is_empty(&self) -> bool {
        self.registered.is_empty() && self.scopes.iter().all(|scope| scope.fallback.is_none())
    }

    pub(super) fn build(
        self,
        hosts: Vec<String>,
        first_route: usize,
        states: &[StateFactory],
        mistakes: &mut Vec<String>,
    ) -> Option<Tree> {
        mistakes.extend(self.mistakes);
        let router = router(&self.registered, states, mistakes);
        let prefixes = prefixes(&self.scopes, mistakes);
        let endpoints = self.registered.into_iter().map(|route| (route.handler, route.scope)).collect();
        let scopes = self.scopes.into_iter().map(|scope| Scope {
            parent: scope.parent,
            filters: scope.filters,
            fallback: scope.fallback.map(|(handler, _)| handler),
        });
        Some(Tree {
            hosts,
            router: router?,
            prefixes: prefixes?,
            endpoints,
            scopes: scopes.collect(),
            first_route,
        })
    }
}

/// Which pattern leads to what: for each method the number of what was registered.
fn router(
    registered: &[Registered],
    states: &[StateFactory],
    mistakes: &mut Vec<String>,
) -> Option<Router<Methods>> {
    let mut builder: Builder<Methods> = Builder::new();
    let mut places: Vec<Place> = Vec::new();
    for (number, route) in registered.iter().enumerate() {
        let (pattern, place) = (&route.pattern, route.place);
        if builder.get_mut(pattern).is_none() {
            builder.insert(pattern, Methods::default());
            places.push(place);
        }
        // One that is wrong has no value: the router says why when it is built.
        let Some(Methods(methods)) = builder.get_mut(pattern) else { continue };
        let name = route.method.and_then(Method::as_str).unwrap_or("any method");
        if let Some((_, other)) = methods.iter().find(|(other, _)| *other == route.method) {
            let first = registered[*other].place;
            mistakes.push(format!(
                "{place}: pattern {pattern:?} has two handlers for {name}: leave one of them away (the first one is at {first})"
            ));
            continue;
        }
        methods.push((route.method, number));
        let parameters = builder.parameters(pattern).unwrap_or_default();
        let lacks = route.needs.mistakes(&parameters);
        let lacks = lacks.into_iter().chain(missing_states(&route.needs, states));
        mistakes.extend(lacks.map(|lacks| format!("{place}: the handler of {name} on {pattern:?} {lacks}")));
    }
    let said = |mistake: gannet_router::Mistake| {
        let place = places[mistake.position];
        match mistake.problem {
            Problem::Twice { first } | Problem::SameShape { first, .. } => {
                format!("{place}: {mistake} (the first one is at {})", places[first])
            }
            _ => format!("{place}: {mistake}"),
        }
    };
    builder.build().map_err(|wrong| mistakes.extend(wrong.into_iter().map(said))).ok()
}

/// The states that a handler needs and an application does not have: a line each.
fn missing_states(needs: &Needs, states: &[StateFactory]) -> Vec<String> {
    let missing =
        needs.states().iter().filter(|(needed, _)| states.iter().all(|state| state.type_id() != *needed));
    missing
        .map(|(_, name)| {
            // Of two types with one name the whole names tell them apart.
            let is_ambiguous = states.iter().any(|state| shortened(state.type_name()) == shortened(name));
            let told = |name: &str| if is_ambiguous { name.to_owned() } else { shortened(name) };
            let there: Vec<_> = states.iter().map(|state| format!("`{}`", told(state.type_name()))).collect();
            let there = if there.is_empty() { "no state".to_owned() } else { there.join(", ") };
            let name = told(name);
            format!("needs a state of type `{name}`, and the application has {there}: add it by App::state, as exactly that type")
        })
        .collect()
}

/// A type's name without the modules that it and its arguments are in: `Pool<Sqlite>`.
pub(super) fn shortened(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    for part in
        name.split_inclusive(|character: char| !character.is_alphanumeric() && !"_:".contains(character))
    {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

/// Which scope answers for a path that no pattern matches: that of the longest prefix.
fn prefixes(scopes: &[Pending], mistakes: &mut Vec<String>) -> Option<Router<usize>> {
    let mut builder = Builder::new();
    let mut positions: Vec<Place> = Vec::new();
    let mut fallbacks: HashMap<&str, Place> = HashMap::new();
    for (number, scope) in scopes.iter().enumerate() {
        if let Some((_, place)) = &scope.fallback
            && let Some(first) = fallbacks.insert(&scope.prefix, place)
        {
            let prefix = if scope.prefix.is_empty() { "/" } else { &scope.prefix };
            mistakes.push(format!(
                "{place}: there are two fallbacks for what is below {prefix:?}: leave one of them away (the first one is at {first})"
            ));
        }
        let patterns = [format!("{}/*", scope.prefix), scope.prefix.clone()];
        for pattern in patterns.into_iter().filter(|pattern| !pattern.is_empty()) {
            match builder.get_mut(&pattern) {
                // Of several groups with one prefix that one answers that has a fallback, else the first.
                Some(answers) if scope.fallback.is_some() => *answers = number,
                Some(_) => {}
                None => {
                    builder.insert(&pattern, number);
                    positions.push(scope.place);
                }
            }
        }
    }
    let said = |mistake: gannet_router::Mistake| {
        format!("{}: the prefix of a group: {mistake}", positions[mistake.position])
    };
    builder.build().map_err(|wrong| mistakes.extend(wrong.into_iter().map(said))).ok()
}

pub(super) fn filter_factory<M>(filter: impl IntoFilter<M>) -> FilterFactory {
    Arc::new(move || filter.clone().into_filter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_told_without_its_modules() {
        for (name, short) in [
            ("u8", "u8"),
            ("alloc::string::String", "String"),
            ("sqlx_core::pool::Pool<sqlx_sqlite::database::Sqlite>", "Pool<Sqlite>"),
            ("(a::b::C, [d::E; 3], &str)", "(C, [E; 3], &str)"),
            ("dyn a::B + core::marker::Send", "dyn B + Send"),
        ] {
            assert_eq!(shortened(name), short);
        }
    }
}
