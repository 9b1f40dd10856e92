//! `.await` in a function that is not `async`.

use gannet::prelude::*;

async fn name() -> String {
    String::from("gannet")
}

fn greet() -> String {
    format!("hello, {}", name().await)
}

fn main() {
    let _ = App::new().get("/", greet);
}
