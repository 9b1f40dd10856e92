//! A file system, processors and a clock of the test's own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use gannet_core::{
    Arrival, Block, Body, Bytes, Call, Clock, Counter, Counters, Cpu, Frame, Fs, FsError, Handler, Head,
    Heads, Incoming, Interims, Kind, Later, Listed, OpenFile, Ports, ReceivedBody, Reply, Request,
    RequestHead, Response, Root, Stamp, Tls, Upstream, Upstreams, WriteListed,
};
use gannet_features::files::Files;
use gannet_proto::h1::{Connection, Event};

/// What there is, how often it was asked for, what time it is.
pub struct World {
    names: RefCell<HashMap<String, Entry>>,
    /// What lost its name, and may be open still.
    past: RefCell<Vec<Entry>>,
    next_inode: Cell<u64>,
    /// What was opened and may be open still.
    given: RefCell<Vec<Weak<File>>>,
    /// What is to be computed, while `held`.
    waiting: RefCell<Vec<Box<dyn FnOnce() + Send>>>,
    /// How many files may be open: to be said before the first request.
    pub spare_descriptors: Cell<usize>,
    /// Whether what is to be computed waits for [`World::compute`].
    pub held: Cell<bool>,
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
    File { file: Arc<File>, modified: u64, inode: u64 },
    Directory,
    Denied,
    Broken,
}

/// A handler for the files of a world, mounted at `/*`.
pub struct Served {
    pub world: Rc<World>,
    pub handler: Rc<dyn Handler>,
    /// What requests come by.
    pub tls: Option<Rc<Tls>>,
}

impl World {
    /// Writes a new file, in the second `modified` since 1970.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>, modified: u64) {
        let inode = self.next_inode.get();
        self.next_inode.set(inode + 1);
        let file = Arc::new(tempfile::tempfile().expect("a temporary file"));
        file.write_all_at(content.as_ref(), 0).expect("room for a small file");
        self.put(name, Entry::File { file, modified, inode });
    }

    /// Writes other content into a file that is there, as an editor does that keeps the inode.
    pub fn rewrite(&self, name: &str, content: impl AsRef<[u8]>, now: u64) {
        let mut names = self.names.borrow_mut();
        let Some(Entry::File { file, modified, .. }) = names.get_mut(name) else { panic!("no file {name}") };
        file.set_len(0).and_then(|()| file.write_all_at(content.as_ref(), 0)).expect("room for a small file");
        *modified = now;
    }

    /// Gives a file a second name, which costs the test no descriptor.
    pub fn link(&self, name: &str, other: &str) {
        let entry = self.names.borrow()[name].clone();
        self.put(other, entry);
    }

    /// How many of the files that were opened are open still.
    pub fn descriptors(&self) -> usize {
        self.given.borrow().iter().filter(|file| file.strong_count() > 0).count()
    }

    /// Computes what was held; how much that was.
    pub fn compute(&self) -> usize {
        let waiting = self.waiting.take();
        waiting.into_iter().map(|job| job()).count()
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
        let gone = self.names.borrow_mut().remove(name);
        self.past.borrow_mut().extend(gone);
    }

    fn put(&self, name: &str, entry: Entry) {
        let replaced = self.names.borrow_mut().insert(name.to_owned(), entry);
        self.past.borrow_mut().extend(replaced);
    }

    fn find(&self, path: &[u8]) -> Result<OpenFile, FsError> {
        self.opened.set(self.opened.get() + 1);
        let name = std::str::from_utf8(path).expect("names are UTF-8");
        let entry = self.names.borrow().get(name.trim_end_matches('/')).cloned().ok_or(FsError::NotFound)?;
        let (kind, file, modified, inode) = match entry {
            Entry::Denied => return Err(FsError::Denied),
            Entry::Broken => return Err(FsError::Failed(io::Error::other("the disk is on fire"))),
            // Newer than any file.
            Entry::Directory => {
                (Kind::Directory, tempfile::tempfile().expect("a temporary file"), 4_000_000_000, 0)
            }
            // ENOTDIR, open(2)
            Entry::File { .. } if name.ends_with('/') => return Err(FsError::NotFound),
            Entry::File { file, modified, inode } => {
                (Kind::File, file.try_clone().expect("a descriptor"), modified, inode)
            }
        };
        let stamp = stamp(&file, modified, inode)?;
        let file = Arc::new(file);
        if kind == Kind::File {
            self.given.borrow_mut().push(Arc::downgrade(&file));
        }
        Ok(OpenFile { file, kind, stamp })
    }
}

fn stamp(file: &File, modified: u64, inode: u64) -> Result<Stamp, FsError> {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
    let length = file.metadata().map_err(FsError::Failed)?.len();
    Ok(Stamp { identity: (1, inode), length, modified })
}

impl Fs for World {
    fn open(&self, _: &Root, path: &[u8]) -> Later<Result<OpenFile, FsError>> {
        Later::ready(self.find(path))
    }

