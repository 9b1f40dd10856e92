//! One connection and one request at a time, over HTTP/1.1 and over HTTP/2, in clear text and over TLS: what a client waits
//! for that does not multiplex.
//!
//! Every server that speaks all four is asked in all four ways, in turns: in a closed loop, which is as fast as both sides
//! wake each other up, and in an open loop at half of what the slowest of them answers in its closed loop.

use std::time::Duration;

use super::{
    Bench,
    latency::{LOAD, rounded},
    rounds::{self, Contender, Shape},
};
use crate::{
    client::{ClosedLoop, Latencies, Limit, LoadError, Outcome, Pace, drive, kept},
    report::{Cell, Column, Graph, Table, median},
    servers::Server,
    usage,
    work::{Handshake, Protocol, Work},
};

/// One server asked in one way, and what has been measured of that.
struct Asked<'a> {
    contender: Contender<'a>,
    samples: Vec<Sample>,
}

/// One round of it; times in microseconds.
#[derive(Clone, Copy)]
struct Sample {
    closed: Quantiles,
    requests_per_second: f64,
    paced: Quantiles,
    cpu: f64,
    client_p99: f64,
}

#[derive(Clone, Copy)]
struct Quantiles {
    p50: f64,
    p99: f64,
}

/// The four ways.
fn works() -> [Work; 4] {
    let clear = Work { label: "HTTP/1.1", ..Work::hello(1) };
    let multiplexed = Work { label: "HTTP/2", ..Work::hello(1).over_http2(1) };
    let secured = |label, work: &Work| Work { label, ..work.clone().over_tls(Handshake::Full) };
    let (one, other) = (secured("HTTP/1.1, TLS", &clear), secured("HTTP/2, TLS", &multiplexed));
    [clear, multiplexed, one, other]
}

fn can_all(server: &Server) -> bool {
    works().iter().all(|work| server.can(work))
}

/// About how long it takes.
pub fn estimate(bench: &Bench) -> Duration {
    let servers = bench.servers.iter().filter(|server| can_all(server)).count();
    let turn = (bench.plan.measure / 2 + bench.plan.warm_up) * 2;
    turn * (works().len() * servers * (bench.plan.rounds + 1)) as u32
}

/// Measures every server that can do all of it.
pub fn run(scenario: &str, bench: &Bench) -> Table {
    let shapes: Vec<Shape> = works().into_iter().map(|work| Shape::new(1, work)).collect();
    let mut missing = Vec::new();
    let mut asked: Vec<Asked<'_>> = Vec::new();
    for shape in &shapes {
        let contenders = rounds::start(bench, shape, can_all, &mut missing);
        asked.extend(contenders.into_iter().map(|contender| Asked { contender, samples: Vec::new() }));
    }
    // A server's four ways are measured one after the other.
    asked.sort_by_key(|one| bench.servers.iter().position(|server| server.name == one.contender.server.name));
    let time = bench.plan.measure / 2;
    let mut slowest = f64::MAX;
    asked.retain(|one| match one.closed(bench, time) {
        Ok((_, requests_per_second)) => {
            slowest = slowest.min(requests_per_second);
            true
        }
        Err(error) => {
            missing.push(one.tell(&error));
            false
        }
    });
    let rate = if asked.is_empty() { 0.0 } else { rounded(slowest * LOAD) };
    let pace = Pace { rate, time, warm_up: bench.plan.warm_up };
    for round in 1..=bench.plan.rounds {
        asked.retain_mut(|one| match one.measure(bench, pace) {
            Ok(sample) => {
                let (server, label) = (&one.contender.server.name, one.contender.work.label);
                let (closed, paced) = (sample.closed.p50, sample.paced.p50);
                eprintln!(
                    "round {round}: {server:<18} {label:<14} p50 {closed:6.1} µs, paced {paced:6.1} µs"
                );
                one.samples.push(sample);
                true
            }
            Err(error) => {
                missing.push(one.tell(&error));
                false
            }
        });
    }
    Table {
        scenario: scenario.to_owned(),
        what: format!(
            "13 bytes over one kept connection, one request at a time: in a closed loop, and at {rate:.0} requests a second \
             whatever the answers take; medians of {} rounds",
            bench.plan.rounds
        ),
        columns: columns(),
        rows: asked.iter().map(|one| one.row(&asked)).collect(),
        missing,
        graph: Some(Graph {
            title: "Half of the responses within so many µs, one at a time".to_owned(),
            value: "closed loop p50 µs".to_owned(),
            spread: None,
            note: Some(("× HTTP/1.1".to_owned(), "× HTTP/1.1".to_owned())),
        }),
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::words("server"),
        Column::words("asked over"),
        Column::figures("closed loop p50 µs", 1),
        Column::figures("× HTTP/1.1", 2),
        Column::figures("closed loop p99 µs", 1),
        Column::figures("requests/s", 0),
        Column::figures("at the rate p50 µs", 1),
        Column::figures("p50 × HTTP/1.1", 2),
        Column::figures("at the rate p99 µs", 1),
        Column::figures("p99 × HTTP/1.1", 2),
        Column::figures("CPU µs/request", 2),
        Column::figures("client's own p99 µs", 1),
    ]
}

