//! One message to thousands of WebSockets: what each delivery costs the server, and when the last of them has it.
//!
//! A client has descriptors for the subscribers of one server only. So in each round every server is started anew, is given its
//! subscribers, and publishes some messages, one when all have the one before.

use std::time::{Duration, Instant};

use super::{Bench, idle::descriptor_limit, load};
use crate::{
    client::{Audience, LoadError},
    report::{Cell, Column, Graph, Table, median},
    servers::Server,
    usage,
    work::Work,
};

/// Published before anything is measured, so that whatever is made once is there.
const WARM_UP_MESSAGES: usize = 3;
const MESSAGES: usize = 20;
/// The server whose cost the others' is compared with.
const REFERENCE: &str = "uwebsockets";

/// One server, and what has been measured of it.
struct Publisher<'a> {
    server: &'a Server,
    samples: Vec<Sample>,
}

/// One round of one server.
#[derive(Clone, Copy)]
struct Sample {
    cpu_us: f64,
    to_reference: f64,
    /// The median of its messages, and the longest.
    last_byte_ms: f64,
    longest_ms: f64,
    opened_in_s: f64,
    subscriber_bytes: f64,
}

/// About how long it takes.
pub fn estimate(bench: &Bench) -> Duration {
    let work = Work::topic();
    let turn = Duration::from_micros(250) * subscribers(bench) as u32 + Duration::from_secs(2);
    turn * (bench.able(&work).count() * bench.plan.rounds) as u32
}

fn subscribers(bench: &Bench) -> usize {
    bench.plan.idle_connections.min(descriptor_limit())
}

/// Measures every server that can publish.
pub fn run(scenario: &str, bench: &Bench) -> Table {
    let (work, mut missing) = (Work::topic(), Vec::new());
    let mut publishers: Vec<Publisher<'_>> =
        bench.able(&work).map(|server| Publisher { server, samples: Vec::new() }).collect();
    for round in 1..=bench.plan.rounds {
        publishers.retain_mut(|publisher| match measure(bench, publisher.server, &work) {
            Ok(sample) => {
                eprintln!(
                    "round {round}: {:<24} {:8.3} µs of CPU a delivery, {:7.1} ms to the last byte",
                    publisher.server.name, sample.cpu_us, sample.last_byte_ms
                );
                publisher.samples.push(sample);
                true
            }
            Err(error) => {
                missing.push(format!("{}: {error}", publisher.server.name));
                false
            }
        });
        compare(&mut publishers);
    }
    let subscribers = subscribers(bench);
    Table {
        scenario: scenario.to_owned(),
        what: format!(
            "{} by one of them, {subscribers} in all; {MESSAGES} messages a round, each when all have the one before; medians of \
             {} rounds",
            work.describe(),
            bench.plan.rounds
        ),
        columns: columns(),
        rows: publishers.iter().map(Publisher::row).collect(),
        missing,
        graph: Some(Graph {
            title: format!("Processor time of the server, µs/delivery, one message to {subscribers}"),
            value: "CPU µs/delivery".to_owned(),
            spread: Some(("lowest".to_owned(), "highest".to_owned())),
            note: Some(("last byte ms".to_owned(), "ms to the last byte".to_owned())),
        }),
    }
}

fn measure(bench: &Bench, server: &Server, work: &Work) -> Result<Sample, LoadError> {
    let process = bench.start(server, work)?;
    let subscribers = subscribers(bench);
    let load = load(bench, server, &process, subscribers, work)?;
    let memory_before = usage::memory(process.id())?.resident;
    let begun = Instant::now();
    let mut audience = Audience::connect(&load)?;
    let opened_in_s = begun.elapsed().as_secs_f64();
    for _ in 0..WARM_UP_MESSAGES {
        audience.publish()?;
    }
    let before = usage::cpu_time(process.id())?;
    let taken: Vec<f64> = (0..MESSAGES)
        .map(|_| audience.publish().map(|time| time.as_secs_f64() * 1e3))
        .collect::<Result<_, _>>()?;
    let cpu = usage::cpu_time(process.id())?.saturating_sub(before);
    let growth = usage::memory(process.id())?.resident as f64 - memory_before as f64;
    Ok(Sample {
        cpu_us: cpu.as_secs_f64() * 1e6 / (MESSAGES * subscribers) as f64,
        to_reference: f64::NAN,
        last_byte_ms: median(&taken).unwrap_or(f64::NAN),
        longest_ms: taken.iter().copied().fold(0.0, f64::max),
        opened_in_s,
        subscriber_bytes: growth / subscribers as f64,
    })
}

/// Fills in the ratios of the round that has just been measured.
fn compare(publishers: &mut [Publisher<'_>]) {
    let last = |publisher: &Publisher<'_>| publisher.samples.last().map(|sample| sample.cpu_us);
    let reference = publishers.iter().find(|publisher| publisher.server.name == REFERENCE).and_then(last);
    for publisher in publishers {
        if let Some(sample) = publisher.samples.last_mut() {
            sample.to_reference = sample.cpu_us / reference.unwrap_or(f64::NAN);
        }
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::words("server"),
        Column::figures("CPU µs/delivery", 3),
        Column::figures("lowest", 3),
        Column::figures("highest", 3),
        Column::figures("× uwebsockets", 2),
        Column::figures("last byte ms", 1),
        Column::figures("longest ms", 1),
        Column::figures("bytes/subscriber", 0),
        Column::figures("opened in s", 1),
    ]
}

impl Publisher<'_> {
    fn row(&self) -> Vec<Cell> {
        let middle = |figure: fn(&Sample) -> f64| {
            let figures: Vec<f64> = self.samples.iter().map(figure).collect();
            Cell::from(median(&figures).unwrap_or(f64::NAN))
        };
        let (lowest, highest) = super::rounds::spread(self.samples.iter().map(|sample| sample.cpu_us));
        vec![
            self.server.name.as_str().into(),
            middle(|sample| sample.cpu_us),
            lowest.into(),
            highest.into(),
            middle(|sample| sample.to_reference),
            middle(|sample| sample.last_byte_ms),
            middle(|sample| sample.longest_ms),
            middle(|sample| sample.subscriber_bytes),
            middle(|sample| sample.opened_in_s),
        ]
    }
}
