//! What the kernel may do at moments that cannot be chosen from outside: it is told here as if it had happened.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use gannet_block::Pool;

use super::super::ring::Ring;
use super::*;
use crate::{Backend, Listener};

/// No test needs more polls than this.
const PATIENCE: usize = 1000;

/// An engine with a listener at that address; none where there is no io_uring: said, and left out.
fn engine() -> Option<(Uring, SocketAddr)> {
    let ring = gannet_testing::on("uring", || Ring::new(64, 64))?;
    let mut uring = Uring::on(ring, Pool::new(4096, 16)).unwrap();
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
    let address = listener.local_address().unwrap().internet().unwrap();
    uring.listen(listener).unwrap();
    Some((uring, address))
}

/// The next completion.
fn next(uring: &mut Uring) -> Completion {
    let mut completions = Completions::new();
    for _ in 0..PATIENCE {
        uring.poll(Some(Duration::from_millis(10)), &mut completions).unwrap();
        if let Some(completion) = completions.pop_front() {
            assert!(completions.is_empty(), "more than one at a time: {completions:?}");
            return completion;
        }
    }
    panic!("nothing happens");
}

fn pair(uring: &mut Uring, address: SocketAddr) -> (TcpStream, SocketId) {
    let peer = TcpStream::connect(address).unwrap();
    match next(uring) {
        Completion::Accepted(accepted) => (peer, uring.adopt(accepted.connection).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// Polls until nothing more can come.
fn settle(uring: &mut Uring) -> Completions {
    let mut completions = Completions::new();
    for _ in 0..4 {
        uring.poll(Some(Duration::from_millis(1)), &mut completions).unwrap();
    }
    completions
}

/// Sends until the kernel waits for room.
fn fill(uring: &mut Uring, socket: SocketId) {
    for _ in 0..PATIENCE {
        let mut output = Box::new(Output::default());
        output.bytes().resize(1 << 20, b'x');
        uring.send(socket, output, &mut Completions::new());
        if settle(uring).is_empty() {
            return;
        }
    }
    panic!("never full");
}

#[test]
fn a_receive_that_evaded_its_cancelling_is_cancelled_again_so_that_closing_ends() {
    let Some((mut uring, address)) = engine() else { return };
    let (_peer, socket) = pair(&mut uring, address);
    uring.receive(socket);
    assert!(settle(&mut uring).is_empty());
    let slot = uring.sockets.get_mut(socket).unwrap();
    (slot.leaving, slot.receiving) = (Leaving::Closed, Receiving::Cancelling);
    assert!(settle(&mut uring).is_empty(), "the kernel goes on receiving");
    uring.cancel_again(Tag::Receive(socket));
    assert!(matches!(next(&mut uring), Completion::Closed { .. }));
    assert_eq!(uring.sockets(), 0);
}

#[test]
fn a_send_that_evaded_its_cancelling_is_cancelled_again_so_that_closing_ends() {
    let Some((mut uring, address)) = engine() else { return };
    let (_peer, socket) = pair(&mut uring, address);
    fill(&mut uring, socket);
    uring.sockets.get_mut(socket).unwrap().leaving = Leaving::Closed;
    assert!(settle(&mut uring).is_empty(), "the kernel waits for room");
    uring.cancel_again(Tag::Send(socket));
    match next(&mut uring) {
        Completion::Closed { output: Some(output), .. } => assert!(!output.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_evaded_its_cancelling_and_is_wanted_again_is_left_alone() {
    let Some((mut uring, address)) = engine() else { return };
    let (mut peer, socket) = pair(&mut uring, address);
    uring.receive(socket);
    settle(&mut uring);
    for operation in [Tag::Receive(socket), Tag::Send(socket), Tag::Accept(crate::ListenerId(0))] {
        uring.cancel_again(operation);
    }
    assert!(settle(&mut uring).is_empty());
    assert_eq!(uring.ring.under_way(), 2, "accepting and receiving, neither begun anew");
    peer.write_all(b"heard").unwrap();
    assert!(matches!(next(&mut uring), Completion::Received { block, .. } if block[..] == *b"heard"));
}

#[test]
fn a_listener_that_evaded_its_cancelling_is_cancelled_again_so_that_its_port_closes() {
    let Some((mut uring, address)) = engine() else { return };
    settle(&mut uring);
    let slot = uring.listeners[0].as_mut().unwrap();
    (slot.armed, slot.closing) = (false, true);
    uring.cancel_again(Tag::Accept(crate::ListenerId(0)));
    settle(&mut uring);
    assert!(uring.listeners[0].is_none());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_completion_that_comes_after_its_socket_is_gone_changes_nothing_of_the_next_one() {
    let Some((mut uring, address)) = engine() else { return };
    let (_gone, old) = pair(&mut uring, address);
    uring.close(old, &mut Completions::new());
    let (mut peer, new) = pair(&mut uring, address);
    assert_eq!((old.index, uring.sockets()), (new.index, 1), "the slot is used anew");
    uring.receive(new);
    fill(&mut uring, new);
    let (in_use, mut completions) = (uring.pool().in_use(), Completions::new());
    let late = uring.pool().take().unwrap();
    uring.received(old, Ok(Some(late)), true, &mut completions);
    for end in [Ok(None), Err(Errno::CONNRESET), Err(Errno::NOBUFS), Err(Errno::CANCELED)] {
        uring.received(old, end, false, &mut completions);
    }
    for end in [Ok(1000), Err(Errno::CANCELED), Err(Errno::PIPE)] {
        uring.sent(old, end, &mut completions);
    }
    assert!(completions.is_empty(), "{completions:?}");
    assert_eq!((uring.pool().in_use(), uring.starved.pop()), (in_use, None));
    let slot = uring.sockets.get(new).unwrap();
    assert!(slot.is_sending() && slot.receiving == Receiving::UnderWay && slot.output.is_some());
    peer.write_all(b"heard").unwrap();
    assert!(matches!(next(&mut uring), Completion::Received { socket, .. } if socket == new));
    assert!(peer.read(&mut [0; 1024]).unwrap() > 0);
}

#[test]
fn a_socket_closed_while_it_waits_for_a_block_waits_no_more() {
    let Some((mut uring, address)) = engine() else { return };
    let (mut peer, socket) = pair(&mut uring, address);
    let kept: Vec<_> = std::iter::from_fn(|| uring.pool().take()).collect();
    uring.receive(socket);
    // One block after another is received into and kept, until there is none.
    let mut received = Vec::new();
    for _ in 0..PATIENCE {
        peer.write_all(&[1; 4096]).unwrap();
        let mut completions = settle(&mut uring);
        if completions.is_empty() {
            break;
        }
        received.extend(std::iter::from_fn(|| completions.pop_front()));
    }
    assert_eq!(uring.sockets.get(socket).unwrap().receiving, Receiving::Starved);
    uring.close(socket, &mut Completions::new());
    assert_eq!((uring.starved.pop(), uring.sockets()), (None, 0));
    drop((kept, received));
}

#[test]
fn a_receive_that_evaded_its_cancelling_is_cancelled_again_so_that_a_release_ends() {
    let Some((mut uring, address)) = engine() else { return };
    let (_peer, socket) = pair(&mut uring, address);
    uring.receive(socket);
    assert!(settle(&mut uring).is_empty());
    let slot = uring.sockets.get_mut(socket).unwrap();
    (slot.leaving, slot.receiving) = (Leaving::Released, Receiving::Cancelling);
    assert!(settle(&mut uring).is_empty(), "the kernel goes on receiving");
    uring.cancel_again(Tag::Receive(socket));
    assert!(matches!(next(&mut uring), Completion::Released { connection: Some(_), .. }));
}

#[test]
fn a_connect_that_evaded_its_cancelling_is_cancelled_again_so_that_closing_ends() {
    let Some((mut uring, _)) = engine() else { return };
    // Its backlog is full (listen(2)), so that who connects is not answered.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _waiting = TcpStream::connect(address).unwrap();
    let socket = uring.connect(&address.into(), &mut Completions::new()).unwrap();
    uring.sockets.get_mut(socket).unwrap().leaving = Leaving::Closed;
    assert!(settle(&mut uring).is_empty(), "the kernel waits for an answer");
    uring.cancel_again(Tag::Send(socket));
    assert!(matches!(next(&mut uring), Completion::Closed { output: None, .. }));
    assert_eq!(uring.ring.under_way(), 1, "accepting");
}

#[test]
fn a_socket_is_released_only_once_the_kernel_is_done_with_it_and_not_after_it_received() {
    let Some((mut uring, address)) = engine() else { return };
    let late = |uring: &Uring| {
        let mut block = uring.pool().take().unwrap();
        block.append(b"late");
        Ok(Some(block))
    };
    for end in [None, Some(Ok(None)), Some(Err(Errno::CONNRESET)), Some(Err(Errno::CANCELED))] {
        let (_peer, socket) = pair(&mut uring, address);
        uring.receive(socket);
        settle(&mut uring);
        let mut completions = Completions::new();
        uring.release(socket, &mut completions);
        assert!(completions.is_empty(), "the kernel still receives");
        // As if the kernel had met these just before it was told to stop; its own last word comes for a socket that is gone.
        let is_quiet = matches!(end, Some(Err(Errno::CANCELED)));
        let end = end.unwrap_or_else(|| {
            let block = late(&uring);
            uring.received(socket, block, true, &mut completions);
            assert!(completions.is_empty(), "nothing but the release is told");
            Err(Errno::CANCELED)
        });
        uring.received(socket, end, false, &mut completions);
        match completions.pop_front() {
            Some(Completion::Released { connection, .. }) => assert_eq!(connection.is_some(), is_quiet),
            other => panic!("{other:?}"),
        }
        assert!(completions.is_empty() && settle(&mut uring).is_empty());
    }
    assert_eq!(uring.sockets(), 0);
}

#[test]
fn a_socket_released_while_it_waits_for_a_block_waits_no_more_and_is_not_quiet() {
    let Some((mut uring, address)) = engine() else { return };
    let (mut peer, socket) = pair(&mut uring, address);
    let mut blocks: Vec<_> = std::iter::from_fn(|| uring.pool().take()).collect();
    uring.receive(socket);
    for _ in 0..PATIENCE {
        peer.write_all(&[1; 4096]).unwrap();
        let mut completions = settle(&mut uring);
        if completions.is_empty() {
            break;
        }
        while let Some(Completion::Received { block, .. }) = completions.pop_front() {
            blocks.push(block);
        }
    }
    assert_eq!(uring.sockets.get(socket).unwrap().receiving, Receiving::Starved);
    let mut completions = Completions::new();
    uring.release(socket, &mut completions);
    assert!(matches!(completions.pop_front(), Some(Completion::Released { connection: None, .. })));
    assert_eq!((uring.starved.pop(), uring.sockets()), (None, 0));
}
