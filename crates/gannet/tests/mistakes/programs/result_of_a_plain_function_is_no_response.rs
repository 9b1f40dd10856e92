//! The same in a plain function, with a type of one's own.

use gannet::prelude::*;

struct Total(u64);

fn total() -> Total {
    Total(3)
}

fn main() {
    let _ = App::new().get("/total", total);
}
