//! The site: what is served, built once and then only read; and one worker's instances of it.
//!
//! A site is a tree: hosts → routes → methods → filters → handler. Each host, and the default for all that no host names, has routes of
//! its own. [`SiteBuilder`] makes it.

mod build;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Chain, Filter, Handler, HandlerFactory, Method, Request};
use gannet_router::{Hosts, Router};

use crate::observe::NO_ROUTE;

pub use build::{Routes, SiteBuilder, SiteError};

/// Makes a worker's instance of a filter.
pub type FilterFactory = Arc<dyn Fn() -> Box<dyn Filter> + Send + Sync>;

/// What is served. Shared by all workers; makes an instance for each.
pub struct Site {
    /// Which of the trees.
    hosts: Hosts<usize>,
    trees: Vec<Tree>,
    filters: Vec<FilterFactory>,
}

/// What is served for a host.
struct Tree {
    /// The patterns of the hosts; none for the default.
    hosts: Vec<String>,
    router: Router<Methods>,
    endpoints: Vec<HandlerFactory>,
    /// Behind those of the site.
    filters: Vec<FilterFactory>,
    /// The number of its first route.
    first_route: usize,
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
    /// What requests know of their routes, by the router's numbers.
    pub(crate) routes: Vec<Rc<dyn gannet_core::Route>>,
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
        let trees = (0..site.trees.len()).map(|number| LocalTree::new(&site, number)).collect();
        LocalSite { trees, site }
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
    fn new(site: &Arc<Site>, number: usize) -> LocalTree {
        let tree = &site.trees[number];
        let filters = || site.filters.iter().chain(&tree.filters).map(|make| make()).collect::<Vec<_>>();
        let endpoints = tree.endpoints.iter().map(|make| -> Rc<dyn Handler> {
            match site.filters.is_empty() && tree.filters.is_empty() {
                true => make(),
                false => Rc::new(Chain::new(filters(), make())),
            }
        });
        let routes = (0..tree.router.routes().len()).map(|route| -> Rc<dyn gannet_core::Route> {
            Rc::new(LocalRoute { site: site.clone(), tree: number, number: route })
        });
        LocalTree { endpoints: endpoints.collect(), routes: routes.collect(), number, site: site.clone() }
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
