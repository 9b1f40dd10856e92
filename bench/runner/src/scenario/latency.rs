//! Latency at a chosen rate: an open loop ([`crate::client::drive`]) that asks every server for the same number of requests a
//! second.
//!
//! The rate is half of what the slowest of them answers in a closed loop of the same run. So no server is driven beyond half
//! of what it can do, all carry the same load, and a server that costs less has the shorter queue: which is what its users
//! have of it.
//!
//! The null servers take no part: they answer each receive, however many requests it brings, and with an open loop two may
//! meet on one connection.

use std::time::Duration;

use super::{
    Bench,
    rounds::{self, Contender, Shape, spread},
};
use crate::{
    client::{ClosedLoop, Limit, LoadError, Pace, drive, kept},
    report::{Cell, Column, Graph, Table, median},
    usage,
};

/// What part of the slowest server's throughput is asked of all.
pub const LOAD: f64 = 0.5;

/// One that answers less than this part of what the middle one does would make the rate no load for the others.
const SLOWEST: f64 = 1.0 / 3.0;
/// The upstream without a proxy before it, in whose place a proxy adds to its latency.
const DIRECT: &str = "direct";

/// A server, what it answers at most, and what has been measured of it.
struct Timed<'a> {
    contender: Contender<'a>,
    most_per_second: f64,
    samples: Vec<Sample>,
}

/// One round of one server, in microseconds.
#[derive(Clone, Copy)]
struct Sample {
    cpu: f64,
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
    /// How late the client itself sent 99 of 100 requests at most.
    client_p99: f64,
}

/// Measures every server that can do the work.
pub fn run(scenario: &str, bench: &Bench, shape: &Shape) -> Table {
    let mut missing = Vec::new();
    let contenders = rounds::start(bench, shape, |server| !server.is_null(), &mut missing);
    let mut timed: Vec<Timed<'_>> = contenders
        .into_iter()
        .filter_map(|contender| match most_per_second(bench, &contender) {
            Ok(most_per_second) => Some(Timed { contender, most_per_second, samples: Vec::new() }),
            Err(error) => {
                missing.push(format!("{}: {error}", contender.server.name));
                None
            }
        })
        .collect();
    leave_out_slow(&mut timed, &mut missing);
    let slowest = timed.iter().min_by(|one, other| one.most_per_second.total_cmp(&other.most_per_second));
    let (name, rate) = slowest.map_or((String::new(), 0.0), |slowest| {
        (slowest.contender.server.name.clone(), rounded(slowest.most_per_second * LOAD))
    });
    let pace = Pace { rate, time: bench.plan.measure, warm_up: bench.plan.warm_up };
    for round in 1..=bench.plan.rounds {
        timed.retain_mut(|one| {
            let measured = one.measure(pace);
            measured
                .inspect(|sample| eprintln!("round {round}: {:<18} p99 {:8.0} µs", one.name(), sample.p99))
                .map(|sample| one.samples.push(sample))
                .inspect_err(|error| missing.push(format!("{}: {error}", one.name())))
                .is_ok()
        });
    }
    let direct = timed.iter().find(|one| one.name() == DIRECT).map(|direct| direct.p50_and_p99());
    Table {
        scenario: scenario.to_owned(),
        what: format!(
            "{}, {rate:.0} requests a second whatever the answers take: half of what {name}, the slowest, answers in a \
             closed loop; medians of {} rounds",
            shape.describe(),
            bench.plan.rounds
        ),
        columns: columns(direct.is_some()),
        rows: timed.iter().map(|one| one.row(pace, direct)).collect(),
        missing,
        graph: Some(Graph {
            title: format!("99 of 100 responses within so many µs, at {rate:.0} requests/s"),
            value: "p99 µs".to_owned(),
            spread: Some(("lowest p99".to_owned(), "highest p99".to_owned())),
            note: Some(("p99.9 µs".to_owned(), "µs p99.9".to_owned())),
        }),
    }
}

