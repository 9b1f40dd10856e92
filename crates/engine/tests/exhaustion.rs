//! What accepting does when the descriptors are used up (accept(2), `EMFILE`). The limit is the process's, so these tests have
//! a process of their own.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::time::Duration;

use gannet_engine::{Backend, Completion, Engine, Listener, Pool, epoll::Epoll, sys::uring::Uring};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

/// No step needs more polls than this.
const PATIENCE: usize = 1000;

/// One at a time.
static LIMIT: Mutex<()> = Mutex::new(());

mod on_epoll {
    #[test]
    fn a_listener_without_descriptors_says_so_once_and_accepts_again_when_there_are_some() {
        super::accepts_again("epoll", || super::Epoll::new(super::Pool::new(4096, 4)));
    }
}

mod on_uring {
    #[test]
    fn a_listener_without_descriptors_says_so_once_and_accepts_again_when_there_are_some() {
        super::accepts_again("uring", || super::Uring::new(super::Pool::new(4096, 4)));
    }
}

fn accepts_again<B: Backend + 'static>(name: &str, make: impl FnOnce() -> io::Result<B>) {
    let _alone = LIMIT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(backend) = gannet_testing::on(name, make) else { return };
    let mut engine = Engine::new(Box::new(backend));
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).expect("loopback");
    let address = listener.local_address().expect("bound").internet().expect("of TCP");
    let peer = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a descriptor");
    let limit = getrlimit(Resource::Nofile);
    // Descriptors are given lowest first, so the last one given is the highest and nothing below it is free.
    let used = peer.as_raw_fd() as u64 + 1;
    setrlimit(Resource::Nofile, Rlimit { current: Some(used), ..limit }).expect("lower is allowed");
    let id = engine.listen(listener).expect("needs no descriptor");
    peer.connect(&address.into()).expect("into the backlog");
    match next(&mut engine) {
        Completion::AcceptFailed { listener, error } => {
            assert_eq!((listener, error.raw_os_error()), (id, Some(Errno::MFILE.raw_os_error())));
        }
        other => panic!("{other:?}"),
    }
    for _ in 0..8 {
        assert_eq!(engine.poll(Some(Duration::from_millis(1))).expect("goes on"), 0, "said once");
    }
    setrlimit(Resource::Nofile, limit).expect("back to what it was");
    engine.resume_accept(id);
    assert!(matches!(next(&mut engine), Completion::Accepted(_)));
}

fn next(engine: &mut Engine) -> Completion {
    for _ in 0..PATIENCE {
        if let Some(completion) = engine.next_completion() {
            return completion;
        }
        engine.poll(Some(Duration::from_millis(10))).expect("the engine goes on");
    }
    panic!("nothing happens");
}
