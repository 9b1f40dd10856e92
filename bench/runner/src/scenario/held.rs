//! 100,000 connections held open, and new ones answered meanwhile.
//!
//! A process has descriptors for some thousands: so several processes of a server share one port, and several processes of
//! ours hold the connections, from addresses of their own. Each connection has had one answer when it is counted, and is
//! asked once more at the end: all of them must still be there. All of it must pass within the time that a server lets a
//! connection be idle.

use std::{
    fs, io,
    time::{Duration, Instant},
};

use super::{Bench, load};
use crate::{
    client::{Client, Fresh, Latencies, Limit, Load, LoadError, Pace, drive},
    holder::Holder,
    process::{Process, free_port},
    report::{Cell, Column, Graph, Table},
    servers::Server,
    usage::{self, Memory},
    work::Work,
};

use super::idle::descriptor_limit;

/// New connections a second, while the others are held.
const RATE: f64 = 1_000.0;
/// Fewer than a server allows (16,384 for Gannet), so that the kernel's uneven spreading of connections over the
/// processes fits too.
const CONNECTIONS_PER_SERVER: usize = 14_000;
/// Fewer than a process has descriptors for.
const CONNECTIONS_PER_HOLDER: usize = 14_000;
/// Requests of each process before its memory is read.
const WARM_UP_REQUESTS: u64 = 5_000;
const WARM_UP_CONNECTIONS: usize = 64;
/// How long the processes may take to listen.
const LISTEN_LIMIT: Duration = Duration::from_secs(10);

/// What has been measured of one server.
struct Held {
    processes: usize,
    before: Memory,
    after: Memory,
    /// How long it took to open the connections.
    opened_in: Duration,
    seen: Latencies,
}

/// Measures each server that can share a port, one after the other.
pub fn run(scenario: &str, bench: &Bench) -> Table {
    let work = Work::hello(1);
    let connections = bench.plan.held_connections;
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for server in bench.able(&work).filter(|server| server.can_share()) {
        match measure(bench, server, &work, connections) {
            Ok(held) => rows.push(row(&server.name, &held, connections)),
            Err(error) => missing.push(format!("{}: {error}", server.name)),
        }
    }
    Table {
        scenario: scenario.to_owned(),
        what: format!(
            "{connections} connections held open that have had one answer each, over several processes that share a port; \
             meanwhile {RATE:.0} new ones a second for {} s, each with one request; then all those held are asked once more",
            bench.plan.held_time.as_secs()
        ),
        columns: vec![
            Column::words("server"),
            Column::figures("processes", 0),
            Column::figures("bytes/connection", 0),
            Column::figures("new: p50 µs", 0),
            Column::figures("new: p99 µs", 0),
            Column::figures("new: p99.9 µs", 0),
            Column::figures("new: max µs", 0),
            Column::figures("client's own p99 µs", 1),
            Column::figures("opened in s", 1),
            Column::figures("RSS before KiB", 0),
            Column::figures("RSS after KiB", 0),
        ],
        rows,
        missing,
        graph: Some(Graph {
            title: format!("99 of 100 new connections answered within so many µs, beside {connections} held"),
            value: "new: p99 µs".to_owned(),
            spread: None,
            note: Some(("bytes/connection".to_owned(), "bytes a held connection".to_owned())),
        }),
    }
}

fn measure(bench: &Bench, server: &Server, work: &Work, connections: usize) -> Result<Held, LoadError> {
    let (processes, load) = start(bench, server, work, connections)?;
    let warm_up = Load { connections: WARM_UP_CONNECTIONS * processes.len(), ..load.clone() };
    Client::connect(&warm_up)?.run(Limit::Requests(WARM_UP_REQUESTS * processes.len() as u64))?;
    let before = memory(&processes)?;
    let begun = Instant::now();
    let mut holders = hold(&load, connections)?;
    holders.iter_mut().try_for_each(Holder::wait)?;
    let opened_in = begun.elapsed();
    let after = memory(&processes)?;
    let pace = Pace { rate: RATE, time: bench.plan.held_time, warm_up: bench.plan.warm_up };
    let seen = drive(&mut Fresh::new(&load)?, pace)?;
    holders.iter_mut().try_for_each(Holder::ask)?;
    holders.iter_mut().try_for_each(Holder::wait)?;
    Ok(Held { processes: processes.len(), before, after, opened_in, seen })
}

/// As many processes as the connections need, each with its share of them.
fn start(
    bench: &Bench,
    server: &Server,
    work: &Work,
    connections: usize,
) -> Result<(Vec<Process>, Load), LoadError> {
    let each = CONNECTIONS_PER_SERVER.min(descriptor_limit() * 4 / 5);
    let port = free_port()?;
    let mut processes = Vec::new();
    for _ in 0..connections.div_ceil(each).max(2) {
        processes.push(server.start_shared(&bench.site, work, bench.pinning.server, port)?);
    }
    let begun = Instant::now();
    while listeners(port)? < processes.len() {
        if begun.elapsed() > LISTEN_LIMIT {
            return Err(io::Error::other("not all processes came to listen on the shared port").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let load = load(bench, server, &processes[0], 1, work)?;
    Ok((processes, load))
}

fn hold(load: &Load, connections: usize) -> Result<Vec<Holder>, LoadError> {
    let each = CONNECTIONS_PER_HOLDER.min(descriptor_limit());
    let holders = connections.div_ceil(each);
    // The first ones take what does not divide.
    let share = |number: usize| connections / holders + usize::from(number < connections % holders);
    (0..holders).map(|number| Holder::start(load, number, share(number))).collect()
}

/// The sockets that listen on a port of 127.0.0.1 (proc_net_tcp(5): the second column is the address, the fourth the state).
fn listeners(port: u16) -> io::Result<usize> {
    const LISTEN: &str = "0A";
    let address = format!("0100007F:{port:04X}");
    let text = fs::read_to_string("/proc/net/tcp")?;
    let listens = |line: &&str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        words.next() == Some(&address) && words.nth(1) == Some(LISTEN)
    };
    Ok(text.lines().filter(listens).count())
}

/// All processes together.
fn memory(processes: &[Process]) -> io::Result<Memory> {
    let mut sum = Memory::default();
    for process in processes {
        let one = usage::memory(process.id())?;
        sum.resident += one.resident;
        sum.anonymous += one.anonymous;
        sum.peak += one.peak;
    }
    Ok(sum)
}

fn row(name: &str, held: &Held, connections: usize) -> Vec<Cell> {
    let microseconds = |nanoseconds: u64| Cell::from(nanoseconds as f64 / 1e3);
    let quantile = |quantile| microseconds(held.seen.latency.value_at_quantile(quantile));
    let growth = held.after.resident as f64 - held.before.resident as f64;
    vec![
        name.into(),
        (held.processes as f64).into(),
        (growth / connections as f64).into(),
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
        microseconds(held.seen.latency.max()),
        microseconds(held.seen.lag.value_at_quantile(0.99)),
        held.opened_in.as_secs_f64().into(),
        ((held.before.resident / 1024) as f64).into(),
        ((held.after.resident / 1024) as f64).into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_is_seen_by_its_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(listeners(port).unwrap(), 1);
        drop(listener);
        assert_eq!(listeners(port).unwrap(), 0);
    }
}
