//! The engine's contract (see the library's documentation), tested on every backend this machine can run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "contract/mapped.rs"]
mod mapped;
#[path = "contract/outbound.rs"]
mod outbound;
#[path = "contract/release.rs"]
mod release;
#[path = "contract/rig.rs"]
mod rig;

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use gannet_engine::{Completion, Output, SocketId};
use mapped::{
    a_mapped_file_goes_on_after_it_was_deleted_or_replaced, a_mapped_file_that_was_truncated_fails_the_send,
    a_mapped_file_truncated_while_it_is_sent_fails_the_send,
    mapped_ranges_of_any_bounds_arrive_in_order_among_bytes_and_other_files,
};
use outbound::{
    a_connect_closed_before_it_is_over_gives_closed_and_nothing_else,
    a_connect_that_is_not_answered_goes_on_until_it_is_closed,
    a_connect_that_is_refused_says_so_once_and_is_then_closed,
    a_socket_that_connected_is_not_armed_and_loses_nothing,
    a_unix_socket_is_connected_to_by_its_path_and_by_its_abstract_name,
    a_unix_socket_that_cannot_be_connected_to_says_why,
    an_engine_that_connects_converses_with_the_end_that_it_accepts,
    bytes_go_both_ways_between_the_sockets_of_two_engines,
};
use release::{
    a_connection_kept_outside_any_engine_tells_whether_it_is_quiet,
    a_released_connection_goes_on_at_the_engine_that_adopts_it, a_released_number_names_nothing,
    a_socket_that_ended_or_broke_is_closed_instead_of_released,
    a_socket_that_received_something_is_closed_instead_of_released,
    what_comes_while_a_socket_is_released_is_not_lost_unnoticed,
    what_was_received_before_a_release_comes_before_it,
};
use rig::Rig;

/// Runs each named test on each backend.
macro_rules! contract {
    ($($test:ident)+) => {
        mod on_epoll {
            $(#[test] fn $test() {
                if let Some(mut rig) = super::rig::epoll(super::rig::BLOCKS) { super::$test(&mut rig) }
            })+
        }
        mod on_sim {
            $(#[test] fn $test() { super::$test(&mut super::rig::sim(super::rig::BLOCKS)) })+
        }
        mod on_sim_with_faults {
            $(#[test] fn $test() { super::rig::on_seeds(super::$test) })+
        }
        mod on_uring {
            $(#[test] fn $test() {
                if let Some(mut rig) = super::rig::uring(super::rig::BLOCKS) { super::$test(&mut rig) }
            })+
        }
    };
}

contract! {
    a_connection_is_accepted_and_what_it_sends_is_received
    nothing_is_received_before_the_socket_is_armed
    a_connection_that_one_engine_accepted_converses_with_the_engine_that_adopts_it
    connections_come_before_all_else_that_was_gathered
    a_paused_socket_gives_nothing_until_it_is_armed_again
    everything_sent_arrives_in_order_through_a_full_kernel_buffer
    a_peer_that_ends_its_half_is_reported_once_after_its_last_bytes
    a_peer_that_resets_is_reported_as_gone
    our_end_reaches_the_peer_after_all_that_was_sent_and_receiving_goes_on
    a_closed_socket_gives_closed_and_nothing_else
    a_connection_that_we_reset_is_broken_for_its_peer
    a_number_kept_after_close_names_nothing
    closing_during_a_send_hands_the_output_back
    a_file_range_is_sent_behind_the_bytes_before_it
    a_file_that_ends_early_fails_the_send
    mapped_ranges_of_any_bounds_arrive_in_order_among_bytes_and_other_files
    a_mapped_file_that_was_truncated_fails_the_send
    a_mapped_file_truncated_while_it_is_sent_fails_the_send
    a_mapped_file_goes_on_after_it_was_deleted_or_replaced
    a_paused_listener_accepts_nothing_until_it_is_resumed
    receiving_waits_when_the_pool_is_empty_and_goes_on_when_a_block_returns
    a_listener_taken_out_gives_no_more_connections
    every_block_comes_back
    a_flood_on_one_socket_holds_up_no_other
    a_flood_of_connections_holds_up_nobody_who_is_here
    an_engine_that_connects_converses_with_the_end_that_it_accepts
    bytes_go_both_ways_between_the_sockets_of_two_engines
    a_socket_that_connected_is_not_armed_and_loses_nothing
    a_connect_that_is_refused_says_so_once_and_is_then_closed
    a_connect_that_is_not_answered_goes_on_until_it_is_closed
    a_connect_closed_before_it_is_over_gives_closed_and_nothing_else
    a_unix_socket_is_connected_to_by_its_path_and_by_its_abstract_name
    a_unix_socket_that_cannot_be_connected_to_says_why
    a_released_connection_goes_on_at_the_engine_that_adopts_it
    a_released_number_names_nothing
    a_socket_that_received_something_is_closed_instead_of_released
    a_socket_that_ended_or_broke_is_closed_instead_of_released
    what_was_received_before_a_release_comes_before_it
    what_comes_while_a_socket_is_released_is_not_lost_unnoticed
    a_connection_kept_outside_any_engine_tells_whether_it_is_quiet
}

