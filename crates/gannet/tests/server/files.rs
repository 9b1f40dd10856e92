//! Files of a folder, as clients see them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Instant;

use gannet::{App, BackendChoice};
use tempfile::TempDir;

use crate::rig::{Client, Over, PATIENCE, Server, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    files_of_every_size_are_served_byte_by_byte,
    a_file_s_media_type_is_its_extension_s_and_text_is_utf_8,
    a_directory_is_its_index_and_without_slash_a_redirect_that_keeps_the_query,
    only_get_head_and_options_are_allowed,
    nothing_hidden_and_nothing_outside_the_folder_is_served_however_it_is_asked_for,
    a_file_that_is_replaced_changed_or_removed_is_seen_to_be_so,
    a_file_that_shrinks_while_it_is_sent_breaks_off_and_nothing_else_does,
    a_file_that_is_removed_while_it_is_sent_is_sent_whole,
    ranges_of_a_large_file_around_what_is_read_at_once_are_its_bytes,
    a_large_file_for_many_clients_at_once_and_one_that_reads_later,
    responses_behind_a_large_file_come_in_order,
);

// What no other protocol's client would send.
on_each_backend!(a_target_that_is_no_path_is_refused);

/// A folder with a secret beside it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::tempdir().expect("room for a folder");
        fs::create_dir_all(folder.path().join("public/sub")).expect("made");
        fs::write(folder.path().join("secret"), "the secret").expect("written");
        Folder(folder)
    }

    fn root(&self) -> std::path::PathBuf {
        self.0.path().join("public")
    }

    /// Puts a file into the folder.
    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Folder {
        fs::write(self.root().join(name), content).expect("written");
        self
    }

    fn serve(&self, over: Over) -> Server {
        Server::start(App::new().files("/", self.root()), over)
    }
}

/// Bytes that show when some are missing or out of place.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8 ^ (n >> 12) as u8).collect()
}

fn files_of_every_size_are_served_byte_by_byte(over: Over) {
    let sizes = [0, 1, 4096, 4097, 65_535, 65_536, 65_537, 600_000, 5_000_000];
    let folder =
        sizes.iter().fold(Folder::new(), |folder, size| folder.with(&size.to_string(), pattern(*size)));
    let server = folder.serve(over);
    let mut client = Client::connect(&server);
    for size in sizes {
        for _ in 0..2 {
            let answer = client.get(&format!("/{size}"));
            assert_eq!((answer.status, answer.body.len()), (200, size));
            assert!(answer.body == pattern(size), "{size}");
        }
        let head = client.send(format!("HEAD /{size} HTTP/1.1\r\nHost: a\r\n\r\n")).head();
        assert_eq!((head.status, head.field("content-length")), (200, Some(&*size.to_string())));
    }
}

fn a_file_s_media_type_is_its_extension_s_and_text_is_utf_8(over: Over) {
    let cases = [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("A.TXT", "text/plain; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.png", "image/png"),
        ("a.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("a.unheard-of", "application/octet-stream"),
        ("none", "application/octet-stream"),
    ];
    let folder = cases.iter().fold(Folder::new(), |folder, (name, _)| folder.with(name, "content"));
    let server = folder.serve(over);
    let mut client = Client::connect(&server);
    for (name, expected) in cases {
        assert_eq!(client.get(&format!("/{name}")).field("content-type"), Some(expected), "{name}");
    }
}

fn a_directory_is_its_index_and_without_slash_a_redirect_that_keeps_the_query(over: Over) {
    let folder = Folder::new().with("index.html", "<p>root").with("sub/index.html", "<p>sub");
    fs::create_dir(folder.root().join("empty")).expect("made");
    let server = Server::start(App::new().files("/", folder.root()).files("/assets", folder.root()), over);
    let mut client = Client::connect(&server);
    for prefix in ["", "/assets"] {
        let root = client.get(&format!("{prefix}/"));
        assert_eq!(
            (root.says(), root.field("content-type")),
            ((200, "<p>root"), Some("text/html; charset=utf-8"))
        );
        assert_eq!(client.get(&format!("{prefix}/sub/?a=b")).says(), (200, "<p>sub"));
        let redirect = client.get(&format!("{prefix}/sub?a=b&c"));
        let to = format!("{prefix}/sub/?a=b&c");
        assert_eq!((redirect.status, redirect.field("location")), (308, Some(&*to)));
        assert_eq!(client.get(&format!("{prefix}/empty/")).status, 404);
    }
}

fn only_get_head_and_options_are_allowed(over: Over) {
    let server = Folder::new().with("page.html", "<p>").serve(over);
    let mut client = Client::connect(&server);
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let answer = client.send(format!("{method} /page.html HTTP/1.1\r\nHost: a\r\n\r\n")).answer();
        assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD, OPTIONS")), "{method}");
    }
}

