//! What is kept of files, for how long, and how much of it.

use std::time::Duration;

use gannet_core::Status;

use crate::files::world::{Served, content, field, text};

fn later(served: &Served, milliseconds: u64) {
    served.world.now.set(served.world.now.get() + Duration::from_millis(milliseconds));
}

#[test]
fn an_open_file_that_changed_is_seen_at_once_so_that_no_response_is_cut_off() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("big", vec![1; 100_000], 1);
    assert_eq!(content(served.get("/big")).len(), 100_000);
    for (length, modified) in [(90_000, 1), (90_000, 2), (120_000, 2), (10, 3), (100_000, 4), (0, 5)] {
        world.rewrite("big", vec![length as u8; length], modified);
        assert!(content(served.get("/big")) == vec![length as u8; length], "{length}");
        later(&served, 1000);
    }
}

#[test]
fn an_open_file_is_opened_once_a_second() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("big", vec![1; 100_000], 1);
    for _ in 0..5 {
        assert_eq!(served.get("/big").status(), Status::OK);
    }
    assert_eq!(world.opened.get(), 1);
    world.write("big", vec![2; 100_000], 2);
    later(&served, 999);
    let tag = field(&served.get("/big"), "etag").map(str::to_owned);
    later(&served, 1);
    assert_ne!(field(&served.get("/big"), "etag").map(str::to_owned), tag);
}

#[test]
fn a_file_becomes_a_directory_and_back_small_becomes_large_and_back() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for _ in 0..3 {
        world.write("a", "small", 1);
        later(&served, 1000);
        assert_eq!(text(served.get("/a")), "small");
        world.write("a", vec![b'l'; 100_000], 2);
        later(&served, 1000);
        assert_eq!(content(served.get("/a")).len(), 100_000);
        world.make_directory("a");
        later(&served, 1000);
        assert_eq!(served.get("/a").status(), Status::PERMANENT_REDIRECT);
        world.write("a/index.html", "index", 3);
        assert_eq!(text(served.get("/a/")), "index");
        world.remove("a/index.html");
        world.write("a", "a file again", 4);
        later(&served, 1000);
        assert_eq!(served.get("/a/").status(), Status::NOT_FOUND);
        assert_eq!(text(served.get("/a")), "a file again");
        world.deny("a");
        later(&served, 1000);
        assert_eq!(served.get("/a").status(), Status::FORBIDDEN);
    }
}

#[test]
fn a_file_of_64_kib_is_kept_in_memory_and_a_larger_one_is_not() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("most", vec![1; 65_536], 1);
    world.write("beyond", vec![1; 65_537], 1);
    served.get("/most");
    assert_eq!((world.read.get(), world.descriptors()), (1, 0));
    served.get("/beyond");
    assert_eq!((world.read.get(), world.descriptors()), (1, 1));
}

#[test]
fn files_in_memory_make_room_for_others_within_a_budget() {
    let served = Served::new(|files| files);
    let world = &served.world;
    let count = 1000; // of 60 KiB: far more than 16 MiB
    for n in 0..count {
        world.write(&n.to_string(), vec![n as u8; 60 * 1024], 1);
    }
    for n in 0..count {
        served.get(&format!("/{n}"));
    }
    assert_eq!(world.read.get(), count);
    for n in 0..count {
        served.get(&format!("/{n}"));
    }
    let kept = 2 * count - world.read.get();
    assert!((100..=16 * 1024 / 60).contains(&kept), "{kept} of {count} were kept");
}

#[test]
fn many_addresses_of_one_file_hold_no_more_than_the_budget() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("aaaaaaaaaa", vec![1; 100_000], 1);
    for spelling in 0..1024_u32 {
        let target: String = (0..10).map(|bit| if spelling >> bit & 1 == 1 { "%61" } else { "a" }).collect();
        assert_eq!(served.get(&format!("/{target}")).status(), Status::OK);
        assert!(world.descriptors() <= 16);
    }
}

#[test]
fn no_more_files_are_open_than_may_be_their_codings_counted() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for n in 0..100 {
        world.write(&format!("{n}.txt"), vec![b'a'; 70_000 + n], 1);
        for extension in ["br", "zst", "gz"] {
            world.write(&format!("{n}.txt.{extension}"), vec![b'a'; 66_000 + n], 1);
        }
    }
    for n in 0..100 {
        for coding in ["br", "zstd", "gzip", "identity"] {
            let response = served.get_with(&format!("/{n}.txt"), &[("Accept-Encoding", coding)]);
            assert_eq!(response.status(), Status::OK);
            drop(response);
            assert!(world.descriptors() <= 16, "{} are open", world.descriptors());
        }
    }
    assert!(world.descriptors() > 0, "some are kept");
}

#[test]
fn a_small_file_s_large_codings_are_not_held_open_beyond_what_may_be() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for n in 0..100 {
        world.write(&format!("{n}.txt"), "small", 1);
        world.write(&format!("{n}.txt.gz"), vec![b'a'; 66_000 + n], 1);
        let response = served.get_with(&format!("/{n}.txt"), &[("Accept-Encoding", "gzip")]);
        assert_eq!(content(response).len(), 66_000 + n);
        assert!(world.descriptors() <= 16, "{} are open", world.descriptors());
    }
}

