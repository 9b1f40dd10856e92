//! What holds for this backend beyond the contract, or is hard to bring about through it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use gannet_block::Block;

use super::buffers::{FIRST, WINDOW};
use super::ring::{Mode, explained};
use super::*;
use crate::Engine;

/// No test needs more polls than this.
const PATIENCE: usize = 20_000;

/// Runs each named test in each mode that the kernel may know.
macro_rules! each_kind_of_ring {
    ($($test:ident)+) => {
        mod with_work_put_off {
            $(#[test] fn $test() { super::$test(super::Mode::Deferred) })+
        }
        mod with_work_done_at_any_call {
            $(#[test] fn $test() { super::$test(super::Mode::Cooperative) })+
        }
    };
}

each_kind_of_ring! {
    a_receive_that_finds_no_block_goes_on_when_the_one_block_returns
    many_sockets_share_two_blocks_and_lose_nothing
    the_ring_of_blocks_grows_when_a_turn_needs_more_leaves_half_the_pool_and_shrinks_again
    a_block_is_received_into_again_in_the_next_turn_but_few
    a_pause_that_races_with_data_loses_none
    an_end_that_comes_during_a_pause_is_told_once_when_armed_again
    closing_during_a_send_accounts_for_every_byte_and_the_peer_sees_the_end
    ending_our_half_right_behind_a_send_cuts_nothing_off
    an_engine_dropped_with_everything_under_way_returns_its_blocks_and_ends_its_connections
    more_operations_and_completions_than_the_queues_hold_are_all_done
    a_flood_of_connections_that_the_queues_cannot_hold_is_accepted_to_the_last
    a_host_that_waits_for_the_descriptor_misses_nothing
    the_descriptor_is_readable_only_while_there_is_something_to_gather
    what_is_armed_anew_in_a_poll_is_with_the_kernel_before_the_host_sleeps
    a_listener_taken_out_and_paused_in_one_turn_closes_its_port
}

/// An engine with a listener, and what it has reported.
struct Bench {
    engine: Engine,
    pool: Pool,
    address: SocketAddr,
    seen: VecDeque<Completion>,
}

impl Bench {
    /// None where there is no io_uring.
    fn new(mode: Mode, blocks: usize) -> Option<Bench> {
        Bench::with_queues(mode, blocks, SUBMISSIONS, COMPLETIONS)
    }

    fn with_queues(mode: Mode, blocks: usize, submissions: u32, completions: u32) -> Option<Bench> {
        let pool = Pool::new(4096, blocks);
        let make = || Ring::in_mode(mode, submissions, completions).map_err(explained);
        let ring = gannet_testing::on("uring", make)?;
        let mut engine = Engine::new(Box::new(Uring::on(ring, pool.clone()).unwrap()));
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
        let address = listener.local_address().unwrap().internet().unwrap();
        engine.listen(listener).unwrap();
        Some(Bench { engine, pool, address, seen: VecDeque::new() })
    }

    fn poll(&mut self, wait: Duration) {
        self.engine.poll(Some(wait)).unwrap();
        self.seen.extend(std::iter::from_fn(|| self.engine.next_completion()));
    }

    fn quiesce(&mut self) {
        for _ in 0..8 {
            self.poll(Duration::from_millis(1));
        }
    }

    fn next(&mut self) -> Completion {
        for _ in 0..PATIENCE {
            if let Some(completion) = self.seen.pop_front() {
                return completion;
            }
            self.poll(Duration::from_millis(10));
        }
        panic!("nothing happens");
    }

    fn pair(&mut self) -> (TcpStream, SocketId) {
        let peer = TcpStream::connect(self.address).unwrap();
        match self.next() {
            Completion::Accepted(accepted) => (peer, self.engine.adopt(accepted.connection).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    /// The bytes that the next completion brings, which is of `socket`.
    fn received(&mut self, socket: SocketId) -> Block {
        match self.next() {
            Completion::Received { socket: from, block } if from == socket => block,
            other => panic!("{other:?}"),
        }
    }

    /// Sends until the socket takes no more, and leaves that send under way; how many bytes were taken.
    fn fill(&mut self, socket: SocketId) -> u64 {
        let mut taken = 0;
        for _ in 0..PATIENCE {
            self.engine.send(socket, large());
            self.quiesce();
            match self.seen.pop_front() {
                Some(Completion::Sent { result, .. }) => taken += result.unwrap(),
                Some(other) => panic!("{other:?}"),
                None => return taken,
            }
        }
        panic!("never full");
    }
}

fn large() -> Box<Output> {
    let mut output = Box::new(Output::default());
    output.bytes().resize(1 << 20, b'x');
    output
}

fn output(bytes: &[u8]) -> Box<Output> {
    let mut output = Box::new(Output::default());
    output.bytes().extend_from_slice(bytes);
    output
}

fn a_receive_that_finds_no_block_goes_on_when_the_one_block_returns(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 1) else { return };
    let (mut first, one) = bench.pair();
    let (mut second, two) = bench.pair();
    bench.engine.receive(one);
    bench.engine.receive(two);
    bench.quiesce();
    first.write_all(b"first").unwrap();
    let held = bench.received(one);
    second.write_all(b"second").unwrap();
    bench.quiesce();
    assert!(bench.seen.is_empty(), "no block, nothing received");
    drop(held);
    assert_eq!(&bench.received(two)[..], b"second");
    first.write_all(b"again").unwrap();
    assert_eq!(&bench.received(one)[..], b"again");
}

fn many_sockets_share_two_blocks_and_lose_nothing(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 2) else { return };
    let mut pairs: Vec<_> = (0..10).map(|_| bench.pair()).collect();
    for (peer, socket) in &mut pairs {
        bench.engine.receive(*socket);
        peer.write_all(&[7; 10_000]).unwrap();
    }
    let mut left = pairs.len() * 10_000;
    while left > 0 {
        match bench.next() {
            Completion::Received { block, .. } => left -= block.len(),
            other => panic!("{other:?}"),
        }
    }
}

fn the_ring_of_blocks_grows_when_a_turn_needs_more_leaves_half_the_pool_and_shrinks_again(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 256) else { return };
    let idle = bench.pool.in_use();
    let mut pairs: Vec<_> = (0..200).map(|_| bench.pair()).collect();
    for (peer, socket) in &mut pairs {
        bench.engine.receive(*socket);
        peer.write_all(b"together").unwrap();
    }
    for _ in &pairs {
        drop(bench.next());
    }
    bench.quiesce();
    assert!(idle <= FEW && bench.pool.in_use() > idle, "{idle}, then {}", bench.pool.in_use());
    assert!(bench.pool.in_use() <= 128);
    let (peer, socket) = &mut pairs[0];
    for _ in 0..2 * WINDOW {
        peer.write_all(b"alone").unwrap();
        drop(bench.received(*socket));
    }
    assert!(bench.pool.in_use() <= idle, "many turns that need few are not prepared for a flood");
}

/// More blocks than are provided at first.
const FEW: usize = 64;

fn a_block_is_received_into_again_in_the_next_turn_but_few(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 1024) else { return };
    let (mut peer, socket) = bench.pair();
    bench.engine.receive(socket);
    let mut blocks = BTreeSet::new();
    for _ in 0..10 * FIRST {
        peer.write_all(b"one at a time").unwrap();
        blocks.insert(bench.received(socket).as_ptr().addr());
    }
    assert_eq!(blocks.len(), FIRST, "of {} that could be lent", bench.pool.limit());
}

fn a_pause_that_races_with_data_loses_none(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 64) else { return };
    let (mut peer, socket) = bench.pair();
    let sent: Vec<u8> = (0..400_000u32).map(|n| (n % 251) as u8).collect();
    let mut received = Vec::new();
    for (turn, piece) in sent.chunks(1000).enumerate() {
        bench.engine.receive(socket);
        if turn % 3 == 0 {
            bench.poll(Duration::ZERO);
        }
        peer.write_all(piece).unwrap();
        bench.engine.pause(socket);
        if turn % 2 == 0 {
            bench.engine.receive(socket);
            bench.engine.pause(socket);
        }
        bench.poll(Duration::ZERO);
        received.extend(bench.seen.drain(..).flat_map(bytes));
    }
    bench.engine.receive(socket);
    while received.len() < sent.len() {
        received.extend(bytes(bench.next()));
    }
    assert!(received == sent);
}

