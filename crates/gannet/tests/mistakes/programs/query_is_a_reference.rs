//! A query is taken as borrowed text.

use gannet::prelude::*;

async fn search(query: Query<&str>) -> String {
    format!("no {}", query.0)
}

fn main() {
    let _ = App::new().get("/search", search);
}
