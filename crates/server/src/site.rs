//! The site: what is served, built once and then only read; and one worker's instances of it.
//!
//! A site is a tree: hosts → routes → methods → filters → handler. Each host, and the default for all that no host names, has routes of
//! its own. [`SiteBuilder`] makes it.

mod build;
mod routes;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Chain, Filter, Handler, HandlerFactory, Method, Reply, Request, StateFactory};
use gannet_router::{Hosts, Router};

use crate::observe::NO_ROUTE;
use crate::route;

pub use build::{SiteBuilder, SiteError};
pub use routes::{Registered, Routes};

/// Makes a worker's instance of a filter.
pub type FilterFactory = Arc<dyn Fn() -> Rc<dyn Filter> + Send + Sync>;

/// What is served. Shared by all workers; makes an instance for each.
pub struct Site {
    /// Which of the trees.
    hosts: Hosts<usize>,
    trees: Vec<Tree>,
    filters: Vec<FilterFactory>,
    states: Vec<StateFactory>,
}

/// What is served for a host.
struct Tree {
    /// The patterns of the hosts; none for the default.
    hosts: Vec<String>,
    router: Router<Methods>,
    /// Which scope answers for a path that the router does not match.
    prefixes: Router<usize>,
    /// Each with its scope.
    endpoints: Vec<(HandlerFactory, usize)>,
    /// The first is that of the whole tree; each other one is within one that comes before it.
    scopes: Vec<Scope>,
    /// The number of its first route.
    first_route: usize,
}

/// What handlers, and what is answered in the place of one that is not there, have in common: filters.
struct Scope {
    parent: usize,
    /// Within those of the parent, or of the site.
    filters: Vec<FilterFactory>,
    /// What answers where there is nothing; none: the parent's.
    fallback: Option<HandlerFactory>,
}

/// What one pattern leads to: for each method (none: any method) an endpoint of the tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Methods(Vec<(Option<Method>, usize)>);

/// A route of a site, as those see it who list or count.
#[derive(Clone, Copy, Debug)]
pub struct SiteRoute<'a> {
    /// The host patterns it is served for; none: for all that no host names.
    pub hosts: &'a [String],
    /// Its pattern, as it was written.
    pub pattern: &'a str,
    methods: &'a Methods,
}

/// One worker's instances of a site's handlers, each behind its filters.
pub(crate) struct LocalSite {
    site: Arc<Site>,
    trees: Vec<LocalTree>,
}

/// One worker's instances of what is served for a host.
pub(crate) struct LocalTree {
    site: Arc<Site>,
    number: usize,
    pub(crate) endpoints: Vec<Rc<dyn Handler>>,
    scopes: Vec<LocalScope>,
    /// What requests know of their routes, by the router's numbers.
    pub(crate) routes: Vec<Rc<dyn gannet_core::Route>>,
}

/// What answers in a scope where no endpoint does; behind its filters.
struct LocalScope {
    /// Where there is nothing.
    fallback: Rc<dyn Handler>,
    /// Where there is something, but not for the method.
    refusal: Rc<dyn Handler>,
}

/// Says that there is nothing, or what there is instead.
struct Refusal;

impl Handler for Refusal {
    fn handle(&self, request: Request) -> Reply {
        Reply::ready(route::refuse(&request))
    }
}

/// A route, as the requests of a worker share it.
struct LocalRoute {
    site: Arc<Site>,
    tree: usize,
    /// In the tree's router.
    number: usize,
}

impl Site {
    /// All routes. A route's place in this order is its number ([`Request::route_number`](gannet_core::Request::route_number)).
    pub fn routes(&self) -> impl Iterator<Item = SiteRoute<'_>> {
        self.trees.iter().flat_map(|tree| {
            tree.router.routes().iter().map(|route| SiteRoute {
                hosts: &tree.hosts,
                pattern: route.pattern(),
                methods: route.value(),
            })
        })
    }

    /// What makes each worker's states.
    pub fn states(&self) -> &[StateFactory] {
        &self.states
    }

    /// What metrics and logs call the routes, by their numbers: the pattern, behind the hosts that it is for.
    pub(crate) fn route_names(&self) -> Vec<String> {
        self.routes().map(|route| route.hosts.join(",") + route.pattern).collect()
    }
}

impl<'a> SiteRoute<'a> {
    /// The methods that it has a handler for, in the order in which they were added; `None` stands for any method.
    pub fn methods(self) -> impl Iterator<Item = Option<Method>> + 'a {
        self.methods.0.iter().map(|(method, _)| *method)
    }
}

impl Methods {
    /// The endpoint for a method: its own, for HEAD that of GET (RFC 9110, 9.3.2), or that of any method.
    pub(crate) fn endpoint(&self, method: Method) -> Option<usize> {
        let of = |wanted: Option<Method>| {
            self.0.iter().find(|(method, _)| *method == wanted).map(|(_, endpoint)| *endpoint)
        };
        of(Some(method))
            .or_else(|| if method == Method::Head { of(Some(Method::Get)) } else { None })
            .or_else(|| of(None))
    }

