//! A file system, processors and a clock of the test's own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use gannet_core::{
    Block, Body, Bytes, Clock, Counter, Counters, Cpu, Frame, Fs, FsError, Handler, Head, Heads, Incoming,
    Kind, Later, Listed, OpenFile, Ports, Request, RequestBody, RequestHead, Response, Root, Stamp,
    WriteListed,
};
use gannet_features::files::Files;
use gannet_proto::h1::{Connection, Event};

/// What there is, how often it was asked for, what time it is.
pub struct World {
    names: RefCell<HashMap<String, Entry>>,
    next_inode: Cell<u64>,
    /// How often a path was opened.
    pub opened: Cell<usize>,
    /// How often something was read.
    pub read: Cell<usize>,
    /// How often something was computed.
    pub computed: Cell<usize>,
    /// What was counted, by the counter.
    pub counted: [Cell<u64>; Counter::ALL.len()],
    /// Whether there is time to compute anything.
    pub busy: Cell<bool>,
    /// The clock.
    pub now: Cell<Duration>,
    /// The calendar, in seconds since 1970.
    pub unix_seconds: Cell<u64>,
}

#[derive(Clone)]
enum Entry {
    File { content: Vec<u8>, modified: u64, inode: u64 },
    Directory,
    Denied,
    Broken,
}

/// A handler for the files of a world, mounted at `/*`.
pub struct Served {
    pub world: Rc<World>,
    handler: Rc<dyn Handler>,
}

impl World {
    /// Writes a file, in the second `modified` since 1970.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>, modified: u64) {
        let inode = self.next_inode.get();
        self.next_inode.set(inode + 1);
        self.put(name, Entry::File { content: content.as_ref().to_vec(), modified, inode });
    }

    pub fn make_directory(&self, name: &str) {
        self.put(name, Entry::Directory);
    }

    pub fn deny(&self, name: &str) {
        self.put(name, Entry::Denied);
    }

    pub fn break_file(&self, name: &str) {
        self.put(name, Entry::Broken);
    }

    pub fn remove(&self, name: &str) {
        self.names.borrow_mut().remove(name);
    }

    fn put(&self, name: &str, entry: Entry) {
        self.names.borrow_mut().insert(name.to_owned(), entry);
    }

    fn find(&self, path: &[u8]) -> Result<OpenFile, FsError> {
        self.opened.set(self.opened.get() + 1);
        let name = std::str::from_utf8(path).expect("names are UTF-8");
        let entry = self.names.borrow().get(name.trim_end_matches('/')).cloned().ok_or(FsError::NotFound)?;
        let (kind, content, modified, inode) = match entry {
            Entry::Denied => return Err(FsError::Denied),
            Entry::Broken => return Err(FsError::Failed(io::Error::other("the disk is on fire"))),
            Entry::Directory => (Kind::Directory, Vec::new(), 0, 0),
            Entry::File { content, modified, inode } => (Kind::File, content, modified, inode),
        };
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&content).expect("room for a small file");
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        let stamp = Stamp { identity: (1, inode), length: content.len() as u64, modified };
        Ok(OpenFile { file: Arc::new(file), kind, stamp })
    }
}

impl Fs for World {
    fn open(&self, _: &Root, path: &[u8]) -> Later<Result<OpenFile, FsError>> {
        Later::ready(self.find(path))
    }

    fn stamp(&self, file: &File) -> io::Result<Stamp> {
        let length = file.metadata()?.len();
        let names = self.names.borrow();
        let found = names.values().find_map(|entry| match entry {
            Entry::File { content, modified, inode } if content.len() as u64 == length => {
                Some((*modified, *inode))
            }
            _ => None,
        });
        let (modified, inode) = found.ok_or(io::ErrorKind::NotFound)?;
        Ok(Stamp {
            identity: (1, inode),
            length,
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(modified),
        })
    }

    fn read(&self, file: &Arc<File>, range: Range<u64>) -> Later<io::Result<Bytes>> {
        self.read.set(self.read.get() + 1);
        Later::ready(Ok(read(file, &range).into()))
    }

