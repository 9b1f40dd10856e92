//! A state that all workers share is a `RefCell`. Take a `Mutex`, or give each worker its own: `App::state_per_worker`.

use std::cell::RefCell;

use gannet::prelude::*;

fn main() {
    let _ = App::new().state(RefCell::new(Vec::<String>::new()));
}
