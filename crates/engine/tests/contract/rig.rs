//! One engine, and peers to talk to it.

use std::any::Any;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use gannet_engine::sim::{Client, Faults, Network, Random};
use gannet_engine::sys::uring::Uring;
use gannet_engine::{
    Accepted, Address, Completion, Detached, Engine, Listener, ListenerId, Pool, SocketId, epoll::Epoll,
};
use socket2::{Domain, Socket, Type};

/// Blocks in the pool of most tests.
pub const BLOCKS: usize = 64;

/// Simulated networks that each test must hold on.
const SEEDS: u64 = 50;

/// No test needs more polls than this.
const PATIENCE: usize = 20_000;

/// The other end of a connection.
pub trait Peer {
    /// Writes what fits; `WouldBlock` when nothing does.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Reads what is there; 0 at the end, `WouldBlock` when nothing is.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize>;
    /// Ends the peer's half.
    fn finish(&mut self);
    /// Breaks the connection.
    fn reset(self: Box<Self>);

    /// Writes a little, all of which fits.
    fn write_all(&mut self, bytes: &[u8]) {
        assert_eq!(self.write(bytes).unwrap(), bytes.len());
    }

    /// Appends what is there; false at the end.
    fn read_some(&mut self, to: &mut Vec<u8>) -> bool {
        let mut room = [0; 65_536];
        match self.read(&mut room) {
            Ok(count) => {
                to.extend_from_slice(&room[..count]);
                count > 0
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            Err(error) => panic!("{error}"),
        }
    }
}

/// An engine under test.
pub struct Rig {
    pub engine: Engine,
    pub pool: Pool,
    pub listener: ListenerId,
    /// Where it listens.
    pub address: Address,
    connect: Box<dyn FnMut() -> io::Result<Box<dyn Peer>>>,
    /// Makes another engine of the same kind.
    another: Box<dyn Fn() -> Engine>,
    /// Lets time pass where it does not by itself.
    pass: Box<dyn FnMut(Duration)>,
    seen: VecDeque<Completion>,
    /// The network, where that is simulated.
    network: Option<Network>,
}

/// An engine that is not the one under test right now, and what was seen of it.
pub struct Other {
    pub engine: Engine,
    seen: VecDeque<Completion>,
}

/// Somewhere to connect to, while this is kept.
pub struct Target {
    pub address: Address,
    _kept: Vec<Box<dyn Any>>,
}

/// None where epoll is not what is to be tested.
pub fn epoll(blocks: usize) -> Option<Rig> {
    let pool = Pool::new(4096, blocks);
    let backend = gannet_testing::on("epoll", || Epoll::new(pool.clone()))?;
    let another = || Engine::new(Box::new(Epoll::new(Pool::new(4096, BLOCKS)).unwrap()));
    Some(Rig { another: Box::new(another), ..on_loopback(Engine::new(Box::new(backend)), pool) })
}

/// None where io_uring is not, or the kernel has none for us.
pub fn uring(blocks: usize) -> Option<Rig> {
    let pool = Pool::new(4096, blocks);
    let backend = gannet_testing::on("uring", || Uring::new(pool.clone()))?;
    let another = || Engine::new(Box::new(Uring::new(Pool::new(4096, BLOCKS)).unwrap()));
    Some(Rig { another: Box::new(another), ..on_loopback(Engine::new(Box::new(backend)), pool) })
}

/// A rig of an engine that uses the kernel's sockets.
pub fn on_loopback(mut engine: Engine, pool: Pool) -> Rig {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
    let address = listener.local_address().unwrap();
    let listener = engine.listen(listener).unwrap();
    let to = address.internet().unwrap();
    let connect = move || {
        let stream = TcpStream::connect(to)?;
        stream.set_nonblocking(true)?;
        Ok(Box::new(stream) as Box<dyn Peer>)
    };
    Rig {
        engine,
        pool,
        listener,
        address,
        connect: Box::new(connect),
        another: Box::new(|| panic!("one engine will do")),
        pass: Box::new(drop),
        seen: VecDeque::new(),
        network: None,
    }
}

/// A rig on a simulated network on which nothing goes wrong.
pub fn sim(blocks: usize) -> Rig {
    on_network(&Network::new(0, Faults::none()), blocks)
}

/// Runs a test on many simulated networks, on which all goes wrong that loses nothing; says which seed failed, and what
/// happened before.
pub fn on_seeds(test: fn(&mut Rig)) {
    for seed in 0..SEEDS {
        let faults = if seed % 2 == 0 { Faults::benign() } else { harmless(&mut Random::new(seed)) };
        let network = Network::new(seed, faults);
        let replay = Replay { seed, network: network.clone() };
        test(&mut on_network(&network, BLOCKS));
        drop(replay);
    }
}

/// Any mixture of faults that loses nothing, holds what a test writes at once, and is over before [`Rig::quiesce`] is.
fn harmless(random: &mut Random) -> Faults {
    let Faults { capacity, delay_at_most, late_at_most, .. } = Faults::benign();
    let none = Faults::none();
    Faults {
        capacity,
        delay_at_most,
        late_at_most,
        reset: none.reset,
        loss: none.loss,
        accept_failure: none.accept_failure,
        refusal: none.refusal,
        silence: none.silence,
        ..Faults::from_seed(random)
    }
}

struct Replay {
    seed: u64,
    network: Network,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {} failed, after:\n{}", self.seed, self.network.trace());
        }
    }
}

