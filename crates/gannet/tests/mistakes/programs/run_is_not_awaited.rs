//! `run()` without `.await` runs nothing.

#![deny(unused_must_use)]

use gannet::prelude::*;

#[gannet::main]
async fn main() -> gannet::Result<()> {
    App::new().get("/", "hello").run();
    Ok(())
}
