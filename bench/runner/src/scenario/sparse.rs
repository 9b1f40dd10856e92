//! Downloads larger than memory: by how much a server grows while eight clients fetch a file of 10 GiB each.
//!
//! The files are sparse, so no disk is waited for, and no server gets to the end: each is left after the time of a
//! measurement. Each starts with none of the files in the page cache.

use std::io;

use super::{Bench, load};
use crate::{
    client::{Client, Limit, LoadError, Outcome},
    report::{Cell, Column, Table},
    servers::Server,
    usage::{self, Memory},
    work::{Content, Target, Work},
};

/// One for each client.
const FILES: [&str; 8] = [
    "sparse-10g-0.bin",
    "sparse-10g-1.bin",
    "sparse-10g-2.bin",
    "sparse-10g-3.bin",
    "sparse-10g-4.bin",
    "sparse-10g-5.bin",
    "sparse-10g-6.bin",
    "sparse-10g-7.bin",
];
const FILE_BYTES: u64 = 10 << 30;

/// Measures each server in a process of its own, one after the other.
pub fn run(scenario: &str, bench: &Bench) -> io::Result<Table> {
    for name in FILES {
        bench.site.file(name, Content::Sparse(FILE_BYTES))?;
    }
    let work = Work {
        target: Target::File(FILES[0]),
        content: Content::Sparse(FILE_BYTES),
        body_bytes: FILE_BYTES,
        ..Work::hello(1)
    };
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    // A null server would hold a body of 10 GiB in memory: it is no floor for what this measures.
    for server in bench.able(&work).filter(|server| !server.is_null()) {
        FILES.iter().try_for_each(|name| bench.site.forget(name))?;
        match measure(bench, server, &work) {
            Ok(row) => rows.push(row),
            Err(error) => missing.push(format!("{}: {error}", server.name)),
        }
    }
    // Many GiB of pages would be in the way of whatever is measured next.
    FILES.iter().try_for_each(|name| bench.site.forget(name))?;
    Ok(Table {
        scenario: scenario.to_owned(),
        what: format!(
            "memory while {} clients fetch sparse files of 10 GiB, each another one, for {} s",
            FILES.len(),
            bench.plan.measure.as_secs_f64()
        ),
        columns: vec![
            Column::words("server"),
            Column::figures("peak RSS growth KiB", 0),
            Column::figures("anonymous growth KiB", 0),
            Column::figures("MiB/s", 0),
        ],
        graph: None,
        rows,
        missing,
    })
}

fn measure(bench: &Bench, server: &Server, work: &Work) -> Result<Vec<Cell>, LoadError> {
    let process = bench.start(server, work)?;
    usage::reset_peak(process.id())?;
    let before = usage::memory(process.id())?;
    let mut load = load(bench, server, &process, FILES.len(), work)?;
    load.paths = FILES.iter().map(|name| format!("/{name}")).collect();
    let mut client = Client::connect(&load)?;
    let outcome = client.run(Limit::Leave(bench.plan.measure))?;
    // While the connections are open and full.
    let after = usage::memory(process.id())?;
    Ok(row(&server.name, before, after, &outcome))
}

fn row(name: &str, before: Memory, after: Memory, outcome: &Outcome) -> Vec<Cell> {
    let kibibytes = |before: u64, after: u64| Cell::from((after as f64 - before as f64) / 1024.0);
    let mebibytes = outcome.received_bytes as f64 / 1048576.0;
    vec![
        name.into(),
        kibibytes(before.resident, after.peak),
        kibibytes(before.anonymous, after.anonymous),
        (mebibytes / outcome.elapsed.as_secs_f64()).into(),
    ]
}
