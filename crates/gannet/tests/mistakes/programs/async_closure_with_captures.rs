//! An async closure uses a captured value, which its futures would have to borrow from it. Give each a clone, or make the value a `State`:
//! `move || { let greeting = greeting.clone(); async move { greeting } }`.

use gannet::prelude::*;

fn main() {
    let greeting = String::from("hello");
    let _ = App::new().get("/", async move || greeting.clone());
}
