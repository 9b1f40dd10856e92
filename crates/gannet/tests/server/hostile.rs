//! Requests that want what they may not have: every spelling of `hostile-paths.txt`, and a folder that changes under the server's hands.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use gannet::App;
use gannet::files::Files;
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use tempfile::TempDir;

use crate::rig::{Answer, Client, Over, Protocol, Server, on_each_protocol};

on_each_protocol!(
    each_hostile_path_has_its_status_and_no_answer_holds_a_secret,
    an_application_of_a_single_page_gives_away_no_secret_either,
    a_listing_names_nothing_that_is_hidden_outside_or_no_file,
    a_directory_that_becomes_a_link_out_of_the_root_and_back_never_leads_there,
    a_file_that_becomes_a_link_out_of_the_root_and_back_never_leads_there,
);

const CORPUS: &str = include_str!("hostile-paths.txt");

/// What no answer may hold.
const SECRET: &str = "the secret";

/// A root with secrets above it, beside it, behind links and hidden in it.
struct Trap {
    folder: TempDir,
    _socket: UnixListener,
}

impl Trap {
    fn new() -> Trap {
        let folder = tempfile::tempdir().expect("room for a folder");
        let (above, root) = (folder.path(), folder.path().join("public"));
        for directory in
            ["sub/deep", ".git", ".well-known", ".ssh", "...", "..a", "..-secret", "indexed", "linked"]
        {
            fs::create_dir_all(root.join(directory)).expect("made");
        }
        fs::create_dir(above.join("public-secret")).expect("made");
        for secret in ["secret", "public-secret/secret", "public-secret/page.html"] {
            fs::write(above.join(secret), SECRET).expect("written");
        }
        for hidden in [
            ".env",
            ".htpasswd",
            ".DS_Store",
            ".git/HEAD",
            ".git/config",
            ".ssh/id_rsa",
            ".well-known/.secret",
            "sub/.hidden",
            "sub/deep/.hidden",
            ".../secret",
            "..a/secret",
            "..-secret/secret",
            ".env.gz",
        ] {
            fs::write(root.join(hidden), SECRET).expect("written");
        }
        for honest in [
            "page.html",
            "sub/page.html",
            "sub/deep/page.html",
            ".well-known/ok",
            "a b.html",
            "100%.html",
            "semi;colon.html",
            "back\\slash.html",
            "trailing.",
            "ä.html",
            "new\nline.html",
            "plus+.html",
            "a:b.html",
            "what?.html",
            "number#.html",
            "quote\".html",
            "less<.html",
            "%2e%2e",
            "a..b",
            "a..",
            "side.txt",
            ".published",
        ] {
            fs::write(root.join(honest), "honest").expect("written");
        }
        link(&root, above);
        for fifo in ["fifo", "sub/fifo"] {
            mknodat(CWD, root.join(fifo), FileType::Fifo, Mode::RWXU, 0).expect("made");
        }
        // Only root may make devices; where we are not, there is none to be refused.
        let null = rustix::fs::makedev(1, 3);
        let _ = mknodat(CWD, root.join("device"), FileType::CharacterDevice, Mode::RWXU, null);
        let _socket = UnixListener::bind(root.join("socket")).expect("bound");
        Trap { folder, _socket }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("public")
    }

    fn serve(&self, over: Over, how: impl FnOnce(Files) -> Files) -> Server {
        Server::start(App::new().files("/", how(Files::open(self.root()).expect("it is there"))), over)
    }
}

/// Links that lead out, in circles, to what is no file; and some that are honest.
fn link(root: &Path, above: &Path) {
    let absolute = above.join("secret");
    let absolute = absolute.to_str().expect("text");
    for (to, name) in [
        ("../secret", "up"),
        ("../../secret", "sub/up"),
        ("../../../secret", "sub/deep/up"),
        (absolute, "absolute"),
        (absolute, "sub/absolute"),
        ("..", "parent"),
        ("../..", "sub/parent"),
        ("../../..", "sub/deep/parent"),
        ("../public-secret", "beside"),
        ("/", "slash"),
        ("/", "sub/slash"),
        ("up", "chain"),
        ("parent", "chain-directory"),
        ("loop", "loop"),
        ("loop-b", "loop-a"),
        ("loop-a", "loop-b"),
        ("../loop", "sub/loop"),
        ("self/self", "self"),
        ("nothing", "dangling"),
        ("/proc/self/fd/0", "magic"),
        ("/proc", "proc"),
        ("/proc/self/cwd", "cwd"),
        ("../public/page.html", "out-and-in"),
        (root.to_str().expect("text"), "root-again"),
        ("fifo", "to-fifo"),
        ("device", "to-device"),
        ("../../secret", "indexed/index.html"),
        ("../secret", "404.html"),
        ("../secret", "403.html"),
        ("../secret", "side.txt.gz"),
        ("fifo", "side.txt.br"),
        ("page.html", "within"),
        ("../page.html", "sub/within"),
        ("sub/../page.html", "around"),
        (".", "root-link"),
        (".", "here"),
        // Whoever links to it by a name that is not hidden publishes it: Kubernetes shows all its volumes so.
        (".published", "to-hidden"),
    ] {
        symlink(to, root.join(name)).expect("linked");
    }
}

