//! A task manager: REST on SQLite, with what clients of such a service rely on.
//!
//! ```text
//! cargo run -p example-tasks            # then http://127.0.0.1:8080/docs in a browser, or:
//! curl -i 127.0.0.1:8080/tasks --json '{"title": "Feed the birds", "due": "2026-12-01"}'
//! ```
//! The tasks are in memory, and gone when the program ends; `TASKS_DATABASE=tasks.sqlite` keeps them in that file.
//!
//! Watch for four things. What is wrong with a request is told as problem details (RFC 9457), all of it at once, by the names of the fields. A
//! change may say for which version of a task it is meant (`If-Match`), so that nobody overwrites what he has not seen. A page begins where the
//! last one ended, and is found by an index however far back it is; the field `Link` leads to the next. And the description of it all, at
//! `/openapi.json`, is made of the types that read the requests: it cannot say anything else.

mod database;
mod error;
mod page;
mod precondition;
mod task;
#[cfg(test)]
mod tests;

use std::path::Path as FilePath;

use gannet::filters::ErrorPages;
use gannet::openapi::{Info, api};
use gannet::prelude::*;
use gannet::{Json, Path, Query, Redirect};
use sqlx::SqlitePool;

use crate::error::Error;
use crate::page::{Page, Selection};
use crate::precondition::IfMatch;
use crate::task::{Change, Created, Id, NewTask, Task};

#[gannet::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let file = std::env::var_os("TASKS_DATABASE");
    let database = database::open(file.as_deref().map(FilePath::new)).await?;
    app(database).listen("127.0.0.1:8080").environment().run().await?;
    Ok(())
}

/// The service, on whatever database: the tests have one of their own.
fn app(database: SqlitePool) -> App {
    App::new()
        // What the server itself says of errors (404, 405) is told as those of the handlers are.
        .with(ErrorPages::new().problems())
        .group("/tasks", |tasks| {
            tasks
                .get("/", api(list).summary("Lists tasks"))
                .post("/", api(create).summary("Adds a task").problem(409))
                .get("/:id", api(read).summary("Shows a task").problem(404))
                .put("/:id", api(replace).summary("Replaces a task").problem(404).problem(409).problem(412))
                .patch(
                    "/:id",
                    api(change).summary("Changes parts of a task").problem(404).problem(409).problem(412),
                )
                .delete("/:id", api(delete).summary("Removes a task").problem(404).problem(412))
        })
        .get("/", Redirect::to("/docs"))
        .openapi("/openapi.json", Info::new("Tasks", "1.0").try_page("/docs"))
        .state(database)
}

async fn list(database: State<SqlitePool>, selection: Query<Selection>) -> Result<Page, Error> {
    selection.check()?;
    Ok(database::list(&database, selection.0).await?)
}

async fn create(database: State<SqlitePool>, task: Json<NewTask>) -> Result<Created, Error> {
    task.check()?;
    Ok(Created(database::insert(&database, &task).await?))
}

async fn read(database: State<SqlitePool>, id: Path<Id>) -> Result<Task, Error> {
    database::find(database.get(), *id).await?.ok_or(Error::NoSuchTask)
}

async fn replace(
    database: State<SqlitePool>,
    id: Path<Id>,
    condition: IfMatch,
    new: Json<NewTask>,
) -> Result<Task, Error> {
    new.check()?;
    database::update(&database, *id, &condition, |task| task.replace(new.0)).await
}

async fn change(
    database: State<SqlitePool>,
    id: Path<Id>,
    condition: IfMatch,
    change: Json<Change>,
) -> Result<Task, Error> {
    change.check()?;
    database::update(&database, *id, &condition, |task| task.apply(change.0)).await
}

async fn delete(database: State<SqlitePool>, id: Path<Id>, condition: IfMatch) -> Result<(), Error> {
    database::delete(&database, *id, &condition).await
}
