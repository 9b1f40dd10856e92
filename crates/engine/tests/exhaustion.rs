//! What accepting and connecting do when the descriptors are used up (`EMFILE`), and that none is left behind. The limit is the
//! process's, so these tests have a process of their own.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::time::Duration;

use gannet_engine::{
    Backend, Completion, Engine, Listener, ListenerId, Pool, epoll::Epoll, sys::uring::Uring,
};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

/// No step needs more polls than this.
const PATIENCE: usize = 1000;

/// One at a time.
static LIMIT: Mutex<()> = Mutex::new(());

/// Runs each named test on each of the kernel's backends.
macro_rules! alone {
    ($($test:ident)+) => {
        mod on_epoll {
            $(#[test] fn $test() { super::run("epoll", super::open_epoll, super::$test); })+
        }
        mod on_uring {
            $(#[test] fn $test() { super::run("uring", super::open_uring, super::$test); })+
        }
    };
}

alone! {
    a_listener_without_descriptors_says_so_once_and_accepts_again_when_there_are_some
    a_connect_without_descriptors_fails_at_once_and_goes_well_when_there_are_some
    a_thousand_connects_and_closes_leave_no_descriptor
    a_thousand_connections_released_and_dropped_leave_no_descriptor
}

fn open_epoll() -> io::Result<Box<dyn Backend>> {
    Ok(Box::new(Epoll::new(Pool::new(4096, 4))?))
}

fn open_uring() -> io::Result<Box<dyn Backend>> {
    Ok(Box::new(Uring::new(Pool::new(4096, 4))?))
}

fn run(name: &str, open: fn() -> io::Result<Box<dyn Backend>>, test: fn(&mut Engine)) {
    let _alone = LIMIT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(backend) = gannet_testing::on(name, open) else { return };
    test(&mut Engine::new(backend));
}

fn loopback() -> Listener {
    Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).expect("loopback")
}

/// Makes `highest` the last descriptor that the process may have; gives what the limit was. Descriptors are given lowest first, so
/// where `highest` was the last one given nothing below it is free.
fn forbid_above(highest: &impl AsRawFd) -> Rlimit {
    let limit = getrlimit(Resource::Nofile);
    let used = highest.as_raw_fd() as u64 + 1;
    setrlimit(Resource::Nofile, Rlimit { current: Some(used), ..limit }).expect("lower is allowed");
    limit
}

fn a_listener_without_descriptors_says_so_once_and_accepts_again_when_there_are_some(engine: &mut Engine) {
    let listener = loopback();
    let address = listener.local_address().expect("bound").internet().expect("of TCP");
    let peer = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a descriptor");
    let limit = forbid_above(&peer);
    let id = engine.listen(listener).expect("needs no descriptor");
    peer.connect(&address.into()).expect("into the backlog");
    match next(engine) {
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
    assert!(matches!(next(engine), Completion::Accepted(_)));
}

fn a_connect_without_descriptors_fails_at_once_and_goes_well_when_there_are_some(engine: &mut Engine) {
    let listener = loopback();
    let address = listener.local_address().expect("bound");
    let last = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a descriptor");
    let limit = forbid_above(&last);
    let refused = engine.connect(&address);
    setrlimit(Resource::Nofile, limit).expect("back to what it was");
    let error = refused.expect_err("there is no descriptor");
    assert_eq!(error.raw_os_error(), Some(Errno::MFILE.raw_os_error()));
    assert_eq!(engine.sockets(), 0);
    let socket = engine.connect(&address).expect("a descriptor");
    assert!(matches!(next(engine), Completion::Connected { socket: of, result: Ok(()) } if of == socket));
}

fn a_thousand_connects_and_closes_leave_no_descriptor(engine: &mut Engine) {
    let (listening, bound) =
        (loopback(), Socket::new(Domain::IPV4, Type::STREAM, None).expect("a descriptor"));
    bound.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("loopback");
    let nobody = bound.local_addr().expect("bound").as_socket().expect("of TCP").into();
    let somebody = listening.local_address().expect("bound");
    let before = descriptors();
    for round in 0..1000 {
        let target = if round % 5 == 0 { &nobody } else { &somebody };
        let socket = engine.connect(target).expect("a descriptor");
        // Most before it is over.
        if round % 3 == 0 {
            assert!(matches!(next(engine), Completion::Connected { .. }));
        }
        engine.close(socket);
        while !matches!(next(engine), Completion::Closed { socket: of, .. } if of == socket) {}
        while let Ok(accepted) = listening.accept(ListenerId(0)) {
            drop(accepted);
        }
    }
    assert_eq!((engine.sockets(), descriptors()), (0, before));
}

fn a_thousand_connections_released_and_dropped_leave_no_descriptor(engine: &mut Engine) {
    let listening = loopback();
    let address = listening.local_address().expect("bound");
    let before = descriptors();
    for round in 0..1000 {
        let socket = engine.connect(&address).expect("a descriptor");
        assert!(matches!(next(engine), Completion::Connected { result: Ok(()), .. }));
        let accepted = listening.accept(ListenerId(0)).expect("it connected");
        if round % 2 == 0 {
            engine.receive(socket);
        }
        if round % 5 == 0 {
            drop(accepted);
        }
        engine.release(socket);
        while !matches!(next(engine), Completion::Released { socket: of, .. } if of == socket) {}
    }
    assert_eq!((engine.sockets(), descriptors()), (0, before));
}

/// How many descriptors the process has.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux has it").count()
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