    fn stamp(&self, opened: &File) -> io::Result<Stamp> {
        let number = opened.metadata()?.ino();
        let (names, past) = (self.names.borrow(), self.past.borrow());
        let found = names.values().chain(&*past).find_map(|entry| match entry {
            Entry::File { file, modified, inode } if file.metadata().is_ok_and(|of| of.ino() == number) => {
                stamp(opened, *modified, *inode).ok()
            }
            _ => None,
        });
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read(&self, file: &Arc<File>, range: Range<u64>) -> Later<io::Result<Bytes>> {
        self.read.set(self.read.get() + 1);
        Later::ready(Ok(read(file, &range).into()))
    }

    fn list(&self, _: &Root, path: &[u8], limit: usize, write: WriteListed) -> Later<Result<Bytes, FsError>> {
        if self.busy.get() {
            return Later::ready(Err(FsError::Failed(io::Error::other("more waits than may"))));
        }
        let prefix = String::from_utf8(path.to_vec()).expect("names are UTF-8");
        let names = self.names.borrow();
        let inside = names.iter().filter_map(|(name, entry)| {
            let name = name.strip_prefix(&prefix).filter(|name| !name.is_empty() && !name.contains('/'))?;
            let (kind, length) = match entry {
                Entry::File { file, .. } => (Kind::File, file.metadata().map_or(0, |of| of.len())),
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
        self.spare_descriptors.get()
    }
}

impl Cpu for World {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        if self.busy.get() {
            return false;
        }
        self.computed.set(self.computed.get() + 1);
        match self.held.get() {
            true => self.waiting.borrow_mut().push(job),
            false => job(),
        }
        true
    }
}

impl Upstreams for World {
    fn begin(&self, _: Rc<Call>) {
        panic!("files are nobody else's");
    }

    fn under_way(&self, _: &Upstream) -> usize {
        0
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

    fn read(&self) -> Duration {
        self.now.get()
    }

    fn unix_seconds(&self) -> u64 {
        self.unix_seconds.get()
    }

    fn unix_milliseconds(&self) -> u64 {
        self.unix_seconds.get() * 1000
    }

    fn set_alarm(&self, _: Option<u32>, _: Duration, _: &Waker) -> u32 {
        0
    }

    fn clear_alarm(&self, _: u32) {}
}

impl Served {
    /// With nothing but the root.
    pub fn new(how: impl FnOnce(Files) -> Files) -> Served {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let world = World {
            names: RefCell::default(),
            past: RefCell::default(),
            next_inode: Cell::new(1),
            given: RefCell::default(),
            waiting: RefCell::default(),
            spare_descriptors: Cell::new(16),
            held: Cell::new(false),
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
        Served { world: Rc::new(world), handler: how(files).factory()(), tls: None }
    }

    pub fn get(&self, target: &str) -> Response {
        self.ask("GET", target, &[])
    }

    pub fn get_with(&self, target: &str, fields: &[(&str, &str)]) -> Response {
        self.ask("GET", target, fields)
    }

    pub fn ask(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Response {
        Waiting::new(self.begin(method, target, fields)).response().expect("nothing has to be waited for")
    }

    /// Asks, and waits for nothing.
    pub fn begin(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.begin_as_sent(&format!("{method} {target} HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n"))
    }

    /// The same with a head as it is sent.
    pub fn begin_as_sent(&self, text: &str) -> Reply {
        let mut block = Block::oversized(text.len());
        block.append(text.as_bytes());
        let mut head = Box::<Head>::default();
        let event = Connection::new(gannet_proto::Limits::default()).handle(&block, &mut head);
        assert!(matches!(event, Ok(Event::Head { .. })), "a whole head");
        let incoming = Rc::new(Incoming::default());
        incoming.begin(None);
        let world = &self.world;
        let ports = Ports {
            fs: world.clone(),
            cpu: world.clone(),
            clock: world.clone(),
            counters: world.clone(),
            upstreams: world.clone(),
            trusted: Rc::default(),
            states: Rc::default(),
            locals: Rc::default(),
            letterbox: Arc::new(()),
            draining: Rc::default(),
        };
        let head = RequestHead::new(head, block.share(), Heads::new(1));
        let arrival = Arrival { tls: self.tls.clone(), ..Arrival::default() };
        let body = ReceivedBody::new(incoming);
        let mut request = Request::new(head, body, Rc::new(ports), Interims::default(), Rc::new(arrival));
        request.set_tail(1);
        self.handler.handle(request)
    }
}

/// A request that is perhaps not answered yet.
pub struct Waiting(Option<Response>, Pin<Box<Reply>>);

impl Waiting {
    pub fn new(mut reply: Reply) -> Waiting {
        Waiting(reply.take_ready(), Box::pin(reply))
    }

    /// The response, when it is there.
    pub fn response(&mut self) -> Option<Response> {
        self.0.take().or_else(|| match self.1.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => Some(response),
            Poll::Pending => None,
        })
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
