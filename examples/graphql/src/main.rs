//! Sightings of birds, by GraphQL: queries, mutations, subscriptions, what a request says to resolvers, and limits on what may be asked.
//!
//! `cargo run -p example-graphql`, then open <http://127.0.0.1:8080/graphql> in a browser: that is GraphiQL. Or ask without one:
//!
//! ```sh
//! curl http://127.0.0.1:8080/graphql -H 'Content-Type: application/json' -d '{"query": "{ birds { name sightings { place } } }"}'
//! ```
//!
//! There, `subscription { seen { place count } }` in one window shows what `mutation { report(report: {bird: "gannet", place: "here"}) { place } }` in another reports.
//!
//! `GANNET_LISTEN` says another address.

mod schema;
#[cfg(test)]
mod tests;

use gannet::Redirect;
use gannet::graphql::GraphQl;
use gannet::prelude::*;

use crate::schema::{Observer, schema};

/// The application: `main` serves it, and the tests ask it.
fn app() -> App {
    // Who watches is said by each request, and resolvers find it.
    let observer =
        |request: &Request| Observer(request.field_str("X-Observer").unwrap_or("somebody").to_owned());
    App::new().get("/", Redirect::to("/graphql")).graphql("/graphql", GraphQl::new(schema()).data(observer))
}

#[gannet::main]
async fn main() -> gannet::Result<()> {
    tracing_subscriber::fmt().init();
    app().listen("127.0.0.1:8080").environment().run().await
}
