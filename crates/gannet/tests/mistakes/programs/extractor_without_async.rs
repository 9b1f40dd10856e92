//! An extractor of one's own whose `from_request` is not `async`.

use gannet::prelude::*;
use gannet::FromRequest;

struct Path(String);

impl FromRequest for Path {
    fn from_request(request: &mut Request) -> Result<Path, Rejection> {
        Ok(Path(request.path().to_owned()))
    }
}

fn main() {
    let _ = App::new().get("/*", |path: Path| path.0);
}