fn a_connection_is_accepted_and_what_it_sends_is_received(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    rig.engine.receive(socket);
    peer.write_all(b"hello");
    assert_eq!(rig.received(socket, 5), b"hello");
    peer.write_all(b"again");
    assert_eq!(rig.received(socket, 5), b"again");
}

fn nothing_is_received_before_the_socket_is_armed(rig: &mut Rig) {
    let (mut first, one) = rig.pair();
    let (mut second, two) = rig.pair();
    first.write_all(b"early");
    second.write_all(b"heard");
    rig.engine.receive(two);
    assert_eq!(rig.received(two, 5), b"heard");
    assert!(rig.seen_of(one).is_empty());
    rig.engine.receive(one);
    assert_eq!(rig.received(one, 5), b"early");
}

fn a_connection_that_one_engine_accepted_converses_with_the_engine_that_adopts_it(rig: &mut Rig) {
    let mut peer = rig.connect();
    peer.write_all(b"early");
    let accepted = rig.unadopted().connection;
    let sockets = rig.engine.sockets();
    let accepting = rig.change_engine();
    let socket = rig.engine.adopt(accepted).unwrap();
    assert_eq!((accepting.engine.sockets(), rig.engine.sockets()), (sockets, 1), "it is the other's");
    rig.quiesce();
    assert!(rig.seen_of(socket).is_empty(), "it is not armed");
    rig.engine.receive(socket);
    assert_eq!(rig.received(socket, 5), b"early");
    rig.send_all(socket, b"answer");
    assert_eq!(rig.peer_reads(&mut *peer, 6), b"answer");
    peer.finish();
    assert!(matches!(rig.next_of(socket), Completion::Ended { .. }));
    rig.engine.close(socket);
    assert!(matches!(rig.next_of(socket), Completion::Closed { .. }));
}

fn connections_come_before_all_else_that_was_gathered(rig: &mut Rig) {
    let (mut known, socket) = rig.pair();
    rig.engine.receive(socket);
    rig.quiesce();
    known.write_all(b"a request");
    let _peer = rig.connect();
    let (mut connections, mut others) = (0, 0);
    for _ in 0..8 {
        let mut others_of_this_poll = 0;
        rig.step_by(|completion| match completion {
            Completion::Accepted(_) => {
                assert_eq!(others_of_this_poll, 0, "it comes behind something else");
                connections += 1;
            }
            _ => others_of_this_poll += 1,
        });
        others += others_of_this_poll;
    }
    assert!((connections, others) >= (1, 1));
}

fn a_paused_socket_gives_nothing_until_it_is_armed_again(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    let (mut other, marker) = rig.pair();
    rig.engine.receive(socket);
    rig.engine.receive(marker);
    peer.write_all(b"one");
    assert_eq!(rig.received(socket, 3), b"one");
    rig.engine.pause(socket);
    rig.quiesce();
    peer.write_all(b"two");
    other.write_all(b"marker");
    assert_eq!(rig.received(marker, 6), b"marker");
    assert!(rig.seen_of(socket).is_empty());
    rig.engine.receive(socket);
    assert_eq!(rig.received(socket, 3), b"two");
}

fn everything_sent_arrives_in_order_through_a_full_kernel_buffer(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    let body: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut output = Box::new(Output::default());
    output.bytes().extend_from_slice(&body[..1_000_000]);
    output.push_shared(bytes::Bytes::copy_from_slice(&body[1_000_000..2_000_000]));
    output.bytes().extend_from_slice(&body[2_000_000..]);
    rig.engine.send(socket, output);
    let mut arrived = Vec::new();
    while arrived.len() < body.len() {
        rig.step();
        if let Some(Completion::Sent { output, result, .. }) = rig.take_of(socket) {
            assert!(result.unwrap() > 0, "a send completes after progress");
            if !output.is_empty() {
                rig.engine.send(socket, output);
            }
        }
        peer.read_some(&mut arrived);
    }
    assert!(arrived == body);
}

