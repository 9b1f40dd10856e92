//! A million files, each asked for once and then once more, in a random order: what a server keeps of them, and what it
//! costs to find them.

use std::io;

use super::{Bench, load};
use crate::{
    client::{Client, Limit, LoadError, Outcome},
    report::{Cell, Column, Table},
    servers::Server,
    tree::{FILE_BYTES, Tree},
    usage::{self, Memory},
    work::{Content, Target, Work},
};

const CONNECTIONS: usize = 64;
const PASSES: usize = 2;

/// Measures each server in a process of its own, one after the other.
pub fn run(scenario: &str, bench: &Bench) -> io::Result<Table> {
    let folder =
        bench.tree.as_deref().ok_or_else(|| io::Error::other("say where the files lie: --tree FOLDER"))?;
    let tree = Tree::open(folder)?;
    let targets = tree.targets();
    let work = Work {
        target: Target::File("000/000.txt"),
        content: Content::Filled(FILE_BYTES as u64),
        body_bytes: FILE_BYTES as u64,
        root: Some(tree.root().to_owned()),
        ..Work::hello(1)
    };
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for server in bench.able(&work) {
        match measure(bench, server, &work, &targets) {
            Ok(row) => rows.push(row),
            Err(error) => missing.push(format!("{}: {error}", server.name)),
        }
    }
    Ok(Table {
        scenario: scenario.to_owned(),
        what: format!(
            "{} files of {FILE_BYTES} bytes in 1,000 folders, each asked for once a pass, in a random order, over \
             {CONNECTIONS} kept connections",
            targets.len()
        ),
        columns: vec![
            Column::words("server"),
            Column::figures("CPU µs/request, first pass", 2),
            Column::figures("second pass", 2),
            Column::figures("requests/s, second pass", 0),
            Column::figures("p99 µs, first pass", 0),
            Column::figures("p99 µs, second pass", 0),
            Column::figures("peak RSS growth MiB", 1),
            Column::figures("anonymous growth MiB", 1),
        ],
        graph: None,
        rows,
        missing,
    })
}

/// One pass over all files.
struct Pass {
    outcome: Outcome,
    cpu_us: f64,
}

impl Pass {
    fn p99_us(&self) -> f64 {
        self.outcome.latency.value_at_quantile(0.99) as f64 / 1e3
    }
}

fn measure(bench: &Bench, server: &Server, work: &Work, targets: &[String]) -> Result<Vec<Cell>, LoadError> {
    let process = bench.start(server, work)?;
    usage::reset_peak(process.id())?;
    let before = usage::memory(process.id())?;
    let mut load = load(bench, server, &process, CONNECTIONS, work)?;
    load.paths = targets.to_vec();
    let mut client = Client::connect(&load)?;
    let mut passes = Vec::with_capacity(PASSES);
    for _ in 0..PASSES {
        let cpu_before = usage::cpu_time(process.id())?;
        let outcome = client.run(Limit::Requests(targets.len() as u64))?;
        let cpu = usage::cpu_time(process.id())?.saturating_sub(cpu_before);
        let cpu_us = cpu.as_secs_f64() * 1e6 / outcome.requests.max(1) as f64;
        eprintln!("{:<18} {cpu_us:8.2} µs of CPU", server.name);
        passes.push(Pass { outcome, cpu_us });
    }
    Ok(row(&server.name, &passes, before, usage::memory(process.id())?))
}

fn row(name: &str, passes: &[Pass], before: Memory, after: Memory) -> Vec<Cell> {
    let mebibytes = |before: u64, after: u64| Cell::from((after as f64 - before as f64) / 1048576.0);
    let (first, second) = (&passes[0], &passes[PASSES - 1]);
    vec![
        name.into(),
        first.cpu_us.into(),
        second.cpu_us.into(),
        (second.outcome.requests as f64 / second.outcome.elapsed.as_secs_f64()).into(),
        first.p99_us().into(),
        second.p99_us().into(),
        mebibytes(before.resident, after.peak),
        mebibytes(before.anonymous, after.anonymous),
    ]
}
