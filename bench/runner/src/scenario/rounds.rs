//! Throughput and cost: all servers are started once and driven in turns, round by round, so that what else the
//! machine does meets them all alike. Quoted are medians over the rounds.

use std::{io, rc::Rc, time::Duration};

use super::{Bench, columns, load};
use crate::{
    client::{ClosedLoop, Limit, Load, LoadError, fill},
    process::Process,
    report::{Cell, Table, median},
    servers::Server,
    usage::{self, Memory},
    work::{Protocol, Work},
};

/// What every server is asked for, and by how many connections.
pub struct Shape {
    pub connections: usize,
    /// Each is a row of every server that can do it. The first is what the others are compared with.
    pub works: Vec<Work>,
}

impl Shape {
    pub fn new(connections: usize, work: Work) -> Shape {
        Shape { connections, works: vec![work] }
    }

    /// The same, with more that is asked for, compared with what is asked for already.
    pub fn and(mut self, work: Work) -> Shape {
        self.works.push(work);
        self
    }

    pub fn describe(&self) -> String {
        let works: Vec<String> = self.works.iter().map(Work::describe).collect();
        let what = match self.works[0].protocol {
            Protocol::Http1 => "requests",
            Protocol::Http2 => "streams",
            Protocol::WebSocket => "messages",
        };
        let depth = match self.works.iter().map(|work| work.depth).max() {
            Some(depth) if depth > 1 => format!(", {depth} {what} at once on each"),
            _ => String::new(),
        };
        let works = works.join("; beside it ");
        if self.works.iter().any(|work| work.is_short) {
            return format!("{works}, a connection for each request, {} at a time", self.connections);
        }
        let connections = match self.works[0].protocol {
            Protocol::WebSocket => "WebSockets",
            Protocol::Http1 | Protocol::Http2 => "kept connections",
        };
        format!("{works}, over {} {connections}{depth}", self.connections)
    }
}

/// A server and one of the things it is asked for, and what has been measured of that.
pub struct Contender<'a> {
    pub server: &'a Server,
    pub work: &'a Work,
    pub load: Load,
    pub process: Rc<Process>,
    pub memory_before: Memory,
    samples: Vec<Sample>,
}

/// One round of one contender.
#[derive(Clone, Copy)]
pub struct Sample {
    pub cpu_us: f64,
    /// To the first null server of the same round.
    pub to_null: f64,
    /// To what the contender is compared with, in the same round.
    pub to_reference: f64,
    /// To the peers that proxies and TLS are measured by, in the same round.
    pub to_nginx: f64,
    pub to_haproxy: f64,
    pub to_h2o: f64,
    pub requests_per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub max_us: f64,
    /// The part of the time in which the server's processor ran it.
    pub busy: f64,
    pub client_us: f64,
    /// Session tickets that came with each response, where connections are secured.
    pub tickets: f64,
}

/// Measures every server that can do the work.
pub fn run(scenario: &str, bench: &Bench, shape: &Shape) -> io::Result<Table> {
    for work in &shape.works {
        bench.prepare(work)?;
    }
    let mut missing = Vec::new();
    let mut contenders = start(bench, shape, |_| true, &mut missing);
    for round in 1..=bench.plan.rounds {
        contenders.retain_mut(|contender| {
            contender
                .measure(bench)
                .inspect_err(|error| {
                    missing.push(format!("{}, {}: {error}", contender.server.name, contender.work.label));
                })
                .is_ok()
        });
        compare(&mut contenders);
        contenders.iter().for_each(|contender| contender.tell(round));
    }
    let mut columns = columns::of(shape);
    // A ratio to what did not take part is no figure of anybody's.
    let is_empty =
        |maker: &columns::Maker| contenders.iter().all(|contender| (maker.cell)(contender) == Cell::Nothing);
    columns.retain(|maker| !maker.column.head.starts_with('×') || !is_empty(maker));
    Ok(Table {
        scenario: scenario.to_owned(),
        what: format!("{}; medians of {} rounds", shape.describe(), bench.plan.rounds),
        rows: contenders
            .iter()
            .map(|contender| columns.iter().map(|column| (column.cell)(contender)).collect())
            .collect(),
        columns: columns.into_iter().map(|maker| maker.column).collect(),
        graph: Some(columns::graph(shape)),
        missing,
    })
}