fn bytes(completion: Completion) -> Vec<u8> {
    match completion {
        Completion::Received { block, .. } => block.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn an_end_that_comes_during_a_pause_is_told_once_when_armed_again(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 8) else { return };
    for reset in [false, true] {
        let (peer, socket) = bench.pair();
        bench.engine.receive(socket);
        bench.poll(Duration::ZERO);
        if reset {
            socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        }
        // The kernel finds the end in the same call in which it is told to stop.
        drop(peer);
        bench.engine.pause(socket);
        bench.quiesce();
        assert!(bench.seen.is_empty(), "{:?}", bench.seen);
        bench.engine.receive(socket);
        match bench.next() {
            Completion::Ended { .. } if !reset => {}
            Completion::ReceiveFailed { error, .. } if reset => {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            }
            other => panic!("reset: {reset}, {other:?}"),
        }
        bench.quiesce();
        assert!(bench.seen.is_empty(), "{:?}", bench.seen);
    }
}

fn closing_during_a_send_accounts_for_every_byte_and_the_peer_sees_the_end(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 8) else { return };
    for _ in 0..4 {
        let (mut peer, socket) = bench.pair();
        bench.engine.receive(socket);
        let mut taken = bench.fill(socket);
        // The peer makes room, so that the send under way may go on while it is being cancelled.
        let mut start = vec![0; 1 << 20];
        peer.read_exact(&mut start).unwrap();
        bench.engine.close(socket);
        match bench.next() {
            Completion::Closed { output: Some(output), .. } => taken += (1 << 20) - output.remaining(),
            other => panic!("{other:?}"),
        }
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).unwrap();
        assert_eq!((start.len() + rest.len()) as u64, taken);
    }
    assert_eq!(bench.engine.sockets(), 0);
}

