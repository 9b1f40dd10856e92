//! Directories, listings, single pages, and error pages.

use std::time::Duration;

use gannet_core::{Response, Status};

use crate::files::world::{Served, field, text};

fn location(response: &Response) -> Option<&str> {
    field(response, "location")
}

#[test]
fn the_first_index_that_is_a_file_is_the_directory_s() {
    let served = Served::new(|files| files.indexes(["index.html", "index.htm", "default.txt"]));
    let world = &served.world;
    world.make_directory("d");
    world.write("d/default.txt", "third", 1);
    assert_eq!(text(served.get("/d/")), "third");
    world.write("d/index.htm", "second", 1);
    served.world.now.set(Duration::from_secs(1));
    assert_eq!(text(served.get("/d/")), "second");
    world.make_directory("d/index.html");
    served.world.now.set(Duration::from_secs(2));
    assert_eq!(text(served.get("/d/")), "second", "a directory is no index");
    world.write("d/index.html", "first", 1);
    served.world.now.set(Duration::from_secs(3));
    let first = served.get("/d/");
    assert_eq!(field(&first, "content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(text(first), "first");
    world.deny("d/index.html");
    served.world.now.set(Duration::from_secs(4));
    assert_eq!(served.get("/d/").status(), Status::FORBIDDEN, "it is there, and not for us");
}

#[test]
fn an_index_has_conditions_ranges_and_codings_as_any_file() {
    let served = Served::new(|files| files);
    served.world.write("index.html", "page ".repeat(200), 1);
    let coded = served.get_with("/", &[("Accept-Encoding", "gzip")]);
    assert_eq!(field(&coded, "content-encoding"), Some("gzip"));
    assert_eq!(text(served.get_with("/", &[("Range", "bytes=0-3")])), "page");
    let tag = field(&served.get("/"), "etag").map(str::to_owned).expect("a tag");
    assert_eq!(served.get_with("/", &[("If-None-Match", &tag)]).status(), Status::NOT_MODIFIED);
    assert_eq!(field(&served.get("/index.html"), "etag"), Some(&*tag));
}

#[test]
fn a_redirect_to_the_slash_stays_on_the_site_and_keeps_the_query() {
    let served = Served::new(|files| files);
    for name in ["docs", "a b", "docs/sub", "\\evil.example", "evil.example", "..", "."] {
        served.world.make_directory(name);
    }
    for (target, expected) in [
        ("/docs", "/docs/"),
        ("/docs?a=b&c=/..//", "/docs/?a=b&c=/..//"),
        ("/docs?", "/docs/?"),
        ("/d%6Fcs", "/d%6Fcs/"),
        ("/docs/sub?x", "/docs/sub/?x"),
        ("/a%20b", "/a%20b/"),
        ("/%5Cevil.example", "/%5Cevil.example/"),
        ("/\\evil.example", "/%5Cevil.example/"),
    ] {
        let redirect = served.get(target);
        assert_eq!(redirect.status(), Status::PERMANENT_REDIRECT, "{target}");
        assert_eq!(location(&redirect), Some(expected), "{target}");
    }
    for target in [
        "//evil.example",
        "///evil.example",
        "//evil.example/..",
        "//evil.example/%2e%2e",
        "/%2fevil.example",
        "/%2F%2Fevil.example",
        "/docs//",
        "/docs/..//evil.example",
        "/.//evil.example",
        "/..//evil.example/",
        "/docs%0d%0aLocation:%20x",
        "/%09/evil.example",
    ] {
        let response = served.get(target);
        assert_eq!((response.status(), location(&response)), (Status::NOT_FOUND, None), "{target}");
    }
}

#[test]
fn a_file_asked_for_with_a_slash_and_a_file_s_inside_are_not_found() {
    let served = Served::new(|files| files);
    served.world.write("a.txt", "a", 1);
    for target in ["/a.txt/", "/a.txt/b", "/a.txt/index.html"] {
        assert_eq!(served.get(target).status(), Status::NOT_FOUND, "{target}");
    }
}

#[test]
fn a_directory_is_listed_only_when_that_is_wished_and_it_has_no_index() {
    let (plain, listing) = (Served::new(|files| files), Served::new(|files| files.listing(true)));
    for served in [&plain, &listing] {
        served.world.make_directory("d");
        served.world.write("d/page.txt", "p", 1);
        served.world.write("d/.secret", "s", 1);
        served.world.make_directory("d/.git");
    }
    assert_eq!(plain.get("/d/").status(), Status::NOT_FOUND);
    let page = listing.get("/d/");
    assert_eq!(field(&page, "content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(field(&page, "vary"), Some("Accept"));
    let page = text(page);
    assert!(page.contains("page.txt") && !page.contains(".secret") && !page.contains(".git"), "{page}");
    let json = listing.get_with("/d/", &[("Accept", "application/json")]);
    assert_eq!(
        (field(&json, "content-type"), field(&json, "vary")),
        (Some("application/json"), Some("Accept"))
    );
    let json = text(json);
    assert!(json.contains("page.txt") && !json.contains(".secret") && !json.contains(".git"), "{json}");
    assert_eq!(location(&listing.get("/d")), Some("/d/"));
    listing.world.write("d/index.html", "index", 1);
    assert_eq!(text(listing.get("/d/")), "index");
}

#[test]
fn an_application_of_a_single_page_answers_its_own_paths_and_no_missing_asset() {
    let served = Served::new(|files| files.single_page(true));
    let world = &served.world;
    world.write("index.html", "the app", 1);
    world.write("about.html", "about", 1);
    world.make_directory("assets");
    world.deny("private");
    for target in ["/", "/users", "/users/7?tab=2", "/users/", "/assets/", "/v1.2/users", "/.well-known/x"] {
        let response = served.get(target);
        assert_eq!(field(&response, "cache-control"), Some("no-cache"), "{target}");
        assert_eq!(text(response), "the app", "{target}");
    }
    for target in
        ["/app.js", "/assets/logo.png", "/users/7.json", "/.env", "/a/../b", "/a%00", "/a//b", "/%2e%2e/x"]
    {
        assert_eq!(served.get(target).status(), Status::NOT_FOUND, "{target}");
    }
    assert_eq!(text(served.get("/about.html")), "about");
    assert_eq!(served.get("/private").status(), Status::FORBIDDEN);
    assert_eq!(served.ask("HEAD", "/users", &[]).status(), Status::OK);
    let tag = field(&served.get("/users"), "etag").map(str::to_owned).expect("a tag");
    assert_eq!(served.get_with("/users", &[("If-None-Match", &tag)]).status(), Status::NOT_MODIFIED);
}

#[test]
fn a_single_page_that_is_missing_is_not_found_and_no_listing_stands_in_for_it() {
    for listing in [false, true] {
        let served = Served::new(|files| files.single_page(true).listing(listing));
        served.world.write("private.txt", "p", 1);
        assert_eq!(served.get("/users").status(), Status::NOT_FOUND);
    }
}

#[test]
fn an_error_is_answered_with_the_root_s_page_for_it_and_stays_an_error() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for status in ["404", "403", "503"] {
        world.write(&format!("{status}.html"), format!("page {status}"), 1);
    }
    world.deny("mine");
    world.break_file("broken");
    for (target, status) in [("/none", 404), ("/mine", 403), ("/broken", 503), ("/.env", 404), ("/a//b", 404)]
    {
        let response = served.get(target);
        assert_eq!(response.status().code(), status, "{target}");
        assert_eq!(field(&response, "content-type"), Some("text/html; charset=utf-8"));
        for name in ["etag", "last-modified", "accept-ranges", "content-encoding"] {
            assert_eq!(field(&response, name), None, "{name} is the error page's and not the resource's");
        }
        assert_eq!(text(response), format!("page {status}"));
    }
    // Conditions and ranges are for what was asked for, which is not there.
    let fields = [("If-None-Match", "*"), ("Range", "bytes=0-0"), ("Accept-Encoding", "gzip")];
    let response = served.get_with("/none", &fields);
    assert_eq!(response.status(), Status::NOT_FOUND);
    assert_eq!(text(response), "page 404");
    assert_eq!(served.get("/404.html").status(), Status::OK, "asked for by its name it is a file");
}

#[test]
fn an_error_page_that_is_a_directory_denied_or_missing_is_not_used() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.make_directory("404.html");
    world.write("404.html/index.html", "no", 1);
    world.deny("403.html");
    world.deny("mine");
    assert_eq!(text(served.get("/none")), "404 Not Found\n");
    assert_eq!(text(served.get("/mine")), "403 Forbidden\n");
    let off = Served::new(|files| files.error_pages(false));
    off.world.write("404.html", "no", 1);
    assert_eq!(text(off.get("/none")), "404 Not Found\n");
}

#[test]
fn an_error_page_may_be_of_any_size() {
    let served = Served::new(|files| files);
    served.world.write("404.html", vec![b'a'; 100_000], 1);
    let response = served.get("/none");
    assert_eq!((response.status(), text(response).len()), (Status::NOT_FOUND, 100_000));
}
