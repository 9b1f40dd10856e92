//! Sockets that leave their engine for another.

use std::time::Duration;

use gannet_engine::Completion;

use crate::rig::Rig;

pub fn a_released_connection_goes_on_at_the_engine_that_adopts_it(rig: &mut Rig) {
    let (mut peer, accepted) = rig.pair();
    let connected = rig.connected();
    let served = rig.accepted();
    for socket in [accepted, connected, served] {
        rig.engine.receive(socket);
    }
    peer.write_all(b"before");
    assert_eq!(rig.received(accepted, 6), b"before");
    rig.send_all(connected, b"before");
    assert_eq!(rig.received(served, 6), b"before");
    let moved = [accepted, connected].map(|socket| rig.released(socket).expect("nothing came to it"));
    assert_eq!(rig.engine.sockets(), 1);

    let mut first = rig.change_engine();
    let [accepted, connected] = moved.map(|connection| rig.engine.adopt(connection).unwrap());
    rig.quiesce();
    assert!(rig.seen_of(accepted).is_empty() && rig.seen_of(connected).is_empty(), "they are not armed");
    rig.engine.receive(accepted);
    rig.engine.receive(connected);
    peer.write_all(b"after");
    assert_eq!(rig.received(accepted, 5), b"after");
    rig.send_all(accepted, b"answer");
    assert_eq!(rig.peer_reads(&mut *peer, 6), b"answer");
    rig.send_all(connected, b"after");
    rig.exchange(&mut first);
    assert_eq!(rig.received(served, 5), b"after");
    rig.send_all(served, b"answer");
    rig.exchange(&mut first);
    assert_eq!(rig.received(connected, 6), b"answer");

    // And back again, by the engine that it came from.
    let moved = rig.released(connected).expect("nothing came to it");
    rig.exchange(&mut first);
    let connected = rig.engine.adopt(moved).unwrap();
    rig.engine.receive(connected);
    rig.engine.shutdown(served);
    assert!(matches!(rig.next_of(connected), Completion::Ended { .. }));
}

pub fn a_released_number_names_nothing(rig: &mut Rig) {
    let (mut peer, old) = rig.pair();
    let connection = rig.released(old).expect("nothing came to it");
    rig.engine.receive(old);
    rig.engine.shutdown(old);
    rig.engine.reset(old);
    rig.engine.close(old);
    rig.engine.release(old);
    rig.quiesce();
    assert!(rig.seen_of(old).is_empty() && rig.engine.sockets() == 0);
    let new = rig.engine.adopt(connection).unwrap();
    rig.engine.receive(new);
    peer.write_all(b"fine");
    assert_eq!(rig.received(new, 4), b"fine");
}

pub fn a_socket_that_received_something_is_closed_instead_of_released(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    peer.write_all(b"early");
    rig.quiesce();
    assert!(rig.released(socket).is_none());
    rig.peer_fails(&mut *peer);
    assert_eq!(rig.engine.sockets(), 0);
}

pub fn a_socket_that_ended_or_broke_is_closed_instead_of_released(rig: &mut Rig) {
    for is_armed in [false, true] {
        let (mut ending, ended) = rig.pair();
        let (breaking, broken) = rig.pair();
        if is_armed {
            rig.engine.receive(ended);
            rig.engine.receive(broken);
            rig.quiesce();
        }
        ending.finish();
        breaking.reset();
        rig.quiesce();
        for socket in [ended, broken] {
            rig.engine.release(socket);
            let released = loop {
                match rig.next_of(socket) {
                    Completion::Released { connection, .. } => break connection,
                    Completion::Ended { .. } | Completion::ReceiveFailed { .. } if is_armed => {}
                    other => panic!("{other:?}"),
                }
            };
            assert!(released.is_none());
        }
        assert_eq!(rig.peer_reads_to_end(&mut *ending), b"");
    }
    assert_eq!(rig.engine.sockets(), 0);
}

pub fn what_was_received_before_a_release_comes_before_it(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    rig.engine.receive(socket);
    rig.quiesce();
    peer.write_all(b"a whole message");
    assert!(rig.gather() > 0);
    rig.engine.pause(socket);
    rig.engine.release(socket);
    let mut received = Vec::new();
    let released = loop {
        match rig.next_of(socket) {
            Completion::Received { block, .. } => received.extend_from_slice(&block),
            Completion::Released { connection, .. } => break connection,
            other => panic!("{other:?}"),
        }
    };
    assert!(!received.is_empty());
    // All of it, unless the simulated network gave it in pieces: then the rest may have come meanwhile, or is yet to come.
    if let Some(connection) = released {
        let socket = rig.engine.adopt(connection).unwrap();
        rig.engine.receive(socket);
        received.extend(rig.received(socket, b"a whole message".len() - received.len()));
    }
    assert!(b"a whole message".starts_with(&received));
    assert!(rig.is_simulated() || received == b"a whole message");
}

pub fn what_comes_while_a_socket_is_released_is_not_lost_unnoticed(rig: &mut Rig) {
    for turns in 0..6 {
        let (mut peer, socket) = rig.pair();
        rig.engine.receive(socket);
        if turns % 2 == 1 {
            rig.quiesce();
        }
        peer.write_all(b"news");
        for _ in 0..turns / 2 {
            rig.engine.poll(Some(Duration::ZERO)).unwrap();
        }
        rig.engine.release(socket);
        let mut received = Vec::new();
        let released = loop {
            match rig.next_of(socket) {
                Completion::Received { block, .. } => received.extend_from_slice(&block),
                Completion::Released { connection, .. } => break connection,
                other => panic!("{other:?}"),
            }
        };
        match released {
            // Nothing had come, or it was told: what is yet to come is received by whoever adopts it.
            Some(connection) => {
                let socket = rig.engine.adopt(connection).unwrap();
                rig.engine.receive(socket);
                received.extend(rig.received(socket, 4 - received.len()));
                assert_eq!(received, b"news");
                rig.close(socket);
            }
            None => rig.peer_sees_it_over(&mut *peer),
        }
    }
    assert_eq!(rig.engine.sockets(), 0);
}

pub fn a_connection_kept_outside_any_engine_tells_whether_it_is_quiet(rig: &mut Rig) {
    for what_comes in 0..4 {
        let (mut peer, socket) = rig.pair();
        let connection = rig.released(socket).expect("nothing came to it");
        rig.quiesce();
        assert!(rig.engine.is_quiet(&connection));
        match what_comes {
            0 => {}
            1 => peer.write_all(b"news"),
            2 => peer.finish(),
            _ => peer.reset(),
        }
        rig.quiesce();
        assert_eq!(rig.engine.is_quiet(&connection), what_comes == 0);
        assert_eq!(rig.engine.is_quiet(&connection), what_comes == 0, "asking takes nothing");
    }
}