/// Starts every server that takes part once, whatever the number of things it is asked for.
pub fn start<'a>(
    bench: &'a Bench,
    shape: &'a Shape,
    takes_part: impl Fn(&Server) -> bool,
    missing: &mut Vec<String>,
) -> Vec<Contender<'a>> {
    let mut contenders = Vec::new();
    for server in bench.able(&shape.works[0]).filter(|server| takes_part(server)) {
        let (process, memory_before) = match bench.start(server, &shape.works[0]).and_then(with_memory) {
            Ok((process, memory)) => (Rc::new(process), memory),
            Err(error) => {
                missing.push(format!("{}: {error}", server.name));
                continue;
            }
        };
        for work in shape.works.iter().filter(|work| server.can(work)) {
            match load(bench, server, &process, shape.connections, work) {
                Ok(load) => {
                    let (process, samples) = (Rc::clone(&process), Vec::new());
                    contenders.push(Contender { server, work, load, process, memory_before, samples });
                }
                Err(error) => missing.push(format!("{}, {}: {error}", server.name, work.label)),
            }
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

/// Fills in the ratios of the round that has just been measured.
fn compare(contenders: &mut [Contender<'_>]) {
    let costs: Vec<(&Server, &str, f64)> =
        contenders.iter().map(|one| (one.server, one.work.label, one.last().cpu_us)).collect();
    let find = |name: &str, label: Option<&str>| {
        let is = |(server, own, _): &&(&Server, &str, f64)| {
            server.name == name && label.is_none_or(|label| label == *own)
        };
        costs.iter().find(is).map_or(f64::NAN, |(.., cost)| *cost)
    };
    let null = costs.iter().find(|(server, ..)| server.is_null()).map_or(f64::NAN, |(.., cost)| *cost);
    for contender in contenders {
        let (server, label) = (contender.server, contender.work.label);
        let reference = match server.baseline {
            Some(baseline) => find(baseline, Some(label)),
            None => find(&server.name, None),
        };
        if let Some(sample) = contender.samples.last_mut() {
            sample.to_null = sample.cpu_us / null;
            sample.to_reference = sample.cpu_us / reference;
            sample.to_nginx = sample.cpu_us / find("nginx", Some(label));
            sample.to_haproxy = sample.cpu_us / find("haproxy", Some(label));
            sample.to_h2o = sample.cpu_us / find("h2o", Some(label));
        }
    }
}

impl Contender<'_> {
    /// Drives the server once.
    fn measure(&mut self, bench: &Bench) -> Result<(), LoadError> {
        fill(&self.load, bench.plan.warm_up + bench.plan.measure)?;
        let mut client =
            if self.work.is_short { ClosedLoop::short(&self.load)? } else { ClosedLoop::kept(&self.load)? };
        client.run(Limit::Time(bench.plan.warm_up))?;
        let tickets = || self.load.tls.as_ref().map_or(0, |tls| tls.tickets.received());
        let tickets_before = tickets();
        let before = usage::cpu_time(self.process.id())?;
        let outcome = client.run(Limit::Time(bench.plan.measure))?;
        let cpu = usage::cpu_time(self.process.id())?.saturating_sub(before);
        if outcome.requests == 0 {
            return Err(LoadError::NoTicket);
        }
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / outcome.requests.max(1) as f64;
        let latency_us = |quantile| outcome.latency.value_at_quantile(quantile) as f64 / 1e3;
        self.samples.push(Sample {
            cpu_us: per_request(cpu),
            to_null: f64::NAN,
            to_reference: f64::NAN,
            to_nginx: f64::NAN,
            to_haproxy: f64::NAN,
            to_h2o: f64::NAN,
            tickets: (tickets() - tickets_before) as f64 / outcome.requests as f64,
            requests_per_second: outcome.requests as f64 / outcome.elapsed.as_secs_f64(),
            p50_us: latency_us(0.5),
            p99_us: latency_us(0.99),
            max_us: outcome.latency.max() as f64 / 1e3,
            busy: cpu.as_secs_f64() / outcome.elapsed.as_secs_f64(),
            client_us: per_request(outcome.client_cpu),
        });
        Ok(())
    }

    /// The sample of the round that has just been measured.
    fn last(&self) -> Sample {
        *self.samples.last().expect("who has no sample of the round has been taken out of it")
    }

    fn tell(&self, round: usize) {
        let Sample { cpu_us, requests_per_second, .. } = self.last();
        eprintln!(
            "round {round}: {:<18} {:<10} {cpu_us:8.2} µs of CPU, {requests_per_second:9.0} requests/s",
            self.server.name, self.work.label
        );
    }

    /// The median of a figure over the rounds.
    pub fn median(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        let values: Vec<f64> = self.samples.iter().map(value).collect();
        median(&values).unwrap_or(f64::NAN)
    }

    /// The lowest and the highest cost of a round, in microseconds.
    pub fn spread(&self) -> (f64, f64) {
        spread(self.samples.iter().map(|sample| sample.cpu_us))
    }
}

/// The lowest and the highest of some figures.
pub fn spread(figures: impl Iterator<Item = f64>) -> (f64, f64) {
    figures.fold((f64::MAX, f64::MIN), |(low, high), figure| (low.min(figure), high.max(figure)))
}
