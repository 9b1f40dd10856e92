//! An argument of a handler is borrowed. Arguments are made for the handler, which owns them: take the `Request` itself.

use gannet::prelude::*;

fn path(request: &Request) -> String {
    request.path().to_owned()
}

fn main() {
    let _ = App::new().get("/*", path);
}
