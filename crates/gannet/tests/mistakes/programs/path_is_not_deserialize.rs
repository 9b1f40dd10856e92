//! Parameters of the path are taken as a struct that is not `Deserialize`.

use gannet::prelude::*;

struct Post {
    year: u16,
    slug: String,
}

async fn show(post: Path<Post>) -> String {
    format!("{} of {}", post.slug, post.year)
}

fn main() {
    let _ = App::new().get("/:year/:slug", show);
}
