//! A filter returns the request that it changed: it hands it on, `next.run(request).await`, and returns the response.

use gannet::prelude::*;

async fn rewrite(mut request: Request, _: Next) -> Request {
    let _ = request.set_target("/new");
    request
}

fn main() {
    let _ = App::new().with(rewrite);
}