/// Paths that lead out of the folder, to what is hidden in it, or nowhere.
const HOSTILE: [&str; 49] = [
    "/\\..\\secret",
    "/../secret",
    "/..",
    "/../",
    "/./../secret",
    "/sub/../../secret",
    "/sub/../page.html",
    "/..%2fsecret",
    "/..%2Fsecret",
    "/%2e%2e/secret",
    "/%2E%2E/secret",
    "/.%2e/secret",
    "/%2e./secret",
    "/%2e%2e%2fsecret",
    "/%252e%252e/secret",
    "/..%252fsecret",
    "/sub%2f..%2f..%2fsecret",
    "/..%5csecret",
    "/%5c..%5csecret",
    "/%c0%ae%c0%ae/secret",
    "/%c0%ae%c0%ae%c0%afsecret",
    "/..%c0%afsecret",
    "/..;/secret",
    "/..%00/secret",
    "/....//secret",
    "/.../secret",
    "//secret",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/etc/passwd",
    "/proc/self/environ",
    "/page.html/",
    "/page.html/..",
    "/page.html%00",
    "/page.html%00.png",
    "/page%2ehtml%2f",
    "/sub//page.html",
    "/./page.html",
    "/%",
    "/%2",
    "/%zz",
    "/.hidden",
    "/%2ehidden",
    "/sub/.hidden",
    "/.git/config",
    "/up",
    "/absolute",
    "/above/secret",
    "/loop",
];

fn nothing_hidden_and_nothing_outside_the_folder_is_served_however_it_is_asked_for(over: Over) {
    let folder = Folder::new()
        .with("page.html", "<p>")
        .with(".hidden", "the secret")
        .with("sub/.hidden", "the secret");
    let root = folder.root();
    fs::create_dir(root.join(".git")).expect("made");
    fs::write(root.join(".git/config"), "the secret").expect("written");
    for (target, name) in [
        ("../secret", "up"),
        ("/etc/passwd", "absolute"),
        ("..", "above"),
        ("loop", "loop"),
        ("page.html", "within"),
    ] {
        symlink(target, root.join(name)).expect("linked");
    }
    let server = folder.serve(over);
    let mut client = Client::connect(&server);
    for path in HOSTILE {
        for target in [path.to_owned(), format!("http://a.example{path}"), format!("{path}?query=/..")] {
            let answer = client.get(&target);
            assert_eq!(answer.status, 404, "{target}");
            assert!(!answer.text().contains("secret") && !answer.text().contains("root:"), "{target}");
        }
    }
    assert_eq!(client.get("/within").says(), (200, "<p>"), "a link that stays within is followed");
}

fn a_target_that_is_no_path_is_refused(backend: BackendChoice) {
    let folder = Folder::new();
    let server = serve(App::new().files("/", folder.root()), backend);
    for target in ["..", "../secret", "secret", "\\..\\secret", "/a b"] {
        let mut client = Client::connect(&server);
        assert_eq!(client.get(target).status, 400, "{target}");
        client.ends();
    }
}

/// Asks until the answer is this one; memory may answer for a second.
fn becomes(client: &mut Client, target: &str, expected: (u16, &str)) {
    let begun = Instant::now();
    while client.get(target).says() != expected {
        assert!(begun.elapsed() < PATIENCE, "{target} does not become {expected:?}");
    }
}

