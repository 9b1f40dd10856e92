//! The files feature over a file system, processors and a clock of the test's own.

mod files {
    mod codings;
    mod conditions;
    mod folders;
    mod keeping;
    mod kinds;
    mod ranges;
    pub mod world;
}

use std::os::unix::fs::FileExt;
use std::time::Duration;

use files::world::{Served, text};
use gannet_core::{Body, Counter, Status};
use gannet_features::files::Files;

#[test]
fn a_small_file_is_opened_once_a_second_at_most_and_read_again_when_it_changed() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("a.txt", "first", 1);
    for _ in 0..3 {
        assert_eq!(text(served.get("/a.txt")), "first");
    }
    assert_eq!(world.opened.get(), 1);
    world.write("a.txt", "later", 2);
    world.now.set(Duration::from_millis(999));
    assert_eq!(text(served.get("/a.txt")), "first");
    world.now.set(Duration::from_millis(1000));
    assert_eq!(text(served.get("/a.txt")), "later");
    assert_eq!(world.opened.get(), 2);
    world.now.set(Duration::from_millis(2500));
    assert_eq!(text(served.get("/a.txt")), "later");
    assert_eq!(text(served.get("/a.txt")), "later");
    assert_eq!((world.opened.get(), world.read.get()), (3, 2), "unchanged: answered without reading");
    let counted =
        [Counter::MemoryHit, Counter::MemoryMiss].map(|counter| world.counted[counter as usize].get());
    assert_eq!(counted, [5, 2], "and those who watch the server are told");
}

#[test]
fn a_file_that_is_gone_is_not_found_within_a_second() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("a.txt", "here", 1);
    assert_eq!(served.get("/a.txt").status(), Status::OK);
    world.remove("a.txt");
    world.now.set(Duration::from_secs(1));
    assert_eq!(served.get("/a.txt").status(), Status::NOT_FOUND);
}

#[test]
fn a_large_file_is_described_and_not_read() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("big.bin", vec![7; 100_000], 1);
    let response = served.get("/big.bin");
    assert_eq!(response.fields().get("content-type"), Some(&b"application/octet-stream"[..]));
    let Body::File(file, range) = response.body() else { panic!("{:?}", response.body()) };
    let mut last = [0];
    file.read_exact_at(&mut last, range.end - 1).expect("the file is as long as it says");
    assert_eq!((range.clone(), last), (0..100_000, [7]));
}

#[test]
fn text_is_said_to_be_utf_8_and_other_kinds_are_what_their_names_say() {
    let served = Served::new(|files| files);
    let world = &served.world;
    let kinds = [
        ("page.html", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("code.js", "text/javascript; charset=utf-8"),
        ("logo.svg", "image/svg+xml"),
        ("data.json", "application/json"),
        ("module.wasm", "application/wasm"),
        ("none", "application/octet-stream"),
    ];
    for (name, kind) in kinds {
        world.write(name, "x", 1);
        let response = served.get(&format!("/{name}"));
        assert_eq!(response.fields().get("content-type"), Some(kind.as_bytes()), "{name}");
    }
}

#[test]
fn a_directory_is_answered_with_its_index_or_redirected_to_its_slash() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.make_directory("docs");
    world.make_directory("empty");
    world.write("index.html", "root", 1);
    world.write("docs/index.html", "docs", 1);
    assert_eq!(text(served.get("/")), "root");
    assert_eq!(text(served.get("/docs/?a=b")), "docs");
    assert_eq!(served.get("/empty/").status(), Status::NOT_FOUND);
    let redirect = served.get("/docs?a=b");
    assert_eq!(redirect.status(), Status::PERMANENT_REDIRECT);
    assert_eq!(redirect.fields().get("location"), Some(&b"/docs/?a=b"[..]));
}

#[test]
fn what_cannot_be_opened_is_told_apart_and_what_may_not_is_never_asked_for() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.deny("mine");
    world.break_file("broken");
    assert_eq!(served.get("/mine").status(), Status::FORBIDDEN);
    assert_eq!(served.get("/broken").status(), Status::SERVICE_UNAVAILABLE);
    let asked = world.opened.get();
    for target in ["/.git/config", "/a/../b", "/%2e%2e/etc/passwd", "//evil.example", "/a%00", "/a%2Fb"] {
        assert_eq!(served.get(target).status(), Status::NOT_FOUND, "{target}");
    }
    assert_eq!(world.opened.get(), asked);
}

#[test]
fn a_folder_that_cannot_be_served_is_named_with_the_way_out() {
    let missing = Files::open("/no/such/folder").expect_err("it does not exist").to_string();
    assert_eq!(missing, "there is no folder /no/such/folder; name one that exists, or create it");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let not_a_folder = Files::open(file.path()).expect_err("it is a file").to_string();
    assert!(not_a_folder.ends_with("is not a folder; name the folder that holds it"), "{not_a_folder}");
}
