//! A state is an argument as it is: it is `State<Database>`.

use std::sync::Arc;

use gannet::prelude::*;

struct Database;

async fn index(database: Arc<Database>) -> &'static str {
    let _ = database;
    "hello"
}

fn main() {
    let _ = App::new().state(Database).get("/", index);
}
