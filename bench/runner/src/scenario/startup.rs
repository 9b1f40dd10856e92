//! From starting a server to its first complete response: the process, its configuration, its listener, one request.

use super::Bench;
use crate::{
    report::{Cell, Column, Table, median},
    servers::Server,
    work::Work,
};

const STARTS: usize = 10;

/// Starts every server ten times, in turns.
pub fn run(scenario: &str, bench: &Bench) -> Table {
    let work = Work::hello(1);
    let mut missing = Vec::new();
    let mut contenders: Vec<(&Server, Vec<f64>)> =
        bench.able(&work).map(|server| (server, Vec::new())).collect();
    for round in 0..STARTS {
        for (server, times_ms) in &mut contenders {
            match bench.start(server, &work) {
                Ok(process) => times_ms.push(process.ready_after.as_secs_f64() * 1e3),
                Err(error) => missing.push(format!("{}: {error}", server.name)),
            }
        }
        contenders.retain(|(_, times_ms)| times_ms.len() > round);
    }
    Table {
        scenario: scenario.to_owned(),
        what: format!("from starting the process to its first response; {STARTS} starts each"),
        columns: vec![
            Column::words("server"),
            Column::figures("median ms", 1),
            Column::figures("lowest ms", 1),
            Column::figures("highest ms", 1),
        ],
        graph: None,
        rows: contenders.iter().map(|(server, times_ms)| row(&server.name, times_ms)).collect(),
        missing,
    }
}

fn row(name: &str, times_ms: &[f64]) -> Vec<Cell> {
    let lowest = times_ms.iter().copied().fold(f64::MAX, f64::min);
    let highest = times_ms.iter().copied().fold(f64::MIN, f64::max);
    let middle = median(times_ms).unwrap_or(f64::NAN);
    vec![name.into(), middle.into(), lowest.into(), highest.into()]
}
