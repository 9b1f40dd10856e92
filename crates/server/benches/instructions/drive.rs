//! One worker, its clients, and the rounds they go through.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gannet_engine::sim::{Client, Faults, Network};
use gannet_engine::{Engine, Listener, Pool};
use gannet_server::{Admission, Limits, Mailbox, Services, Turn, Worker};

use crate::apart::Apart;
use crate::folder::Folder;
use crate::http2::Http2;
use crate::scenario::{Scenario, site};

const SEED: u64 = 1;
const BLOCK_BYTES: usize = 16 * 1024;
const BLOCKS: usize = 256;
/// What a round takes of the simulated time: so much that the server's clock goes on, and no second passes in a run.
const ROUND: Duration = Duration::from_micros(10);
/// Turns of one round: more means that the worker goes on without getting anywhere.
const TURNS: usize = 100;
/// What a client has room for: the answers of a round.
const ROOM_BYTES: usize = 64 * 1024;

/// Goes through so many rounds of a scenario; every answer is looked at.
pub fn run(scenario: &Scenario, rounds: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let network = Network::new(SEED, Faults::none());
    let limits = Limits::default();
    let engine = Engine::new(Box::new(Apart(network.engine(Pool::new(BLOCK_BYTES, BLOCKS)))));
    let admission = Arc::new(Admission::new(limits.connections, limits.connections_per_address));
    let (site, mailbox) =
        (Arc::new(site(scenario, folder.path(), address())), Arc::new(Mailbox::new(BLOCKS)));
    let worker = Worker::new(engine, site, limits, admission, mailbox, &Services::inline());
    let mut worker = worker.with_files(Rc::new(Folder::new(folder.path())));
    worker.listen(Listener::Simulated(address())).expect("a simulated address");
    let mut clients = Vec::new();
    for _ in 0..rounds {
        clients.resize_with(scenario.clients, || Asking {
            client: network.connect(address()).expect("somebody listens"),
            http2: scenario.is_http2.then(Http2::new),
        });
        clients.iter_mut().for_each(|client| client.ask(scenario));
        settle(&mut worker);
        clients.iter_mut().for_each(|client| client.check(scenario));
        if scenario.is_new_each_round {
            clients.clear();
            settle(&mut worker);
            assert_eq!(worker.connections(), 0, "the server closes what its clients closed");
        }
        network.advance(ROUND);
    }
}

fn address() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 80))
}

/// Turns until nothing is left to do.
fn settle(worker: &mut Worker) {
    for _ in 0..TURNS {
        if !matches!(counted_turn(worker), Turn::Busy) {
            return;
        }
    }
    panic!("{TURNS} turns at one moment: the worker spins");
}

/// What is counted. Its name is where callgrind begins and ends.
#[inline(never)]
fn counted_turn(worker: &mut Worker) -> Turn {
    worker.turn().expect("the simulated engine always goes on")
}

/// A connection, and the protocol that it speaks if that is not HTTP/1.1.
struct Asking {
    client: Client,
    http2: Option<Http2>,
}

impl Asking {
    fn ask(&mut self, scenario: &Scenario) {
        let requests = match &mut self.http2 {
            Some(http2) => http2.requests(scenario),
            None => scenario.request.repeat(scenario.pipelined).into_bytes(),
        };
        let taken = self.client.write(&requests).expect("the connection is open");
        assert_eq!(taken, requests.len(), "there is room for it");
    }

    fn check(&mut self, scenario: &Scenario) {
        let mut room = [0; ROOM_BYTES];
        let count = self.client.read(&mut room).expect("every request is answered in its round");
        let answer = &room[..count];
        let answers = match &mut self.http2 {
            Some(http2) => http2.responses(scenario, answer),
            None => count_responses(scenario, answer),
        };
        assert_eq!(
            answers,
            scenario.pipelined,
            "{} answered: {}",
            scenario.name,
            String::from_utf8_lossy(answer)
        );
    }
}

fn count_responses(scenario: &Scenario, answer: &[u8]) -> usize {
    let answer = String::from_utf8_lossy(answer);
    assert!(answer.ends_with(scenario.answer_ends), "{} answered: {answer}", scenario.name);
    answer.matches("HTTP/1.1 200 OK\r\n").count()
}
