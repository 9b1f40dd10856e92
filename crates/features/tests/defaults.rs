//! The defaults of the files feature, each held at its edge (`docs/defaults.md`).

#[expect(dead_code, reason = "shared with the other tests of files, which use all of it")]
mod files {
    pub mod world;
}

use files::world::{Served, field, text};
use gannet_core::{Body, Status};

const GZIP: (&str, &str) = ("Accept-Encoding", "gzip");

#[test]
fn the_folder_s_defaults_are_those_that_the_document_names() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.make_directory("sub");
    world.write("a.css", "a{}".repeat(1000), 1);
    assert_eq!(served.get("/sub/").status(), Status::NOT_FOUND, "the library lists nothing unasked");
    assert_eq!(served.get("/application/path").status(), Status::NOT_FOUND);
    let best = served.get_with("/a.css", &[("Accept-Encoding", "gzip, zstd, br")]);
    assert_eq!(field(&best, "content-encoding"), Some("br"));
    let next = served.get_with("/a.css", &[("Accept-Encoding", "gzip, zstd")]);
    assert_eq!(field(&next, "content-encoding"), Some("zstd"));
    let (status, page) = (Status::NOT_FOUND, "the folder's own");
    let served = Served::new(|files| files);
    served.world.write("404.html", page, 1);
    let missing = served.get("/missing");
    assert_eq!((missing.status(), text(missing).as_str()), (status, page));
}

#[test]
fn a_file_of_64_kib_is_kept_in_memory_and_a_larger_one_open() {
    let served = Served::new(|files| files);
    served.world.write("small.bin", vec![1; 64 * 1024], 1);
    served.world.write("large.bin", vec![2; 64 * 1024 + 1], 1);
    assert!(matches!(served.get("/small.bin").body(), Body::Bytes(bytes) if bytes.len() == 64 * 1024));
    assert!(matches!(served.get("/large.bin").body(), Body::File(..)));
}

/// How often files are opened, when each of them is asked for within the second in which all were.
fn opened_again(served: &Served, files: usize, bytes: usize) -> usize {
    for number in 0..files {
        // The world tells open files apart by their length.
        served.world.write(&format!("{number}.bin"), vec![0; bytes - number], 1);
        assert_eq!(served.get(&format!("/{number}.bin")).status(), Status::OK);
    }
    let before = served.world.opened.get();
    for number in 0..files {
        assert_eq!(served.get(&format!("/{number}.bin")).status(), Status::OK);
    }
    served.world.opened.get() - before
}

#[test]
fn small_files_beyond_16_mib_make_room_for_each_other() {
    // What else is kept of a file weighs too: some hundred bytes.
    let kib_60 = |files: usize| opened_again(&Served::new(|files| files), files, 60 * 1024);
    assert_eq!(kib_60(256), 0, "15 MiB are all kept");
    let again = kib_60(400);
    assert!(again >= 400 - 273, "of 23.4 MiB at least 7.4 are not: {again} files were opened again");
}

#[test]
fn no_more_files_are_kept_open_than_descriptors_can_be_spared_for() {
    // The world spares 16.
    let large = |files: usize| opened_again(&Served::new(|files| files), files, 100_000);
    assert_eq!(large(8), 0);
    let again = large(40);
    assert!(again >= 40 - 16, "{again} files were opened again");
}

#[test]
fn only_files_from_256_bytes_to_8_mib_are_compressed() {
    let most = 8 * 1024 * 1024;
    let served = Served::new(|files| files);
    for (length, coding) in [(255, None), (256, Some("gzip")), (most, Some("gzip")), (most + 1, None)] {
        let name = format!("{length}.txt");
        served.world.write(&name, vec![b'a'; length], 1);
        let response = served.get_with(&format!("/{name}"), &[GZIP]);
        assert_eq!(field(&response, "content-encoding"), coding, "{length} bytes");
        assert_eq!(field(&response, "vary"), Some("Accept-Encoding"), "{length} bytes");
    }
}

#[test]
fn a_folder_of_more_than_100_000_entries_is_listed_as_far_as_it_was_read() {
    let served = Served::new(|files| files.listing(true));
    for number in 0..100_000 {
        served.world.make_directory(&number.to_string());
    }
    let end = |served: &Served| {
        let json = text(served.get_with("/", &[("Accept", "application/json")]));
        json.trim_end().rsplit_once("\"total\":").expect("a total").1.to_owned()
    };
    assert_eq!(end(&served), "100000,\"truncated\":false}");
    served.world.make_directory("one more");
    assert_eq!(end(&served), "100000,\"truncated\":true}");
}
