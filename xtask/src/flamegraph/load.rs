//! The load: one client with many connections, each of which asks when it was answered.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked, on how many connections.
pub struct Load {
    pub name: &'static str,
    /// Above the picture.
    pub does: &'static str,
    connections: usize,
    /// Requests that each connection sends at once.
    pipelined: usize,
}

/// The first is the one without a name.
pub const SCENARIOS: &[Load] = &[
    Load { name: "keep-alive", does: "64 connections that stay", connections: 64, pipelined: 1 },
    Load { name: "pipelined", does: "16 requests at once on 64 connections", connections: 64, pipelined: 16 },
];

impl Load {
    /// Loads the server as long as `work` goes on; says how many requests were answered.
    pub fn during(&self, address: &str, work: impl FnOnce() -> Result<(), String>) -> Result<u64, String> {
        let ends = AtomicBool::new(false);
        let (answered, worked) = thread::scope(|scope| {
            let client = scope.spawn(|| self.ask(address.trim_start_matches("http://"), &ends));
            let worked = work();
            ends.store(true, Ordering::Relaxed);
            (client.join(), worked)
        });
        worked?;
        let answered = answered.map_err(|_| "the client panicked".to_owned())?;
        answered.map_err(|error| format!("the client failed: {error}"))
    }

    fn ask(&self, address: &str, ends: &AtomicBool) -> io::Result<u64> {
        let request = format!("GET /hello.txt HTTP/1.1\r\nHost: {address}\r\n\r\n").repeat(self.pipelined);
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            let connection = TcpStream::connect(address)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            connection.set_nodelay(true)?;
            connections.push(connection);
        }
        // Every answer is as long as the first; the Date field is.
        let answer_bytes = first_answer(&mut connections[0], &request)?;
        let (mut answer, mut answered) = (vec![0; answer_bytes], 0);
        while !ends.load(Ordering::Relaxed) {
            for connection in &mut connections {
                connection.write_all(request.as_bytes())?;
            }
            for connection in &mut connections {
                connection.read_exact(&mut answer)?;
            }
            answered += (self.connections * self.pipelined) as u64;
        }
        Ok(answered)
    }
}

/// How many bytes answer the request; nothing more comes when the server has answered all of it.
fn first_answer(connection: &mut TcpStream, request: &str) -> io::Result<usize> {
    const BODY: &[u8] = b"Hello, world!";
    connection.write_all(request.as_bytes())?;
    let (mut answer, mut room) = (Vec::new(), [0; 64 * 1024]);
    let wanted = request.matches("GET ").count();
    while answer.windows(BODY.len()).filter(|window| *window == BODY).count() < wanted {
        match connection.read(&mut room)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => answer.extend_from_slice(&room[..count]),
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(io::Error::other("the first answer is not 200"));
    }
    Ok(answer.len())
}
