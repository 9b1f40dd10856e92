//! Which figures of a measurement in rounds are shown, and how.

use super::rounds::{Contender, Shape};
use crate::{
    report::{Cell, Column, Graph},
    usage,
    work::{Ask, Besides, Protocol},
};

/// From this length on, what counts is throughput and memory, and times are in milliseconds.
const LARGE_BYTES: u64 = 1024 * 1024;

/// One column, and how its cells are made.
pub struct Maker {
    pub column: Column,
    pub cell: fn(&Contender<'_>) -> Cell,
}

/// What of the columns is drawn: the cost, with its spread.
pub fn graph(shape: &Shape) -> Graph {
    let value = if is_large(shape) { LARGE_COST } else { COST };
    let value = counted(shape, value);
    let reference = match (is_multiplexed(shape), is_secured(shape)) {
        (true, _) if shape.works.iter().all(|work| work.upstream_protocol == Protocol::Http1) => "× h2o",
        (true, _) => "× haproxy",
        (false, true) => "× nginx",
        (false, false) => "× null",
    };
    Graph {
        title: format!("Processor time of the server, {}", value.trim_start_matches("CPU ")),
        value,
        spread: Some(("lowest".to_owned(), "highest".to_owned())),
        note: Some((reference.to_owned(), reference.to_owned())),
    }
}

const COST: &str = "CPU µs/request";
const LARGE_COST: &str = "CPU ms/response";

fn is_large(shape: &Shape) -> bool {
    shape.works.iter().any(|work| work.body_bytes >= LARGE_BYTES)
}

/// A head that says what is counted: over WebSockets it is messages.
fn counted(shape: &Shape, head: &str) -> String {
    let converses = shape.works.iter().any(|work| work.protocol == Protocol::WebSocket);
    if converses { head.replace("request", "message") } else { head.to_owned() }
}

/// There is no null server that speaks TLS: what it costs is not the kernel's.
fn is_secured(shape: &Shape) -> bool {
    shape.works.iter().any(|work| work.handshake.is_some())
}

fn is_multiplexed(shape: &Shape) -> bool {
    shape.works.iter().any(|work| work.protocol == Protocol::Http2)
}

/// The columns for what this shape asks.
pub fn of(shape: &Shape) -> Vec<Maker> {
    let is_large = is_large(shape);
    let mut columns = vec![words("server", |one| one.server.name.as_str().into())];
    if shape.works.len() > 1 {
        columns.push(words("asked for", |one| one.work.label.into()));
    }
    columns.extend(if is_large { large_cost() } else { cost() });
    let is_proxied = shape.works.iter().any(|work| work.upstream.is_some());
    if !is_secured(shape) {
        columns.push(figures("× null", 2, |one| one.median(|sample| sample.to_null).into()));
    }
    if is_multiplexed(shape) {
        columns.push(figures("× h2o", 2, |one| one.median(|sample| sample.to_h2o).into()));
    }
    if is_secured(shape) || is_proxied || is_multiplexed(shape) {
        columns.push(figures("× nginx", 2, |one| one.median(|sample| sample.to_nginx).into()));
        columns.push(figures("× haproxy", 2, |one| one.median(|sample| sample.to_haproxy).into()));
    }
    if shape.works.len() > 1 {
        columns.push(figures("× its first row", 2, |one| one.median(|sample| sample.to_reference).into()));
    }
    if shape.works.iter().any(|work| work.besides != Besides::Nothing) {
        columns.push(figures("× without", 2, |one| one.median(|sample| sample.to_reference).into()));
    }
    if shape.works.iter().any(|work| work.ask == Ask::Compressed) {
        columns.push(figures("body bytes", 0, |one| (one.load.expected.body_bytes() as f64).into()));
    }
    columns.extend(if is_large { large_rest() } else { rest() });
    if shape.works.iter().any(|work| work.handshake.is_some() && work.is_short) {
        columns.push(figures("tickets/request", 1, |one| one.median(|sample| sample.tickets).into()));
    }
    for maker in &mut columns {
        maker.column.head = counted(shape, &maker.column.head);
    }
    columns
}

fn words(head: &str, cell: fn(&Contender<'_>) -> Cell) -> Maker {
    Maker { column: Column::words(head), cell }
}

fn figures(head: &str, decimals: usize, cell: fn(&Contender<'_>) -> Cell) -> Maker {
    Maker { column: Column::figures(head, decimals), cell }
}

fn cost() -> Vec<Maker> {
    vec![
        figures(COST, 2, |one| one.median(|sample| sample.cpu_us).into()),
        figures("lowest", 2, |one| one.spread().0.into()),
        figures("highest", 2, |one| one.spread().1.into()),
    ]
}

fn rest() -> Vec<Maker> {
    vec![
        figures("requests/s", 0, |one| one.median(|sample| sample.requests_per_second).into()),
        figures("p50 µs", 0, |one| one.median(|sample| sample.p50_us).into()),
        figures("p99 µs", 0, |one| one.median(|sample| sample.p99_us).into()),
        figures("max µs", 0, |one| one.median(|sample| sample.max_us).into()),
        figures("server busy %", 0, |one| (one.median(|sample| sample.busy) * 100.0).into()),
        figures("client µs/request", 2, |one| one.median(|sample| sample.client_us).into()),
    ]
}

fn large_cost() -> Vec<Maker> {
    vec![
        figures(LARGE_COST, 3, |one| (one.median(|sample| sample.cpu_us) / 1e3).into()),
        figures("lowest", 3, |one| (one.spread().0 / 1e3).into()),
        figures("highest", 3, |one| (one.spread().1 / 1e3).into()),
    ]
}

fn large_rest() -> Vec<Maker> {
    vec![
        figures("responses/s", 1, |one| one.median(|sample| sample.requests_per_second).into()),
        figures("MiB/s", 0, |one| {
            let mebibytes = one.work.body_bytes as f64 / 1048576.0;
            (one.median(|sample| sample.requests_per_second) * mebibytes).into()
        }),
        figures("p99 ms", 1, |one| (one.median(|sample| sample.p99_us) / 1e3).into()),
        figures("server busy %", 0, |one| (one.median(|sample| sample.busy) * 100.0).into()),
        figures("peak RSS growth KiB", 0, |one| {
            let before = one.memory_before.resident;
            let growth = |memory: usage::Memory| memory.peak.saturating_sub(before) / 1024;
            usage::memory(one.process.id()).map_or(Cell::Nothing, |memory| (growth(memory) as f64).into())
        }),
        figures("client ms/response", 2, |one| (one.median(|sample| sample.client_us) / 1e3).into()),
    ]
}
