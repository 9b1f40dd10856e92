//! What `get` returns is thrown away: it gives the application back, `app = app.get(..)`.

#![deny(unused_must_use)]

use gannet::prelude::*;

#[gannet::main]
async fn main() -> gannet::Result<()> {
    let app = App::new();
    app.get("/", "hello");
    Ok(())
}