fn ending_our_half_right_behind_a_send_cuts_nothing_off(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 8) else { return };
    let (mut peer, socket) = bench.pair();
    bench.engine.send(socket, output(b"all of it"));
    bench.engine.shutdown(socket);
    assert!(matches!(bench.next(), Completion::Sent { result: Ok(9), .. }));
    let mut heard = Vec::new();
    peer.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"all of it");
}

fn an_engine_dropped_with_everything_under_way_returns_its_blocks_and_ends_its_connections(mode: Mode) {
    for turns in 0..4 {
        let Some(mut bench) = Bench::new(mode, 16) else { return };
        let mut pairs: Vec<_> = (0..6).map(|_| bench.pair()).collect();
        for (number, (peer, socket)) in pairs.iter_mut().enumerate() {
            bench.engine.receive(*socket);
            peer.write_all(&[1; 9000]).unwrap();
            match number {
                0 => bench.engine.pause(*socket),
                1 => bench.engine.close(*socket),
                2 => {
                    let mut pieces = output(b"one");
                    pieces.push_shared(bytes::Bytes::from_static(b"two"));
                    bench.engine.send(*socket, pieces);
                }
                _ => bench.engine.send(*socket, large()),
            }
        }
        let _unaccepted = TcpStream::connect(bench.address).unwrap();
        for _ in 0..turns {
            bench.poll(Duration::ZERO);
        }
        let pool = bench.pool.clone();
        drop(bench);
        assert_eq!(pool.in_use(), 0);
        for (mut peer, _) in pairs {
            // Ends, or is reset since bytes were left unread: either way it is over.
            let _ = peer.read_to_end(&mut Vec::new());
        }
    }
}

