//! Upstreams that are killed and restarted under load.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use gannet::{App, BackendChoice, Ejection, Proxy, Running};

use crate::client::{Client, PATIENCE};
use crate::common::on_each_backend;

on_each_backend! {
    an_upstream_that_is_killed_and_restarted_loses_what_was_in_flight_and_nothing_else,
    where_one_of_two_upstreams_is_killed_nothing_else_is_lost_and_it_is_left_out_until_it_is_back,
}

/// Clients that ask without a pause.
const CLIENTS: usize = 4;
/// How often the upstream is killed.
const KILLS: usize = 20;
/// Answers between two kills.
const BETWEEN: usize = 100;

/// A process of an upstream, in place of one: it can be killed, and then has neither socket nor connection.
struct Process {
    address: SocketAddr,
    is_killed: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<JoinHandle<()>>,
    /// Requests that it answered.
    answered: Arc<AtomicUsize>,
}

impl Process {
    fn start(listener: TcpListener) -> Process {
        let address = listener.local_addr().expect("an address");
        let (is_killed, connections) =
            (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<TcpStream>>>::default());
        let answered = Arc::<AtomicUsize>::default();
        let (killed, all, count) = (is_killed.clone(), connections.clone(), answered.clone());
        let accepting = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if killed.load(Ordering::SeqCst) {
                    return;
                }
                all.lock().expect("no panic").push(stream.try_clone().expect("a descriptor"));
                let count = count.clone();
                std::thread::spawn(move || answer(stream, &count));
            }
        });
        Process { address, is_killed, connections, accepting: Some(accepting), answered }
    }

    /// Ends all of it at once, whatever it was doing.
    fn kill(mut self) {
        self.is_killed.store(true, Ordering::SeqCst);
        // It may be waiting for a connection.
        drop(TcpStream::connect(self.address));
        let accepting = self.accepting.take().expect("it was not killed before");
        accepting.join().expect("no panic");
        for connection in self.connections.lock().expect("no panic").drain(..) {
            let _ = connection.shutdown(Shutdown::Both); // it may be gone
        }
    }
}

/// Answers every request on a connection; none of them has a body.
fn answer(mut stream: TcpStream, answered: &AtomicUsize) {
    let mut received = Vec::new();
    let mut room = [0; 4096];
    loop {
        while let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            received.drain(..end + 4);
            answered.fetch_add(1, Ordering::SeqCst);
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").is_err() {
                return;
            }
        }
        match stream.read(&mut room) {
            Ok(count) if count > 0 => received.extend_from_slice(&room[..count]),
            _ => return,
        }
    }
}

/// An answer that a client got, and how many kills had begun and ended before it asked and after it was told.
struct Told {
    status: u16,
    before: usize,
    after: usize,
}

impl Told {
    /// Whether a kill fell between.
    fn was_in_flight_at_a_kill(&self) -> bool {
        self.before != self.after || self.before % 2 == 1
    }
}

/// Clients that ask for the same without a pause, until they are dropped.
struct Load {
    told: mpsc::Receiver<Told>,
    /// Odd while a kill is under way.
    kills: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(server: &Running) -> Load {
        let (teller, told) = mpsc::channel();
        let (kills, is_over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let clients = (0..CLIENTS).map(|_| {
            let mut client = Client::to(server.socket_addresses()[0]).expect("it listens");
            let (teller, kills, is_over) = (teller.clone(), kills.clone(), is_over.clone());
            std::thread::spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let before = kills.load(Ordering::SeqCst);
                    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                    let status = client.answer().status;
                    let told = Told { status, before, after: kills.load(Ordering::SeqCst) };
                    let _ = teller.send(told); // nobody may listen any more
                }
            })
        });
        Load { told, clients: clients.collect(), kills, is_over }
    }

    /// Waits for so many answers, none of which may be a failure unless it was in flight at a kill.
    fn take(&self, answers: usize) {
        for _ in 0..answers {
            let told = self.told.recv_timeout(PATIENCE).expect("the clients go on");
            let is_sound = told.status == 200 || told.was_in_flight_at_a_kill();
            assert!(
                is_sound,
                "{}, and there was no kill from {} to {}",
                told.status, told.before, told.after
            );
        }
    }

    /// Kills a process while they ask.
    fn kill<T>(&self, process: Process, restart: impl FnOnce() -> T) -> T {
        self.kills.fetch_add(1, Ordering::SeqCst);
        process.kill();
        let restarted = restart();
        self.kills.fetch_add(1, Ordering::SeqCst);
        restarted
    }

    fn end(self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.clients.into_iter().for_each(|client| client.join().expect("no panic"));
        let rest = self.told.try_iter().all(|told| told.status == 200 || told.was_in_flight_at_a_kill());
        assert!(rest, "what was answered last");
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

fn serve(app: App, backend: BackendChoice) -> Running {
    app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("the application is sound")
}

fn an_upstream_that_is_killed_and_restarted_loses_what_was_in_flight_and_nothing_else(
    backend: BackendChoice,
) {
    // As under a service manager that keeps the socket: who connects meanwhile waits in its queue.
    let kept = listener();
    let duplicate = || kept.try_clone().expect("a descriptor");
    let mut process = Process::start(duplicate());
    let server = serve(App::new().proxy("/*", process.address.to_string()), backend);
    let load = Load::start(&server);
    for _ in 0..KILLS {
        load.take(BETWEEN);
        process = load.kill(process, || Process::start(duplicate()));
    }
    load.take(BETWEEN);
    assert!(process.answered.load(Ordering::SeqCst) > 0);
    load.end();
}

fn where_one_of_two_upstreams_is_killed_nothing_else_is_lost_and_it_is_left_out_until_it_is_back(
    backend: BackendChoice,
) {
    let (one, other) = (Process::start(listener()), Process::start(listener()));
    let address = one.address;
    let ejection = Ejection {
        time: Duration::from_millis(500),
        longest_time: Duration::from_secs(1),
        ..Ejection::default()
    };
    let proxy = Proxy::to([address.to_string(), other.address.to_string()]).ejection(ejection);
    let server = serve(App::new().proxy("/*", proxy).admin("127.0.0.1:0"), backend);
    let load = Load::start(&server);
    load.take(BETWEEN);
    assert!(one.answered.load(Ordering::SeqCst) > 0, "each has its turn");
    load.kill(one, || ());
    let before = connections(&server);
    load.take(10 * BETWEEN);
    let tried = connections(&server) - before;
    assert!(tried < BETWEEN, "{tried} connections for {} requests: it is not left out", 10 * BETWEEN);
    let back = Process::start(TcpListener::bind(address).expect("nobody has taken it"));
    let returns = (0..100_000).any(|_| {
        load.take(1);
        back.answered.load(Ordering::SeqCst) > 0
    });
    assert!(returns, "it is asked again when its time is over");
    load.end();
    drop(other);
}

/// How many connections to upstreams were begun.
fn connections(server: &Running) -> usize {
    let admin = server.admin_address().expect("there is an admin listener");
    let mut client = Client::to(admin).expect("it listens");
    client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = String::from_utf8(client.answer().body).expect("text");
    let value = text.lines().find_map(|line| line.strip_prefix("gannet_upstream_connections_total "));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no such counter: {text}"))
}
