//! Listening sockets of every kind, on the kernel's backends: shared by engines, of Unix, dual-stack, adopted.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use gannet_engine::{
    Address, Completion, Engine, Listener, ListenerId, Output, Pool, SocketId, Unfit, epoll::Epoll,
    sys::uring::Uring,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// No step needs more polls than this.
const PATIENCE: usize = 1000;

fn epoll() -> Option<Engine> {
    let backend = gannet_testing::on("epoll", || Epoll::new(Pool::new(4096, 16)))?;
    Some(Engine::new(Box::new(backend)))
}

fn uring() -> Option<Engine> {
    let backend = gannet_testing::on("uring", || Uring::new(Pool::new(4096, 16)))?;
    Some(Engine::new(Box::new(backend)))
}

/// Runs each named test on both backends.
macro_rules! on_both {
    ($($test:ident)+) => {
        mod on_epoll { $(#[test] fn $test() { super::$test(super::epoll) })+ }
        mod on_uring { $(#[test] fn $test() { super::$test(super::uring) })+ }
    };
}

on_both! {
    engines_share_a_socket_and_one_that_is_taken_out_leaves_the_other_accepting
    a_unix_socket_converses_and_its_peer_has_no_address
    an_adopted_socket_is_accepted_from
    a_client_of_ipv4_is_known_by_its_ipv4_address_on_a_dual_stack_socket
    while_an_engine_is_not_polled_others_accept_from_its_listener
}

/// Polls until something comes that is wanted.
fn next(engine: &mut Engine, wanted: impl Fn(&Completion) -> bool) -> Completion {
    for _ in 0..PATIENCE {
        engine.poll(Some(Duration::from_millis(10))).unwrap();
        while let Some(completion) = engine.next_completion() {
            if wanted(&completion) {
                return completion;
            }
        }
    }
    panic!("it does not come");
}

fn accepted(engine: &mut Engine) -> SocketId {
    match next(engine, |completion| matches!(completion, Completion::Accepted(_))) {
        Completion::Accepted(accepted) => engine.adopt(accepted.connection).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Answers what the client says with what it said.
fn echo(engine: &mut Engine, socket: SocketId, client: &mut (impl Read + Write)) {
    client.write_all(b"hello").unwrap();
    engine.receive(socket);
    let mut output = Box::new(Output::default());
    match next(engine, |completion| matches!(completion, Completion::Received { .. })) {
        Completion::Received { block, .. } => output.bytes().extend_from_slice(&block),
        other => panic!("{other:?}"),
    }
    engine.send(socket, output);
    next(engine, |completion| matches!(completion, Completion::Sent { .. }));
    let mut room = [0; 5];
    client.read_exact(&mut room).unwrap();
    assert_eq!(&room, b"hello");
}

fn listen(engine: &mut Engine, listener: Listener) -> ListenerId {
    let id = engine.listen(listener).unwrap();
    // What was begun is handed to the kernel.
    engine.poll(Some(Duration::ZERO)).unwrap();
    id
}

fn engines_share_a_socket_and_one_that_is_taken_out_leaves_the_other_accepting(
    engine: fn() -> Option<Engine>,
) {
    let (Some(mut one), Some(mut other)) = (engine(), engine()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = Listener::bind_unix(&path).unwrap();
    let first = listen(&mut one, listener.try_clone().unwrap());
    listen(&mut other, listener);
    one.unlisten(first);
    for _ in 0..10 {
        one.poll(Some(Duration::from_millis(1))).unwrap();
    }
    let mut client = UnixStream::connect(&path).unwrap();
    // A connection that waits is no news to the engine that does not listen any more: it would never sleep.
    let mut descriptors = [PollFd::from_borrowed_fd(one.descriptor().unwrap(), PollFlags::IN)];
    assert_eq!(poll(&mut descriptors, Some(&Timespec::default())), Ok(0));
    one.poll(Some(Duration::from_millis(1))).unwrap();
    assert!(one.next_completion().is_none());
    let socket = accepted(&mut other);
    echo(&mut other, socket, &mut client);
}

fn a_unix_socket_converses_and_its_peer_has_no_address(engine: fn() -> Option<Engine>) {
    let Some(mut engine) = engine() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = Listener::bind_unix(&path).unwrap();
    assert_eq!(listener.local_address().unwrap(), Address::Unix(path.clone()));
    listen(&mut engine, listener);
    let mut client = UnixStream::connect(&path).unwrap();
    let socket = accepted(&mut engine);
    assert!(engine.peer_address(socket).is_err());
    echo(&mut engine, socket, &mut client);
    engine.close(socket);
    next(&mut engine, |completion| matches!(completion, Completion::Closed { .. }));
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

fn an_adopted_socket_is_accepted_from(engine: fn() -> Option<Engine>) {
    let Some(mut engine) = engine() else { return };
    // As others make them: waiting, and without our options.
    let made = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = made.local_addr().unwrap();
    let listener = Listener::adopt(made.into()).unwrap();
    assert_eq!(listener.local_address().unwrap(), Address::Internet(address));
    listen(&mut engine, listener);
    let mut client = TcpStream::connect(address).unwrap();
    let socket = accepted(&mut engine);
    assert_eq!(engine.peer_address(socket).unwrap(), client.local_addr().unwrap());
    echo(&mut engine, socket, &mut client);
}

fn a_client_of_ipv4_is_known_by_its_ipv4_address_on_a_dual_stack_socket(engine: fn() -> Option<Engine>) {
    let Some(mut engine) = engine() else { return };
    let Ok(listener) = Listener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), false) else {
        eprintln!("left out: this machine has no IPv6");
        return;
    };
    let port = listener.local_address().unwrap().internet().unwrap().port();
    listen(&mut engine, listener);
    let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let socket = accepted(&mut engine);
    assert_eq!(engine.peer_address(socket).unwrap(), client.local_addr().unwrap());
    if let Ok(client) = TcpStream::connect((Ipv6Addr::LOCALHOST, port)) {
        let socket = accepted(&mut engine);
        assert_eq!(engine.peer_address(socket).unwrap(), client.local_addr().unwrap());
    }
}

fn while_an_engine_is_not_polled_others_accept_from_its_listener(engine: fn() -> Option<Engine>) {
    let (Some(mut blocked), Some(mut idle)) = (engine(), engine()) else { return };
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), true).unwrap();
    let address = listener.local_address().unwrap().internet().unwrap();
    let copy = listener.try_clone().unwrap();
    let number = listen(&mut blocked, listener);
    assert_eq!(copy.accept(number).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    for _ in 0..10 {
        let mut client = TcpStream::connect(address).unwrap();
        // It is in the backlog, and nothing of the engine that listens took it from there (IORING_SETUP_DEFER_TASKRUN).
        let accepted = copy.accept(number).unwrap();
        assert_eq!(accepted.listener, number);
        let socket = idle.adopt(accepted.connection).unwrap();
        echo(&mut idle, socket, &mut client);
    }
    blocked.poll(Some(Duration::ZERO)).unwrap();
    assert!(blocked.next_completion().is_none(), "what others accepted does not come again");
    let mut client = TcpStream::connect(address).unwrap();
    let socket = accepted(&mut blocked);
    echo(&mut blocked, socket, &mut client);
}

#[test]
fn each_worker_has_a_listener_on_one_port_which_is_shared_only_among_them_unless_that_is_wanted() {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    for (workers, shared) in [(1, false), (3, false), (1, true), (2, true)] {
        let bound = Listener::bind_each(any, workers, shared).unwrap();
        let addresses: Vec<_> = bound.iter().map(|listener| listener.local_address().unwrap()).collect();
        assert_eq!(addresses.len(), workers);
        assert!(addresses.iter().all(|address| *address == addresses[0]), "{addresses:?}");
        let another = Listener::bind(addresses[0].internet().unwrap(), true);
        assert_eq!(another.is_ok(), shared || workers > 1, "{workers} workers, shared: {shared}");
    }
}

#[test]
fn what_cannot_be_accepted_from_is_not_adopted() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let unfit = |descriptor: OwnedFd| Listener::adopt(descriptor).unwrap_err();
    assert!(matches!(unfit(ours.into()), Unfit::NotListening));
    assert!(matches!(unfit(UdpSocket::bind("127.0.0.1:0").unwrap().into()), Unfit::NoStream));
    assert!(matches!(unfit(tempfile::tempfile().unwrap().into()), Unfit::NoSocket));
}

#[test]
fn an_adopted_socket_neither_blocks_nor_reaches_children() {
    let folder = tempfile::tempdir().unwrap();
    let made = UnixListener::bind(folder.path().join("socket")).unwrap();
    let Ok(Listener::Socket(fd)) = Listener::adopt(made.into()) else { panic!("it listens") };
    assert!(rustix::fs::fcntl_getfl(&fd).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
    assert!(rustix::io::fcntl_getfd(fd.as_fd()).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
}
