//! Engines that ask an echo server, and hand their connections to each other between two questions, under any mixture of faults.

use std::collections::HashMap;

use gannet_engine::sim::{Faults, Injected, Network, Random, Report};
use gannet_engine::{Completion, Detached, Engine, Pool, SocketId};

use crate::echo::{Replay, Server, faults_of, finish, sum};
use crate::table::{address, output};

/// Seeds to go through; a failing one says which it was.
const SEEDS: u64 = 400;

/// Rounds of one seed: more is a standstill.
const PATIENCE: usize = 200_000;

/// Conversations of a seed, and questions of each.
const CONVERSATIONS: usize = 5;
const QUESTIONS: usize = 4;

/// Questions to be asked over one connection.
#[derive(Default)]
struct Conversation {
    questions_left: usize,
    said: Vec<u8>,
    heard: usize,
    sending: bool,
    leaving: bool,
}

/// One engine, and the conversations that it has right now.
struct Worker {
    engine: Engine,
    conversations: HashMap<SocketId, Conversation>,
    /// Conversations on their way to the other worker.
    released: Vec<(Conversation, Detached)>,
    moved: usize,
    /// How conversations ended: in good order, or not.
    completed: usize,
    failed: usize,
}

impl Worker {
    fn new(network: &Network) -> Worker {
        let engine = Engine::new(Box::new(network.engine(Pool::new(1024, 64))));
        Worker {
            engine,
            conversations: HashMap::new(),
            released: Vec::new(),
            moved: 0,
            completed: 0,
            failed: 0,
        }
    }

    fn connect(&mut self) {
        let socket = self.engine.connect(&address().into()).expect("it is simulated");
        let conversation = Conversation { questions_left: QUESTIONS, ..Conversation::default() };
        assert!(self.conversations.insert(socket, conversation).is_none(), "a number in use");
    }

    /// Goes on with a conversation that the other worker began.
    fn take_over(&mut self, conversation: Conversation, connection: Detached, random: &mut Random) {
        let is_quiet = self.engine.is_quiet(&connection);
        let socket = self.engine.adopt(connection).expect("it is simulated");
        assert!(self.conversations.insert(socket, conversation).is_none(), "a number in use");
        if is_quiet {
            self.moved += 1;
            self.ask(socket, random);
        } else {
            self.fail(socket);
        }
    }

    fn ask(&mut self, socket: SocketId, random: &mut Random) {
        let conversation = self.conversations.get_mut(&socket).expect("it goes on");
        conversation.questions_left -= 1;
        conversation.said.resize(random.magnitude(1..=5_000), 0);
        random.fill(&mut conversation.said);
        (conversation.heard, conversation.sending) = (0, true);
        let question = output(&conversation.said);
        self.engine.receive(socket);
        self.engine.send(socket, question);
    }

    fn fail(&mut self, socket: SocketId) {
        let conversation = self.conversations.get_mut(&socket).expect("it goes on");
        if !std::mem::replace(&mut conversation.leaving, true) {
            self.failed += 1;
            self.engine.close(socket);
        }
    }

    /// Takes what one poll gives; says whether there was anything.
    fn step(&mut self, random: &mut Random) -> bool {
        let any = self.engine.poll(None).expect("a simulated poll succeeds") > 0;
        while let Some(completion) = self.engine.next_completion() {
            self.handle(completion, random);
        }
        any
    }

    fn handle(&mut self, completion: Completion, random: &mut Random) {
        match completion {
            Completion::Connected { socket, result: Ok(()) } => self.ask(socket, random),
            Completion::Connected { socket, .. }
            | Completion::Ended { socket }
            | Completion::ReceiveFailed { socket, .. }
            | Completion::Sent { socket, result: Err(_), .. } => self.fail(socket),
            Completion::Received { socket, block } => {
                let conversation = self.conversations.get_mut(&socket).expect("nothing comes after the end");
                assert!(
                    conversation.said[conversation.heard..].starts_with(&block),
                    "in order, nothing made up"
                );
                conversation.heard += block.len();
                self.end_question(socket);
            }
            Completion::Sent { socket, output, result: Ok(count) } => {
                assert!(count > 0, "a send completes after progress");
                let conversation = self.conversations.get_mut(&socket).expect("nothing comes after the end");
                conversation.sending = !output.is_empty();
                if conversation.leaving {
                    return;
                }
                if conversation.sending {
                    self.engine.send(socket, output);
                }
                self.end_question(socket);
            }
            Completion::Closed { socket, .. } => {
                assert!(self.conversations.remove(&socket).is_some_and(|conversation| conversation.leaving));
            }
            Completion::Released { socket, connection } => {
                let mut conversation = self.conversations.remove(&socket).expect("released once");
                assert!(std::mem::take(&mut conversation.leaving));
                match connection {
                    Some(connection) => self.released.push((conversation, connection)),
                    None => self.failed += 1,
                }
            }
            Completion::Accepted(_) | Completion::AcceptFailed { .. } => panic!("{completion:?}"),
        }
    }

