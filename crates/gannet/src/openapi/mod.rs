//! OpenAPI: what an application offers, as a document that programs read (OpenAPI 3.1), and as a page on which people try it.
//!
//! The document is made of the same registration that requests are routed by: [`api`] around a handler has its arguments and its result described, by the
//! types that they are of.
//!
//! ```no_run
//! use gannet::openapi::{Info, JsonSchema, api, schemars};
//! use gannet::prelude::*;
//! use gannet::{Json, Path};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Task {
//!     /// What is to be done.
//!     title: String,
//! }
//!
//! async fn create(task: Json<Task>) -> (Status, Json<Task>) {
//!     (Status::CREATED, task)
//! }
//!
//! fn show(id: Path<u64>) -> Result<Json<Task>, Rejection> {
//!     Err(Rejection::new(Status::NOT_FOUND, format!("there is no task {}", *id)))
//! }
//!
//! # async fn run() -> gannet::Result<()> {
//! App::new()
//!     .post("/tasks", api(create).summary("Adds a task").tag("tasks").status(201))
//!     .get("/tasks/:id", api(show).summary("Shows a task").tag("tasks").problem(404))
//!     .openapi("/openapi.json", Info::new("Tasks", "1.0").try_page("/docs"))
//!     .run()
//!     .await
//! # }
//! ```
//!
//! What `T` is in a `Json<T>`, a `Query<T>` or a `Path<T>` its [`JsonSchema`] says, which is derived: doc comments become descriptions, and what serde is told
//! (`rename`, `default`, `skip`) counts. What the derive writes names `schemars`, so that has to be in scope. A handler without [`api`] is there, too, with its method, its path and the path's parameters.

mod api;
mod arguments;
mod document;
mod functions;
mod info;
mod operation;
mod page;
mod responses;
mod schemas;

use std::sync::{Arc, OnceLock};

use gannet_core::{Request, Response, Status};
/// The library that schemas are made by.
pub use schemars;
/// Says what JSON a type is (derive it).
pub use schemars::JsonSchema;

pub use api::{Api, api};
pub use functions::Described;
pub use info::Info;
pub use operation::{DescribeArgument, DescribeResponse, Operation};

use crate::App;
use crate::asset::Asset;
use crate::unlisted::Unlisted;

/// A document that is to be made when the application is built.
pub(crate) struct Pending {
    info: Info,
    document: Arc<OnceLock<Asset>>,
}

impl App {
    /// Answers GET on `path` with the OpenAPI document of this application's routes: those that no host names, and but for what `Info` leads to. It is made once, when the
    /// application is built.
    ///
    /// What OpenAPI 3.1 has no words for is left out: handlers for any method or for QUERY, and patterns that end in a wildcard without a name, as those of
    /// files have.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is made for this call: a builder that is borrowed reads worse"
    )]
    #[must_use]
    #[track_caller]
    pub fn openapi(mut self, path: &str, info: Info) -> App {
        let document = Arc::<OnceLock<Asset>>::default();
        self.documents.push(Pending { info: info.clone(), document: document.clone() });
        let answer = move |request: Request| match document.get() {
            Some(document) => document.answer(&request),
            // It is set before anything is served.
            None => Response::new(Status::SERVICE_UNAVAILABLE),
        };
        let app = self.get(path, Unlisted(answer));
        match &info.page {
            Some(page) => page::serve(app, page, path, &info),
            None => app,
        }
    }

    /// Makes the documents, now that all routes are known.
    pub(crate) fn describe(&mut self) {
        for Pending { info, document } in std::mem::take(&mut self.documents) {
            match document::document(&info, self.routes.routes.registered()) {
                Ok(made) => {
                    // Each cell is set here, once.
                    let _ = document.set(Asset::json(made.to_string()));
                }
                Err(mistakes) => self.routes.mistakes.extend(mistakes),
            }
        }
    }
}

#[cfg(test)]
mod tests;
