//! A small echo server on two engines, under any mixture of faults.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::ErrorKind;

use gannet_engine::sim::{Client, Faults, Injected, Network, Random, Report};
use gannet_engine::{Completion, Engine, Output, SocketId};

use crate::table::{Table, address};

/// Seeds to go through; a failing one says which it was.
const SEEDS: u64 = 400;

/// Rounds of one seed: more is a standstill.
const PATIENCE: usize = 200_000;

/// Bytes a connection of the server holds before it pauses receiving.
const HELD: usize = 2000;

/// Every completion, in words, where somebody wants to compare them: writing them takes longer than all the rest.
pub type Log = Option<String>;

/// One connection of the server.
#[derive(Default)]
struct Link {
    queue: Vec<u8>,
    sending: bool,
    paused: bool,
    /// Paused by this very turn: what the turn had gathered before may still come.
    just_paused: bool,
    ended: bool,
    closing: bool,
}

/// One engine, and what it serves.
pub struct Server {
    pub table: Table,
    links: HashMap<SocketId, Link>,
    pub accept_failed: bool,
}

impl Server {
    pub fn new(network: &Network) -> Server {
        Server { table: Table::on(network), links: HashMap::new(), accept_failed: false }
    }

    /// Takes what one poll gives; says whether there was anything.
    pub fn step(&mut self, log: &mut Log) -> bool {
        if std::mem::take(&mut self.accept_failed) {
            self.table.engine.resume_accept(self.table.listener);
        }
        let completions = self.table.poll();
        let any = !completions.is_empty();
        self.links.values_mut().for_each(|link| link.just_paused = false);
        for completion in completions {
            if let Some(log) = log {
                writeln!(log, "{completion:?}").expect("a string takes all");
            }
            self.handle(completion);
        }
        any
    }

    fn handle(&mut self, completion: Completion) {
        let engine = &mut self.table.engine;
        match completion {
            Completion::Accepted(accepted) => {
                let socket = engine.adopt(accepted.connection).expect("it is simulated");
                assert!(self.links.insert(socket, Link::default()).is_none(), "a number in use");
                engine.receive(socket);
            }
            Completion::AcceptFailed { .. } => self.accept_failed = true,
            Completion::Received { socket, block } => {
                self.with_link(socket, |link, _| link.queue.extend_from_slice(&block));
            }
            Completion::Ended { socket } => self.with_link(socket, |link, _| {
                assert!(!link.ended, "told once");
                assert!(!link.paused || link.just_paused, "nothing but bytes comes while paused");
                link.ended = true;
            }),
            Completion::ReceiveFailed { socket, .. } => self.with_link(socket, |link, engine| {
                link.closing = true;
                engine.close(socket);
            }),
            Completion::Sent { socket, output, result } => {
                let link = self.links.get_mut(&socket).expect("nothing comes after Closed");
                assert!(std::mem::take(&mut link.sending), "a send was under way");
                self.with_link(socket, |link, engine| link.sent(output, result.ok(), socket, engine));
            }
            Completion::Connected { .. } | Completion::Released { .. } => panic!("{completion:?}"),
            Completion::Closed { socket, output } => {
                let link = self.links.remove(&socket).expect("closed once");
                assert!(link.closing && (output.is_some() == link.sending), "what was under way comes back");
            }
        }
    }

    fn with_link(&mut self, socket: SocketId, change: impl FnOnce(&mut Link, &mut Engine)) {
        let link = self.links.get_mut(&socket).expect("nothing comes after Closed");
        if link.closing {
            // Gathered by the same turn as what made us close.
            return;
        }
        change(link, &mut self.table.engine);
        if !link.closing {
            link.drive(socket, &mut self.table.engine);
        }
    }
}

impl Link {
    fn sent(&mut self, output: Box<Output>, count: Option<u64>, socket: SocketId, engine: &mut Engine) {
        match count {
            Some(count) => {
                assert!(count > 0, "a send completes after progress");
                self.go_on(output, socket, engine);
            }
            None => {
                self.closing = true;
                engine.close(socket);
            }
        }
    }

    /// Sends the rest of an output.
    fn go_on(&mut self, output: Box<Output>, socket: SocketId, engine: &mut Engine) {
        if !output.is_empty() {
            self.sending = true;
            engine.send(socket, output);
        }
    }

    fn drive(&mut self, socket: SocketId, engine: &mut Engine) {
        if !self.sending && !self.queue.is_empty() {
            let mut output = Box::new(Output::default());
            output.bytes().append(&mut self.queue);
            self.go_on(output, socket, engine);
        }
        let full = self.queue.len() > HELD;
        if full != self.paused && !self.ended {
            (self.paused, self.just_paused) = (full, full);
            if full { engine.pause(socket) } else { engine.receive(socket) }
        }
        if self.ended && !self.sending && self.queue.is_empty() {
            self.closing = true;
            engine.close(socket);
        }
    }
}

/// A client that says something and wants to hear it again.
struct Caller {
    client: Client,
    said: Vec<u8>,
    written: usize,
    heard: Vec<u8>,
    /// How the conversation ended: whether in good order.
    over: Option<bool>,
}

impl Caller {
    fn new(network: &Network, random: &mut Random) -> Caller {
        let mut said = vec![0; random.magnitude(1..=20_000)];
        random.fill(&mut said);
        let client = network.connect(address()).expect("somebody listens");
        Caller { client, said, written: 0, heard: Vec::new(), over: None }
    }

    /// Writes and reads some; says whether there was anything to do.
    fn step(&mut self, random: &mut Random) -> bool {
        let wrote = self.over.is_none() && self.written < self.said.len() && self.write(random);
        let read = self.over.is_none() && self.read(random);
        wrote || read
    }

