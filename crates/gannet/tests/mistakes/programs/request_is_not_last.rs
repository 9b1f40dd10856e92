//! The `Request` is not the last argument. It takes all that there is, so nothing can be made of it afterwards.

use gannet::prelude::*;

async fn show(request: Request, visits: State<u64>) -> String {
    format!("{} of {}", request.path(), *visits)
}

fn main() {
    let _ = App::new().state(1_u64).get("/", show);
}