#[test]
fn the_codings_of_open_files_are_within_the_budget_too() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for n in 0..16 {
        world.write(&format!("{n}.txt"), vec![b'a'; 70_000], 1);
        world.write(&format!("{n}.txt.gz"), vec![b'a'; 66_000], 1);
    }
    for _ in 0..3 {
        for n in 0..16 {
            let response = served.get_with(&format!("/{n}.txt"), &[("Accept-Encoding", "gzip")]);
            assert_eq!(content(response).len(), 66_000);
        }
        assert!(world.descriptors() <= 16);
    }
}

#[test]
fn codings_of_files_that_are_open_already_make_room_for_themselves() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for n in 0..16 {
        world.write(&format!("{n}.txt"), vec![b'a'; 70_000], 1);
        world.write(&format!("{n}.txt.gz"), vec![b'a'; 66_000], 1);
        served.get(&format!("/{n}.txt"));
    }
    assert!(world.descriptors() >= 12, "{} files are open", world.descriptors());
    for n in 0..16 {
        let response = served.get_with(&format!("/{n}.txt"), &[("Accept-Encoding", "gzip")]);
        assert_eq!(content(response).len(), 66_000);
        assert!(world.descriptors() <= 16, "{} are open", world.descriptors());
    }
}

#[test]
fn codings_of_files_in_memory_make_room_for_themselves() {
    let served = Served::new(|files| files);
    let world = &served.world;
    let count = 16 * 1024 / 61;
    for n in 0..count {
        world.write(&format!("{n}.txt"), vec![b'a'; 60 * 1024], 1);
        world.write(&format!("{n}.txt.gz"), vec![b'a'; 60 * 1024], 1);
        served.get(&format!("/{n}.txt"));
    }
    for n in 0..count {
        served.get_with(&format!("/{n}.txt"), &[("Accept-Encoding", "gzip")]);
    }
    let read = world.read.get();
    for n in 0..count {
        served.get(&format!("/{n}.txt"));
    }
    let kept = count - (world.read.get() - read);
    assert!(kept <= count / 2 + 1, "{kept} files and their codings were kept where {} have room", count / 2);
}

#[test]
fn an_open_file_beside_one_that_was_cut_is_seen_so_at_once() {
    let served = Served::new(|files| files);
    let world = &served.world;
    for (name, length) in [("small.txt", 100), ("large.txt", 100_000)] {
        let side = format!("{name}.gz");
        world.write(name, vec![b'a'; length], 1);
        world.write(&side, vec![b'a'; 80_000], 1);
        let body = || content(served.get_with(&format!("/{name}"), &[("Accept-Encoding", "gzip")])).len();
        assert_eq!(body(), 80_000);
        world.rewrite(&side, vec![b'a'; 70_000], 2);
        assert_eq!(body(), 70_000, "{name}");
        world.rewrite(&side, "tiny", 3);
        assert_eq!(body(), 4, "{name}");
    }
}

#[test]
fn a_file_that_changed_twice_within_the_clock_s_grain_is_read_again() {
    let served = Served::new(|files| files);
    let world = &served.world;
    // Written and asked for in the same second: the next write may leave its stamp as it is.
    let now = world.unix_seconds.get();
    world.write("a.txt", "first half", now);
    assert_eq!(text(served.get("/a.txt")), "first half");
    let compressible = ["a".repeat(1000), "b".repeat(1000)];
    world.write("b.txt", &compressible[0], now);
    let gzip = [("Accept-Encoding", "gzip")];
    let before = content(served.get_with("/b.txt", &gzip));
    world.rewrite("a.txt", "other half", now);
    world.rewrite("b.txt", &compressible[1], now);
    later(&served, 1000);
    world.unix_seconds.set(now + 1);
    assert_eq!(text(served.get("/a.txt")), "other half");
    assert_eq!(text(served.get("/b.txt")), compressible[1]);
    assert!(content(served.get_with("/b.txt", &gzip)) != before);
    // And once nothing can hide any more it is not read again.
    later(&served, 2000);
    world.unix_seconds.set(now + 10);
    served.get("/a.txt");
    let read = world.read.get();
    later(&served, 1000);
    served.get("/a.txt");
    assert_eq!(world.read.get(), read);
}

#[test]
fn looking_at_a_coded_file_again_and_again_takes_no_room_from_others() {
    let served = Served::new(|files| files);
    let world = &served.world;
    let text: String = (0..3000).map(|n| format!("line {n}, ")).collect();
    world.write("a.txt", text, 1);
    world.write("other.txt", vec![b'o'; 60_000], 1);
    let looked = 20_000; // at some 10 KiB: far more than 16 MiB, if they were added up
    for _ in 0..looked {
        later(&served, 1000);
        served.get_with("/a.txt", &[("Accept-Encoding", "gzip")]);
        served.get("/other.txt");
    }
    assert!(world.read.get() <= 3, "{} reads of two files that never changed", world.read.get());
    // Whoever comes new makes room for itself, if there is none.
    world.write("new.txt", "new", 1);
    served.get("/new.txt");
    let read = world.read.get();
    for name in ["a.txt", "other.txt", "new.txt"] {
        served.get(&format!("/{name}"));
    }
    assert_eq!(world.read.get(), read, "there is room for all of them");
}
