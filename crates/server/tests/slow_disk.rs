//! A disk that answers nobody: what is in memory goes on being served, by the same worker, and what waits is bounded.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};

use gannet_core::{Cpu, Method};
use gannet_engine::epoll::Epoll;
use gannet_engine::sys::uring::Uring;
use gannet_engine::{Backend, Engine, Listener, Pool};
use gannet_features::files::Files;
use gannet_server::{Admission, Limits, Mailbox, Offload, Services, SiteBuilder, Worker};
use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// Turns until something must have happened; a test that needs so many fails.
const MOST_TURNS: usize = 10_000_000;

/// Bytes of the file that is on the disk only.
const COLD_BYTES: usize = 300_000;

/// A worker whose disk has one thread.
struct Served {
    worker: Worker,
    address: SocketAddr,
    disk: Offload,
}

/// A client that does not wait.
struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Served {
    fn start(backend: Box<dyn Backend>, files: Files) -> Served {
        let listener =
            Listener::bind("127.0.0.1:0".parse().expect("an address"), false).expect("a free port");
        let address = listener.local_address().expect("an address").internet().expect("of TCP");
        let mut site = SiteBuilder::new();
        site.endpoint(Some(Method::Get), "/*", files.factory());
        let site = Arc::new(site.build().expect("one route, no conflicts"));
        let disk = Offload::threads("test-disk", 1);
        let services =
            Services { disk: disk.clone(), cpu: Offload::threads("test-cpu", 1), spare_descriptors: 8 };
        let (admission, mailbox) = (Arc::new(Admission::new(16, 16)), Arc::new(Mailbox::new(16)));
        let engine = Engine::new(backend);
        let mut worker = Worker::new(engine, site, Limits::default(), admission, mailbox, &services);
        worker.listen(listener).expect("the engine listens");
        Served { worker, address, disk }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the kernel accepts");
        stream.set_nonblocking(true).expect("an option of sockets");
        Client { stream, received: Vec::new() }
    }

    /// Turns until the client has a whole response that ends so.
    fn answers(&mut self, client: &mut Client, end: &[u8]) -> String {
        for _ in 0..MOST_TURNS {
            self.worker.turn().expect("the engine goes on");
            if client.receive() && client.received.ends_with(end) {
                return String::from_utf8_lossy(&std::mem::take(&mut client.received)).into_owned();
            }
            std::thread::yield_now();
        }
        panic!("no answer; so far {:?}", String::from_utf8_lossy(&client.received));
    }

    /// Has the disk's thread wait for what is given.
    fn hold_disk(&self) -> mpsc::Sender<()> {
        let ((open, gate), (began, begun)) = (mpsc::channel::<()>(), mpsc::channel());
        let hold = move || {
            began.send(()).expect("it is waited for");
            let _ = gate.recv(); // that it is dropped is a word, too
        };
        assert!(self.disk.spawn(Box::new(hold)));
        begun.recv().expect("it begins");
        open
    }
}

impl Client {
    fn ask(&mut self, target: &str) {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.stream.write_all(request.as_bytes()).expect("the kernel takes a line");
    }

    /// Takes what there is; false: nothing new.
    fn receive(&mut self) -> bool {
        let mut room = [0; 64 * 1024];
        match self.stream.read(&mut room) {
            Ok(count) => {
                assert!(count > 0, "the connection ended");
                self.received.extend_from_slice(&room[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Puts a file out of the kernel's memory; whether the file system lets it.
fn chill(file: &File) -> bool {
    file.sync_all().expect("written");
    fadvise(file, 0, None, Advice::DontNeed).expect("advice is free");
    let mut byte = [0];
    let slices = &mut [std::io::IoSliceMut::new(&mut byte)];
    preadv2(file, slices, 0, ReadWriteFlags::NOWAIT) == Err(Errno::AGAIN)
}

fn nobody_waits_but_those_who_want_what_is_on_the_disk(backend: Box<dyn Backend>) {
    // In the build's folder: what is in /tmp may be in memory for good.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("room for a folder");
    fs::create_dir(folder.path().join("listed")).expect("made");
    fs::write(folder.path().join("page.txt"), "in memory").expect("written");
    let cold = folder.path().join("cold");
    fs::write(&cold, vec![b'c'; COLD_BYTES]).expect("written");
    let is_cold = chill(&File::open(&cold).expect("there"));
    let mut served = Served::start(backend, Files::open(folder.path()).expect("there").listing(true));
    let [mut quick, mut lists, mut reads, mut beyond] = [(); 4].map(|()| served.connect());
    quick.ask("/page.txt");
    assert!(served.answers(&mut quick, b"in memory").starts_with("HTTP/1.1 200 OK\r\n"));

    let open = served.hold_disk();
    lists.ask("/listed/");
    if is_cold {
        reads.ask("/cold");
    } else {
        eprintln!("no file is cold here: only listings wait for the disk");
    }
    for _ in 0..100 {
        quick.ask("/page.txt");
        assert!(served.answers(&mut quick, b"in memory").starts_with("HTTP/1.1 200 OK\r\n"));
    }
    assert!(!lists.receive(), "what only the disk knows is waited for");
    // A head may be sent before the disk is asked for what follows it, the body not.
    while reads.receive() {}
    assert!(!reads.received.ends_with(b"c"), "what only the disk has is waited for");

    let mut waiting = 0;
    while served.disk.spawn(Box::new(|| {})) {
        waiting += 1;
        assert!(waiting < 1_000_000, "what waits for a disk is bounded");
    }
    beyond.ask("/listed/");
    let refused = served.answers(&mut beyond, b"503 Service Unavailable\n");
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    quick.ask("/page.txt");
    assert!(served.answers(&mut quick, b"in memory").starts_with("HTTP/1.1 200 OK\r\n"));

    drop(open);
    assert!(served.answers(&mut lists, b"</html>\n").starts_with("HTTP/1.1 200 OK\r\n"));
    if is_cold {
        let end = vec![b'c'; COLD_BYTES];
        let head = reads.received.len();
        assert!(served.answers(&mut reads, &end).len() >= COLD_BYTES + head);
    }
    beyond.ask("/listed/");
    assert!(
        served.answers(&mut beyond, b"</html>\n").starts_with("HTTP/1.1 200 OK\r\n"),
        "and all is well again"
    );
}

mod on_epoll {
    #[test]
    fn nobody_waits_but_those_who_want_what_is_on_the_disk() {
        if let Some(epoll) = gannet_testing::on("epoll", || super::Epoll::new(super::Pool::new(4096, 32))) {
            super::nobody_waits_but_those_who_want_what_is_on_the_disk(Box::new(epoll));
        }
    }
}

mod on_uring {
    #[test]
    fn nobody_waits_but_those_who_want_what_is_on_the_disk() {
        if let Some(uring) = gannet_testing::on("uring", || super::Uring::new(super::Pool::new(4096, 32))) {
            super::nobody_waits_but_those_who_want_what_is_on_the_disk(Box::new(uring));
        }
    }
}
