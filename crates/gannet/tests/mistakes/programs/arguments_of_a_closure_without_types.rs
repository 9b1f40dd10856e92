//! The arguments of a closure have no types, and those say what to make of the request.

use gannet::prelude::*;

fn main() {
    let _ = App::new().get("/", |request| "hello");
}
