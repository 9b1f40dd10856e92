//! Engines that connect: to what the test plays by hand, and to each other.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use gannet_engine::sim::{Acceptor, BACKLOG, Client, Faults, Network, Report};
use gannet_engine::{Address, Completion, SocketId};

use crate::table::{Table, address, drain, output};

/// Where the test itself listens.
fn upstream() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 90], 8080))
}

/// An engine, and the server that it may connect to.
fn with_upstream(faults: Faults) -> (Table, Acceptor) {
    let table = Table::new(0, faults);
    let acceptor = table.network.listen(upstream());
    (table, acceptor)
}

fn connect(table: &mut Table, to: SocketAddr) -> SocketId {
    table.engine.connect(&to.into()).expect("it is simulated")
}

/// How the one connect that was begun went, if that is known by now.
fn result(completions: Vec<Completion>) -> Option<io::Result<()>> {
    match <[Completion; 1]>::try_from(completions) {
        Ok([Completion::Connected { result, .. }]) => Some(result),
        Ok(other) => panic!("{other:?}"),
        Err(none) => {
            assert!(none.is_empty(), "{none:?}");
            None
        }
    }
}

fn failure(completions: Vec<Completion>) -> Option<ErrorKind> {
    result(completions).and_then(Result::err).map(|error| error.kind())
}

#[test]
fn a_server_played_by_hand_converses_with_the_engine_that_connects() {
    let (mut table, acceptor) = with_upstream(Faults::none());
    assert!(acceptor.accept().is_none());
    let socket = connect(&mut table, acceptor.address());
    assert!(table.engine.next_completion().is_none(), "never from inside the call");
    assert!(matches!(result(table.poll()), Some(Ok(()))));
    let mut peer = acceptor.accept().expect("it connected");
    assert_eq!(table.engine.peer_address(socket).unwrap(), upstream());
    assert_eq!(peer.local_address(), Some(upstream()));
    table.engine.receive(socket);
    table.engine.send(socket, output(b"question"));
    table.poll();
    assert_eq!(drain(&mut peer).0, b"question");
    peer.write(b"answer").unwrap();
    peer.finish();
    match &table.poll_through()[..] {
        [Completion::Received { block, .. }, Completion::Ended { .. }] => assert_eq!(&block[..], b"answer"),
        other => panic!("{other:?}"),
    }
    let open = Report { connections: 1, listeners: 2, sockets: 1, clients: 1, ..Report::default() };
    assert_eq!(table.network.report(), open);
    table.engine.close(socket);
    table.poll();
    assert_eq!(drain(&mut peer).1.unwrap(), 0);
    drop((peer, acceptor));
    assert_eq!(table.network.report(), Report { listeners: 1, ..Report::default() });
}

#[test]
fn a_delayed_answer_comes_when_the_network_says_and_before_the_bytes_behind_it() {
    let delay_at_most = Duration::from_millis(5);
    let (mut table, acceptor) = with_upstream(Faults { delay: 1.0, delay_at_most, ..Faults::none() });
    let socket = connect(&mut table, upstream());
    assert!(result(table.poll()).is_none() && acceptor.accept().is_none(), "on its way");
    assert!(table.engine.peer_address(socket).is_err(), "not connected yet");
    let begun = table.network.now().moment;
    table.network.skip();
    let mut peer = acceptor.accept().expect("it arrived");
    peer.write(b"early").unwrap();
    assert!(result(table.poll()).is_none(), "the answer is on its way");
    assert!(matches!(result(table.poll_later()), Some(Ok(()))));
    assert!(table.network.next_event().is_none(), "nobody gives up any more");
    assert!(table.network.now().moment.since(begun) < Duration::from_secs(2));
    table.engine.receive(socket);
    assert!(matches!(&table.poll()[..], [Completion::Received { block, .. }] if block[..] == *b"early"));
}

#[test]
fn nobody_there_a_chance_of_refusal_and_a_listener_that_closes_refuse_a_connect() {
    let (mut table, acceptor) = with_upstream(Faults::none());
    let mut sockets = vec![connect(&mut table, SocketAddr::from(([192, 0, 2, 91], 80)))];
    assert_eq!(failure(table.poll()), Some(ErrorKind::ConnectionRefused));
    table.network.set_faults(Faults { refusal: 1.0, ..Faults::none() });
    sockets.push(connect(&mut table, upstream()));
    assert_eq!(failure(table.poll()), Some(ErrorKind::ConnectionRefused));
    assert_eq!(table.network.injected().refusals, 1);
    table.network.set_faults(Faults::none());
    sockets.push(connect(&mut table, upstream()));
    drop(acceptor);
    assert_eq!(failure(table.poll()), Some(ErrorKind::ConnectionReset), "it had been let in");
    assert!(table.poll_through().is_empty(), "told once");
    for socket in sockets {
        table.engine.close(socket);
    }
    table.poll();
    assert_eq!(table.network.report(), Report { listeners: 1, ..Report::default() });
}

#[test]
fn a_connect_that_is_never_answered_is_given_up_after_two_minutes() {
    let (mut table, acceptor) = with_upstream(Faults { silence: 1.0, ..Faults::none() });
    let socket = connect(&mut table, upstream());
    table.network.advance(Duration::from_secs(126));
    assert!(result(table.poll()).is_none());
    assert!(table.network.skip(), "it gives up");
    assert_eq!(failure(table.poll()), Some(ErrorKind::TimedOut));
    assert_eq!((table.network.injected().silences, acceptor.accept().is_none()), (1, true));
    table.engine.close(socket);
    table.poll();
    drop(acceptor);
    assert_eq!(table.network.report(), Report { listeners: 1, ..Report::default() });
}

