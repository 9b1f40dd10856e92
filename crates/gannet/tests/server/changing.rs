//! Files that change while they are served, small and large, mapped and not: each response is wholly what was, wholly what is, or
//! a connection that visibly broke.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gannet::files::Files;
use gannet::{App, MappedSends};

use crate::rig::{Answer, Client, Over, PATIENCE, Server, on_each_protocol};

on_each_protocol!(
    a_file_that_is_replaced_again_and_again_is_always_one_or_the_other_and_its_tag_says_which,
    a_file_that_grows_while_it_is_sent_is_sent_as_long_as_it_was_said_to_be,
    a_file_that_is_deleted_and_comes_back_is_there_or_not_and_never_in_part,
    a_file_that_is_forbidden_is_so_within_a_second,
    a_file_of_any_size_that_is_cut_breaks_visibly_or_is_whole,
    head_is_get_without_its_body_rfc_9110_9_3_2,
);

const POLICIES: [MappedSends; 2] = [MappedSends::On, MappedSends::Off];

/// In memory, by sendfile or mapping, in several pieces.
const SIZES: [usize; 3] = [1000, 200_000, 5_000_000];

fn serving(folder: &Path, policy: MappedSends, over: Over) -> Server {
    Server::start(App::new().files("/", folder).mapped_sends(policy), over)
}

/// Bytes that show when some are missing, out of place, or of another version.
fn version(number: u8, length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8 ^ number).collect()
}

/// Does something again and again while requests are made, a bounded number of times.
fn meanwhile(mut change: impl FnMut(u64) + Send, requests: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let changer = scope.spawn(|| {
            let changes = (0..1_000_000).take_while(|_| !stop.load(Ordering::Relaxed));
            changes.for_each(&mut change);
        });
        requests();
        stop.store(true, Ordering::Relaxed);
        changer.join().expect("it ended well");
    });
}

fn a_file_that_is_replaced_again_and_again_is_always_one_or_the_other_and_its_tag_says_which(over: Over) {
    for (policy, size) in [
        (MappedSends::Auto, 1000),
        (MappedSends::On, 200_000),
        (MappedSends::Off, 200_000),
        (MappedSends::On, 5_000_000),
    ] {
        let folder = tempfile::tempdir().expect("room for a folder");
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        let versions: Vec<_> = (0..8).map(|number| version(number, size)).collect();
        fs::write(&path, &versions[0]).expect("written");
        let server = serving(folder.path(), policy, over);
        let change = |count: u64| {
            fs::write(&other, &versions[count as usize % versions.len()]).expect("written");
            fs::rename(&other, &path).expect("replaced");
        };
        meanwhile(change, || {
            let (mut client, begun) = (Client::connect(&server), Instant::now());
            let mut seen: Vec<(String, usize)> = Vec::new();
            // Until two were seen: memory, and an open file, may answer for a second.
            while seen.iter().all(|(_, which)| *which == seen[0].1) {
                let answer = client.get("/file");
                let which = versions.iter().position(|version| *version == answer.body);
                let which = which.expect("wholly one or wholly another");
                let tag = answer.field("etag").expect("a tag").to_owned();
                assert!(seen.iter().all(|(other, content)| *other != tag || *content == which), "{tag}");
                seen.push((tag, which));
                assert!(begun.elapsed() < PATIENCE, "{size} bytes: only one was ever seen");
            }
        });
    }
}

