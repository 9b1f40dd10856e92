//! A value that is no response is given as the handler.

use gannet::prelude::*;

fn main() {
    let _ = App::new().get("/answer", 42);
}