fn on_network(network: &Network, blocks: usize) -> Rig {
    let pool = Pool::new(4096, blocks);
    let mut engine = Engine::new(Box::new(network.engine(pool.clone())));
    let to = SocketAddr::from(([192, 0, 2, 80], 80));
    let listener = engine.listen(Listener::Simulated(to)).unwrap();
    let (net, clock, all) = (network.clone(), network.clone(), network.clone());
    let another = move || Engine::new(Box::new(all.engine(Pool::new(4096, BLOCKS))));
    let connect = move || Ok(Box::new(net.connect(to)?) as Box<dyn Peer>);
    let pass = move |time| clock.advance(time);
    Rig {
        engine,
        pool,
        listener,
        address: to.into(),
        connect: Box::new(connect),
        another: Box::new(another),
        pass: Box::new(pass),
        seen: VecDeque::new(),
        network: Some(network.clone()),
    }
}

impl Rig {
    pub fn connect(&mut self) -> Box<dyn Peer> {
        (self.connect)().unwrap()
    }

    /// The buffers of a connection are small, and no system call has bounds of its own.
    pub fn is_simulated(&self) -> bool {
        self.network.is_some()
    }

    /// From here on the engine is another of the same kind; gives the one that it was.
    pub fn change_engine(&mut self) -> Other {
        let mut other = Other { engine: (self.another)(), seen: VecDeque::new() };
        self.exchange(&mut other);
        other
    }

    /// From here on the engine is the other one.
    pub fn exchange(&mut self, other: &mut Other) {
        std::mem::swap(&mut self.engine, &mut other.engine);
        std::mem::swap(&mut self.seen, &mut other.seen);
    }

    /// Where nobody listens.
    pub fn refusing(&self) -> Target {
        if self.network.is_some() {
            return Target { address: SocketAddr::from(([192, 0, 2, 81], 80)).into(), _kept: Vec::new() };
        }
        // Bound, so that nobody else is given the port.
        let socket = loopback_socket();
        Target { address: address_of(&socket), _kept: vec![Box::new(socket)] }
    }

    /// Where a connection is not answered, since the backlog is full.
    pub fn silent(&self) -> Target {
        let Some(network) = &self.network else {
            let socket = loopback_socket();
            socket.listen(0).unwrap();
            let address = address_of(&socket);
            let waiting = TcpStream::connect(address.internet().unwrap()).unwrap();
            return Target { address, _kept: vec![Box::new(socket), Box::new(waiting)] };
        };
        let address = SocketAddr::from(([192, 0, 2, 82], 80));
        let acceptor = network.listen(address);
        let waiting: Vec<Client> = std::iter::from_fn(|| network.connect(address).ok()).collect();
        Target { address: address.into(), _kept: vec![Box::new(acceptor), Box::new(waiting)] }
    }