/// A line of the corpus: the status, and the target as it is sent.
fn case(line: &str) -> (u16, Vec<u8>) {
    let (status, mut rest) = line.split_once(' ').expect("a status and a target");
    let mut target = Vec::new();
    while let Some((before, behind)) = rest.split_once('{') {
        let (inside, behind) = behind.split_once('}').expect("an end");
        target.extend_from_slice(before.as_bytes());
        match inside.rsplit_once('*') {
            Some((text, count)) => target.extend(text.repeat(count.parse().expect("a count")).bytes()),
            None => target.push(u8::from_str_radix(inside, 16).expect("a byte")),
        }
        rest = behind;
    }
    target.extend_from_slice(rest.as_bytes());
    (status.parse().expect("a status"), target)
}

fn corpus() -> Vec<(u16, Vec<u8>)> {
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let cases: Vec<_> = lines.map(case).collect();
    assert!(cases.len() >= 300, "{} paths", cases.len());
    cases
}

/// Asks for a target, by a client of its own if the last one's connection is closed. Nothing where HTTP/2's client will not say such a thing; what is to be
/// answered 400 is malformed there, and resets its stream (RFC 9113, 8.1.1).
fn ask(server: &Server, client: &mut Client, target: &[u8], status: u16) -> Option<Answer> {
    if server.speaks.protocol == Protocol::Http2 && !is_path(target) {
        return None;
    }
    let fields = b" HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip, br, zstd\r\n\r\n";
    let Some(mut answer) = client.send([b"GET ", target, fields].concat()).head_unless_over() else {
        assert_eq!(
            (server.speaks.protocol, status),
            (Protocol::Http2, 400),
            "{}",
            String::from_utf8_lossy(target)
        );
        return None;
    };
    client.body(&mut answer);
    if (server.speaks.protocol, answer.status, status) == (Protocol::Http2, 431, 414) {
        return None; // all of the head was too much before its target was known
    }
    if answer.field("connection") == Some("close") {
        *client = Client::connect(server);
    }
    Some(answer)
}

fn is_path(target: &[u8]) -> bool {
    let path = target.strip_prefix(b"http://a.example").unwrap_or(target);
    path.starts_with(b"/") && http::uri::PathAndQuery::try_from(path).is_ok()
}

fn assert_no_secret(answer: &Answer, target: &[u8]) {
    let body = String::from_utf8_lossy(&answer.body);
    let leaks =
        [SECRET, "root:", "[package]", "PATH=", "Linux version"].iter().any(|text| body.contains(text));
    assert!(!leaks, "{}: {body}", String::from_utf8_lossy(target));
    assert_eq!(answer.field("content-encoding"), None, "a body that cannot be looked into");
}

