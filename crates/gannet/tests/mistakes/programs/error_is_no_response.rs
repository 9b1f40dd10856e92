//! The error of a handler's `Result` is no response. `gannet::Failure` is one for any error (500); or implement `IntoResponse` for an error of your own.

use gannet::prelude::*;

async fn read() -> Result<String, std::num::ParseIntError> {
    let number: u64 = "12".parse()?;
    Ok(number.to_string())
}

fn main() {
    let _ = App::new().get("/", read);
}
