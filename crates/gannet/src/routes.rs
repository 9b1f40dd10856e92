//! What is served for a host; and what an application and a host have in common.

use gannet_core::{IntoFilter, IntoHandler, Method};
use gannet_features::files::IntoFiles;

use crate::proxy::{IntoProxy, Pending};

/// Routes and filters of a host, as [`App::host`](crate::App::host) takes them.
#[derive(Default)]
pub struct Routes {
    pub(crate) routes: gannet_server::Routes,
    pub(crate) proxies: Vec<Pending>,
    pub(crate) mistakes: Vec<String>,
}

/// The verbs that are written the same way for an application and for a host: each is `route` for a method.
macro_rules! verbs {
    ($builder:ty) => {
        /// Answers GET, and HEAD, on `pattern`; patterns are explained at [`route`](Self::route).
        #[must_use]
        #[track_caller]
        pub fn get<M>(self, pattern: &str, handler: impl IntoHandler<M>) -> $builder {
            self.route(Some(Method::Get), pattern, handler)
        }

        /// Answers POST on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn post<M>(self, pattern: &str, handler: impl IntoHandler<M>) -> $builder {
            self.route(Some(Method::Post), pattern, handler)
        }

        /// Answers PUT on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn put<M>(self, pattern: &str, handler: impl IntoHandler<M>) -> $builder {
            self.route(Some(Method::Put), pattern, handler)
        }

        /// Answers PATCH on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn patch<M>(self, pattern: &str, handler: impl IntoHandler<M>) -> $builder {
            self.route(Some(Method::Patch), pattern, handler)
        }

        /// Answers DELETE on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn delete<M>(self, pattern: &str, handler: impl IntoHandler<M>) -> $builder {
            self.route(Some(Method::Delete), pattern, handler)
        }

        /// Answers any method that has no handler of its own on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn any<M>(self, pattern: &str, handler: impl IntoHandler<M>) -> $builder {
            self.route(None, pattern, handler)
        }
    };
}
pub(crate) use verbs;

impl Routes {
    verbs!(Routes);

    /// Answers `method` (none: any method) on `pattern`; patterns are explained at [`App::route`](crate::App::route).
    #[must_use]
    #[track_caller]
    pub fn route<M>(mut self, method: Option<Method>, pattern: &str, handler: impl IntoHandler<M>) -> Routes {
        self.routes.route(method, pattern, handler);
        self
    }

    /// Serves the files of a folder below `prefix`: a path, or [`Files`](crate::files::Files) to say how.
    #[must_use]
    #[track_caller]
    pub fn files(mut self, prefix: &str, files: impl IntoFiles) -> Routes {
        match files.into_files() {
            Ok(files) => self.routes.endpoint(Some(Method::Get), &below(prefix), files.factory()),
            Err(error) => self.mistakes.push(error.to_string()),
        }
        self
    }

    /// Passes what is asked for on `pattern`, by any method, on to another server: its name, or [`Proxy`](crate::Proxy) to say how.
    #[must_use]
    #[track_caller]
    pub fn proxy(mut self, pattern: &str, proxy: impl IntoProxy) -> Routes {
        let pending = Pending::new(proxy.into_proxy());
        self.routes.endpoint(None, pattern, pending.factory());
        self.proxies.push(pending);
        self
    }

    /// Puts every handler of this host behind a filter, which is within those of the application; the first one added is outermost.
    #[must_use]
    pub fn with<M>(mut self, filter: impl IntoFilter<M>) -> Routes {
        self.routes.filter(filter);
        self
    }
}

/// The pattern for everything below a prefix.
pub(crate) fn below(prefix: &str) -> String {
    format!("{}/*", prefix.trim_end_matches('/'))
}