    /// Connects to the engine's own listener; the other end is yet to be accepted.
    pub fn connected(&mut self) -> SocketId {
        let socket = self.engine.connect(&self.address).unwrap();
        assert!(self.result_of_connect(socket).is_ok());
        socket
    }

    /// How connecting went.
    pub fn result_of_connect(&mut self, socket: SocketId) -> io::Result<()> {
        match self.next_of(socket) {
            Completion::Connected { result, .. } => result,
            other => panic!("{other:?}"),
        }
    }

    /// What a release gives.
    pub fn released(&mut self, socket: SocketId) -> Option<Detached> {
        self.engine.release(socket);
        match self.next_of(socket) {
            Completion::Released { connection, .. } => connection,
            other => panic!("{other:?}"),
        }
    }

    /// Closes a socket of which nothing else is to come.
    pub fn close(&mut self, socket: SocketId) {
        self.engine.close(socket);
        assert!(matches!(self.next_of(socket), Completion::Closed { output: None, .. }));
    }

    /// None when the backlog is full, or nobody listens.
    pub fn try_connect(&mut self) -> Option<Box<dyn Peer>> {
        (self.connect)().ok()
    }

    /// Whether a new connection is refused.
    pub fn connects_to_nobody(&mut self) -> bool {
        (self.connect)().is_err()
    }

    /// A connection: the peer's end, and ours.
    pub fn pair(&mut self) -> (Box<dyn Peer>, SocketId) {
        let peer = self.connect();
        (peer, self.accepted())
    }

    /// One poll that waits a little, if nothing is there, for something to happen.
    pub fn step(&mut self) {
        self.poll(Duration::from_millis(10));
    }

    /// Polls until nothing more comes.
    pub fn quiesce(&mut self) {
        for _ in 0..8 {
            self.poll(Duration::from_millis(2));
        }
    }

    fn poll(&mut self, wait: Duration) {
        (self.pass)(wait);
        self.engine.poll(Some(wait)).unwrap();
        self.seen.extend(std::iter::from_fn(|| self.engine.next_completion()));
    }

    /// Polls until there is something, which is not looked at yet; how much.
    pub fn gather(&mut self) -> usize {
        for _ in 0..PATIENCE {
            (self.pass)(Duration::from_millis(2));
            let count = self.engine.poll(Some(Duration::from_millis(2))).unwrap();
            if count > 0 {
                return count;
            }
        }
        0
    }

    /// One poll whose completions are looked at, and left out of what was seen.
    pub fn step_by(&mut self, mut look: impl FnMut(&Completion)) {
        (self.pass)(Duration::from_millis(2));
        self.engine.poll(Some(Duration::from_millis(2))).unwrap();
        std::iter::from_fn(|| self.engine.next_completion()).for_each(|completion| look(&completion));
    }

    fn take(&mut self, wanted: impl Fn(&Completion) -> bool) -> Option<Completion> {
        let position = self.seen.iter().position(wanted)?;
        self.seen.remove(position)
    }

    fn wait_for<T>(&mut self, what: &str, mut done: impl FnMut(&mut Rig) -> Option<T>) -> T {
        for _ in 0..PATIENCE {
            if let Some(value) = done(self) {
                return value;
            }
            self.step();
        }
        panic!("no {what}; seen: {:?}", self.seen);
    }

    /// A connection that was accepted, and that no engine has yet.
    pub fn take_unadopted(&mut self) -> Option<Accepted> {
        match self.take(|completion| matches!(completion, Completion::Accepted(_)))? {
            Completion::Accepted(accepted) => Some(accepted),
            _ => None,
        }
    }

    pub fn take_accepted(&mut self) -> Option<SocketId> {
        let accepted = self.take_unadopted()?;
        Some(self.engine.adopt(accepted.connection).unwrap())
    }

    /// As [`accepted`](Rig::accepted), but no engine has it yet.
    pub fn unadopted(&mut self) -> Accepted {
        self.wait_for("connection", Rig::take_unadopted)
    }