impl Asked<'_> {
    fn tell(&self, error: &LoadError) -> String {
        format!("{}, {}: {error}", self.contender.server.name, self.contender.work.label)
    }

    fn closed(&self, bench: &Bench, time: Duration) -> Result<(Outcome, f64), LoadError> {
        let mut client = ClosedLoop::kept(&self.contender.load)?;
        client.run(Limit::Time(bench.plan.warm_up))?;
        let outcome = client.run(Limit::Time(time))?;
        let requests_per_second = outcome.requests as f64 / outcome.elapsed.as_secs_f64();
        Ok((outcome, requests_per_second))
    }

    fn measure(&self, bench: &Bench, pace: Pace) -> Result<Sample, LoadError> {
        let (outcome, requests_per_second) = self.closed(bench, pace.time)?;
        let mut wire = kept(&self.contender.load)?;
        let before = usage::cpu_time(self.contender.process.id())?;
        let Latencies { latency, lag, requests } = drive(&mut *wire, pace)?;
        let cpu = usage::cpu_time(self.contender.process.id())?.saturating_sub(before);
        Ok(Sample {
            closed: Quantiles::of(&outcome.latency),
            requests_per_second,
            paced: Quantiles::of(&latency),
            cpu: cpu.as_secs_f64() * 1e6 / requests.max(1) as f64,
            client_p99: Quantiles::of(&lag).p99,
        })
    }

    /// The same server asked over HTTP/1.1, with the same security.
    fn is_reference_of(&self, other: &Asked<'_>) -> bool {
        let (own, other) = (&self.contender, &other.contender);
        own.server.name == other.server.name
            && own.work.protocol == Protocol::Http1
            && own.work.handshake == other.work.handshake
    }

    fn row(&self, all: &[Asked<'_>]) -> Vec<Cell> {
        let reference = all.iter().find(|one| one.is_reference_of(self)).map_or(&[][..], |one| &one.samples);
        let middle = |figure: fn(&Sample) -> f64| {
            let figures: Vec<f64> = self.samples.iter().map(figure).collect();
            Cell::from(median(&figures).unwrap_or(f64::NAN))
        };
        let ratio = |figure: fn(&Sample) -> f64| {
            let pairs = self.samples.iter().zip(reference);
            let ratios: Vec<f64> = pairs.map(|(own, reference)| figure(own) / figure(reference)).collect();
            Cell::from(median(&ratios).unwrap_or(f64::NAN))
        };
        vec![
            self.contender.server.name.as_str().into(),
            self.contender.work.label.into(),
            middle(|sample| sample.closed.p50),
            ratio(|sample| sample.closed.p50),
            middle(|sample| sample.closed.p99),
            middle(|sample| sample.requests_per_second),
            middle(|sample| sample.paced.p50),
            ratio(|sample| sample.paced.p50),
            middle(|sample| sample.paced.p99),
            ratio(|sample| sample.paced.p99),
            middle(|sample| sample.cpu),
            middle(|sample| sample.client_p99),
        ]
    }
}

impl Quantiles {
    fn of(latency: &hdrhistogram::Histogram<u64>) -> Quantiles {
        let microseconds = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
        Quantiles { p50: microseconds(0.5), p99: microseconds(0.99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers;

    #[test]
    fn gannet_and_its_peers_are_asked_in_all_four_ways() {
        let able: Vec<String> =
            servers::all().into_iter().filter(can_all).map(|server| server.name).collect();
        assert_eq!(able, ["gannet-epoll", "gannet-uring", "nginx", "haproxy", "h2o"]);
    }
}
