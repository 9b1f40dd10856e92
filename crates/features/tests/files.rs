//! The files feature over a file system and a clock of the test's own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gannet_core::{
    Block, Body, Clock, Counter, Counters, Fs, FsError, Handler, Head, Heads, Incoming, Kind, OpenFile,
    Ports, Request, RequestBody, RequestHead, Response, Root, Status,
};
use gannet_features::files::Files;
use gannet_proto::h1::{Connection, Event};

/// A file system and a clock: what is there, how often it was asked, what time it is.
#[derive(Default)]
struct World {
    names: RefCell<HashMap<String, Entry>>,
    opened: Cell<usize>,
    now: Cell<Duration>,
}

enum Entry {
    File { content: Vec<u8>, written: u64 },
    Directory,
    Denied,
    Broken,
}

impl World {
    fn put(&self, name: &str, entry: Entry) {
        self.names.borrow_mut().insert(name.to_owned(), entry);
    }

    fn write(&self, name: &str, content: &str, written: u64) {
        self.put(name, Entry::File { content: content.into(), written });
    }
}

impl Fs for World {
    fn open(&self, _: &Root, path: &[u8]) -> Result<OpenFile, FsError> {
        self.opened.set(self.opened.get() + 1);
        let name = std::str::from_utf8(path).expect("names are UTF-8");
        let mut file = tempfile::tempfile().expect("a temporary file");
        let (kind, content, written): (_, &[u8], _) =
            match self.names.borrow().get(name.trim_end_matches('/')) {
                None => return Err(FsError::NotFound),
                Some(Entry::Denied) => return Err(FsError::Denied),
                Some(Entry::Broken) => return Err(FsError::Failed(io::Error::other("the disk is on fire"))),
                Some(Entry::Directory) => (Kind::Directory, &[], 0),
                Some(Entry::File { content, written }) => (Kind::File, &content.clone(), *written),
            };
        file.write_all(content).expect("room for a small file");
        io::Seek::rewind(&mut file).expect("a file can be rewound");
        Ok(OpenFile {
            file: Arc::new(file),
            kind,
            length: content.len() as u64,
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(written),
            identity: (0, 0),
        })
    }
}

impl Counters for World {
    fn add(&self, _: Counter, _: u64) {}
}

impl Clock for World {
    fn now(&self) -> Duration {
        self.now.get()
    }
}

/// A handler for the files of a world, mounted at `/*`.
fn handler() -> (Rc<World>, Rc<dyn Handler>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let world = Rc::new(World::default());
    world.put("", Entry::Directory);
    (world, Files::open(folder.path()).expect("the folder exists").factory()())
}

fn get(world: &Rc<World>, handler: &Rc<dyn Handler>, target: &str) -> Response {
    let text = format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let mut block = Block::oversized(text.len());
    block.append(text.as_bytes());
    let mut head = Box::<Head>::default();
    let event =
        Connection::new(gannet_proto::Limits::default()).handle(&block, &mut head).expect("well-formed");
    assert!(matches!(event, Event::Head { .. }), "a whole head");
    let incoming = Rc::new(Incoming::default());
    incoming.begin(None);
    let ports = Ports { fs: world.clone(), clock: world.clone(), counters: world.clone() };
    let head = RequestHead::new(head, block.share(), Heads::new(1));
    let mut request = Request::new(head, RequestBody::new(incoming), ports);
    request.set_tail(1);
    handler.handle(request).take_ready().expect("files answer at once")
}