/// Leaves out who would set a rate that is no load for the others, and says so.
fn leave_out_slow(timed: &mut Vec<Timed<'_>>, missing: &mut Vec<String>) {
    let all: Vec<f64> = timed.iter().map(|one| one.most_per_second).collect();
    let least = median(&all).unwrap_or(0.0) * SLOWEST;
    timed.retain(|one| {
        let is_slow = one.most_per_second < least;
        if is_slow {
            let (name, most) = (one.name(), one.most_per_second);
            missing.push(format!(
                "{name}: it answers {most:.0} requests/s; half of that is no load for the others"
            ));
        }
        !is_slow
    });
}

/// Whole thousands, so that the same machine most often has the same rate again.
pub fn rounded(rate: f64) -> f64 {
    if rate >= 2_000.0 { (rate / 1_000.0).floor() * 1_000.0 } else { rate.floor().max(1.0) }
}

fn most_per_second(bench: &Bench, contender: &Contender<'_>) -> Result<f64, LoadError> {
    let mut client = ClosedLoop::kept(&contender.load)?;
    client.run(Limit::Time(bench.plan.warm_up))?;
    let outcome = client.run(Limit::Time(bench.plan.measure))?;
    Ok(outcome.requests as f64 / outcome.elapsed.as_secs_f64())
}

fn columns(adds: bool) -> Vec<Column> {
    let mut columns = vec![Column::words("server")];
    for head in ["p50 µs", "p99 µs", "lowest p99", "highest p99", "p99.9 µs", "max µs"] {
        columns.push(Column::figures(head, 0));
    }
    if adds {
        columns.extend(["added p50 µs", "added p99 µs"].map(|head| Column::figures(head, 0)));
    }
    columns.extend([
        Column::figures("CPU µs/request", 2),
        Column::figures("closed loop, requests/s", 0),
        Column::figures("load %", 0),
        Column::figures("client's own p99 µs", 1),
    ]);
    columns
}

impl Timed<'_> {
    fn name(&self) -> &str {
        &self.contender.server.name
    }

    fn measure(&self, pace: Pace) -> Result<Sample, LoadError> {
        let mut wire = kept(&self.contender.load)?;
        let before = usage::cpu_time(self.contender.process.id())?;
        let seen = drive(&mut *wire, pace)?;
        let cpu: Duration = usage::cpu_time(self.contender.process.id())?.saturating_sub(before);
        let microseconds = |nanoseconds: u64| nanoseconds as f64 / 1e3;
        let quantile = |quantile| microseconds(seen.latency.value_at_quantile(quantile));
        Ok(Sample {
            cpu: cpu.as_secs_f64() * 1e6 / seen.requests.max(1) as f64,
            p50: quantile(0.5),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: microseconds(seen.latency.max()),
            client_p99: microseconds(seen.lag.value_at_quantile(0.99)),
        })
    }

    fn median(&self, figure: fn(&Sample) -> f64) -> f64 {
        let figures: Vec<f64> = self.samples.iter().map(figure).collect();
        median(&figures).unwrap_or(f64::NAN)
    }

    fn p50_and_p99(&self) -> [f64; 2] {
        [self.median(|sample| sample.p50), self.median(|sample| sample.p99)]
    }

    fn row(&self, pace: Pace, direct: Option<[f64; 2]>) -> Vec<Cell> {
        let middle = |figure: fn(&Sample) -> f64| Cell::from(self.median(figure));
        let (lowest, highest) = spread(self.samples.iter().map(|sample| sample.p99));
        let mut row = vec![
            self.name().into(),
            middle(|sample| sample.p50),
            middle(|sample| sample.p99),
            lowest.into(),
            highest.into(),
            middle(|sample| sample.p999),
            middle(|sample| sample.max),
        ];
        if let Some(direct) = direct {
            row.extend(self.p50_and_p99().iter().zip(direct).map(|(own, direct)| Cell::from(own - direct)));
        }
        row.extend([
            middle(|sample| sample.cpu),
            self.most_per_second.into(),
            (100.0 * pace.rate / self.most_per_second).into(),
            middle(|sample| sample.client_p99),
        ]);
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_whole_thousands_but_never_nothing() {
        assert_eq!([rounded(116_119.7), rounded(1_999.9), rounded(0.3)], [116_000.0, 1_999.0, 1.0]);
    }
}