    /// Once all was heard: hands the connection over, or closes it.
    fn end_question(&mut self, socket: SocketId) {
        let conversation = self.conversations.get_mut(&socket).expect("it goes on");
        if conversation.sending || conversation.heard < conversation.said.len() || conversation.leaving {
            return;
        }
        conversation.leaving = true;
        if conversation.questions_left > 0 {
            self.engine.release(socket);
        } else {
            self.completed += 1;
            self.engine.close(socket);
        }
    }
}

/// What is left of a run.
struct Outcome {
    fingerprint: u64,
    injected: Injected,
    completed: usize,
    moved: usize,
}

fn run(seed: u64, faults: Faults) -> Outcome {
    let network = Network::new(seed, faults);
    let _replay = Replay(seed, &network);
    let mut random = network.random();
    let mut server = Server::new(&network);
    let mut workers = [Worker::new(&network), Worker::new(&network)];
    for number in 0..CONVERSATIONS {
        workers[number % 2].connect();
    }
    for _ in 0..PATIENCE {
        if !round(&mut server, &mut workers, &mut random) && !network.skip() {
            break;
        }
    }
    let [completed, failed, moved, left] = [
        workers.iter().map(|worker| worker.completed).sum(),
        workers.iter().map(|worker| worker.failed).sum::<usize>(),
        workers.iter().map(|worker| worker.moved).sum(),
        workers.iter().map(|worker| worker.engine.sockets()).sum(),
    ];
    assert_eq!((completed + failed, left), (CONVERSATIONS, 0), "nobody is left waiting");
    finish(&mut server, &network, &mut None);
    assert_eq!(network.report(), Report { listeners: 1, ..Report::default() }, "nothing leaks");
    Outcome { fingerprint: network.fingerprint(), injected: network.injected(), completed, moved }
}

/// Everybody does something, if there is anything to do.
fn round(server: &mut Server, workers: &mut [Worker; 2], random: &mut Random) -> bool {
    let mut any = server.step(&mut None) || server.accept_failed;
    for number in 0..2 {
        any |= workers[number].step(random);
        for (conversation, connection) in std::mem::take(&mut workers[number].released) {
            any = true;
            workers[1 - number].take_over(conversation, connection, random);
        }
    }
    any
}

#[test]
fn under_any_faults_connections_that_change_engines_lose_nothing_unnoticed_and_nothing_leaks() {
    let (mut all, mut completed, mut moved) = (Injected::default(), 0, 0);
    for seed in 0..SEEDS {
        let outcome = run(seed, faults_of(seed));
        all = sum(all, outcome.injected);
        completed += outcome.completed;
        moved += outcome.moved;
    }
    assert!(completed > SEEDS as usize && moved > 3 * SEEDS as usize, "{completed}, {moved}");
    assert!(all.refusals > 10 && all.silences > 10, "{all:?}");
}

#[test]
fn faults_that_lose_nothing_let_every_connection_change_engines_as_often_as_is_wanted() {
    for seed in 0..100 {
        let outcome = run(seed, Faults::benign());
        assert_eq!(
            (outcome.completed, outcome.moved),
            (CONVERSATIONS, CONVERSATIONS * (QUESTIONS - 1)),
            "seed {seed}"
        );
    }
}

#[test]
fn a_seed_lets_engines_connect_the_same_way_each_time() {
    for seed in 0..30 {
        assert_eq!(
            run(seed, faults_of(seed)).fingerprint,
            run(seed, faults_of(seed)).fingerprint,
            "seed {seed}"
        );
    }
}
