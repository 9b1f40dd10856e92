//! Files inside the program, and the same while developing.

use gannet::prelude::*;
use gannet::{Embedded, embed};

/// In the folder, since tests are built for developing; and in the program.
static ALL: [Embedded; 2] = [embed!("tests/embedded"), embed!("tests/embedded", always)];

#[test]
fn files_are_found_by_their_paths_and_hidden_ones_are_not() {
    for embedded in &ALL {
        let page = embedded.get("index.html").expect("it is there");
        assert_eq!(page.text(), Some("<h1>hello</h1>\n"));
        assert_eq!(page.content_type(), "text/html; charset=utf-8");
        let paths: Vec<String> = embedded.iter().map(|file| file.path().to_owned()).collect();
        assert_eq!(paths, ["css/page.css", "index.html"]);
        for path in
            [".hidden", "nothing", "css", "css/", "", "/index.html", "../embed.rs", "css/../index.html"]
        {
            assert_eq!(embedded.get(path), None, "{path}");
        }
    }
    assert_eq!(ALL[0].get("css/page.css"), ALL[1].get("css/page.css"));
}

#[gannet::test]
async fn they_are_served_with_tags_conditions_and_ranges() {
    for embedded in ALL {
        let client = App::new().files("/", embedded).test();
        let page = client.get("/").send().await;
        page.assert_status(200).assert_text("<h1>hello</h1>\n");
        page.assert_header("Content-Type", "text/html; charset=utf-8");
        let tag = embedded.get("index.html").expect("it is there").entity_tag();
        page.assert_header("ETag", &tag);
        client.get("/index.html").header("If-None-Match", &tag).send().await.assert_status(304);
        client.get("/index.html").header("If-Match", "\"other\"").send().await.assert_status(412);
        let part = client.get("/css/page.css").header("Range", "bytes=0-3").send().await;
        part.assert_status(206).assert_text("body").assert_header("Content-Range", "bytes 0-3/22");
        let parts = client.get("/css/page.css").header("Range", "bytes=0-0,-1").send().await;
        assert!(matches!(parts.status(), 200 | 206), "{parts}");
        client.get("/css").send().await.assert_status(308).assert_header("Location", "/css/");
        client.head("/css/page.css").send().await.assert_status(200).assert_header("Content-Length", "22");
        for missing in ["/.hidden", "/nothing", "/css/", "/css/%2e%2e/index.html"] {
            client.get(missing).send().await.assert_status(404);
        }
    }
}

#[gannet::test]
async fn files_of_the_program_have_no_date() {
    let client = App::new().files("/", ALL[1]).test();
    let page =
        client.get("/index.html").header("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT").send().await;
    page.assert_status(200).assert_no_header("Last-Modified");
}
