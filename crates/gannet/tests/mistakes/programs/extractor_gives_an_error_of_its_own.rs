//! An extractor of one's own gives an error that is no `Rejection`.

use gannet::prelude::*;
use gannet::FromRequest;

struct ApiKey(String);

impl FromRequest for ApiKey {
    async fn from_request(request: &mut Request) -> Result<ApiKey, Status> {
        let key = request.field_str("X-Api-Key").ok_or(Status::UNAUTHORIZED)?;
        Ok(ApiKey(key.to_owned()))
    }
}

fn main() {
    let _ = App::new().get("/", |key: ApiKey| key.0);
}
