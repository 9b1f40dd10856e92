//! `?` on an error that the handler's own cannot be made of: say which it is to be, `.map_err(|_| Status::NOT_FOUND)?`.

use gannet::prelude::*;

async fn read() -> Result<String, Status> {
    let text = std::fs::read_to_string("motd")?;
    Ok(text)
}

fn main() {
    let _ = App::new().get("/", read);
}
