//! A state is taken apart, as axum's is: `State(database)`. It stays where all workers have it: take `database: State<Database>`, and `database.get()` or `*database` is the value.

use gannet::prelude::*;

struct Database;

async fn index(State(database): State<Database>) -> &'static str {
    let _ = database;
    "hello"
}

fn main() {
    let _ = App::new().state(Database).get("/", index);
}
