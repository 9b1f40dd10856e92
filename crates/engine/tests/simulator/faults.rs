//! Each fault, alone and certain.

use std::io::ErrorKind;
use std::time::Duration;

use gannet_engine::sim::{Client, Faults};
use gannet_engine::{Completion, SocketId};

use crate::table::{Table, address, drain, output};

fn received(completions: &[Completion]) -> Vec<&[u8]> {
    completions
        .iter()
        .filter_map(|completion| match completion {
            Completion::Received { block, .. } => Some(&block[..]),
            _ => None,
        })
        .collect()
}

#[test]
fn a_short_receive_gives_part_of_what_arrived_and_the_rest_later() {
    let mut table = Table::new(0, Faults { short_receive: 1.0, ..Faults::none() });
    let (mut client, socket) = table.pair();
    client.write(b"0123456789").unwrap();
    table.engine.receive(socket);
    let first = table.poll();
    assert!(matches!(received(&first)[..], [bytes] if bytes.len() < 10));
    let rest = table.poll_through();
    assert_eq!([received(&first).concat(), received(&rest).concat()].concat(), b"0123456789");
}

#[test]
fn a_short_send_takes_part_of_what_there_was_room_for() {
    let mut table = Table::new(0, Faults { short_send: 1.0, ..Faults::none() });
    let (mut client, socket) = table.pair();
    table.engine.send(socket, output(b"0123456789"));
    match &table.poll()[..] {
        [Completion::Sent { result: Ok(count), output, .. }] => {
            assert!((1..10).contains(count));
            assert_eq!(output.remaining(), 10 - count);
            assert_eq!(drain(&mut client).0, b"0123456789"[..*count as usize]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_buffer_takes_nothing_until_the_reader_reads() {
    let mut table = Table::new(0, Faults { capacity: 10..=10, ..Faults::none() });
    let (mut client, socket) = table.pair();
    table.engine.send(socket, output(&[1; 25]));
    let Some(Completion::Sent { output, result, .. }) = table.poll().pop() else { panic!("no progress") };
    assert_eq!(result.unwrap(), 10);
    table.engine.send(socket, output);
    assert!(table.poll_later().is_empty());
    assert_eq!(client.read(&mut [0; 4]).unwrap(), 4);
    assert!(
        matches!(&table.poll()[..], [Completion::Sent { result: Ok(4), output, .. }] if output.remaining() == 11)
    );
    assert_eq!(table.network.injected().full_buffers, 1);

    assert_eq!(client.write(&[2; 25]).unwrap(), 10, "the other way as well");
    assert_eq!(client.write(&[2; 25]).unwrap_err().kind(), ErrorKind::WouldBlock);
    client.set_capacity(1000);
    client.set_send_capacity(12);
    assert_eq!(client.write(&[2; 25]).unwrap(), 2);
}

#[test]
fn what_is_delayed_arrives_when_the_network_says_and_not_before() {
    let faults = Faults { delay: 1.0, delay_at_most: Duration::from_millis(5), ..Faults::none() };
    let mut table = Table::new(3, faults);
    let mut client = table.connect();
    assert!(table.poll().is_empty(), "on its way");
    let due = table.network.next_event().expect("on its way");
    assert!(due.since(table.network.now().moment) <= Duration::from_millis(5));
    table.network.advance_to(due);
    let socket = table.accepted();
    client.write(b"abc").unwrap();
    client.finish();
    table.engine.receive(socket);
    assert!(table.poll().is_empty(), "on its way");
    let arrived = table.poll_through();
    assert_eq!(received(&arrived).concat(), b"abc");
    assert!(matches!(arrived.last(), Some(Completion::Ended { .. })), "the end comes last");
}

#[test]
fn a_poll_may_give_its_completions_in_another_order_than_that_of_slots() {
    let mut table = Table::new(0, Faults { reorder: 1.0, ..Faults::none() });
    let pairs: Vec<(Client, SocketId)> = (0..8).map(|_| table.pair()).collect();
    let mut clients = Vec::new();
    for (mut client, socket) in pairs {
        client.write(&[socket.index as u8]).unwrap();
        table.engine.receive(socket);
        clients.push(client);
    }
    let mut order = received(&table.poll()).concat();
    assert_ne!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_burst_gives_several_blocks_of_one_socket_in_one_poll() {
    let mut table = Table::new(0, Faults { burst: 1.0, ..Faults::none() });
    let (mut client, socket) = table.pair();
    client.write(&[7; 3000]).unwrap();
    table.engine.receive(socket);
    let sizes: Vec<usize> = received(&table.poll()).iter().map(|bytes| bytes.len()).collect();
    assert_eq!(sizes, [1024, 1024, 952]);
}

#[test]
fn the_network_breaks_a_connection_for_both_ends() {
    let mut table = Table::new(0, Faults::none());
    let (mut client, socket) = table.pair();
    table.engine.receive(socket);
    table.network.set_faults(Faults {
        reset: 1.0,
        delay_at_most: Duration::from_millis(1),
        ..Faults::none()
    });
    client.write(b"doomed").unwrap();
    let seen = table.poll_through();
    assert!(matches!(seen.last(), Some(Completion::ReceiveFailed { .. })), "{seen:?}");
    assert_eq!(drain(&mut client).1.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn descriptors_that_run_out_pause_the_listener_and_are_reported_once() {
    let mut table = Table::new(0, Faults { accept_failure: 1.0, ..Faults::none() });
    let client = table.connect();
    match &table.poll()[..] {
        [Completion::AcceptFailed { listener, error }] => {
            assert_eq!((*listener, error.raw_os_error()), (table.listener, Some(libc::EMFILE)));
        }
        other => panic!("{other:?}"),
    }
    table.network.set_faults(Faults::none());
    assert!(table.poll_later().is_empty(), "paused");
    table.engine.resume_accept(table.listener);
    assert!(matches!(table.poll()[..], [Completion::Accepted(_)]), "the connection waited");
    drop(client);
}

#[test]
fn an_answer_to_a_late_send_may_come_before_its_completion() {
    let faults = Faults { late_send: 1.0, late_at_most: Duration::from_millis(1), ..Faults::none() };
    let mut table = Table::new(0, faults);
    let (mut client, socket) = table.pair();
    table.engine.receive(socket);
    table.engine.send(socket, output(b"question"));
    assert_eq!(drain(&mut client).0, b"question");
    client.write(b"answer").unwrap();
    let seen = table.poll();
    assert!(matches!(seen[..], [Completion::Received { .. }]), "{seen:?}");
    assert!(matches!(table.poll_through()[..], [Completion::Sent { .. }]));
}

#[test]
fn a_close_hands_back_the_output_of_a_send_not_yet_reported() {
    let faults = Faults { late_send: 1.0, late_at_most: Duration::from_millis(1), ..Faults::none() };
    let mut table = Table::new(0, faults);
    let (mut client, socket) = table.pair();
    table.engine.send(socket, output(b"done"));
    table.engine.close(socket);
    assert!(
        matches!(&table.poll_through()[..], [Completion::Closed { output: Some(output), .. }] if output.is_empty())
    );
    assert_eq!(drain(&mut client).0, b"done");
    assert_eq!(table.network.injected().cancelled_sends, 1);
}

#[test]
fn a_late_receive_gives_bytes_after_a_pause_but_not_the_end() {
    let faults = Faults { late_receive: 1.0, late_at_most: Duration::from_millis(1), ..Faults::none() };
    let mut table = Table::new(0, faults);
    let (mut client, socket) = table.pair();
    table.engine.receive(socket);
    client.write(b"bytes").unwrap();
    assert!(table.poll().is_empty(), "held back");
    table.engine.pause(socket);
    assert_eq!(received(&table.poll_later()), [b"bytes"]);

    table.engine.receive(socket);
    client.finish();
    assert!(table.poll().is_empty(), "held back");
    table.engine.pause(socket);
    assert!(table.poll_later().is_empty(), "paused");
    table.engine.receive(socket);
    assert!(matches!(table.poll_later()[..], [Completion::Ended { .. }]));
    table.engine.receive(socket);
    assert!(table.poll_through().is_empty(), "told once");
}

#[test]
fn a_late_close_keeps_its_slot_until_it_is_reported() {
    let faults = Faults { late_close: 1.0, late_at_most: Duration::from_millis(1), ..Faults::none() };
    let mut table = Table::new(0, faults);
    let (mut client, socket) = table.pair();
    table.engine.receive(socket);
    client.write(b"unread").unwrap();
    table.engine.close(socket);
    table.engine.close(socket);
    assert!(table.poll().is_empty() && table.engine.sockets() == 1);
    assert_eq!(
        drain(&mut client).1.unwrap_err().kind(),
        ErrorKind::ConnectionReset,
        "the peer knows already"
    );
    assert!(table.engine.peer_address(socket).is_err());
    assert!(matches!(table.poll_through()[..], [Completion::Closed { .. }]));
    assert_eq!((table.engine.sockets(), table.pool.in_use()), (0, 0));
}

#[test]
#[should_panic(expected = "one send at a time")]
fn a_second_send_at_a_time_is_our_own_error() {
    let mut table = Table::new(0, Faults { capacity: 1..=1, ..Faults::none() });
    let (_client, socket) = table.pair();
    table.engine.send(socket, output(b"1"));
    table.engine.send(socket, output(b"2"));
    table.engine.send(socket, output(b"3"));
}

#[test]
fn without_faults_nothing_is_injected() {
    let mut table = Table::new(0, Faults::none());
    let (mut client, socket) = table.pair();
    client.write(&[1; 5000]).unwrap();
    table.engine.receive(socket);
    assert_eq!(received(&table.poll_through()).concat().len(), 5000);
    table.engine.close(socket);
    assert!(table.network.connect(address()).is_ok());
    assert_eq!(table.network.injected(), Default::default());
}
