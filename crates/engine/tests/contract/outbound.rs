//! Connections that the engine begins.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use gannet_engine::{Address, Completion, SocketId};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::rig::Rig;

pub fn an_engine_that_connects_converses_with_the_end_that_it_accepts(rig: &mut Rig) {
    let client = rig.connected();
    let server = rig.accepted();
    assert_eq!(rig.engine.peer_address(client).ok(), rig.address.internet());
    rig.engine.receive(client);
    rig.engine.receive(server);
    rig.send_all(client, b"question");
    assert_eq!(rig.received(server, 8), b"question");
    rig.send_all(server, b"answer");
    assert_eq!(rig.received(client, 6), b"answer");
    rig.engine.shutdown(client);
    assert!(matches!(rig.next_of(server), Completion::Ended { .. }));
    rig.send_all(server, b"goodbye");
    rig.engine.shutdown(server);
    assert_eq!(rig.received(client, 7), b"goodbye");
    assert!(matches!(rig.next_of(client), Completion::Ended { .. }));
    rig.close(client);
    rig.close(server);
    assert_eq!(rig.engine.sockets(), 0);
}

pub fn bytes_go_both_ways_between_the_sockets_of_two_engines(rig: &mut Rig) {
    let mut server = rig.change_engine();
    let near = rig.connected();
    rig.engine.receive(near);
    rig.send_all(near, b"question");
    rig.exchange(&mut server);
    let far = rig.accepted();
    rig.engine.receive(far);
    assert_eq!(rig.received(far, 8), b"question");
    rig.send_all(far, b"answer");
    let mut client = server;
    rig.exchange(&mut client);
    assert_eq!(rig.received(near, 6), b"answer");
    rig.close(near);
    rig.exchange(&mut client);
    assert!(matches!(rig.next_of(far), Completion::Ended { .. }));
    rig.close(far);
    assert_eq!((rig.engine.sockets(), client.engine.sockets()), (0, 0));
}

pub fn a_socket_that_connected_is_not_armed_and_loses_nothing(rig: &mut Rig) {
    let client = rig.engine.connect(&rig.address).unwrap();
    let server = rig.accepted();
    rig.send_all(server, b"greeting");
    assert!(rig.result_of_connect(client).is_ok());
    rig.quiesce();
    assert!(rig.seen_of(client).is_empty());
    rig.engine.receive(client);
    assert_eq!(rig.received(client, 8), b"greeting");
}

pub fn a_connect_that_is_refused_says_so_once_and_is_then_closed(rig: &mut Rig) {
    let target = rig.refusing();
    let socket = rig.engine.connect(&target.address).unwrap();
    let error = rig.result_of_connect(socket).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    rig.quiesce();
    assert!(rig.seen_of(socket).is_empty());
    assert!(rig.engine.peer_address(socket).is_err());
    rig.close(socket);
    assert_eq!(rig.engine.sockets(), 0);
}

pub fn a_connect_that_is_not_answered_goes_on_until_it_is_closed(rig: &mut Rig) {
    let target = rig.silent();
    let socket = rig.engine.connect(&target.address).unwrap();
    rig.quiesce();
    assert!(rig.seen_of(socket).is_empty());
    assert_eq!(rig.engine.sockets(), 1);
    rig.close(socket);
    rig.quiesce();
    assert!(rig.seen_of(socket).is_empty());
    assert_eq!(rig.engine.sockets(), 0);
}

pub fn a_connect_closed_before_it_is_over_gives_closed_and_nothing_else(rig: &mut Rig) {
    for _ in 0..4 {
        let target = rig.address.clone();
        let socket = rig.engine.connect(&target).unwrap();
        rig.close(socket);
        rig.quiesce();
        assert!(rig.seen_of(socket).is_empty());
        // The kernel may have let the connection in; then it is over.
        while let Some(server) = rig.take_accepted() {
            rig.engine.receive(server);
            assert!(matches!(
                rig.next_of(server),
                Completion::Ended { .. } | Completion::ReceiveFailed { .. }
            ));
            rig.close(server);
        }
    }
    assert_eq!(rig.engine.sockets(), 0);
}

pub fn a_unix_socket_is_connected_to_by_its_path_and_by_its_abstract_name(rig: &mut Rig) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    if refuses_unix_sockets(rig, &path) {
        return;
    }
    let by_path = UnixListener::bind(&path).unwrap();
    converse(rig, path, &by_path);
    let name = format!("gannet-engine-{}-{:p}", std::process::id(), &raw const *rig);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(format!("\0{name}")).unwrap()).unwrap();
    socket.listen(1).unwrap();
    converse(rig, PathBuf::from(format!("@{name}")), &UnixListener::from(socket));
}

/// A question and its answer.
fn converse(rig: &mut Rig, path: PathBuf, listener: &UnixListener) {
    let socket = rig.engine.connect(&Address::Unix(path)).unwrap();
    rig.result_of_connect(socket).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    rig.engine.receive(socket);
    rig.send_all(socket, b"question");
    peer.read_exact(&mut [0; 8]).unwrap();
    peer.write_all(b"answer").unwrap();
    assert_eq!(rig.received(socket, 6), b"answer");
    rig.close(socket);
}

pub fn a_unix_socket_that_cannot_be_connected_to_says_why(rig: &mut Rig) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    if refuses_unix_sockets(rig, &path) {
        return;
    }
    let long = Address::Unix(folder.path().join("x".repeat(108)));
    assert_eq!(rig.engine.connect(&long).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(fails(rig, &path), io::ErrorKind::NotFound);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    assert_eq!(fails(rig, &path), io::ErrorKind::ConnectionRefused);
    socket.listen(0).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    assert_eq!(fails(rig, &path), io::ErrorKind::WouldBlock, "the backlog is full");
    assert_eq!(rig.engine.sockets(), 0);
}

/// What a connect fails with.
fn fails(rig: &mut Rig, path: &Path) -> io::ErrorKind {
    let socket: SocketId = rig.engine.connect(&Address::Unix(path.to_owned())).unwrap();
    let error = rig.result_of_connect(socket).unwrap_err();
    rig.close(socket);
    error.kind()
}

/// Whether this is the simulated network, which has none.
fn refuses_unix_sockets(rig: &mut Rig, path: &Path) -> bool {
    if rig.is_simulated() {
        let refused = rig.engine.connect(&Address::Unix(path.to_owned())).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
    }
    rig.is_simulated()
}
