//! Which figures of a measurement in rounds are shown, and how.

use super::rounds::{Contender, Sample, Shape};
use crate::{usage, work::Ask};

/// From this length on, what counts is throughput and memory, and times are in milliseconds.
const LARGE_BYTES: u64 = 1024 * 1024;

/// One column.
pub struct Column {
    pub head: &'static str,
    pub cell: fn(&Contender<'_>) -> String,
}

/// The columns for what this shape asks.
pub fn of(shape: &Shape) -> Vec<Column> {
    let is_large = shape.works.iter().any(|work| work.body_bytes >= LARGE_BYTES);
    let mut columns = vec![column("server", |one| one.server.name.clone())];
    if shape.works.len() > 1 {
        columns.push(column("asked for", |one| one.work.label.to_owned()));
    }
    columns.extend(if is_large { large_cost() } else { cost() });
    columns.push(column("× null", |one| ratio(one.median(|sample| sample.to_null))));
    if shape.works.len() > 1 {
        columns.push(column("× its first row", |one| ratio(one.median(|sample| sample.to_reference))));
    }
    if shape.works.iter().any(|work| work.observed) {
        columns.push(column("× without", |one| ratio(one.median(|sample| sample.to_reference))));
    }
    if shape.works.iter().any(|work| work.ask == Ask::Compressed) {
        columns.push(column("body bytes", |one| one.load.expected.body_bytes().to_string()));
    }
    columns.extend(if is_large { large_rest() } else { rest() });
    columns
}

fn column(head: &'static str, cell: fn(&Contender<'_>) -> String) -> Column {
    Column { head, cell }
}

fn cost() -> Vec<Column> {
    vec![
        column("CPU µs/request", |one| format!("{:.2}", one.median(|sample| sample.cpu_us))),
        column("lowest-highest", |one| one.range(1.0)),
    ]
}

fn rest() -> Vec<Column> {
    vec![
        column("requests/s", |one| rounded(one, |sample| sample.requests_per_second)),
        column("p50 µs", |one| rounded(one, |sample| sample.p50_us)),
        column("p99 µs", |one| rounded(one, |sample| sample.p99_us)),
        column("max µs", |one| rounded(one, |sample| sample.max_us)),
        column("server busy", |one| format!("{} %", rounded(one, |sample| sample.busy * 100.0))),
        column("client µs/request", |one| format!("{:.2}", one.median(|sample| sample.client_us))),
    ]
}

fn large_cost() -> Vec<Column> {
    vec![
        column("CPU ms/response", |one| format!("{:.3}", one.median(|sample| sample.cpu_us) / 1e3)),
        column("lowest-highest", |one| one.range(1e3)),
    ]
}

fn large_rest() -> Vec<Column> {
    vec![
        column("responses/s", |one| format!("{:.1}", one.median(|sample| sample.requests_per_second))),
        column("MiB/s", |one| {
            let mebibytes = one.work.body_bytes as f64 / 1048576.0;
            format!("{:.0}", one.median(|sample| sample.requests_per_second) * mebibytes)
        }),
        column("p99 ms", |one| format!("{:.1}", one.median(|sample| sample.p99_us) / 1e3)),
        column("server busy", |one| format!("{} %", rounded(one, |sample| sample.busy * 100.0))),
        column("peak RSS growth KiB", |one| {
            let before = one.memory_before.resident;
            let growth = |memory: usage::Memory| memory.peak.saturating_sub(before) / 1024;
            usage::memory(one.process.id())
                .map(growth)
                .map_or_else(|error| error.to_string(), |k| k.to_string())
        }),
        column("client ms/response", |one| format!("{:.2}", one.median(|sample| sample.client_us) / 1e3)),
    ]
}

fn rounded(one: &Contender<'_>, value: fn(&Sample) -> f64) -> String {
    format!("{:.0}", one.median(value))
}

/// A run without what the ratio is to has none.
fn ratio(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.2}") }
}