    fn write(&mut self, random: &mut Random) -> bool {
        let rest = &self.said[self.written..];
        let count = random.magnitude(1..=rest.len());
        match self.client.write(&rest[..count]) {
            Ok(count) => {
                self.written += count;
                if self.written == self.said.len() {
                    self.client.finish();
                }
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(_) => {
                self.over = Some(false);
                true
            }
        }
    }

    fn read(&mut self, random: &mut Random) -> bool {
        let mut room = vec![0; random.magnitude(1..=8192)];
        match self.client.read(&mut room) {
            Ok(0) => self.over = Some(true),
            Ok(count) => self.heard.extend_from_slice(&room[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => self.over = Some(false),
        }
        true
    }

    fn check(&self) {
        assert!(self.said.starts_with(&self.heard), "in order, nothing made up");
        match self.over {
            Some(true) => assert_eq!(self.heard.len(), self.said.len(), "an end in good order loses nothing"),
            Some(false) => {}
            None => panic!("left waiting"),
        }
    }
}

/// What is left of a run.
struct Outcome {
    log: Log,
    fingerprint: u64,
    injected: Injected,
    completed: usize,
}

/// Prints what led to a failure.
pub struct Replay<'a>(pub u64, pub &'a Network);

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {} failed, after:\n{}", self.0, self.1.trace());
        }
    }
}

fn run(seed: u64, faults: Faults, mut log: Log) -> Outcome {
    let network = Network::new(seed, faults);
    let _replay = Replay(seed, &network);
    let mut random = network.random();
    let mut servers = [Server::new(&network), Server::new(&network)];
    let mut callers: Vec<Caller> = (0..5).map(|_| Caller::new(&network, &mut random)).collect();
    for _ in 0..PATIENCE {
        if !round(&mut servers, &mut callers, &mut random, &mut log) && !network.skip() {
            break;
        }
    }
    for caller in &callers {
        caller.check();
    }
    let completed = callers.iter().filter(|caller| caller.over == Some(true)).count();
    drop(callers);
    for server in &mut servers {
        finish(server, &network, &mut log);
    }
    let left = Report { listeners: 2, ..Report::default() };
    assert_eq!(network.report(), left, "nothing leaks");
    Outcome { log, fingerprint: network.fingerprint(), injected: network.injected(), completed }
}

/// Everybody does something, if there is anything to do.
fn round(servers: &mut [Server], callers: &mut [Caller], random: &mut Random, log: &mut Log) -> bool {
    let mut any = false;
    for server in servers {
        any |= server.step(log) || server.accept_failed;
    }
    for caller in callers {
        any |= caller.step(random);
    }
    any
}

/// Lets the server find out that all clients are gone.
pub fn finish(server: &mut Server, network: &Network, log: &mut Log) {
    for _ in 0..PATIENCE {
        if !server.step(log) && !server.accept_failed && !network.skip() {
            break;
        }
    }
    assert_eq!((server.links.len(), server.table.engine.sockets(), server.table.pool.in_use()), (0, 0, 0));
}

pub fn faults_of(seed: u64) -> Faults {
    Faults::from_seed(&mut Random::new(seed))
}

#[test]
fn under_any_faults_bytes_come_in_order_and_nothing_leaks_and_every_fault_happens() {
    let mut all = Injected::default();
    let mut completed = 0;
    for seed in 0..SEEDS {
        let outcome = run(seed, faults_of(seed), None);
        all = sum(all, outcome.injected);
        completed += outcome.completed;
    }
    assert!(completed > SEEDS as usize, "most seeds let some conversation end well: {completed}");
    let Injected { short_receives, short_sends, full_buffers, delays, reorderings, bursts, .. } = all;
    let Injected { resets, losses, accept_failures, late_receives, late_sends, late_closes, .. } = all;
    let common = [short_receives, short_sends, full_buffers, delays, reorderings, bursts];
    let rare = [resets, losses, accept_failures, late_receives, late_sends, late_closes, all.cancelled_sends];
    assert!(common.iter().all(|count| *count > 1000), "{all:?}");
    assert!(rare.iter().all(|count| *count > 10), "{all:?}");
}

#[test]
fn faults_that_lose_nothing_let_every_conversation_end_well() {
    for seed in 0..100 {
        assert_eq!(run(seed, Faults::benign(), None).completed, 5, "seed {seed}");
    }
}

#[test]
fn a_seed_gives_the_same_completions_each_time_and_another_seed_others() {
    let logged = || Some(String::new());
    for seed in 0..30 {
        let (one, other) = (run(seed, faults_of(seed), logged()), run(seed, faults_of(seed), logged()));
        assert!(one.log.is_some_and(|log| !log.is_empty() && Some(log) == other.log), "seed {seed}");
        assert_eq!(one.fingerprint, other.fingerprint, "seed {seed}");
        assert_ne!(one.fingerprint, run(seed + 1000, faults_of(seed), None).fingerprint);
    }
}

pub fn sum(one: Injected, other: Injected) -> Injected {
    Injected {
        short_receives: one.short_receives + other.short_receives,
        short_sends: one.short_sends + other.short_sends,
        full_buffers: one.full_buffers + other.full_buffers,
        delays: one.delays + other.delays,
        reorderings: one.reorderings + other.reorderings,
        bursts: one.bursts + other.bursts,
        resets: one.resets + other.resets,
        losses: one.losses + other.losses,
        accept_failures: one.accept_failures + other.accept_failures,
        late_receives: one.late_receives + other.late_receives,
        late_sends: one.late_sends + other.late_sends,
        late_closes: one.late_closes + other.late_closes,
        cancelled_sends: one.cancelled_sends + other.cancelled_sends,
        refusals: one.refusals + other.refusals,
        silences: one.silences + other.silences,
    }
}