fn a_file_that_grows_while_it_is_sent_is_sent_as_long_as_it_was_said_to_be(over: Over) {
    let content = version(1, 16 * 1024 * 1024);
    for policy in POLICIES {
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = folder.path().join("file");
        fs::write(&path, &content).expect("written");
        let server = serving(folder.path(), policy, over);
        let mut client = Client::connect(&server);
        assert_eq!(client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
        File::options().append(true).open(&path).and_then(|mut file| file.write_all(b"more")).expect("grown");
        assert!(client.take(content.len()) == content);
        // The connection is in step, and the next one has it all.
        let answer = client.get("/file");
        assert!(answer.body.len() == content.len() + 4 && answer.body.ends_with(b"more"));
    }
}

fn a_file_that_is_deleted_and_comes_back_is_there_or_not_and_never_in_part(over: Over) {
    for size in SIZES {
        let folder = tempfile::tempdir().expect("room for a folder");
        let (path, away) = (folder.path().join("file"), folder.path().join("away"));
        fs::write(&path, version(2, size)).expect("written");
        let server = serving(folder.path(), MappedSends::Auto, over);
        let change = |count: u64| match count % 2 {
            0 => fs::rename(&path, &away).expect("taken away"),
            _ => fs::rename(&away, &path).expect("put back"),
        };
        meanwhile(change, || {
            let mut client = Client::connect(&server);
            for _ in 0..50 {
                let answer = client.get("/file");
                match answer.status {
                    200 => assert!(answer.body == version(2, size)),
                    status => assert_eq!((status, answer.text()), (404, "404 Not Found\n")),
                }
            }
        });
    }
}

fn a_file_that_is_forbidden_is_so_within_a_second(over: Over) {
    let folder = tempfile::tempdir().expect("room for a folder");
    for (name, size) in [("small", SIZES[0]), ("large", SIZES[1])] {
        let path = folder.path().join(name);
        fs::write(&path, version(3, size)).expect("written");
        let server = serving(folder.path(), MappedSends::Auto, over);
        let mut client = Client::connect(&server);
        assert_eq!(client.get(&format!("/{name}")).status, 200);
        fs::set_permissions(&path, Permissions::from_mode(0o0)).expect("forbidden");
        if File::open(&path).is_ok() {
            eprintln!("nothing is forbidden to whoever runs this");
            return;
        }
        let begun = Instant::now();
        while client.get(&format!("/{name}")).status != 403 {
            assert!(begun.elapsed() < PATIENCE, "it is still served");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("allowed");
        assert_eq!(client.get(&format!("/{name}")).status, 200, "at once: nothing is kept of an error");
    }
}

fn a_file_of_any_size_that_is_cut_breaks_visibly_or_is_whole(over: Over) {
    for policy in POLICIES {
        for size in SIZES {
            let folder = tempfile::tempdir().expect("room for a folder");
            let path = folder.path().join("file");
            fs::write(&path, version(4, size)).expect("written");
            fs::write(folder.path().join("bystander"), "unharmed").expect("written");
            let server = serving(folder.path(), policy, over);
            // In place: cut to half, and whole again.
            let change = |count: u64| {
                let file = File::options().write(true).open(&path).expect("there");
                match count % 2 {
                    0 => file.set_len(size as u64 / 2).expect("cut"),
                    _ => fs::write(&path, version(4, size)).expect("written"),
                }
            };
            meanwhile(change, || {
                let mut bystander = Client::connect(&server);
                for _ in 0..20 {
                    let mut client = Client::connect(&server);
                    client.send("GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                    // What there is of it is of it, and what is missing shows by the length that was said.
                    if let Some(head) = client.head_unless_over() {
                        let length =
                            head.field("content-length").expect("a length").parse().expect("a number");
                        assert!(client.whole_or_broken().len() <= length, "never more than was said");
                    }
                    assert_eq!(bystander.get("/bystander").says(), (200, "unharmed"));
                }
            });
        }
    }
}

fn lines(answer: &Answer) -> Vec<&str> {
    answer.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date: ")).collect()
}

fn head_is_get_without_its_body_rfc_9110_9_3_2(over: Over) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let text: String = (0..8000).map(|n| format!("line {n}\n")).collect();
    for (name, content) in [
        ("index.html", "<p>"),
        ("small.txt", &text[..2000]),
        ("large.txt", &text),
        ("side.txt", &text[..3000]),
        ("side.txt.br", "from beside"),
        ("404.html", "<p>none"),
        ("photo.png", &text[..5000]),
    ] {
        fs::write(folder.path().join(name), content).expect("written");
    }
    fs::create_dir(folder.path().join("listed")).expect("made");
    let files = Files::open(folder.path()).expect("there").listing(true);
    let server = Server::start(App::new().files("/", files), over);
    let mut client = Client::connect(&server);
    let targets =
        ["/", "/small.txt", "/large.txt", "/side.txt", "/photo.png", "/none", "/listed/", "/listed", "/.env"];
    let fields = [
        "",
        "Accept-Encoding: br\r\n",
        "Accept-Encoding: gzip\r\n",
        "Accept-Encoding: zstd\r\n",
        "Accept: application/json\r\n",
        "If-None-Match: *\r\n",
        "If-Match: \"none\"\r\n",
        "If-Modified-Since: Sun, 06 Nov 2044 08:49:37 GMT\r\n",
    ];
    for target in targets {
        for fields in fields {
            let mut ask = |method: &str| {
                client.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
                if method == "HEAD" { client.head() } else { client.answer() }
            };
            let (get, head) = (ask("GET"), ask("HEAD"));
            assert_eq!(lines(&get), lines(&head), "{target} {fields}");
            if !matches!(get.status, 304) {
                assert_eq!(head.field("content-length"), Some(&*get.body.len().to_string()), "{target}");
            }
        }
    }
}
