//! `?` in a handler that returns no `Result`.

use gannet::prelude::*;

async fn read() -> String {
    let number: u64 = "12".parse()?;
    number.to_string()
}

fn main() {
    let _ = App::new().get("/", read);
}
