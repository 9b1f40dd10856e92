//! `IntoResponse` for a type of another crate: neither is ours. Wrap it into a type of your own.

use std::time::Duration;

use gannet::prelude::*;

impl IntoResponse for Duration {
    fn into_response(self) -> Response {
        Response::text(format!("{} ms", self.as_millis()))
    }
}

fn main() {
    let _ = App::new().get("/", || Duration::from_secs(1));
}