    fn list(&self, _: &Root, path: &[u8], limit: usize, write: WriteListed) -> Later<Result<Bytes, FsError>> {
        let prefix = String::from_utf8(path.to_vec()).expect("names are UTF-8");
        let names = self.names.borrow();
        let inside = names.iter().filter_map(|(name, entry)| {
            let name = name.strip_prefix(&prefix).filter(|name| !name.is_empty() && !name.contains('/'))?;
            let (kind, length) = match entry {
                Entry::File { content, .. } => (Kind::File, content.len() as u64),
                _ => (Kind::Directory, 0),
            };
            let modified = SystemTime::UNIX_EPOCH;
            Some(gannet_core::Entry { name: name.as_bytes().to_vec(), kind, length, modified })
        });
        let mut entries: Vec<_> = inside.collect();
        let truncated = entries.len() > limit;
        entries.truncate(limit);
        Later::ready(Ok(write(Listed { entries, truncated })))
    }

    fn spare_descriptors(&self) -> usize {
        16
    }
}

impl Cpu for World {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        if self.busy.get() {
            return false;
        }
        self.computed.set(self.computed.get() + 1);
        job();
        true
    }
}

impl Counters for World {
    fn add(&self, what: Counter, count: u64) {
        let counted = &self.counted[what as usize];
        counted.set(counted.get() + count);
    }
}

impl Clock for World {
    fn now(&self) -> Duration {
        self.now.get()
    }

    fn unix_seconds(&self) -> u64 {
        self.unix_seconds.get()
    }
}

impl Served {
    /// With nothing but the root.
    pub fn new(how: impl FnOnce(Files) -> Files) -> Served {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let world = World {
            names: RefCell::default(),
            next_inode: Cell::new(1),
            opened: Cell::new(0),
            read: Cell::new(0),
            computed: Cell::new(0),
            counted: Default::default(),
            busy: Cell::new(false),
            now: Cell::new(Duration::ZERO),
            unix_seconds: Cell::new(2_000_000_000),
        };
        world.make_directory("");
        let files = Files::open(folder.path()).expect("the folder exists");
        Served { world: Rc::new(world), handler: how(files).factory()() }
    }

    pub fn get(&self, target: &str) -> Response {
        self.ask("GET", target, &[])
    }

    pub fn get_with(&self, target: &str, fields: &[(&str, &str)]) -> Response {
        self.ask("GET", target, fields)
    }

    pub fn ask(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Response {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("{method} {target} HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n");
        let mut block = Block::oversized(text.len());
        block.append(text.as_bytes());
        let mut head = Box::<Head>::default();
        let event = Connection::new(gannet_proto::Limits::default()).handle(&block, &mut head);
        assert!(matches!(event, Ok(Event::Head { .. })), "a whole head");
        let incoming = Rc::new(Incoming::default());
        incoming.begin(None);
        let world = &self.world;
        let ports =
            Ports { fs: world.clone(), cpu: world.clone(), clock: world.clone(), counters: world.clone() };
        let head = RequestHead::new(head, block.share(), Heads::new(1));
        let mut request = Request::new(head, RequestBody::new(incoming), ports);
        request.set_tail(1);
        let mut reply = self.handler.handle(request);
        if let Some(response) = reply.take_ready() {
            return response;
        }
        match pin!(reply).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => response,
            Poll::Pending => panic!("nothing in this world has to be waited for"),
        }
    }
}

fn read(file: &File, range: &Range<u64>) -> Vec<u8> {
    let mut content = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut content, range.start).expect("the file is as long as it says");
    content
}

/// All bytes of a response's body.
pub fn content(response: Response) -> Vec<u8> {
    let (_, _, body) = response.into_parts();
    match body {
        Body::Empty => Vec::new(),
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::File(file, range) => read(&file, &range),
        Body::Stream(mut source) => {
            let (length, mut all) = (source.length(), Vec::new());
            // Bounded: no test's body has as many pieces.
            for _ in 0..1000 {
                match source.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Some(Ok(Frame::Data(data)))) => all.extend_from_slice(data.as_slice()),
                    Poll::Ready(Some(Ok(Frame::File(file, range)))) => all.extend(read(&file, &range)),
                    Poll::Ready(None) => break,
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(length, Some(all.len() as u64), "as long as it was said to be");
            all
        }
        other => panic!("{other:?}"),
    }
}

pub fn text(response: Response) -> String {
    String::from_utf8(content(response)).expect("text")
}

/// A field's value.
pub fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.fields().get(name).map(|value| std::str::from_utf8(value).expect("ASCII"))
}