fn more_operations_and_completions_than_the_queues_hold_are_all_done(mode: Mode) {
    let Some(mut bench) = Bench::with_queues(mode, 256, 4, 8) else { return };
    let mut pairs: Vec<_> = (0..100).map(|_| bench.pair()).collect();
    for (peer, socket) in &mut pairs {
        bench.engine.receive(*socket);
        bench.engine.send(*socket, output(b"hello"));
        peer.write_all(b"hello").unwrap();
    }
    let (mut sent, mut received) = (0, 0);
    while (sent, received) != (100, 100) {
        match bench.next() {
            Completion::Sent { result: Ok(5), .. } => sent += 1,
            Completion::Received { .. } => received += 1,
            other => panic!("{other:?}"),
        }
    }
    for (_, socket) in &pairs {
        bench.engine.close(*socket);
    }
    for _ in &pairs {
        assert!(matches!(bench.next(), Completion::Closed { .. }));
    }
    for (mut peer, _) in pairs {
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"hello");
    }
}

/// The kernel ends accepting, with a completion that says so, when its queue is full.
fn a_flood_of_connections_that_the_queues_cannot_hold_is_accepted_to_the_last(mode: Mode) {
    let Some(mut bench) = Bench::with_queues(mode, 16, 4, 8) else { return };
    let peers: Vec<_> = (0..100).map(|_| TcpStream::connect(bench.address).unwrap()).collect();
    for _ in &peers {
        assert!(matches!(bench.next(), Completion::Accepted(_)));
    }
    drop(bench.pair());
}

fn a_host_that_waits_for_the_descriptor_misses_nothing(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 64) else { return };
    let (mut peer, socket) = bench.pair();
    let rounds = 2000;
    let other_end = thread::spawn(move || {
        for _ in 0..rounds {
            peer.write_all(b"ping").unwrap();
            peer.read_exact(&mut [0; 4]).unwrap();
        }
        peer.shutdown(Shutdown::Both).unwrap();
    });
    bench.engine.receive(socket);
    let (mut received, mut slept) = (0, 0);
    loop {
        while bench.engine.poll(Some(Duration::ZERO)).unwrap() > 0 {
            while let Some(completion) = bench.engine.next_completion() {
                match completion {
                    Completion::Received { block, .. } => {
                        received += block.len();
                        bench.engine.send(socket, output(b"pong"));
                    }
                    Completion::Sent { result, .. } => assert_eq!(result.unwrap(), 4),
                    Completion::Ended { .. } => {
                        assert_eq!(received, 4 * rounds);
                        assert!(slept > 0);
                        return other_end.join().unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        slept += 1;
        assert!(readable(&bench.engine, 10), "a completion was not signalled");
    }
}

fn the_descriptor_is_readable_only_while_there_is_something_to_gather(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 8) else { return };
    let (mut peer, socket) = bench.pair();
    bench.engine.receive(socket);
    for _ in 0..3 {
        bench.quiesce();
        assert!(!readable(&bench.engine, 0));
        peer.write_all(b"news").unwrap();
        assert!(readable(&bench.engine, 10));
        assert_eq!(&bench.received(socket)[..], b"news");
    }
}

fn what_is_armed_anew_in_a_poll_is_with_the_kernel_before_the_host_sleeps(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 8) else { return };
    let (mut peer, socket) = bench.pair();
    bench.engine.receive(socket);
    bench.quiesce();
    bench.engine.pause(socket);
    bench.engine.receive(socket);
    assert_eq!(bench.engine.poll(Some(Duration::ZERO)).unwrap(), 0);
    peer.write_all(b"news").unwrap();
    assert!(readable(&bench.engine, 10));
    assert_eq!(&bench.received(socket)[..], b"news");
}

fn readable(engine: &Engine, seconds: i64) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let descriptor = engine.descriptor().unwrap();
    let timeout = Timespec { tv_sec: seconds, tv_nsec: 0 };
    poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&timeout)).unwrap() > 0
}

fn a_listener_taken_out_and_paused_in_one_turn_closes_its_port(mode: Mode) {
    let Some(mut bench) = Bench::new(mode, 8) else { return };
    let listener = ListenerId(0);
    bench.engine.pause_accept(listener);
    bench.engine.resume_accept(listener);
    bench.quiesce();
    drop(bench.pair());
    bench.engine.pause_accept(listener);
    bench.engine.unlisten(listener);
    bench.engine.resume_accept(listener);
    bench.quiesce();
    assert!(TcpStream::connect(bench.address).is_err());
}