    pub fn accepted(&mut self) -> SocketId {
        self.wait_for("connection", Rig::take_accepted)
    }

    /// The next completion of `socket`, if it was seen already.
    pub fn take_of(&mut self, socket: SocketId) -> Option<Completion> {
        self.take(|completion| socket_of(completion) == Some(socket))
    }

    pub fn next_of(&mut self, socket: SocketId) -> Completion {
        self.wait_for("completion", |rig| rig.take_of(socket))
    }

    pub fn seen_of(&self, socket: SocketId) -> Vec<&Completion> {
        self.seen.iter().filter(|completion| socket_of(completion) == Some(socket)).collect()
    }

    /// `count` bytes received by `socket`.
    pub fn received(&mut self, socket: SocketId, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            match self.next_of(socket) {
                Completion::Received { block, .. } => {
                    assert!(!block.is_empty(), "at least one byte");
                    bytes.extend_from_slice(&block);
                }
                other => panic!("after {bytes:?}: {other:?}"),
            }
        }
        bytes
    }

    /// Sends bytes of which all fit.
    pub fn send_all(&mut self, socket: SocketId, bytes: &[u8]) {
        let mut output = Box::new(gannet_engine::Output::default());
        output.bytes().extend_from_slice(bytes);
        while !output.is_empty() {
            self.engine.send(socket, output);
            output = self.wait_for("progress", |rig| {
                let sent =
                    rig.take(|seen| matches!(seen, Completion::Sent { socket: of, .. } if *of == socket))?;
                let Completion::Sent { output, result, .. } = sent else { return None };
                result.unwrap();
                Some(output)
            });
        }
    }

    pub fn peer_reads(&mut self, peer: &mut dyn Peer, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.wait_for("bytes at the peer", |_| {
            assert!(peer.read_some(&mut bytes), "ended after {bytes:?}");
            (bytes.len() >= count).then_some(())
        });
        bytes
    }

    /// The error that the peer meets when it reads.
    pub fn peer_fails(&mut self, peer: &mut dyn Peer) -> io::Error {
        self.wait_for("error at the peer", |_| match peer.read(&mut [0; 16]) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Some(error),
            Err(_) => None,
            Ok(count) => panic!("{count} bytes"),
        })
    }

    /// Waits until the peer sees that the connection is over, in good order or not.
    pub fn peer_sees_it_over(&mut self, peer: &mut dyn Peer) {
        self.wait_for("end at the peer", |_| match peer.read(&mut [0; 16]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(0) | Err(_) => Some(()),
            Ok(count) => panic!("{count} bytes"),
        });
    }

    pub fn peer_reads_to_end(&mut self, peer: &mut dyn Peer) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.wait_for("end at the peer", |_| (!peer.read_some(&mut bytes)).then_some(()));
        bytes
    }
}

fn loopback_socket() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket
}

fn address_of(socket: &Socket) -> Address {
    socket.local_addr().unwrap().as_socket().unwrap().into()
}

fn socket_of(completion: &Completion) -> Option<SocketId> {
    match completion {
        Completion::Connected { socket, .. }
        | Completion::Released { socket, .. }
        | Completion::Received { socket, .. }
        | Completion::Ended { socket }
        | Completion::ReceiveFailed { socket, .. }
        | Completion::Sent { socket, .. }
        | Completion::Closed { socket, .. } => Some(*socket),
        Completion::Accepted(_) | Completion::AcceptFailed { .. } => None,
    }
}

impl Peer for TcpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Read::read(self, room)
    }

    fn finish(&mut self) {
        TcpStream::shutdown(self, Shutdown::Write).unwrap();
    }

    fn reset(self: Box<Self>) {
        // Closing with a linger time of zero sends RST (socket(7), SO_LINGER).
        socket2::SockRef::from(&*self).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

impl Peer for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Client::write(self, bytes)
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Client::read(self, room)
    }

    fn finish(&mut self) {
        Client::finish(self);
    }

    fn reset(mut self: Box<Self>) {
        Client::reset(&mut self);
    }
}