fn a_peer_that_ends_its_half_is_reported_once_after_its_last_bytes(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    rig.engine.receive(socket);
    peer.write_all(b"last words");
    peer.finish();
    assert_eq!(rig.received(socket, 10), b"last words");
    assert!(matches!(rig.next_of(socket), Completion::Ended { .. }));
    rig.quiesce();
    assert!(rig.seen_of(socket).is_empty());
    rig.send_all(socket, b"still heard");
    assert_eq!(rig.peer_reads(&mut *peer, 11), b"still heard");
}

fn a_peer_that_resets_is_reported_as_gone(rig: &mut Rig) {
    let (peer, socket) = rig.pair();
    rig.engine.receive(socket);
    peer.reset();
    assert!(matches!(rig.next_of(socket), Completion::ReceiveFailed { .. }));
}

fn our_end_reaches_the_peer_after_all_that_was_sent_and_receiving_goes_on(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    rig.engine.receive(socket);
    rig.send_all(socket, b"goodbye");
    rig.engine.shutdown(socket);
    assert_eq!(rig.peer_reads_to_end(&mut *peer), b"goodbye");
    peer.write_all(b"and you");
    assert_eq!(rig.received(socket, 7), b"and you");
}

fn a_connection_that_we_reset_is_broken_for_its_peer(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    rig.engine.receive(socket);
    rig.engine.reset(socket);
    rig.engine.close(socket);
    while !matches!(rig.next_of(socket), Completion::Closed { .. }) {}
    assert_eq!(rig.peer_fails(&mut *peer).kind(), io::ErrorKind::ConnectionReset);
}

fn a_closed_socket_gives_closed_and_nothing_else(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    rig.engine.receive(socket);
    peer.write_all(b"unread");
    rig.engine.close(socket);
    assert!(matches!(rig.next_of(socket), Completion::Closed { .. }));
    rig.quiesce();
    assert!(rig.seen_of(socket).is_empty());
    assert_eq!(rig.engine.sockets(), 0);
}

fn a_number_kept_after_close_names_nothing(rig: &mut Rig) {
    let (_peer, old) = rig.pair();
    rig.engine.close(old);
    assert!(matches!(rig.next_of(old), Completion::Closed { .. }));
    let (mut peer, new) = rig.pair();
    assert_eq!(old.index, new.index, "the slot is used anew");
    for stale in [old, SocketId { index: 1000, generation: 0 }] {
        rig.engine.receive(stale);
        rig.engine.pause(stale);
        rig.engine.shutdown(stale);
        rig.engine.close(stale);
        assert!(rig.engine.peer_address(stale).is_err());
    }
    rig.engine.receive(new);
    peer.write_all(b"fine");
    assert_eq!(rig.received(new, 4), b"fine");
}

fn closing_during_a_send_hands_the_output_back(rig: &mut Rig) {
    let (_peer, socket) = rig.pair();
    loop {
        let mut output = Box::new(Output::default());
        output.bytes().resize(1 << 20, b'x');
        rig.engine.send(socket, output);
        rig.quiesce();
        if rig.take_of(socket).is_none() {
            break; // the kernel's buffer is full: this one is under way
        }
    }
    rig.engine.close(socket);
    match rig.next_of(socket) {
        Completion::Closed { output, .. } => assert!(!output.expect("was under way").is_empty()),
        other => panic!("{other:?}"),
    }
}

fn temporary_file(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(file)
}

fn a_file_range_is_sent_behind_the_bytes_before_it(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    let file = temporary_file(&[7; 300_000]);
    let mut output = Box::new(Output::default());
    output.bytes().extend_from_slice(b"head");
    output.push_file(file, 100..200_100);
    output.bytes().extend_from_slice(b"tail");
    rig.engine.send(socket, output);
    let mut arrived = Vec::new();
    while arrived.len() < 200_008 {
        rig.step();
        if let Some(Completion::Sent { output, result, .. }) = rig.take_of(socket) {
            result.unwrap();
            if !output.is_empty() {
                rig.engine.send(socket, output);
            }
        }
        peer.read_some(&mut arrived);
    }
    assert_eq!((&arrived[..4], &arrived[200_004..]), (&b"head"[..], &b"tail"[..]));
    assert!(arrived[4..200_004].iter().all(|byte| *byte == 7));
}

