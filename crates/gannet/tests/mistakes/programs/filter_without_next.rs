//! A filter takes a request only. What comes after it is its second argument: `async |request: Request, next: Next| next.run(request).await`.

use gannet::prelude::*;

async fn log(request: Request) -> Response {
    println!("{}", request.path());
    Response::text("")
}

fn main() {
    let _ = App::new().with(log);
}
