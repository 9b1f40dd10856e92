//! What is served for a host, or below a prefix; and what an application, a host and a group have in common.

use gannet_core::IntoFilter;

#[cfg(feature = "proxy")]
use crate::proxy::Pending;

/// Routes and filters of a host or a group, as [`App::host`](crate::App::host) and [`App::group`](crate::App::group) take them.
#[derive(Default)]
pub struct Routes {
    pub(crate) routes: gannet_server::Routes,
    #[cfg(feature = "proxy")]
    pub(crate) proxies: Vec<Pending>,
    pub(crate) mistakes: Vec<String>,
}

/// The verbs that are written the same way for an application, a host and a group.
macro_rules! verbs {
    ($builder:ty) => {
        /// Answers GET, and HEAD, on `pattern`; patterns are explained at [`route`](Self::route).
        #[must_use]
        #[track_caller]
        pub fn get<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Get), pattern, handler)
        }

        /// Answers HEAD, where GET's handler shall not, on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn head<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Head), pattern, handler)
        }

        /// Answers POST on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn post<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Post), pattern, handler)
        }

        /// Answers PUT on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn put<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Put), pattern, handler)
        }

        /// Answers PATCH on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn patch<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Patch), pattern, handler)
        }

        /// Answers DELETE on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn delete<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Delete), pattern, handler)
        }

        /// Answers OPTIONS, where the server shall not say which methods there are, on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn options<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Options), pattern, handler)
        }

        /// Answers TRACE on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn trace<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Trace), pattern, handler)
        }

        /// Answers QUERY (draft-ietf-httpbis-safe-method-w-body: GET with a body) on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn query<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(Some(gannet_core::Method::Query), pattern, handler)
        }

        /// Answers any method that has no handler of its own on `pattern`.
        #[must_use]
        #[track_caller]
        pub fn any<M>(self, pattern: &str, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.route(None, pattern, handler)
        }

        /// Answers `method` (none: any method) on `pattern`; an application does so for every host that has no routes of its own
        /// ([`App::host`](crate::App::host)).
        ///
        /// | pattern | matches |
        /// |---|---|
        /// | `/about` | only that |
        /// | `/users/:id`, `/users/{id}` | one segment in the place of the parameter: [`Request::param`](crate::Request::param) gives it |
        /// | `/api/*` | `/api/` and everything below it: [`Request::tail`](crate::Request::tail) gives what is below |
        /// | `/files/*path`, `/files/{*path}` | the same, and gives it the name of a parameter |
        ///
        /// A parameter is a whole segment, and not empty. Paths are compared as they are sent, percent-encoded. A colon or a brace that
        /// stands for itself is written twice.
        ///
        /// The most specific pattern answers, whatever the order: segment by segment from the left, itself before a parameter before a
        /// wildcard. Where it has no handler for the method, a less specific one that has answers; only if none has, the
        /// answer is 405. HEAD is answered by the handler of GET, and OPTIONS by the server, unless they have handlers of their own.
        #[must_use]
        #[track_caller]
        pub fn route<M>(
            mut self,
            method: Option<gannet_core::Method>,
            pattern: &str,
            handler: impl gannet_core::IntoHandler<M>,
        ) -> $builder {
            self.routes_mut().routes.route(method, pattern, handler);
            self
        }

        /// Answers what no pattern matches, in the place of 404; in a group what none matches below its prefix.
        #[must_use]
        #[track_caller]
        pub fn fallback<M>(mut self, handler: impl gannet_core::IntoHandler<M>) -> $builder {
            self.routes_mut().routes.fallback(handler);
            self
        }

        /// Adds routes whose patterns are behind `prefix`, with filters of their own, within these: `/` in the group is the prefix itself.
        ///
        /// ```
        /// # use gannet::prelude::*;
        /// App::new().group("/users", |users| {
        ///     users
        ///         .get("/", "all of them")
        ///         .get("/:id", |request: Request| request.param("id").unwrap_or_default().to_owned())
        ///         .fallback((Status::NOT_FOUND, "users have no such thing"))
        /// });
        /// ```
        #[must_use]
        #[track_caller]
        pub fn group(
            mut self,
            prefix: &str,
            build: impl FnOnce($crate::routes::Routes) -> $crate::routes::Routes,
        ) -> $builder {
            let routes = self.routes_mut();
            let group = routes.absorb(build($crate::routes::Routes::default()));
            routes.routes.group(prefix, group);
            self
        }

        /// Converses over WebSockets with who asks for one on `pattern`, by an async function of a [`WebSocket`](crate::websocket::WebSocket) and of whatever else
        /// handlers take. It is [`WebSockets`](crate::websocket::WebSockets), as GET's handler, with its options' defaults: sub-protocols, other origins, limits and compression are said there.
        ///
        /// ```
        /// # use gannet::prelude::*;
        /// App::new().ws("/echo", async |mut socket: WebSocket| {
        ///     while let Some(message) = socket.recv().await? {
        ///         socket.send(message).await?;
        ///     }
        ///     Ok(())
        /// });
        /// ```
        #[cfg(feature = "websocket")]
        #[must_use]
        #[track_caller]
        pub fn ws<M: 'static>(
            self,
            pattern: &str,
            handler: impl $crate::websocket::Converses<M>,
        ) -> $builder {
            self.get(pattern, $crate::websocket::WebSockets::new(handler))
        }

        /// Serves the files of a folder below `prefix`: a path, or [`Files`](crate::files::Files) to say how. It is there with the feature `files`.
        #[cfg(feature = "files")]
        #[must_use]
        #[track_caller]
        pub fn files(mut self, prefix: &str, files: impl $crate::files::IntoFiles) -> $builder {
            let (routes, get) = (self.routes_mut(), Some(gannet_core::Method::Get));
            match files.into_files() {
                Ok(files) => {
                    let pattern = $crate::routes::below(prefix);
                    routes.routes.endpoint(get, &pattern, files.factory());
                }
                Err(error) => {
                    let place = std::panic::Location::caller();
                    routes.mistakes.push(format!("{place}: {error}"));
                }
            }
            self
        }

        /// Passes what is asked for on `pattern`, by any method, on to another server: its name, or [`Proxy`](crate::Proxy) to say how. It is there with
        /// the feature `proxy`.
        #[cfg(feature = "proxy")]
        #[must_use]
        #[track_caller]
        pub fn proxy(mut self, pattern: &str, proxy: impl $crate::proxy::IntoProxy) -> $builder {
            let (routes, pending) = (self.routes_mut(), $crate::proxy::Pending::new(proxy.into_proxy()));
            routes.routes.endpoint(None, pattern, pending.factory());
            routes.proxies.push(pending);
            self
        }
    };
}
pub(crate) use verbs;

impl Routes {
    verbs!(Routes);

    fn routes_mut(&mut self) -> &mut Routes {
        self
    }

    /// Puts every handler of this host or group behind a filter, which is within those of what it is part of; the first one added is outermost. So is what is
    /// answered where there is no handler: 404, 405 and what OPTIONS is told.
    #[must_use]
    pub fn with<M>(mut self, filter: impl IntoFilter<M>) -> Routes {
        self.routes.filter(filter);
        self
    }

    /// Takes over what others have still to do, and gives back their routes.
    pub(crate) fn absorb(&mut self, other: Routes) -> gannet_server::Routes {
        #[cfg(feature = "proxy")]
        self.proxies.extend(other.proxies);
        self.mistakes.extend(other.mistakes);
        other.routes
    }
}

/// The pattern for everything below a prefix.
#[cfg(any(feature = "files", feature = "mount"))]
pub(crate) fn below(prefix: &str) -> String {
    format!("{}/*", prefix.trim_end_matches('/'))
}