    /// The methods that have an endpoint of their own.
    pub(crate) fn named(&self) -> impl Iterator<Item = Method> {
        self.0.iter().filter_map(|(method, _)| *method)
    }
}

impl LocalSite {
    pub(crate) fn new(site: Arc<Site>) -> LocalSite {
        let filters: Vec<_> = site.filters.iter().map(|make| make()).collect();
        let trees = (0..site.trees.len()).map(|number| LocalTree::new(&site, number, &filters)).collect();
        LocalSite { trees, site }
    }

    /// What logs call the route of a number; none where no route answers.
    pub(crate) fn route_name(&self, number: u16) -> Option<&str> {
        self.site.routes().nth(usize::from(number)).map(|route| route.pattern)
    }

    /// How many routes there are, of all hosts.
    pub(crate) fn routes(&self) -> usize {
        self.site.routes().count()
    }

    /// What is served for the host that a request names, if it names one.
    #[inline(always)]
    pub(crate) fn tree(&self, request: &Request) -> Option<&LocalTree> {
        let hosts = &self.site.hosts;
        let authority = if hosts.has_patterns() { request.authority() } else { None };
        hosts.find(authority.unwrap_or("")).map(|tree| &self.trees[*tree])
    }
}

impl LocalTree {
    /// One instance of each filter, whichever handlers are behind it.
    fn new(site: &Arc<Site>, number: usize, outermost: &[Rc<dyn Filter>]) -> LocalTree {
        let tree = &site.trees[number];
        let mut chains: Vec<Rc<[Rc<dyn Filter>]>> = Vec::new();
        let mut fallbacks: Vec<Rc<dyn Handler>> = Vec::new();
        for scope in &tree.scopes {
            let outer = chains.get(scope.parent).map_or(outermost, |chain| &chain[..]);
            chains.push(outer.iter().cloned().chain(scope.filters.iter().map(|make| make())).collect());
            let inherited = || fallbacks.get(scope.parent).cloned().unwrap_or_else(|| Rc::new(Refusal));
            let fallback = scope.fallback.as_ref().map_or_else(inherited, |make| make());
            fallbacks.push(fallback);
        }
        let behind = |scope: usize, handler: Rc<dyn Handler>| match chains[scope].is_empty() {
            true => handler,
            false => Rc::new(Chain::new(chains[scope].clone(), handler)),
        };
        let scopes = fallbacks.iter().enumerate().map(|(number, fallback)| LocalScope {
            fallback: behind(number, fallback.clone()),
            refusal: behind(number, Rc::new(Refusal)),
        });
        let endpoints = tree.endpoints.iter().map(|(make, scope)| behind(*scope, make()));
        let routes = (0..tree.router.routes().len()).map(|route| -> Rc<dyn gannet_core::Route> {
            Rc::new(LocalRoute { site: site.clone(), tree: number, number: route })
        });
        LocalTree {
            endpoints: endpoints.collect(),
            scopes: scopes.collect(),
            routes: routes.collect(),
            number,
            site: site.clone(),
        }
    }

    /// What answers for a path that no pattern matches.
    pub(crate) fn fallback(&self, path: &str) -> &dyn Handler {
        &*self.scope(path).fallback
    }

    /// What answers for a path that has no handler for the method.
    pub(crate) fn refusal(&self, path: &str) -> &dyn Handler {
        &*self.scope(path).refusal
    }

    fn scope(&self, path: &str) -> &LocalScope {
        let prefixes = &self.site.trees[self.number].prefixes;
        let scope = prefixes.matches(path).next().map_or(0, |found| *found.route.value());
        &self.scopes[scope]
    }

    pub(crate) fn router(&self) -> &Router<Methods> {
        &self.site.trees[self.number].router
    }

    /// The number within the site of a route of the router. Those beyond what it holds, of which nobody has so many, are
    /// counted and logged as no route.
    pub(crate) fn site_number(&self, route: usize) -> u16 {
        u16::try_from(self.site.trees[self.number].first_route + route).unwrap_or(NO_ROUTE)
    }
}

impl LocalRoute {
    fn route(&self) -> &gannet_router::Route<Methods> {
        &self.site.trees[self.tree].router.routes()[self.number]
    }
}

impl gannet_core::Route for LocalRoute {
    fn number(&self) -> usize {
        self.site.trees[self.tree].first_route + self.number
    }

    fn pattern(&self) -> &str {
        self.route().pattern()
    }

    fn parameter<'a>(&'a self, index: usize, path: &'a str) -> Option<(&'a str, &'a str)> {
        let parameter = self.route().parameters().get(index)?;
        Some((parameter.name(), &path[parameter.span(path)]))
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes()).finish()
    }
}