fn each_hostile_path_has_its_status_and_no_answer_holds_a_secret(over: Over) {
    let trap = Trap::new();
    for listing in [false, true] {
        let server = trap.serve(over, |files| files.listing(listing));
        let (mut client, mut wrong, mut asked) = (Client::connect(&server), Vec::new(), 0);
        for (status, target) in corpus() {
            let mut targets = vec![target.clone()];
            if target.starts_with(b"/") {
                targets.push([b"http://a.example", &target[..]].concat());
                targets.push([&target[..], b"?query=/../secret"].concat());
            }
            for target in targets {
                let Some(answer) = ask(&server, &mut client, &target, status) else { continue };
                asked += 1;
                assert_no_secret(&answer, &target);
                if answer.status != status || status == 200 && answer.text() != "honest" {
                    wrong.push((answer.status, String::from_utf8_lossy(&target).into_owned()));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(asked > 700, "{asked} targets");
        // An index that is a link out of the root is none.
        let indexed = client.get("/indexed/");
        assert_eq!(indexed.status, if listing { 200 } else { 404 });
        assert_no_secret(&indexed, b"/indexed/");
    }
}

fn an_application_of_a_single_page_gives_away_no_secret_either(over: Over) {
    let trap = Trap::new();
    let server = trap.serve(over, |files| files.single_page(true).indexes(["page.html"]));
    let mut client = Client::connect(&server);
    let mut pages = 0;
    for (status, target) in corpus() {
        let Some(answer) = ask(&server, &mut client, &target, status) else { continue };
        let is_page = target.starts_with(b"/") && answer.status == 200 && status == 404;
        pages += usize::from(is_page);
        assert_no_secret(&answer, &target);
        if !is_page {
            assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&target));
        }
    }
    assert!(pages > 0, "some of these lead nowhere, and are the application's");
}

fn a_listing_names_nothing_that_is_hidden_outside_or_no_file(over: Over) {
    let trap = Trap::new();
    let server = trap.serve(over, |files| files.listing(true));
    let mut client = Client::connect(&server);
    for (target, shown, absent) in [
        (
            "/",
            &["page.html", "sub", "within", "here", "root-link", "around", "to-hidden", "back\\\\slash.html"]
                [..],
            &[
                ".env",
                ".git",
                "...",
                "..a",
                "fifo",
                "socket",
                "device",
                "up",
                "absolute",
                "parent",
                "slash",
                "loop",
                "dangling",
                "magic",
                "proc",
                "cwd",
                "beside",
                "chain",
                "out-and-in",
                "404.html",
                "root-again",
            ][..],
        ),
        ("/sub/", &["page.html", "deep", "within"], &[".hidden", "up", "slash", "loop", "fifo", "parent"]),
        (
            "/here/sub/",
            &["page.html", "deep", "within"],
            &[".hidden", "up", "slash", "loop", "fifo", "parent"],
        ),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
        let json = client.send(request).answer();
        assert_eq!((json.status, json.field("content-type")), (200, Some("application/json")), "{target}");
        let page = client.get(target);
        assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
        for name in shown {
            assert!(json.text().contains(&format!("\"{name}\"")), "{target} {name}: {}", json.text());
        }
        for name in absent {
            assert!(!json.text().contains(&format!("\"{name}\"")), "{target}: {name}");
            assert!(!page.text().contains(&format!("href=\"{name}")), "{target}: {name}");
        }
    }
}

/// Exchanges two names again and again, while requests for `target`, in many spellings, are answered.
fn swapping(over: Over, names: [&str; 2], directory: bool) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let (root, outside) = (folder.path().join("public"), folder.path().join("outside"));
    for (place, content) in [(&root, "honest"), (&outside, SECRET)] {
        fs::create_dir_all(place.join("directory")).expect("made");
        fs::write(place.join("directory/abcdefghij"), content).expect("written");
        fs::write(place.join("abcdefghij"), content).expect("written");
    }
    let to = if directory { "../outside/directory" } else { "../outside/abcdefghij" };
    symlink(to, root.join(names[1])).expect("linked");
    let server = Server::start(App::new().files("/", &root), over);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0_u64;
            while !stop.load(Ordering::Relaxed) && swaps < 10_000_000 {
                let [one, other] = names.map(|name| root.join(name));
                renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).expect("exchanged");
                swaps += 1;
            }
            swaps
        });
        let mut client = Client::connect(&server);
        let mut seen = [0; 2];
        for spelling in 0..1024_u32 {
            // Each spelling is looked for anew: nothing of it is kept.
            let letters = ('a'..='j').enumerate().map(|(bit, letter)| match spelling >> bit & 1 {
                0 => letter.to_string(),
                _ => format!("%{:02x}", letter as u32),
            });
            let name: String = letters.collect();
            let target = if directory { format!("/directory/{name}") } else { format!("/{name}") };
            match client.get(&target).says() {
                (200, "honest") => seen[0] += 1,
                (404, "404 Not Found\n") => seen[1] += 1,
                other => panic!("{target}: {other:?}"),
            }
        }
        stop.store(true, Ordering::Relaxed);
        let swaps = swapper.join().expect("it ended well");
        assert!(swaps > 100 && seen[0] > 0 && seen[1] > 0, "{swaps} swaps, {seen:?} answers");
    });
}

fn a_directory_that_becomes_a_link_out_of_the_root_and_back_never_leads_there(over: Over) {
    swapping(over, ["directory", "other"], true);
}

fn a_file_that_becomes_a_link_out_of_the_root_and_back_never_leads_there(over: Over) {
    swapping(over, ["abcdefghij", "other"], false);
}
