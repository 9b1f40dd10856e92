//! `#[gannet::main]` on a function that is not `async`.

use gannet::prelude::*;

#[gannet::main]
fn main() -> gannet::Result<()> {
    let _ = App::new().get("/", "hello");
    Ok(())
}
