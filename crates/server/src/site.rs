//! The site: what is served, built once and then only read; and one worker's instances of it.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Chain, Filter, Handler, HandlerFactory, IntoFilter, IntoHandler, Method, factory};
use gannet_router::{PatternError, Router};

/// Makes a worker's instance of a filter.
pub type FilterFactory = Arc<dyn Fn() -> Box<dyn Filter> + Send + Sync>;

/// What is served: patterns, methods, filters and handlers. Shared by all workers; makes an instance for each.
pub struct Site {
    routes: Router<Route>,
    endpoints: Vec<HandlerFactory>,
    filters: Vec<FilterFactory>,
    /// The patterns, by the numbers that their routes have.
    patterns: Vec<String>,
}

/// What one pattern leads to: for each method (none: any method) an endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// Its number: the place of its pattern.
    pub(crate) number: u16,
    pub(crate) methods: Vec<(Option<Method>, usize)>,
}

/// Builds a [`Site`]; mistakes are collected and given back all at once.
#[derive(Default)]
pub struct SiteBuilder {
    routes: Router<Route>,
    endpoints: Vec<HandlerFactory>,
    filters: Vec<FilterFactory>,
    patterns: Vec<String>,
    mistakes: Vec<String>,
}

/// What is wrong with a site: every mistake in it.
#[derive(Debug)]
pub struct SiteError {
    mistakes: Vec<String>,
}

/// One worker's instances of a site's handlers, each behind the site's filters.
pub(crate) struct LocalSite {
    pub(crate) site: Arc<Site>,
    pub(crate) endpoints: Vec<Rc<dyn Handler>>,
}

impl SiteBuilder {
    /// Nothing is served yet.
    pub fn new() -> SiteBuilder {
        SiteBuilder::default()
    }

    /// Answers `method` (none: any method) on `pattern` with `handler`.
    pub fn route<M>(&mut self, method: Option<Method>, pattern: &str, handler: impl IntoHandler<M>) {
        self.endpoint(method, pattern, factory(handler));
    }

    /// The same, for a handler that makes its own instances.
    pub fn endpoint(&mut self, method: Option<Method>, pattern: &str, handler: HandlerFactory) {
        if self.routes.get_mut(pattern).is_none() {
            // Those beyond what the number holds, of which nobody has so many, are counted and logged as no route.
            let number = u16::try_from(self.patterns.len()).unwrap_or(u16::MAX);
            if let Err(error) = self.routes.insert(pattern, Route { number, methods: Vec::new() }) {
                self.mistakes.push(PatternError::to_string(&error));
                return;
            }
            self.patterns.push(pattern.to_owned());
        }
        let route = self.routes.get_mut(pattern).expect("inserted just now, or before");
        if route.methods.iter().any(|(other, _)| *other == method) {
            let name = method.and_then(Method::as_str).unwrap_or("any method");
            self.mistakes.push(format!("pattern {pattern:?} has two handlers for {name}"));
            return;
        }
        route.methods.push((method, self.endpoints.len()));
        self.endpoints.push(handler);
    }

    /// Puts all handlers behind a filter; the first one added is outermost.
    pub fn filter<M>(&mut self, filter: impl IntoFilter<M>) {
        self.filters.push(Arc::new(move || Box::new(filter.clone().into_filter())));
    }

    /// The site.
    ///
    /// # Errors
    /// Every mistake that was made.
    pub fn build(self) -> Result<Site, SiteError> {
        if !self.mistakes.is_empty() {
            return Err(SiteError { mistakes: self.mistakes });
        }
        let SiteBuilder { routes, endpoints, filters, patterns, .. } = self;
        Ok(Site { routes, endpoints, filters, patterns })
    }
}

impl Site {
    pub(crate) fn routes(&self) -> &Router<Route> {
        &self.routes
    }

    /// The patterns, by the numbers of their routes.
    pub(crate) fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

impl LocalSite {
    pub(crate) fn new(site: Arc<Site>) -> LocalSite {
        let filters = || site.filters.iter().map(|make| make()).collect::<Vec<_>>();
        let endpoints = site.endpoints.iter().map(|make| -> Rc<dyn Handler> {
            match site.filters.is_empty() {
                true => make(),
                false => Rc::new(Chain::new(filters(), make())),
            }
        });
        let endpoints = endpoints.collect();
        LocalSite { endpoints, site }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("routes", &self.routes).finish_non_exhaustive()
    }
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistakes.join("\n"))
    }
}

impl std::error::Error for SiteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let mut builder = SiteBuilder::new();
        builder.route(Some(Method::Get), "/a", "one");
        builder.route(Some(Method::Get), "/a", "two");
        builder.route(None, "b", "three");
        let error = builder.build().expect_err("two mistakes").to_string();
        assert!(error.contains("\"/a\" has two handlers for GET") && error.contains("\"b\""), "{error}");
    }
}
