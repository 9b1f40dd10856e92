//! A closure borrows a variable of the function around it, which is gone when requests come: write `move`.

use gannet::prelude::*;

fn app() -> App {
    let greeting = String::from("hello");
    App::new().get("/", || greeting.clone())
}

fn main() {
    let _ = app();
}
