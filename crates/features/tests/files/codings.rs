//! Content codings: RFC 9110, 8.4 and 12.5.3; side files; compression on the fly.

use std::io::Read;
use std::time::Duration;

use gannet_core::{Response, Status};

use crate::files::world::{Served, Waiting, content, field};

const CODINGS: [(&str, &str); 3] = [("br", ".br"), ("zstd", ".zst"), ("gzip", ".gz")];

fn text(length: usize) -> String {
    let mut text: String = (0..length / 20 + 2).map(|n| format!("line {n}, like others\n")).collect();
    text.truncate(length);
    text
}

/// Bytes that no compressor makes smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    (0..length).map(next).collect()
}

fn accepting(served: &Served, target: &str, codings: &str) -> Response {
    served.get_with(target, &[("Accept-Encoding", codings)])
}

fn encoding(response: &Response) -> &str {
    field(response, "content-encoding").unwrap_or("identity")
}

fn decoded(response: Response) -> Vec<u8> {
    let coding = encoding(&response).to_owned();
    let coded = content(response);
    let mut plain = Vec::new();
    match &*coding {
        "br" => brotli::BrotliDecompress(&mut &*coded, &mut plain).expect("brotli"),
        "zstd" => zstd::stream::copy_decode(&*coded, &mut plain).expect("zstd"),
        "gzip" => drop(flate2::read::GzDecoder::new(&*coded).read_to_end(&mut plain).expect("gzip")),
        _ => plain = coded,
    }
    plain
}

fn tick(served: &Served) {
    served.world.now.set(served.world.now.get() + Duration::from_secs(1));
}

#[test]
fn the_coding_is_the_best_of_what_the_client_weighs_most_rfc_9110_12_5_3() {
    let served = Served::new(|files| files);
    served.world.write("a.txt", text(5000), 1);
    for (accepted, expected) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("gzip", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "zstd"),
        ("gzip;q=0.9, br;q=0.8", "gzip"),
        ("identity;q=1, br;q=0.5", "identity"),
        ("deflate", "identity"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("", "identity"),
        ("br;q=0", "identity"),
        ("identity;q=0, *;q=0", "identity"),
    ] {
        let response = accepting(&served, "/a.txt", accepted);
        assert_eq!(encoding(&response), expected, "{accepted}");
        assert!(decoded(response) == text(5000).as_bytes(), "{accepted}");
    }
    let lines = [("Accept-Encoding", "gzip;q=0.5"), ("Accept-Encoding", "zstd")];
    assert_eq!(encoding(&served.get_with("/a.txt", &lines)), "zstd", "two lines are one list");
    assert_eq!(encoding(&served.get("/a.txt")), "identity", "nothing said, nothing coded");
}

#[test]
fn every_response_with_a_file_that_may_be_coded_varies_and_no_other_rfc_9110_12_5_5() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("a.txt", text(5000), 1);
    world.write("small.txt", "tiny", 1);
    world.write("large.txt", text(100_000), 1);
    world.write("a.png", text(5000), 1);
    for (target, vary) in [
        ("/a.txt", Some("Accept-Encoding")),
        ("/small.txt", Some("Accept-Encoding")),
        ("/large.txt", Some("Accept-Encoding")),
        ("/a.png", None),
    ] {
        for accepted in ["br", "identity"] {
            let accept = ("Accept-Encoding", accepted);
            let whole = served.get_with(target, &[accept]);
            let tag = field(&whole, "etag").expect("a tag");
            let others = [
                served.get_with(target, &[accept, ("If-None-Match", tag)]),
                served.get_with(target, &[accept, ("Range", "bytes=0-1")]),
                served.ask("HEAD", target, &[accept]),
                served.get(target),
            ];
            assert_eq!(others[0].status(), Status::NOT_MODIFIED);
            assert_eq!(others[1].status(), Status::PARTIAL_CONTENT);
            for response in others.iter().chain([&whole]) {
                assert_eq!(field(response, "vary"), vary, "{target} {:?}", response.status());
            }
        }
    }
    let served = Served::new(|files| files.compression(false));
    served.world.write("a.txt", text(5000), 1);
    served.world.write("a.txt.br", "side", 1);
    let response = accepting(&served, "/a.txt", "br");
    assert_eq!((encoding(&response), field(&response, "vary")), ("identity", None));
}

