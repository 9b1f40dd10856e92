//! What the server does when the descriptors are used up (accept(2), `EMFILE`). The limit is a process's, so the server runs in
//! one of its own: the test runs itself again.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gannet::App;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Names the backend, in the process that is to be the server.
const CHILD: &str = "GANNET_TEST_EXHAUSTED";

/// The server's limit of descriptors, and how many of them are left to it for connections.
const LIMIT: u64 = 256;
const LEFT: usize = 20;

/// Clients, about twice as many as get in.
const CLIENTS: usize = 2 * LEFT;

const PATIENCE: Duration = Duration::from_secs(10);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn without_descriptors_those_who_are_in_are_served_on_and_it_is_said_once() {
    match std::env::var(CHILD) {
        Ok(backend) => serve(&backend),
        Err(_) => ["epoll", "uring"].into_iter().for_each(exhaust),
    }
}

/// The child: serves until its standard input ends.
fn serve(backend: &str) {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    setrlimit(Resource::Nofile, Rlimit { current: Some(LIMIT), maximum: Some(LIMIT) })
        .expect("lower is allowed");
    let backend = backend.parse().expect("a backend's name");
    let app = App::new().get("/", "hello").listen("127.0.0.1:0").workers(1).backend(backend);
    let server = match app.start() {
        Ok(server) => server,
        Err(error) if error.to_string().contains("backend cannot run here") => {
            eprintln!("left out: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let mut held: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    held.truncate(held.len() - LEFT);
    eprintln!("listening on {}", server.addresses()[0]);
    let _ = std::io::stdin().read(&mut [0]);
}

fn exhaust(backend: &str) {
    let mut server = Server::start(backend);
    let Some(address) = server.address() else {
        eprintln!("left out on {backend}");
        return;
    };
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(&address)).collect();
    // Connections are accepted in the order in which they came.
    let mut within = clients.remove(0);
    get(&mut within).expect("accepted");
    server.said("cannot accept connections");
    // Long enough that accepting is tried again, in vain, a few times.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(350) {
        get(&mut within).expect("who is in is served on");
    }
    // The others let one another in.
    for mut client in clients {
        get(&mut client).expect("served when others have left");
    }
    get(&mut within).expect("still served");
    let told = server.end();
    assert_eq!(told.matches("cannot accept connections").count(), 0, "said once: {told}");
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("into the backlog");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option of sockets");
    stream
}

fn get(client: &mut TcpStream) -> std::io::Result<()> {
    client.write_all(REQUEST)?;
    let mut room = [0; 1024];
    let count = client.read(&mut room)?;
    assert!(room[..count].ends_with(b"hello"), "{:?}", str::from_utf8(&room[..count]));
    Ok(())
}

/// The process that is the server.
struct Server {
    process: Child,
    log: BufReader<std::process::ChildStderr>,
}

impl Server {
    fn start(backend: &str) -> Server {
        let mut process = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "without_descriptors_those_who_are_in_are_served_on_and_it_is_said_once",
                "--nocapture",
            ])
            .env(CHILD, backend)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started again");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        Server { process, log }
    }

    /// Where it listens; none where its backend cannot run.
    fn address(&mut self) -> Option<String> {
        let line = self.line_with(&["listening on ", "left out"]);
        line.split_once("listening on ").map(|(_, address)| address.trim().to_owned())
    }

    fn said(&mut self, text: &str) {
        self.line_with(&[text]);
    }

    /// The next line that has one of these texts in it.
    fn line_with(&mut self, texts: &[&str]) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.log.read_line(&mut line).expect("text") > 0,
                "the server ended without saying {texts:?}"
            );
            if texts.iter().any(|text| line.contains(text)) {
                return line;
            }
        }
    }

    /// Ends the server, and gives what else it said.
    fn end(mut self) -> String {
        drop(self.process.stdin.take());
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("text");
        assert!(self.process.wait().expect("our child").success(), "{rest}");
        rest
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended
    }
}
