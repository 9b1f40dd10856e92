//! A closure captures what belongs to one thread: an `Rc`. Take an `Arc`, or make it with `App::state_per_worker`.

use std::rc::Rc;

use gannet::prelude::*;

fn main() {
    let name = Rc::new(String::from("gannet"));
    let _ = App::new().get("/", move || name.to_string());
}