#[test]
fn a_file_beside_it_is_sent_as_its_coding_with_its_own_kind_and_nothing_is_computed() {
    for length in [5000, 100_000] {
        let served = Served::new(|files| files);
        let world = &served.world;
        world.write("a.html", text(length), 10);
        for (coding, extension) in CODINGS {
            world.write(&format!("a.html{extension}"), coding.repeat(length / 4), 10);
        }
        for (coding, _) in CODINGS {
            let response = accepting(&served, "/a.html", coding);
            assert_eq!(encoding(&response), coding);
            assert_eq!(field(&response, "content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(content(response), coding.repeat(length / 4).as_bytes());
        }
        assert_eq!(world.computed.get(), 0);
    }
}

#[test]
fn a_file_beside_it_that_is_older_forbidden_a_directory_or_broken_is_not_used() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for name in ["older", "directory", "denied", "broken"] {
        world.write(&format!("{name}.txt"), text(5000), 10);
    }
    world.write("older.txt.gz", "of an earlier content", 9);
    world.make_directory("directory.txt.gz");
    world.deny("denied.txt.gz");
    world.break_file("broken.txt.gz");
    for name in ["older", "directory", "denied", "broken"] {
        let response = accepting(&served, &format!("/{name}.txt"), "gzip");
        assert_eq!(encoding(&response), "gzip", "{name}: made on the fly");
        assert!(decoded(response) == text(5000).as_bytes(), "{name}");
    }
}

#[test]
fn a_file_beside_it_that_comes_goes_or_changes_is_seen_within_a_second() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("a.txt", text(5000), 10);
    let body = |served: &Served| content(accepting(served, "/a.txt", "gzip"));
    let computed = body(&served);
    world.write("a.txt.gz", "first", 10);
    tick(&served);
    assert_eq!(body(&served), b"first");
    world.rewrite("a.txt.gz", "later", 11);
    tick(&served);
    assert_eq!(body(&served), b"later");
    world.remove("a.txt.gz");
    tick(&served);
    assert!(body(&served) == computed);
    assert_eq!(world.computed.get(), 1, "what was compressed is kept");
}

#[test]
fn only_what_becomes_smaller_and_is_neither_tiny_nor_huge_is_compressed() {
    let served = Served::new(|files| files);
    let world = &served.world;
    let most = 8 * 1024 * 1024;
    world.write("255.txt", text(255), 1);
    world.write("256.txt", "a".repeat(256), 1);
    world.write("most.txt", "a".repeat(most), 1);
    world.write("beyond.txt", "a".repeat(most + 1), 1);
    world.write("noise.txt", noise(5000), 1);
    world.write("a.png", text(5000), 1);
    for (name, expected, computed) in [
        ("255.txt", "identity", 0),
        ("256.txt", "gzip", 1),
        ("most.txt", "gzip", 1),
        ("beyond.txt", "identity", 0),
        ("noise.txt", "identity", 1),
        ("a.png", "identity", 0),
    ] {
        let before = world.computed.get();
        for _ in 0..2 {
            assert_eq!(encoding(&accepting(&served, &format!("/{name}"), "gzip")), expected, "{name}");
        }
        tick(&served);
        assert_eq!(encoding(&accepting(&served, &format!("/{name}"), "gzip")), expected, "{name}");
        assert_eq!(world.computed.get() - before, computed, "{name}");
    }
}

