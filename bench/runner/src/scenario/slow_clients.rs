//! What slow clients cost: hundreds ask for a long file and read nothing, and others are served beside them.

use std::{io::Write, net::TcpStream};

use super::{Bench, load, works::file_10m};
use crate::{
    client::{Client, Limit, LoadError},
    process::Process,
    report::{Cell, Column, Table},
    servers::Server,
    usage,
    work::Work,
};

/// How many read nothing.
const SLOW: usize = 500;
/// The others.
const CONNECTIONS: usize = 64;

/// Measures each server that has files, first without slow clients and then with them.
pub fn run(scenario: &str, bench: &Bench) -> Result<Table, std::io::Error> {
    let file = file_10m();
    bench.prepare(&file)?;
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for server in bench.able(&file).filter(|server| !server.is_null()) {
        match bench
            .start(server, &file)
            .map_err(LoadError::from)
            .and_then(|process| measure(bench, server, &process))
        {
            Ok(both) => rows.extend(both),
            Err(error) => missing.push(format!("{}: {error}", server.name)),
        }
    }
    Ok(Table {
        scenario: scenario.to_owned(),
        what: format!(
            "13 bytes over {CONNECTIONS} kept connections, beside clients that have asked for a file of 10 MiB and read nothing"
        ),
        columns: vec![
            Column::words("server"),
            Column::figures("slow clients", 0),
            Column::figures("CPU µs/request", 2),
            Column::figures("requests/s", 0),
            Column::figures("p50 µs", 0),
            Column::figures("p99 µs", 0),
            Column::figures("anonymous bytes/slow client", 0),
        ],
        rows,
        missing,
        graph: None,
    })
}

fn measure(bench: &Bench, server: &Server, process: &Process) -> Result<[Vec<Cell>; 2], LoadError> {
    let without = serve(bench, server, process, 0, 0)?;
    let before = usage::memory(process.id())?.anonymous;
    let path = &server.paths(&file_10m())[0];
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", process.address);
    let mut slow = Vec::with_capacity(SLOW);
    for _ in 0..SLOW {
        let mut client = TcpStream::connect(process.address)?;
        client.write_all(request.as_bytes())?;
        slow.push(client);
    }
    // Until the sockets of all of them are full: the server works on nothing else.
    let mut worked = usage::cpu_time(process.id())?;
    for _ in 0..100 {
        std::thread::sleep(bench.plan.warm_up);
        let now = usage::cpu_time(process.id())?;
        if now == worked {
            break;
        }
        worked = now;
    }
    let grown = usage::memory(process.id())?.anonymous.saturating_sub(before);
    Ok([without, serve(bench, server, process, SLOW, grown)?])
}

fn serve(
    bench: &Bench,
    server: &Server,
    process: &Process,
    slow: usize,
    grown: u64,
) -> Result<Vec<Cell>, LoadError> {
    let mut client = Client::connect(&load(bench, server, process, CONNECTIONS, &Work::hello(1))?)?;
    client.run(Limit::Time(bench.plan.warm_up))?;
    let before = usage::cpu_time(process.id())?;
    let seen = client.run(Limit::Time(bench.plan.measure))?;
    let cpu = usage::cpu_time(process.id())?.saturating_sub(before);
    let quantile = |quantile| Cell::from(seen.latency.value_at_quantile(quantile) as f64 / 1e3);
    let each = if slow == 0 { Cell::Nothing } else { Cell::from(grown as f64 / slow as f64) };
    Ok(vec![
        server.name.as_str().into(),
        (slow as f64).into(),
        (cpu.as_secs_f64() * 1e6 / seen.requests.max(1) as f64).into(),
        (seen.requests as f64 / seen.elapsed.as_secs_f64()).into(),
        quantile(0.5),
        quantile(0.99),
        each,
    ])
}
