//! One engine on a simulated network, and a hand on its clock.

use std::net::SocketAddr;
use std::time::Duration;

use gannet_engine::sim::{Client, Faults, Network};
use gannet_engine::{Completion, Engine, Listener, ListenerId, Output, Pool, SocketId};

/// Where the server listens.
pub fn address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 80], 80))
}

/// An output of these bytes.
pub fn output(bytes: &[u8]) -> Box<Output> {
    let mut output = Box::new(Output::default());
    output.bytes().extend_from_slice(bytes);
    output
}

/// An engine under test.
pub struct Table {
    pub network: Network,
    pub engine: Engine,
    pub pool: Pool,
    pub listener: ListenerId,
}

impl Table {
    pub fn new(seed: u64, faults: Faults) -> Table {
        Table::on(&Network::new(seed, faults))
    }

    /// One engine more on `network`.
    pub fn on(network: &Network) -> Table {
        let pool = Pool::new(1024, 64);
        let mut engine = Engine::new(Box::new(network.engine(pool.clone())));
        let listener = engine.listen(Listener::Simulated(address())).expect("a simulated address is taken");
        Table { network: network.clone(), engine, pool, listener }
    }

    pub fn connect(&self) -> Client {
        self.network.connect(address()).expect("somebody listens")
    }

    /// A connection that nothing delays: the client's end, and ours.
    pub fn pair(&mut self) -> (Client, SocketId) {
        let client = self.connect();
        (client, self.accepted())
    }

    /// The connection that one poll gives.
    pub fn accepted(&mut self) -> SocketId {
        match self.poll().pop() {
            Some(Completion::Accepted(accepted)) => {
                self.engine.adopt(accepted.connection).expect("it is simulated")
            }
            other => panic!("{other:?}"),
        }
    }

    /// What one poll gives.
    pub fn poll(&mut self) -> Vec<Completion> {
        self.engine.poll(None).expect("a simulated poll succeeds");
        std::iter::from_fn(|| self.engine.next_completion()).collect()
    }

    /// What comes until nothing is due any more.
    pub fn poll_through(&mut self) -> Vec<Completion> {
        let mut all = self.poll();
        for _ in 0..1000 {
            let more = self.poll();
            if more.is_empty() && !self.network.skip() {
                return all;
            }
            all.extend(more);
        }
        panic!("no end of it:\n{}", self.network.trace());
    }

    /// Polls after a time long enough for anything to arrive.
    pub fn poll_later(&mut self) -> Vec<Completion> {
        self.network.advance(Duration::from_secs(1));
        self.poll()
    }
}

/// All that the client can read now, and why there is no more.
pub fn drain(client: &mut Client) -> (Vec<u8>, std::io::Result<usize>) {
    let (mut bytes, mut room) = (Vec::new(), [0; 4096]);
    loop {
        match client.read(&mut room) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&room[..count]),
            end => return (bytes, end),
        }
    }
}
