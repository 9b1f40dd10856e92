//! A filter is a plain function, and cannot await what `next` answers.

use gannet::prelude::*;

fn refuse(_: Request, _: Next) -> Response {
    Status::FORBIDDEN.into_response()
}

fn main() {
    let _ = App::new().with(refuse);
}