fn a_file_that_ends_early_fails_the_send(rig: &mut Rig) {
    let (_peer, socket) = rig.pair();
    let mut output = Box::new(Output::default());
    output.push_file(temporary_file(b"short"), 0..10);
    rig.engine.send(socket, output);
    loop {
        match rig.next_of(socket) {
            Completion::Sent { output, result: Ok(_), .. } => rig.engine.send(socket, output),
            Completion::Sent { result: Err(error), .. } => {
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn a_paused_listener_accepts_nothing_until_it_is_resumed(rig: &mut Rig) {
    let (mut known, socket) = rig.pair();
    rig.engine.receive(socket);
    rig.engine.pause_accept(rig.listener);
    rig.quiesce();
    let mut waiting = rig.connect();
    waiting.write_all(b"patient");
    known.write_all(b"marker");
    assert_eq!(rig.received(socket, 6), b"marker");
    assert!(rig.take_accepted().is_none());
    rig.engine.resume_accept(rig.listener);
    let accepted = rig.accepted();
    rig.engine.receive(accepted);
    assert_eq!(rig.received(accepted, 7), b"patient");
}

fn receiving_waits_when_the_pool_is_empty_and_goes_on_when_a_block_returns(rig: &mut Rig) {
    let held: Vec<_> = std::iter::from_fn(|| rig.pool.take()).collect();
    let (mut peer, socket) = rig.pair();
    rig.engine.receive(socket);
    peer.write_all(b"hello");
    let mut got = Vec::new();
    for _ in 0..rig::BLOCKS {
        rig.quiesce();
        match rig.take_of(socket) {
            Some(Completion::Received { block, .. }) => got.extend_from_slice(&block),
            Some(other) => panic!("{other:?}"),
            None => break,
        }
    }
    drop(held);
    if got.len() < 5 {
        got.extend(rig.received(socket, 5 - got.len()));
    }
    assert_eq!(got, b"hello");
}

/// Polls in which one that waits among many must have had its turn: the simulator may delay what is sent by some.
const TURNS: usize = 20;

fn a_flood_on_one_socket_holds_up_no_other(rig: &mut Rig) {
    let (mut flood, flooded) = rig.pair();
    let (mut other, patient) = rig.pair();
    rig.engine.receive(flooded);
    rig.engine.receive(patient);
    for round in 0..3 {
        let mut heard = false;
        for turn in 0..TURNS {
            // As much as fits, before each poll: there is always more to receive than a poll takes.
            while flood.write(&[0; 16_384]).is_ok_and(|count| count == 16_384) {}
            if turn == 0 {
                other.write_all(b"ping");
            }
            rig.step();
            while rig.take_of(flooded).is_some() {}
            heard |= rig.take_of(patient).is_some();
        }
        assert!(heard, "not in {TURNS} polls, in round {round}");
    }
}

fn a_flood_of_connections_holds_up_nobody_who_is_here(rig: &mut Rig) {
    let (mut known, socket) = rig.pair();
    rig.engine.receive(socket);
    let mut flood = Vec::new();
    for _ in 0..10 {
        flood.extend((0..40).map_while(|_| rig.try_connect()));
        known.write_all(b"ping");
        let heard = (0..TURNS).any(|_| {
            rig.step();
            rig.take_of(socket).is_some()
        });
        assert!(heard, "not in {TURNS} polls, after {} connections", flood.len());
    }
    for _ in &flood {
        rig.accepted();
    }
}

fn a_listener_taken_out_gives_no_more_connections(rig: &mut Rig) {
    let (mut peer, socket) = rig.pair();
    rig.engine.unlisten(rig.listener);
    rig.quiesce();
    assert!(rig.connects_to_nobody(), "nobody listens any more");
    rig.engine.receive(socket);
    peer.write_all(b"stays");
    assert_eq!(rig.received(socket, 5), b"stays");
}

fn every_block_comes_back(rig: &mut Rig) {
    let idle = rig.pool.in_use();
    let pairs: Vec<_> = (0..4).map(|_| rig.pair()).collect();
    let mut peers = Vec::new();
    for (mut peer, socket) in pairs {
        rig.engine.receive(socket);
        peer.write_all(&[1; 1000]);
        assert_eq!(rig.received(socket, 1000).len(), 1000);
        peers.push((peer, socket));
    }
    for (_, socket) in &peers {
        rig.engine.close(*socket);
        while !matches!(rig.next_of(*socket), Completion::Closed { .. }) {}
    }
    assert_eq!(rig.pool.in_use(), idle);
}