#[test]
fn a_full_backlog_does_not_answer_and_a_connect_closed_meanwhile_leaves_nothing() {
    let (mut table, acceptor) = with_upstream(Faults::none());
    let waiting: Vec<Client> =
        (0..BACKLOG).map(|_| table.network.connect(acceptor.address()).unwrap()).collect();
    let socket = connect(&mut table, upstream());
    assert!(result(table.poll_later()).is_none());
    table.engine.close(socket);
    assert!(matches!(table.poll_through()[..], [Completion::Closed { .. }]));
    assert!(table.network.next_event().is_none());
    drop((waiting, acceptor));
    assert_eq!(table.network.report(), Report { listeners: 1, ..Report::default() });
}

#[test]
fn a_connect_closed_on_its_way_reaches_nobody_and_one_let_in_already_is_reset() {
    let delay_at_most = Duration::from_millis(5);
    let (mut table, acceptor) = with_upstream(Faults { delay: 1.0, delay_at_most, ..Faults::none() });
    let socket = connect(&mut table, upstream());
    table.engine.close(socket);
    table.poll_later();
    assert!(acceptor.accept().is_none());
    let socket = connect(&mut table, upstream());
    table.network.skip();
    let mut peer = acceptor.accept().expect("it arrived");
    table.engine.close(socket);
    assert!(matches!(table.poll_later()[..], [Completion::Closed { .. }]));
    assert_eq!(drain(&mut peer).1.unwrap_err().kind(), ErrorKind::ConnectionReset);
    drop((peer, acceptor));
    assert_eq!(table.network.report(), Report { listeners: 1, ..Report::default() });
}

#[test]
fn a_connection_that_is_outside_any_engine_is_counted_until_it_is_adopted_and_closed() {
    let network = Network::new(0, Faults::none());
    let (mut here, mut there) = (Table::on(&network), Table::on(&network));
    let acceptor = network.listen(upstream());
    let socket = connect(&mut here, upstream());
    assert!(matches!(result(here.poll()), Some(Ok(()))));
    let mut peer = acceptor.accept().expect("it connected");
    here.engine.release(socket);
    let connection = match here.poll().pop() {
        Some(Completion::Released { connection: Some(connection), .. }) => connection,
        other => panic!("{other:?}"),
    };
    assert_eq!((here.engine.sockets(), network.report().sockets), (0, 1));
    assert!(there.engine.is_quiet(&connection));
    peer.write(b"too early").unwrap();
    assert!(!there.engine.is_quiet(&connection));
    let socket = there.engine.adopt(connection).unwrap();
    there.engine.close(socket);
    assert_eq!((there.poll().len(), network.report().sockets), (1, 0));
    assert_eq!(drain(&mut peer).1.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_late_release_holds_its_slot_and_finds_what_came_meanwhile() {
    let faults = Faults { late_close: 1.0, late_at_most: Duration::from_millis(1), ..Faults::none() };
    let (mut table, acceptor) = with_upstream(faults);
    let socket = connect(&mut table, upstream());
    table.poll();
    let mut peer = acceptor.accept().expect("it connected");
    table.engine.release(socket);
    table.engine.close(socket);
    assert!(table.poll().is_empty() && table.engine.sockets() == 1);
    peer.write(b"meanwhile").unwrap();
    assert!(matches!(table.poll_through()[..], [Completion::Released { connection: None, .. }]));
    assert_eq!((table.engine.sockets(), table.network.report().sockets), (0, 0));
    assert!(peer.is_reset());
}

#[test]
fn an_engine_dropped_closes_what_it_connects_has_connected_and_is_about_to_release() {
    let faults = Faults { late_close: 1.0, late_at_most: Duration::from_millis(1), ..Faults::none() };
    let (mut table, acceptor) = with_upstream(faults);
    let sockets = [connect(&mut table, upstream()), connect(&mut table, upstream())];
    assert_eq!(table.poll().len(), 2);
    table.engine.release(sockets[0]);
    table.network.set_faults(Faults { silence: 1.0, ..Faults::none() });
    connect(&mut table, upstream());
    let network = table.network.clone();
    drop(table);
    for _ in sockets {
        assert_eq!(drain(&mut acceptor.accept().expect("it connected")).1.unwrap(), 0);
    }
    drop(acceptor);
    assert_eq!(network.report(), Report::default());
}

#[test]
#[should_panic(expected = "nothing is sent before it is connected")]
fn a_send_before_it_is_connected_is_our_own_error() {
    let (mut table, _acceptor) = with_upstream(Faults { silence: 1.0, ..Faults::none() });
    let socket = connect(&mut table, upstream());
    table.engine.send(socket, output(b"too early"));
}

#[test]
fn a_simulated_network_has_no_unix_sockets() {
    let mut table = Table::new(0, Faults::none());
    let refused = table.engine.connect(&Address::Unix("/run/upstream.sock".into())).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!((table.engine.sockets(), table.network.report().sockets), (0, 0));
    assert!(table.network.connect(address()).is_ok());
}
