//! A program with its website inside: one file to install, and nothing beside it.
//!
//! ```text
//! cargo run --release -p example-embed        # then http://127.0.0.1:8080/
//! ```
//! Built for release the files of `site` are in the program. Otherwise they are read from the folder, so that what was edited is seen when the page is loaded again. Either way they are served as
//! those of a folder are: with types, entity tags, conditions, ranges.

use gannet::prelude::*;
use gannet::{Embedded, embed};

static SITE: Embedded = embed!("site");

#[gannet::main]
async fn main() -> gannet::Result<()> {
    app(SITE).listen("127.0.0.1:8080").environment().run().await
}

fn app(site: Embedded) -> App {
    App::new().files("/", site).get("/files", move || {
        site.iter().map(|file| format!("{} {}\n", file.path(), file.bytes().len())).collect::<String>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in a program that was built for release.
    static INSIDE: Embedded = embed!("site", always);

    #[gannet::test]
    async fn the_site_is_served_from_the_program_and_from_its_folder_alike() {
        for site in [INSIDE, SITE] {
            let client = app(site).test();
            let page = client.get("/").send().await;
            page.assert_status(200).assert_text_contains("<h1>Gannets</h1>");
            page.assert_header("Content-Type", "text/html; charset=utf-8");
            let style = client.get("/style.css").send().await;
            style.assert_status(200).assert_header("Content-Type", "text/css; charset=utf-8");
            let tag = style.header("ETag").unwrap_or_default();
            client.get("/style.css").header("If-None-Match", tag).send().await.assert_status(304);
            client.get("/nothing.html").send().await.assert_status(404);
            client.get("/files").send().await.assert_text_contains("index.html ");
        }
    }
}
