//! A closure changes a variable that it captured, and handlers run at the same time: take an `AtomicU64`, as a `State`.

use gannet::prelude::*;

fn main() {
    let mut visits = 0_u64;
    let _ = App::new().get("/", move || {
        visits += 1;
        visits.to_string()
    });
}
