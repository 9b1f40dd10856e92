//! What the null servers share: their arguments, their listener and their one response.
//!
//! A null server answers whatever bytes arrive with a constant and looks at nothing. What it costs is the kernel's
//! part of a request, the floor that no server with the same system calls can go below.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use rustix::{
    buffer::spare_capacity,
    event::epoll,
    io::{Errno, retry_on_intr},
    net::{self, AddressFamily, SocketFlags, SocketType, sockopt},
};

/// What follows a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The next request.
    Keep,
    /// The server closes first.
    Close,
    /// The server says that it sends no more, and closes after its peer has.
    HalfClose,
}

/// How a null server was called: `PORT [THREADS=1] [BODY_BYTES=13] [RESPONSES=1] [keep|close|half-close|websocket]`.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// How many threads serve, each with a listener of its own.
    pub threads: usize,
    /// The length of each response's body.
    pub body_bytes: usize,
    /// How many responses answer one receive: the depth, where the client pipelines.
    pub responses: usize,
    /// What follows a response.
    pub end: End,
    /// Whether its responses are messages of a WebSocket.
    pub is_websocket: bool,
}

/// What a thread serves.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// What answers the first receive of a connection, if that is something else than what answers all others.
    pub greeting: Option<&'static [u8]>,
    /// What answers a receive.
    pub response: &'static [u8],
    /// What follows it.
    pub end: End,
}

impl Arguments {
    /// Reads the process's arguments; the error is a line for its user.
    pub fn from_process() -> Result<Arguments, String> {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let number = |index: usize, name: &str, default: Option<usize>| match given.get(index) {
            Some(text) => text.parse().map_err(|_| format!("{name} is not a number: {text}")),
            None => default.ok_or(format!(
                "{name} is missing: PORT [THREADS] [BODY_BYTES] [RESPONSES] [keep|close|half-close|websocket]"
            )),
        };
        let port = number(0, "PORT", None)?;
        Ok(Arguments {
            port: u16::try_from(port).map_err(|_| format!("PORT is above 65535: {port}"))?,
            threads: number(1, "THREADS", Some(1))?,
            body_bytes: number(2, "BODY_BYTES", Some(13))?,
            responses: number(3, "RESPONSES", Some(1))?,
            end: match given.get(4).map(String::as_str) {
                None | Some("keep" | "websocket") => End::Keep,
                Some("close") => End::Close,
                Some("half-close") => End::HalfClose,
                Some(other) => {
                    return Err(format!("the end is keep, close, half-close or websocket, not {other}"));
                }
            },
            is_websocket: given.get(4).is_some_and(|end| end == "websocket"),
        })
    }
}

/// Runs `serve` on as many threads as asked for, with the one response; returns only if a thread fails.
pub fn run(serve: fn(Service) -> io::Result<()>) -> Result<(), String> {
    let arguments = Arguments::from_process()?;
    let Arguments { port, body_bytes, responses, end, is_websocket, .. } = arguments;
    let (greeting, response) = match is_websocket {
        true => (Some(UPGRADE.as_bytes()), messages(body_bytes, responses)?),
        false => (None, response(body_bytes, responses, end)),
    };
    let service = Service { port, greeting, response: response.leak(), end };
    let spawn = |_| std::thread::spawn(move || serve(service));
    let threads: Vec<_> = (0..arguments.threads).map(spawn).collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")?.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// What answers one receive: a head as long as a real server's, and a body of `x`.
pub fn response(body_bytes: usize, responses: usize, end: End) -> Vec<u8> {
    let connection = if end == End::Keep { "" } else { "Connection: close\r\n" };
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: null\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\n\
         Content-Type: text/plain\r\n{connection}Content-Length: {body_bytes}\r\n\r\n"
    );
    let mut one = head.into_bytes();
    one.resize(one.len() + body_bytes, b'x');
    one.repeat(responses)
}

/// Agrees to a WebSocket that was asked for with the key of RFC 6455's example (1.3): whoever asks this server has that one.
const UPGRADE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What answers one receive over a WebSocket: text messages of `x`, each one frame with the shortest header (RFC 6455, 5.2).
fn messages(body_bytes: usize, responses: usize) -> Result<Vec<u8>, String> {
    let length = u8::try_from(body_bytes).ok().filter(|length| *length < 126);
    let length = length.ok_or("a message of a null server has 125 bytes at most")?;
    let mut one = vec![0x81, length];
    one.resize(one.len() + body_bytes, b'x');
    Ok(one.repeat(responses))
}

/// A listener on a port that the threads share; accepted sockets inherit `TCP_NODELAY` from it (tcp(7)).
pub fn listener(port: u16, flags: SocketFlags) -> io::Result<OwnedFd> {
    let socket =
        net::socket_with(AddressFamily::INET, SocketType::STREAM, flags | SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    net::bind(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], port)))?;
    net::listen(&socket, 4096)?;
    Ok(socket)
}

/// The event loop of one thread on epoll; it ends only when the kernel refuses to go on. `open` makes something of each
/// accepted socket, and has to keep it; `ready` goes on with that at each edge, and its error closes it.
pub fn serve_on_epoll<T>(
    port: u16,
    open: impl Fn(OwnedFd) -> T,
    mut ready: impl FnMut(&mut T, epoll::EventFlags) -> Result<(), Errno>,
) -> io::Result<()> {
    let listener = listener(port, SocketFlags::NONBLOCK)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, token(&listener), epoll::EventFlags::IN)?;
    let mut events = Vec::with_capacity(1024);
    // Indexed by descriptor: descriptors are small and dense, so looking one up costs nothing.
    let mut connections: Vec<Option<T>> = Vec::new();
    loop {
        events.clear();
        // A tracer that attaches or leaves interrupts the wait (signal(7)).
        retry_on_intr(|| epoll::wait(&poll, spare_capacity(&mut events), None))?;
        for event in &events {
            let index = event.data.u64() as usize;
            if index == listener.as_raw_fd() as usize {
                while let Ok(socket) = net::accept_with(&listener, SocketFlags::NONBLOCK) {
                    epoll::add(&poll, &socket, token(&socket), edges())?;
                    let index = socket.as_raw_fd() as usize;
                    connections.resize_with(connections.len().max(index + 1), || None);
                    connections[index] = Some(open(socket));
                }
            } else if let Some(connection) = &mut connections[index]
                && ready(connection, event.flags).is_err()
            {
                connections[index] = None;
            }
        }
    }
}

/// What a socket is registered for, once.
pub fn edges() -> epoll::EventFlags {
    epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET
}

/// What names a socket in its events: its descriptor.
pub fn token(socket: &OwnedFd) -> epoll::EventData {
    epoll::EventData::new_u64(socket.as_raw_fd() as u64)
}
