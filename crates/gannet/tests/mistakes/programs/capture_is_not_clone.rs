//! A closure captures what is not `Clone`, and each worker makes its own instance of a handler from a clone: put it into an `Arc`, or make it a `State`.

use std::sync::Mutex;

use gannet::prelude::*;

fn main() {
    let visits = Mutex::new(0);
    let _ = App::new().get("/", move || {
        *visits.lock().unwrap() += 1;
        "counted"
    });
}