fn text(response: &Response) -> String {
    match response.body() {
        Body::Bytes(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_small_file_is_opened_once_a_second_at_most_and_read_again_when_it_changed() {
    let (world, handler) = handler();
    world.write("a.txt", "first", 1);
    for _ in 0..3 {
        assert_eq!(text(&get(&world, &handler, "/a.txt")), "first");
    }
    assert_eq!(world.opened.get(), 1);
    world.write("a.txt", "later", 2);
    world.now.set(Duration::from_millis(999));
    assert_eq!(text(&get(&world, &handler, "/a.txt")), "first");
    world.now.set(Duration::from_millis(1000));
    assert_eq!(text(&get(&world, &handler, "/a.txt")), "later");
    assert_eq!(world.opened.get(), 2);
    world.now.set(Duration::from_millis(2500));
    assert_eq!(text(&get(&world, &handler, "/a.txt")), "later", "unchanged: answered without reading");
    assert_eq!(text(&get(&world, &handler, "/a.txt")), "later");
    assert_eq!(world.opened.get(), 3);
}

#[test]
fn a_file_that_is_gone_is_not_found_within_a_second() {
    let (world, handler) = handler();
    world.write("a.txt", "here", 1);
    assert_eq!(get(&world, &handler, "/a.txt").status(), Status::OK);
    world.names.borrow_mut().remove("a.txt");
    world.now.set(Duration::from_secs(1));
    assert_eq!(get(&world, &handler, "/a.txt").status(), Status::NOT_FOUND);
}

#[test]
fn a_large_file_is_described_and_not_read() {
    let (world, handler) = handler();
    world.put("big.bin", Entry::File { content: vec![7; 100_000], written: 1 });
    let response = get(&world, &handler, "/big.bin");
    assert_eq!(response.fields().get("content-type"), Some(&b"application/octet-stream"[..]));
    let Body::File(file, range) = response.body() else { panic!("{:?}", response.body()) };
    let mut last = [0];
    file.read_exact_at(&mut last, range.end - 1).expect("the file is as long as it says");
    assert_eq!((range.clone(), last), (0..100_000, [7]));
}

#[test]
fn text_is_said_to_be_utf_8_and_other_kinds_are_what_their_names_say() {
    let (world, handler) = handler();
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
        let response = get(&world, &handler, &format!("/{name}"));
        assert_eq!(response.fields().get("content-type"), Some(kind.as_bytes()), "{name}");
    }
}

#[test]
fn a_directory_is_answered_with_its_index_or_redirected_to_its_slash() {
    let (world, handler) = handler();
    world.put("docs", Entry::Directory);
    world.put("empty", Entry::Directory);
    world.write("index.html", "root", 1);
    world.write("docs/index.html", "docs", 1);
    assert_eq!(text(&get(&world, &handler, "/")), "root");
    assert_eq!(text(&get(&world, &handler, "/docs/?a=b")), "docs");
    assert_eq!(get(&world, &handler, "/empty/").status(), Status::NOT_FOUND);
    let redirect = get(&world, &handler, "/docs?a=b");
    assert_eq!(redirect.status(), Status::PERMANENT_REDIRECT);
    assert_eq!(redirect.fields().get("location"), Some(&b"/docs/?a=b"[..]));
}

#[test]
fn what_cannot_be_opened_is_told_apart_and_what_may_not_is_never_asked_for() {
    let (world, handler) = handler();
    world.put("mine", Entry::Denied);
    world.put("broken", Entry::Broken);
    assert_eq!(get(&world, &handler, "/mine").status(), Status::FORBIDDEN);
    assert_eq!(get(&world, &handler, "/broken").status(), Status::SERVICE_UNAVAILABLE);
    let asked = world.opened.get();
    for target in ["/.git/config", "/a/../b", "/%2e%2e/etc/passwd", "//evil.example", "/a%00", "/a%2Fb"] {
        assert_eq!(get(&world, &handler, target).status(), Status::NOT_FOUND, "{target}");
    }
    assert_eq!(world.opened.get(), asked);
}

#[test]
fn a_folder_that_cannot_be_served_is_named_with_the_way_out() {
    let missing = Files::open("/no/such/folder".as_ref()).expect_err("it does not exist").to_string();
    assert_eq!(missing, "there is no folder /no/such/folder; name one that exists, or create it");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let not_a_folder = Files::open(file.path()).expect_err("it is a file").to_string();
    assert!(not_a_folder.ends_with("is not a folder; name the folder that holds it"), "{not_a_folder}");
}
