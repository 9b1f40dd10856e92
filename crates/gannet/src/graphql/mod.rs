//! GraphQL: a schema of the crate `async-graphql` on a path, by GraphQL over HTTP, and GraphiQL to explore it.
//!
//! ```no_run
//! use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
//! use gannet::graphql::LimitedSchema;
//! use gannet::prelude::*;
//!
//! struct Query;
//!
//! #[Object]
//! impl Query {
//!     /// A greeting.
//!     async fn hello(&self, name: Option<String>) -> String {
//!         format!("Hello, {}!", name.as_deref().unwrap_or("World"))
//!     }
//! }
//!
//! # async fn run() -> gannet::Result<()> {
//! let schema = Schema::build(Query, EmptyMutation, EmptySubscription).recommended_limits().finish();
//! App::new().graphql("/graphql", schema).run().await
//! # }
//! ```
//!
//! | request | answer |
//! |---|---|
//! | POST, `application/json`: `{"query": ..., "operationName": ..., "variables": {...}}` | the result |
//! | the same in an array of [`BATCH`] at most | an array of results |
//! | GET, `?query=...&operationName=...&variables=...` | the result of a query; a mutation is 405 |
//! | GET by a browser that asks for a page, without a query | GraphiQL, from the program itself |
//! | one for a WebSocket, with the feature `websocket` | subscriptions, by the protocol `graphql-transport-ws` |
//!
//! A result is `application/graphql-response+json`, or `application/json` for who accepts that only, in which any result is 200. What cannot be executed at all (a query
//! that cannot be parsed, a field that is not there) is 400 otherwise. A request that is none (no JSON, no `query`, a batch that is too large) is 400, a body too large 413, one of another type
//! 415: always with `{"errors": [{"message": ...}]}`.

mod answer;
mod graphiql;
mod parameters;
#[cfg(feature = "websocket")]
mod subscriptions;

use std::any::Any;
use std::sync::Arc;

/// The GraphQL library.
pub use async_graphql;
use async_graphql::{BatchRequest, Data, Executor, ObjectType, SchemaBuilder, SubscriptionType};
use gannet_core::{Method, Request, Response, preferred_media_type};

use self::answer::Form;
#[cfg(feature = "websocket")]
pub use self::subscriptions::{ConnectionInit, INIT_TIMEOUT, MESSAGE_BYTES, OPERATIONS};
use crate::App;
use crate::unlisted::Unlisted;

/// The most requests of a batch, unless [`GraphQl::batch`] says otherwise; more are refused with 400.
pub const BATCH: usize = 16;

/// How deep a query may go with [`recommended_limits`](LimitedSchema::recommended_limits); a deeper one is refused. What GraphiQL asks for a schema with is 15 deep.
pub const DEPTH: usize = 20;

/// How complex a query may be with [`recommended_limits`](LimitedSchema::recommended_limits): the sum of its fields, or of what the schema says that each costs;
/// a more complex one is refused. What GraphiQL asks for a schema with has under 200.
pub const COMPLEXITY: usize = 1000;

/// How often a field may bear a directive with [`recommended_limits`](LimitedSchema::recommended_limits); one that bears more is refused.
pub const DIRECTIVES: usize = 16;

/// A schema on its way to [`App::graphql`], and how it is served.
///
/// ```no_run
/// # use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// # use gannet::graphql::GraphQl;
/// # use gannet::prelude::*;
/// # struct Query;
/// # #[Object]
/// # impl Query { async fn one(&self) -> i32 { 1 } }
/// # let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
/// struct User(String);
///
/// // A resolver finds it by `context.data_opt::<Option<User>>()`.
/// let user = |request: &Request| request.field_str("X-User").map(|name| User(name.to_owned()));
/// App::new().graphql("/graphql", GraphQl::new(schema).data(user).graphiql(false));
/// ```
#[derive(Clone)]
pub struct GraphQl<E> {
    executor: E,
    data: Vec<AddData>,
    graphiql: bool,
    batch: usize,
    #[cfg(feature = "websocket")]
    admit: Option<Admit>,
}

type AddData = Arc<dyn Fn(&Request, &mut Data) + Send + Sync>;

#[cfg(feature = "websocket")]
type Admit = Arc<dyn Fn(&ConnectionInit) -> bool + Send + Sync>;

impl<E: Executor> GraphQl<E> {
    /// Serves a schema.
    pub fn new(schema: E) -> GraphQl<E> {
        GraphQl {
            executor: schema,
            data: Vec::new(),
            graphiql: true,
            batch: BATCH,
            #[cfg(feature = "websocket")]
            admit: None,
        }
    }

    /// Gives resolvers what `make` makes of each request: `context.data::<D>()`. There is one of a type. For a subscription the request is the one that asked for the WebSocket.
    #[must_use]
    pub fn data<D: Any + Send + Sync>(
        mut self,
        make: impl Fn(&Request) -> D + Send + Sync + 'static,
    ) -> GraphQl<E> {
        self.data.push(Arc::new(move |request, data| data.insert(make(request))));
        self
    }

