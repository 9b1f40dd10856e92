//! What a server may count on, faults aside.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use gannet_engine::sim::{BACKLOG, Client, Faults, Network, Report};
use gannet_engine::{Backend, Completion, Listener, Moment, Pool};

use crate::table::{Table, address, drain, output};

fn calm() -> Table {
    Table::new(0, Faults::none())
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn data_for_a_closed_end_is_answered_with_a_reset() {
    let mut table = calm();
    let (mut client, socket) = table.pair();
    table.engine.close(socket);
    assert_eq!(drain(&mut client).1.unwrap(), 0, "closed in good order");
    assert_eq!(client.write(b"late").unwrap(), 4, "the client cannot know yet");
    assert_eq!(kind(client.write(b"later")), Some(ErrorKind::BrokenPipe));
    assert_eq!(drain(&mut client).1.unwrap(), 0, "behind the end a reset changes nothing for reading");
}

#[test]
fn data_for_a_closed_end_may_cost_the_answer_that_waits_before_it() {
    let mut table = Table::new(0, Faults { loss: 1.0, ..Faults::none() });
    let (mut client, socket) = table.pair();
    table.engine.send(socket, output(b"answer"));
    table.engine.close(socket);
    client.write(b"rest of the request").unwrap();
    let (bytes, end) = drain(&mut client);
    assert!(bytes.len() < 6 && client.is_reset());
    assert_eq!(kind(end), Some(ErrorKind::ConnectionReset), "a cut answer never looks whole");
}

#[test]
fn closing_with_bytes_unread_resets_the_peer_behind_what_it_was_sent() {
    let mut table = calm();
    let (mut client, socket) = table.pair();
    client.write(b"never read").unwrap();
    table.engine.send(socket, output(b"refused"));
    table.engine.close(socket);
    let (bytes, end) = drain(&mut client);
    assert_eq!((&bytes[..], kind(end)), (&b"refused"[..], Some(ErrorKind::ConnectionReset)));
}

#[test]
fn a_lossy_reset_destroys_the_answer_that_lingering_close_would_have_saved() {
    let faults = Faults { loss: 1.0, ..Faults::none() };
    let mut table = Table::new(0, faults);
    let (mut hasty, first) = table.pair();
    let (mut patient, second) = table.pair();
    for (client, socket) in [(&mut hasty, first), (&mut patient, second)] {
        client.write(b"too long a request").unwrap();
        table.engine.send(socket, output(b"413"));
    }
    table.engine.close(first);
    assert!(drain(&mut hasty).0.len() < 3, "destroyed");

    table.engine.shutdown(second);
    table.engine.receive(second);
    assert_eq!(drain(&mut patient).0, b"413");
    table.poll();
    table.engine.close(second);
    assert!(!patient.is_reset());
}

#[test]
fn a_client_that_closes_with_bytes_unread_resets_the_engine() {
    let mut table = calm();
    let (client, socket) = table.pair();
    table.engine.send(socket, output(b"unread"));
    table.engine.receive(socket);
    table.poll();
    drop(client);
    assert!(matches!(table.poll()[..], [Completion::ReceiveFailed { .. }]));
}

#[test]
fn bytes_that_came_before_a_reset_are_received_before_it() {
    let mut table = calm();
    let (mut client, socket) = table.pair();
    client.write(b"before").unwrap();
    client.reset();
    table.engine.receive(socket);
    match &table.poll_through()[..] {
        [Completion::Received { block, .. }, Completion::ReceiveFailed { error, .. }] => {
            assert_eq!((&block[..], error.kind()), (&b"before"[..], ErrorKind::ConnectionReset));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(kind(client.read(&mut [0; 8])), Some(ErrorKind::NotConnected));
}

#[test]
fn a_reset_fails_the_first_operation_that_meets_it_and_ends_the_others() {
    let mut table = calm();
    let (mut client, socket) = table.pair();
    client.reset();
    let sent = |completions: Vec<Completion>| match completions.into_iter().next() {
        Some(Completion::Sent { result, .. }) => kind(result),
        other => panic!("{other:?}"),
    };
    table.engine.send(socket, output(b"meets it"));
    assert_eq!(sent(table.poll()), Some(ErrorKind::ConnectionReset));
    table.engine.receive(socket);
    assert!(matches!(table.poll()[..], [Completion::Ended { .. }]));
    table.engine.send(socket, output(b"behind it"));
    assert_eq!(sent(table.poll()), Some(ErrorKind::BrokenPipe));
}

#[test]
fn a_send_that_waits_for_room_is_failed_by_a_reset() {
    let mut table = Table::new(0, Faults { capacity: 4..=4, ..Faults::none() });
    let (mut client, socket) = table.pair();
    table.engine.send(socket, output(b"fits"));
    table.poll();
    table.engine.send(socket, output(b"waits"));
    assert!(table.poll().is_empty());
    client.reset();
    match &table.poll()[..] {
        [Completion::Sent { result: Err(error), output, .. }] => {
            assert_eq!((error.kind(), output.remaining()), (ErrorKind::ConnectionReset, 5));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reset_behind_an_end_lets_reading_find_the_end() {
    let mut table = calm();
    let (mut client, socket) = table.pair();
    client.write(b"never read").unwrap();
    table.engine.send(socket, output(b"answer"));
    table.engine.shutdown(socket);
    table.engine.close(socket);
    let (bytes, end) = drain(&mut client);
    assert_eq!((&bytes[..], end.unwrap(), client.is_reset()), (&b"answer"[..], 0, false));
    assert_eq!(kind(client.write(b"more")), Some(ErrorKind::BrokenPipe));
}

#[test]
fn after_our_own_end_nothing_can_be_sent() {
    let mut table = calm();
    let (mut client, socket) = table.pair();
    table.engine.shutdown(socket);
    table.engine.send(socket, output(b"too late"));
    assert!(matches!(&table.poll()[..], [Completion::Sent { result: Err(error), .. }]
        if error.kind() == ErrorKind::BrokenPipe));
    client.finish();
    assert_eq!(kind(client.write(b"too late")), Some(ErrorKind::BrokenPipe));
    assert_eq!(drain(&mut client).1.unwrap(), 0);
}

#[test]
fn the_peer_has_an_address_until_the_connection_is_reset() {
    let mut table = calm();
    let chosen = SocketAddr::from(([198, 51, 100, 7], 4321));
    let mut client = table.network.connect_from(chosen, address()).unwrap();
    let socket = table.accepted();
    assert_eq!(table.engine.peer_address(socket).unwrap(), chosen);
    assert_eq!((client.local_address(), client.peer_address()), (Some(chosen), address()));
    client.reset();
    assert_eq!(kind(table.engine.peer_address(socket)), Some(ErrorKind::NotConnected));
    assert_ne!(table.connect().local_address(), table.connect().local_address());
}

#[test]
fn an_address_nobody_listens_on_refuses() {
    let network = Network::new(0, Faults::none());
    assert_eq!(kind(network.connect(address())), Some(ErrorKind::ConnectionRefused));
    let mut engine = network.engine(Pool::new(64, 1));
    let socket = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
    assert_eq!(kind(engine.listen(socket)), Some(ErrorKind::Unsupported));
}

#[test]
fn the_backlog_is_bounded_and_has_room_again_after_accepting() {
    let mut table = calm();
    let waiting: Vec<Client> = (0..BACKLOG).map(|_| table.connect()).collect();
    assert_eq!(kind(table.network.connect(address())), Some(ErrorKind::TimedOut));
    assert_eq!(table.network.report().waiting, waiting.len());
    assert!(!table.poll().is_empty());
    assert!(table.network.connect(address()).is_ok());
}

#[test]
fn connections_are_spread_over_the_engines_that_share_an_address() {
    let network = Network::new(1, Faults::none());
    let mut tables = [Table::on(&network), Table::on(&network)];
    let clients: Vec<Client> = (0..64).map(|_| tables[0].connect()).collect();
    let shares = tables.each_mut().map(|table| table.poll().len());
    assert_eq!(shares.iter().sum::<usize>(), clients.len());
    assert!(shares.iter().all(|share| *share > 16), "{shares:?}");
}

#[test]
fn closing_a_listener_resets_those_who_wait_there() {
    let table = calm();
    let mut client = table.connect();
    drop(table);
    assert_eq!(kind(drain(&mut client).1), Some(ErrorKind::ConnectionReset));
}

#[test]
fn dropping_an_engine_closes_its_sockets() {
    let mut table = calm();
    let network = table.network.clone();
    let (mut client, socket) = table.pair();
    table.engine.send(socket, output(b"last words"));
    drop(table);
    let (bytes, end) = drain(&mut client);
    assert_eq!((&bytes[..], end.unwrap()), (&b"last words"[..], 0));
    drop(client);
    assert_eq!(network.report(), Report::default());
}

#[test]
fn time_passes_only_when_it_is_made_to() {
    let mut table = calm();
    let begin = table.network.now();
    assert_eq!(begin.unix_seconds(), 784_111_777);
    table.engine.poll(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(table.engine.now(), begin);
    table.network.advance(Duration::from_millis(2500));
    assert_eq!(table.engine.now(), begin, "the clock is read once a turn");
    table.poll();
    assert_eq!(table.engine.now().moment.since(begin.moment), Duration::from_millis(2500));
    assert_eq!(table.engine.now().unix_seconds(), 784_111_779);
    table.network.advance_to(Moment::default());
    assert_eq!(table.network.now(), table.engine.now(), "never backwards");
    assert_eq!(table.network.next_event(), None);
}

#[test]
fn the_report_names_what_is_left_open() {
    let mut table = calm();
    let (mut client, socket) = table.pair();
    let waiting = table.connect();
    client.write(b"12345").unwrap();
    let idle = Report { listeners: 1, ..Report::default() };
    assert_eq!(
        table.network.report(),
        Report { connections: 2, waiting: 1, sockets: 1, clients: 2, bytes: 5, ..idle }
    );
    table.engine.receive(socket);
    let seen = table.poll();
    assert_eq!((table.network.report().bytes, table.network.report().blocks), (0, 1));
    drop((client, waiting));
    for completion in seen {
        if let Completion::Accepted(accepted) = completion {
            let socket = table.engine.adopt(accepted.connection).unwrap();
            table.engine.close(socket);
        }
    }
    table.engine.close(socket);
    table.poll();
    assert_eq!((table.network.report(), table.engine.sockets()), (idle, 0));
}

#[test]
fn the_trace_keeps_the_last_lines_and_the_fingerprint_all() {
    let mut table = calm();
    table.network.keep_trace(2);
    let before = table.network.fingerprint();
    let (mut client, _) = table.pair();
    client.write(b"12345").unwrap();
    let trace = table.network.trace();
    let lines: Vec<&str> = trace.lines().collect();
    assert_eq!(lines.len(), 2, "{trace}");
    assert!(
        lines[0].ends_with("client 1: sends 5") && lines[1].ends_with("server 1: is reached by bytes, 5"),
        "{trace}"
    );
    assert_ne!(table.network.fingerprint(), before);
}