fn a_file_that_is_replaced_changed_or_removed_is_seen_to_be_so(over: Over) {
    let folder = Folder::new().with("replaced", "old").with("changed", "old").with("removed", "old");
    let server = folder.serve(over);
    let mut client = Client::connect(&server);
    for name in ["/replaced", "/changed", "/removed"] {
        assert_eq!(client.get(name).says(), (200, "old"));
    }
    let file = |name: &str| folder.root().join(name);
    fs::write(file("other"), "new").expect("written");
    fs::rename(file("other"), file("replaced")).expect("renamed");
    fs::write(file("changed"), "changed").expect("written");
    fs::remove_file(file("removed")).expect("removed");
    becomes(&mut client, "/replaced", (200, "new"));
    becomes(&mut client, "/changed", (200, "changed"));
    becomes(&mut client, "/removed", (404, "404 Not Found\n"));
    assert_eq!(client.get("/other").status, 404);
    fs::write(file("removed"), "back").expect("written");
    becomes(&mut client, "/removed", (200, "back"));
}

/// A file so large that no socket takes it whole; its bytes are zeros that need no disk.
fn sparse(path: &Path) -> u64 {
    let length = 64 * 1024 * 1024;
    fs::File::create(path).expect("created").set_len(length).expect("room");
    length
}

fn a_file_that_shrinks_while_it_is_sent_breaks_off_and_nothing_else_does(over: Over) {
    let folder = Folder::new().with("page.html", "<p>");
    let path = folder.root().join("large");
    let length = sparse(&path);
    let server = folder.serve(over);
    let (mut client, mut other) = (Client::connect(&server), Client::connect(&server));
    assert_eq!(client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
    client.take(1000);
    fs::File::options().write(true).open(&path).expect("there").set_len(1000).expect("shortened");
    let received = client.rest_of_broken().len() as u64 + 1000;
    assert!(received < length, "{received} of {length}");
    assert_eq!(other.get("/page.html").says(), (200, "<p>"));
    assert_eq!(other.get("/large").body.len(), 1000);
}

fn a_file_that_is_removed_while_it_is_sent_is_sent_whole(over: Over) {
    let folder = Folder::new();
    let path = folder.root().join("large");
    let length = sparse(&path);
    let server = folder.serve(over);
    let mut client = Client::connect(&server);
    assert_eq!(client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
    fs::remove_file(&path).expect("removed");
    assert_eq!(client.take(length as usize).len() as u64, length);
    becomes(&mut client, "/large", (404, "404 Not Found\n"));
}

fn ranges_of_a_large_file_around_what_is_read_at_once_are_its_bytes(over: Over) {
    let folder = Folder::new().with("large", pattern(3_000_000));
    let server = folder.serve(over);
    let mut client = Client::connect(&server);
    for length in [1, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 100_000] {
        for first in [0, 1_234_567, 3_000_000 - length] {
            let range = format!("bytes={first}-{}", first + length - 1);
            let request = format!("GET /large HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n");
            let answer = client.send(request).answer();
            assert_eq!((answer.status, answer.body.len()), (206, length), "{range}");
            assert!(answer.body == pattern(3_000_000)[first..first + length], "{range}");
        }
    }
}

fn a_large_file_for_many_clients_at_once_and_one_that_reads_later(over: Over) {
    let folder = Folder::new().with("large", pattern(3_000_000));
    let server = folder.serve(over);
    let mut clients: Vec<_> = (0..10).map(|_| Client::connect(&server)).collect();
    let mut late = Client::connect(&server);
    for client in clients.iter_mut().chain([&mut late]) {
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for client in clients.iter_mut().chain([&mut late]) {
        assert!(client.answer().body == pattern(3_000_000));
    }
}

fn responses_behind_a_large_file_come_in_order(over: Over) {
    let folder = Folder::new().with("large", pattern(1_000_000)).with("small", "small").with("empty", "");
    let server = folder.serve(over);
    let mut client = Client::connect(&server);
    let order = ["small", "large", "empty", "small", "large", "large", "empty", "small"];
    for name in order {
        client.send(format!("GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    for name in order {
        let expected = match name {
            "small" => b"small".to_vec(),
            "large" => pattern(1_000_000),
            _ => Vec::new(),
        };
        assert!(client.answer().body == expected, "{name}");
    }
}
