//! An `Rc` goes to another thread, for `cpu` computes there.

use std::rc::Rc;

use gannet::prelude::*;

async fn count(request: Request) -> Result<String, gannet::CpuError> {
    let text = Rc::new(request.path().to_owned());
    let length = gannet::cpu(move || text.len()).await?;
    Ok(length.to_string())
}

fn main() {
    let _ = App::new().get("/*", count);
}
