//! Throughput and cost: all servers are started once and driven in turns, round by round, so that what else the
//! machine does meets them all alike. Quoted are medians over the rounds.

use std::{io, time::Duration};

use super::{Bench, load};
use crate::{
    client::{Client, Limit, LoadError},
    process::Process,
    report::{Table, median},
    servers::{Server, Work},
    usage::{self, Memory},
};

/// What every server is asked for, and by how many connections.
pub struct Shape {
    connections: usize,
    work: Work,
}

impl Shape {
    pub fn new(connections: usize, work: Work) -> Shape {
        Shape { connections, work }
    }

    fn describe(&self) -> String {
        let Work { file, body_bytes, depth } = &self.work;
        let what = if file.is_some() { "file" } else { "body" };
        let depth = if *depth > 1 { format!(", {depth} requests at once on each") } else { String::new() };
        format!("a {what} of {body_bytes} bytes over {} kept connections{depth}", self.connections)
    }
}

/// A server that takes part, and what has been measured of it.
struct Contender<'a> {
    server: &'a Server,
    process: Process,
    memory_before: Memory,
    samples: Vec<Sample>,
}

/// One round of one server.
#[derive(Clone, Copy)]
struct Sample {
    cpu_us: f64,
    /// To the first null server of the same round.
    to_null: f64,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
    /// The part of the time in which the server's processor ran it.
    busy: f64,
    client_us: f64,
}

/// Measures every server that can do the work.
pub fn run(scenario: &'static str, bench: &Bench, shape: &Shape) -> io::Result<Table> {
    if let Some(file) = shape.work.file {
        bench.site.file(file, shape.work.body_bytes)?;
    }
    let mut missing = Vec::new();
    let mut contenders = start(bench, shape, &mut missing);
    for round in 0..bench.plan.rounds {
        let mut null_us = f64::NAN;
        for contender in &mut contenders {
            contender.measure(bench, shape, &mut null_us, &mut missing);
        }
        contenders.retain(|contender| contender.samples.len() > round);
    }
    let large = shape.work.body_bytes >= 1024 * 1024;
    Ok(Table {
        scenario,
        what: format!("{}; medians of {} rounds", shape.describe(), bench.plan.rounds),
        columns: if large { LARGE_COLUMNS.to_vec() } else { COLUMNS.to_vec() },
        rows: contenders.iter().map(|one| if large { one.large_row(shape) } else { one.row() }).collect(),
        missing,
    })
}

fn start<'a>(bench: &'a Bench, shape: &'a Shape, missing: &mut Vec<String>) -> Vec<Contender<'a>> {
    let mut contenders = Vec::new();
    for server in bench.able(&shape.work) {
        match bench.start(server, &shape.work).and_then(with_memory) {
            Ok((process, memory_before)) => {
                contenders.push(Contender { server, process, memory_before, samples: Vec::new() });
            }
            Err(error) => missing.push(format!("{}: {error}", server.name)),
        }
    }
    contenders
}

/// The process with its memory at rest; what it grows by from here on is the work's.
fn with_memory(process: Process) -> io::Result<(Process, Memory)> {
    usage::reset_peak(process.id())?;
    let memory = usage::memory(process.id())?;
    Ok((process, memory))
}

const COLUMNS: [&str; 10] = [
    "server",
    "CPU µs/request",
    "lowest-highest",
    "× null",
    "requests/s",
    "p50 µs",
    "p99 µs",
    "max µs",
    "server busy",
    "client µs/request",
];
const LARGE_COLUMNS: [&str; 8] = [
    "server",
    "CPU ms/response",
    "lowest-highest",
    "× null",
    "MiB/s",
    "p99 ms",
    "peak RSS growth KiB",
    "client ms/response",
];