    /// Whether browsers get GraphiQL, to explore the schema. By default they do. What it shows, others can ask for: to keep a schema secret, build it with
    /// `disable_introspection`.
    #[must_use]
    pub fn graphiql(mut self, graphiql: bool) -> GraphQl<E> {
        self.graphiql = graphiql;
        self
    }

    /// The most requests of a batch, by default [`BATCH`]; 0: none is taken.
    #[must_use]
    pub fn batch(mut self, most: usize) -> GraphQl<E> {
        self.batch = most;
        self
    }

    /// Lets clients subscribe for whom `admit` says so of what they said when they connected (`connection_init`); others are closed with 4403. By default all are
    /// let in. Resolvers find what was said by `context.data::<ConnectionInit>()`.
    #[cfg(feature = "websocket")]
    #[must_use]
    pub fn admit(mut self, admit: impl Fn(&ConnectionInit) -> bool + Send + Sync + 'static) -> GraphQl<E> {
        self.admit = Some(Arc::new(admit));
        self
    }

    /// Answers a request.
    async fn answer(&self, mut request: Request) -> Response {
        let form = match preferred_media_type(request.field("Accept"), Form::MEDIA_TYPES) {
            Some(index) => Form::ALL[index],
            None => return answer::not_acceptable(),
        };
        let read = match request.method() {
            Method::Post => parameters::of_body(&mut request, self.batch).await,
            _ => parameters::of_query(&mut request).await.map(BatchRequest::Single),
        };
        let mut batch = match read {
            Ok(batch) => batch,
            Err(rejection) => return form.refusal(&rejection),
        };
        if request.method() != Method::Post && batch.iter_mut().any(parameters::is_mutation) {
            return form.mutation_by_get();
        }
        let with_data = |mut query: async_graphql::Request| {
            self.data.iter().for_each(|add| add(&request, &mut query.data));
            query
        };
        let batch = match batch {
            BatchRequest::Single(query) => BatchRequest::Single(with_data(query)),
            BatchRequest::Batch(queries) => BatchRequest::Batch(queries.into_iter().map(with_data).collect()),
        };
        form.result(self.executor.execute_batch(batch).await)
    }
}

/// What [`App::graphql`] takes: a schema, or [`GraphQl`] to say how it is served.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no GraphQL schema",
    note = "a schema is what `async_graphql::Schema::build(..).finish()` makes; `GraphQl::new(schema)` says how it is served"
)]
pub trait IntoGraphQl {
    /// What executes requests.
    type Executor: Executor;

    /// Makes it one.
    fn into_graphql(self) -> GraphQl<Self::Executor>;
}

impl<E: Executor> IntoGraphQl for E {
    type Executor = E;

    fn into_graphql(self) -> GraphQl<E> {
        GraphQl::new(self)
    }
}

impl<E: Executor> IntoGraphQl for GraphQl<E> {
    type Executor = E;

    fn into_graphql(self) -> GraphQl<E> {
        self
    }
}

/// Limits for a schema that anybody may ask: without them a query of some hundred bytes can take a server's whole time.
pub trait LimitedSchema {
    /// Queries may be [`DEPTH`] deep and [`COMPLEXITY`] complex, and a field may bear [`DIRECTIVES`] directives. What is said behind this counts instead.
    #[must_use]
    fn recommended_limits(self) -> Self;
}

impl<Q, M, S> LimitedSchema for SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn recommended_limits(self) -> Self {
        self.limit_depth(DEPTH).limit_complexity(COMPLEXITY).limit_directives(DIRECTIVES)
    }
}

impl App {
    /// Answers GraphQL on `path`, by GET and POST, and with the feature `websocket` subscriptions: a schema, or [`GraphQl`] to say how. GraphiQL's files are below `path`, under `graphiql/`.
    #[must_use]
    #[track_caller]
    pub fn graphql(self, path: &str, graphql: impl IntoGraphQl) -> App {
        let graphql = graphql.into_graphql();
        let app = if graphql.graphiql { graphiql::serve_files(self, path) } else { self };
        let page = graphql.graphiql.then(|| graphiql::page(path)).map(Arc::new);
        let post = graphql.clone();
        #[cfg(feature = "websocket")]
        let options = Arc::new(subscriptions::options());
        let get = move |request: Request| {
            let (graphql, page) = (graphql.clone(), page.clone());
            #[cfg(feature = "websocket")]
            let options = options.clone();
            async move {
                #[cfg(feature = "websocket")]
                if subscriptions::are_wanted(&request) {
                    return subscriptions::answer(graphql, request, options).await;
                }
                match page.filter(|_| graphiql::is_wanted(&request)) {
                    Some(page) => page.answer(&request),
                    None => graphql.answer(request).await,
                }
            }
        };
        let post = move |request: Request| {
            let graphql = post.clone();
            async move { graphql.answer(request).await }
        };
        app.get(path, Unlisted(get)).post(path, Unlisted(post))
    }
}