#[test]
fn what_there_is_no_time_to_compress_is_sent_as_it_is_and_tried_again_a_second_later() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for (name, length) in [("small.txt", 5000), ("large.txt", 100_000)] {
        world.write(name, text(length), 1);
        let target = format!("/{name}");
        world.busy.set(true);
        let response = accepting(&served, &target, "gzip");
        assert_eq!((encoding(&response), field(&response, "vary")), ("identity", Some("Accept-Encoding")));
        world.busy.set(false);
        tick(&served);
        assert_eq!(encoding(&accepting(&served, &target, "gzip")), "gzip");
    }
}

#[test]
fn it_is_compressed_once_however_many_ask_and_again_only_when_it_changed() {
    for length in [5000, 100_000] {
        let served = Served::new(|files| files);
        let world = &served.world;
        world.write("a.txt", text(length), 1);
        world.held.set(true);
        let ask = || Waiting::new(served.begin("GET", "/a.txt", &[("Accept-Encoding", "br")]));
        let mut waiting: Vec<_> = (0..10).map(|_| ask()).collect();
        assert!(waiting.iter_mut().all(|request| request.response().is_none()));
        assert_eq!(world.compute(), 1);
        for request in &mut waiting {
            // Whoever was told first has to be asked first: two rounds do.
            let response = request.response().or_else(|| request.response()).expect("it is computed");
            assert_eq!(encoding(&response), "br");
            assert!(decoded(response) == text(length).as_bytes());
        }
        world.held.set(false);
        for _ in 0..3 {
            tick(&served);
            assert_eq!(encoding(&accepting(&served, "/a.txt", "br")), "br");
        }
        assert_eq!(world.computed.get(), 1, "unchanged");
        let other = text(length).to_uppercase();
        world.rewrite("a.txt", &other, 2);
        tick(&served);
        assert!(decoded(accepting(&served, "/a.txt", "br")) == other.as_bytes());
        assert_eq!(world.computed.get(), 2);
    }
}

#[test]
fn whoever_leaves_while_it_is_compressed_takes_nothing_from_those_who_wait() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("a.txt", text(5000), 1);
    world.held.set(true);
    let ask = || Waiting::new(served.begin("GET", "/a.txt", &[("Accept-Encoding", "br")]));
    let (mut first, mut second) = (ask(), ask());
    assert!(first.response().is_none() && second.response().is_none());
    drop(first);
    assert!(second.response().is_none(), "now it is this one's to have it computed");
    world.compute();
    assert_eq!(encoding(&second.response().expect("it is computed")), "br");
}

#[test]
fn a_file_of_two_names_is_coded_as_each_name_says() {
    for length in [5000, 100_000] {
        let served = Served::new(|files| files);
        let world = &served.world;
        world.write("app.3f9a1c2b.js", text(length), 1);
        world.link("app.3f9a1c2b.js", "app.js");
        world.link("app.3f9a1c2b.js", "app.txt");
        for name in ["app.3f9a1c2b.js", "app.js", "app.txt"] {
            let (plain, coded) =
                (served.get(&format!("/{name}")), accepting(&served, &format!("/{name}"), "gzip"));
            assert_eq!(encoding(&coded), "gzip");
            for of in ["content-type", "cache-control", "last-modified"] {
                assert_eq!(field(&plain, of), field(&coded, of), "{name}: {of}");
            }
        }
    }
}

#[test]
fn head_has_the_fields_of_get_and_its_length_rfc_9110_9_3_2() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("a.txt", text(5000), 1);
    world.write("large.txt", text(100_000), 1);
    world.write("side.txt", text(5000), 1);
    world.write("side.txt.br", "side", 1);
    for target in ["/a.txt", "/large.txt", "/side.txt"] {
        for accepted in ["br", "gzip", "identity"] {
            let (get, head) = (
                accepting(&served, target, accepted),
                served.ask("HEAD", target, &[("Accept-Encoding", accepted)]),
            );
            assert_eq!(get.fields().rendered(), head.fields().rendered());
            assert_eq!(
                content(get).len(),
                content(head).len(),
                "the server leaves the body out, not its length"
            );
        }
    }
}