impl Contender<'_> {
    /// Drives the server once; a fault takes it out of the run and is named.
    fn measure(&mut self, bench: &Bench, shape: &Shape, null_us: &mut f64, missing: &mut Vec<String>) {
        match self.sample(bench, shape) {
            Ok(mut sample) => {
                if null_us.is_nan() && self.server.is_null() {
                    *null_us = sample.cpu_us;
                }
                sample.to_null = sample.cpu_us / *null_us;
                eprintln!(
                    "round {}: {:<18} {:8.2} µs of CPU, {:9.0} requests/s",
                    self.samples.len() + 1,
                    self.server.name,
                    sample.cpu_us,
                    sample.requests_per_second
                );
                self.samples.push(sample);
            }
            Err(error) => missing.push(format!("{}: {error}", self.server.name)),
        }
    }

    fn sample(&self, bench: &Bench, shape: &Shape) -> Result<Sample, LoadError> {
        let load = load(self.server, &self.process, shape.connections, &shape.work);
        let mut client = Client::connect(&load)?;
        client.run(Limit::Time(bench.plan.warm_up))?;
        let before = usage::cpu_time(self.process.id())?;
        let outcome = client.run(Limit::Time(bench.plan.measure))?;
        let cpu = usage::cpu_time(self.process.id())?.saturating_sub(before);
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / outcome.requests.max(1) as f64;
        let latency_us = |quantile| outcome.latency.value_at_quantile(quantile) as f64 / 1e3;
        Ok(Sample {
            cpu_us: per_request(cpu),
            to_null: f64::NAN,
            requests_per_second: outcome.requests as f64 / outcome.elapsed.as_secs_f64(),
            p50_us: latency_us(0.5),
            p99_us: latency_us(0.99),
            max_us: outcome.latency.max() as f64 / 1e3,
            busy: cpu.as_secs_f64() / outcome.elapsed.as_secs_f64(),
            client_us: per_request(outcome.client_cpu),
        })
    }

    fn median(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        let values: Vec<f64> = self.samples.iter().map(value).collect();
        median(&values).unwrap_or(f64::NAN)
    }

    fn range(&self, scale: f64) -> String {
        let costs = self.samples.iter().map(|sample| sample.cpu_us / scale);
        let (lowest, highest) =
            costs.fold((f64::MAX, f64::MIN), |(low, high), cost| (low.min(cost), high.max(cost)));
        format!("{lowest:.2}-{highest:.2}")
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.server.name.clone(),
            format!("{:.2}", self.median(|sample| sample.cpu_us)),
            self.range(1.0),
            ratio(self.median(|sample| sample.to_null)),
            format!("{:.0}", self.median(|sample| sample.requests_per_second)),
            format!("{:.0}", self.median(|sample| sample.p50_us)),
            format!("{:.0}", self.median(|sample| sample.p99_us)),
            format!("{:.0}", self.median(|sample| sample.max_us)),
            format!("{:.0} %", self.median(|sample| sample.busy) * 100.0),
            format!("{:.2}", self.median(|sample| sample.client_us)),
        ]
    }

    fn large_row(&self, shape: &Shape) -> Vec<String> {
        let mebibytes = shape.work.body_bytes as f64 / (1024.0 * 1024.0);
        let growth = usage::memory(self.process.id())
            .map(|memory| memory.peak.saturating_sub(self.memory_before.resident) / 1024);
        vec![
            self.server.name.clone(),
            format!("{:.2}", self.median(|sample| sample.cpu_us) / 1e3),
            self.range(1e3),
            ratio(self.median(|sample| sample.to_null)),
            format!("{:.0}", self.median(|sample| sample.requests_per_second) * mebibytes),
            format!("{:.1}", self.median(|sample| sample.p99_us) / 1e3),
            growth.map_or_else(|error| error.to_string(), |kibibytes| kibibytes.to_string()),
            format!("{:.2}", self.median(|sample| sample.client_us) / 1e3),
        ]
    }
}

/// A run without a null server has no ratio to it.
fn ratio(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.2}") }
}
