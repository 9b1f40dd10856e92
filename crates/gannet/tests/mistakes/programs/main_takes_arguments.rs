//! `#[gannet::main]` on a function with arguments: those of the program are in `std::env::args()`.

use gannet::prelude::*;

#[gannet::main]
async fn main(port: u16) -> gannet::Result<()> {
    App::new().get("/", "hello").listen(("127.0.0.1", port)).run().await
}
