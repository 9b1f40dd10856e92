//! Where one request waits for another: behind a slow one on its own connection, since HTTP/1.1 answers in order (RFC 9112,
//! 9.3.2), and nowhere else. Measured on a service of Gannet's library, whose `/later` waits 10 ms.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Instant,
};

use super::Bench;
use crate::{
    report::{Column, Table, median},
    work::Work,
};

/// How often each is asked.
const TIMES: usize = 100;
/// Slow requests that wait meanwhile, each on a connection of its own.
const BESIDE: usize = 64;

/// Times the quick request alone, beside slow ones, and behind one.
pub fn run(scenario: &str, bench: &Bench) -> Table {
    let work = Work::hello(1);
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for server in bench.able(&work).filter(|server| server.name.starts_with("gannet-hello")) {
        match bench.start(server, &work).and_then(|process| measure(process.address)) {
            Ok([alone, beside, behind]) => {
                rows.push(vec![server.name.as_str().into(), alone.into(), beside.into(), behind.into()]);
            }
            Err(error) => missing.push(format!("{}: {error}", server.name)),
        }
    }
    Table {
        scenario: scenario.to_owned(),
        what: format!(
            "a quick request, alone; while {BESIDE} others wait 10 ms each on connections of their own; and right behind one \
             that waits 10 ms, on its connection; medians of {TIMES}"
        ),
        columns: vec![
            Column::words("server"),
            Column::figures("alone µs", 0),
            Column::figures("beside slow ones µs", 0),
            Column::figures("behind a slow one µs", 0),
        ],
        rows,
        missing,
        graph: None,
    }
}

fn measure(address: SocketAddr) -> io::Result<[f64; 3]> {
    let mut quick = TcpStream::connect(address)?;
    let mut slow = (0..BESIDE).map(|_| TcpStream::connect(address)).collect::<io::Result<Vec<_>>>()?;
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let (plain, later) = (request("/"), request("/later"));
    ask(&mut quick, &plain, 1)?;
    let alone = median_of(|| timed(|| ask(&mut quick, &plain, 1)))?;
    let beside = median_of(|| {
        slow.iter_mut().try_for_each(|client| client.write_all(later.as_bytes()))?;
        let time = timed(|| ask(&mut quick, &plain, 1))?;
        slow.iter_mut().try_for_each(|client| receive(client, 1))?;
        Ok(time)
    })?;
    let behind = median_of(|| timed(|| ask(&mut quick, &format!("{later}{plain}"), 2)))?;
    Ok([alone, beside, behind])
}

fn median_of(mut once: impl FnMut() -> io::Result<f64>) -> io::Result<f64> {
    let times = (0..TIMES).map(|_| once()).collect::<io::Result<Vec<_>>>()?;
    Ok(median(&times).unwrap_or(f64::NAN))
}

/// How many microseconds it takes.
fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64() * 1e6)
}

fn ask(client: &mut TcpStream, requests: &str, responses: usize) -> io::Result<()> {
    client.write_all(requests.as_bytes())?;
    receive(client, responses)
}

/// Receives so many responses. Both bodies are one line without an empty one.
fn receive(client: &mut TcpStream, responses: usize) -> io::Result<()> {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match client.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => text.extend_from_slice(&buffer[..count]),
        }
        if complete(&text) == responses {
            return Ok(());
        }
    }
}

/// How many whole responses these bytes are.
fn complete(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some(head) = memchr::memmem::find(bytes, b"\r\n\r\n") {
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let length =
            text.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse::<usize>().ok());
        match bytes.get(head + 4 + length.unwrap_or(0)..) {
            Some(rest) => (bytes, count) = (rest, count + 1),
            None => break,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn only_whole_responses_are_counted() {
        let one = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!((complete(&one[..one.len() - 1]), complete(one), complete(&one.repeat(3))), (0, 1, 3));
    }
}
