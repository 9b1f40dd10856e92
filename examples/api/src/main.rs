//! A JSON API whose data is in memory: what is made of a request is in its handlers' arguments, and what goes wrong is told by their types.
//!
//! ```text
//! cargo run -p example-api             # then:
//! curl -i 127.0.0.1:8080/birds --json '{"name": "gannet", "wingspan_cm": 180}'
//! curl -i 127.0.0.1:8080/birds/1
//! ```

mod birds;
#[cfg(test)]
mod tests;

use gannet::prelude::*;
use gannet::{Created, NoContent};
use serde::Deserialize;

use crate::birds::{Bird, Birds, Listed};

#[gannet::main]
async fn main() -> gannet::Result<()> {
    app().listen("127.0.0.1:8080").environment().run().await
}

fn app() -> App {
    App::new()
        .group("/birds", |birds| {
            birds.get("/", list).post("/", add).get("/:id", show).put("/:id", replace).delete("/:id", remove)
        })
        .state(Birds::default())
}

/// What of a list is asked for: `?wider_than_cm=100&limit=10`.
#[derive(Deserialize)]
struct Selection {
    #[serde(default)]
    wider_than_cm: u32,
    /// At most so many.
    #[serde(default = "Selection::default_limit")]
    limit: u8,
}

impl Selection {
    fn default_limit() -> u8 {
        20
    }
}

async fn list(birds: State<Birds>, selection: Query<Selection>) -> Json<Vec<Listed>> {
    Json(birds.list(selection.wider_than_cm, usize::from(selection.limit)))
}

async fn add(birds: State<Birds>, bird: Json<Bird>) -> Created<Json<Listed>> {
    let listed = birds.add(bird.0);
    Created::at(format!("/birds/{}", listed.id), Json(listed))
}

/// What is not there is 404.
async fn show(birds: State<Birds>, id: Path<u64>) -> Option<Json<Listed>> {
    birds.find(*id).map(Json)
}

async fn replace(birds: State<Birds>, id: Path<u64>, bird: Json<Bird>) -> Result<Json<Listed>, Rejection> {
    birds.replace(*id, bird.0).map(Json).ok_or_else(|| no_such_bird(*id))
}

async fn remove(birds: State<Birds>, id: Path<u64>) -> Result<NoContent, Rejection> {
    if birds.remove(*id) { Ok(NoContent) } else { Err(no_such_bird(*id)) }
}

/// An answer of the same kind as those to requests that cannot be read.
fn no_such_bird(id: u64) -> Rejection {
    Rejection::new(Status::NOT_FOUND, format!("There is no bird {id}."))
}
