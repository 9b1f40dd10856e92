//! The pattern is a `String`: borrow it, `&pattern`.

use gannet::prelude::*;

fn main() {
    let pattern = format!("/{}/users", "v1");
    let _ = App::new().get(pattern, "hello");
}
