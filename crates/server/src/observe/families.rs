//! Every metric there is: a row each. `docs/metrics.md` shows the same rows.

use std::time::UNIX_EPOCH;

use gannet_core::{Counter, Method};

use super::counters::{CLASSES, CONNECTION_STATES, METHODS};
use super::exposition::{Exposition, Seconds, Style};
use super::histogram::BOUNDS;
use super::limit;
use super::overview::Overview;
use super::process;

/// What sort of number it is (OpenMetrics, 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

/// One metric.
pub(crate) struct Family {
    /// Without what its samples' names add to it: `_total` for a counter, `_info` for an info.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Also the name's end; empty: it counts things.
    pub(crate) unit: &'static str,
    pub(crate) labels: &'static [&'static str],
    pub(crate) help: &'static str,
    samples: fn(&Overview, &mut Exposition),
}

/// Every metric, in the order in which they are told.
#[rustfmt::skip]
pub(crate) static FAMILIES: [Family; 30] = [
    Family { name: "gannet_build", kind: Kind::Info, unit: "", labels: &["version", "backend"], samples: build,
        help: "What runs." },
    Family { name: "gannet_ready", kind: Kind::Gauge, unit: "", labels: &[], samples: ready,
        help: "1 while new connections are served; 0 while draining, and when a worker has ended." },
    Family { name: "gannet_workers", kind: Kind::Gauge, unit: "", labels: &[], samples: workers,
        help: "Worker threads that run." },
    Family { name: "gannet_requests", kind: Kind::Counter, unit: "", labels: &["route", "method", "status"], samples: requests,
        help: "Requests that are over, by the route's pattern, the method and the status class." },
    Family { name: "gannet_request_duration_seconds", kind: Kind::Histogram, unit: "seconds", labels: &["route"], samples: durations,
        help: "From when the worker saw the whole head to when the kernel had taken the whole response, or its connection was closed before; without upgrades, and without requests that got no response." },
    Family { name: "gannet_responses_cut", kind: Kind::Counter, unit: "", labels: &[], samples: cut,
        help: "Requests whose response did not reach its end, or was never begun: the client left, or the server stopped." },
    Family { name: "gannet_received_bytes", kind: Kind::Counter, unit: "bytes", labels: &[], samples: received,
        help: "Bytes received from clients." },
    Family { name: "gannet_sent_bytes", kind: Kind::Counter, unit: "bytes", labels: &[], samples: sent,
        help: "Bytes that the kernel took for clients." },
    Family { name: "gannet_connections", kind: Kind::Gauge, unit: "", labels: &["state"], samples: connections,
        help: "Connections that are open." },
    Family { name: "gannet_connections_accepted", kind: Kind::Counter, unit: "", labels: &[], samples: accepted,
        help: "Connections let in." },
    Family { name: "gannet_connections_taken_over", kind: Kind::Counter, unit: "", labels: &[], samples: taken_over,
        help: "Connections let in by another worker than the one that they came to, because that was held up." },
    Family { name: "gannet_connections_refused", kind: Kind::Counter, unit: "", labels: &[], samples: refused,
        help: "Connections closed at once, because there were too many in all or from their address." },
    Family { name: "gannet_accept_failures", kind: Kind::Counter, unit: "", labels: &[], samples: accept_failures,
        help: "Times that no connection could be accepted for want of a descriptor or of memory." },
    Family { name: "gannet_tls_handshakes", kind: Kind::Counter, unit: "", labels: &["result"], samples: handshakes,
        help: "Handshakes of TLS: full; resumed, by a ticket; failed, also those that did not end in time." },
    Family { name: "gannet_limits_hit", kind: Kind::Counter, unit: "", labels: &["limit"], samples: limits_hit,
        help: "Times that a limit was reached, by its name." },
    Family { name: "gannet_worker_holds", kind: Kind::Counter, unit: "", labels: &["route"], samples: holds,
        help: "Times that a handler held its worker up for longer than `worker_hold`; `none`: a task that a handler spawned, or the server itself." },
    Family { name: "gannet_worker_held_seconds", kind: Kind::Counter, unit: "seconds", labels: &[], samples: held,
        help: "How long those lasted, counted when they are over." },
    Family { name: "gannet_panics", kind: Kind::Counter, unit: "", labels: &[], samples: panics,
        help: "Panics of handlers, filters and bodies; each was answered or its connection closed." },
    Family { name: "gannet_file_cache_lookups", kind: Kind::Counter, unit: "", labels: &["cache", "result"], samples: cache_lookups,
        help: "Files looked for among those in memory, and among those that are open." },
    Family { name: "gannet_compressions", kind: Kind::Counter, unit: "", labels: &[], samples: compressions,
        help: "Files compressed on the fly; what comes of it is kept, and answers many requests." },
    Family { name: "gannet_upstream_connections", kind: Kind::Counter, unit: "", labels: &[], samples: upstream_connections,
        help: "Connections to upstreams that were begun." },
    Family { name: "gannet_upstream_requests_reusing", kind: Kind::Counter, unit: "", labels: &["from"], samples: upstream_reuses,
        help: "Requests to upstreams that went over a connection that was there: one of the worker's own, or one that another worker had left." },
    Family { name: "gannet_upstream_retries", kind: Kind::Counter, unit: "", labels: &[], samples: upstream_retries,
        help: "Requests to upstreams that were sent once more, since the connection had died before anything was said." },
    Family { name: "gannet_upstream_failures", kind: Kind::Counter, unit: "", labels: &[], samples: upstream_failures,
        help: "Requests to upstreams that got no response." },
    Family { name: "gannet_access_log_lines", kind: Kind::Counter, unit: "", labels: &["result"], samples: log_lines,
        help: "Lines of the access log: written; dropped, because the writer was behind; failed, because writing was." },
    Family { name: "process_start_time_seconds", kind: Kind::Gauge, unit: "seconds", labels: &[], samples: start_time,
        help: "When the server started, as Unix time." },
    Family { name: "process_cpu_seconds", kind: Kind::Counter, unit: "seconds", labels: &[], samples: processor_time,
        help: "Processor time of the process." },
    Family { name: "process_resident_memory_bytes", kind: Kind::Gauge, unit: "bytes", labels: &[], samples: resident,
        help: "Memory of the process that is in RAM." },
    Family { name: "process_open_fds", kind: Kind::Gauge, unit: "", labels: &[], samples: open_descriptors,
        help: "Descriptors that are open." },
    Family { name: "process_max_fds", kind: Kind::Gauge, unit: "", labels: &[], samples: most_descriptors,
        help: "Descriptors that may be open." },
];

impl Overview {
    /// All metrics.
    pub(crate) fn metrics(&self, style: Style) -> String {
        let mut exposition = Exposition::new(style);
        for family in &FAMILIES {
            exposition.family(family);
            (family.samples)(self, &mut exposition);
        }
        exposition.finish()
    }
}

fn build(overview: &Overview, out: &mut Exposition) {
    out.sample(&[env!("CARGO_PKG_VERSION"), overview.backend], 1);
}

fn ready(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], u8::from(overview.condition.ready().is_ok()));
}

fn workers(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.condition.workers());
}

/// A series begins with its first request: of most methods and classes there never is one.
fn requests(overview: &Overview, out: &mut Exposition) {
    for (number, route) in overview.routes() {
        for (method, name) in METHOD_NAMES.iter().enumerate() {
            for (class, status) in CLASSES.iter().enumerate() {
                let count = overview.total(|worker| worker.routes()[number].requests(method, class));
                if count > 0 {
                    out.sample(&[route, name, status], count);
                }
            }
        }
    }
}

fn durations(overview: &Overview, out: &mut Exposition) {
    for (number, route) in overview.routes() {
        let durations = overview.durations(number);
        let count = durations.count();
        if count == 0 {
            continue;
        }
        for bound in BOUNDS {
            let le = Seconds(bound * 1_000).to_string();
            out.sample_of("_bucket", &[route], Some(&le), &durations.up_to(bound));
        }
        out.sample_of("_bucket", &[route], Some("+Inf"), &count);
        out.sample_of("_count", &[route], None, &count);
        out.sample_of("_sum", &[route], None, &Seconds(durations.nanoseconds()));
    }
}

fn cut(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.cut));
}

fn received(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.received_bytes));
}

fn sent(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.sent_bytes));
}

fn connections(overview: &Overview, out: &mut Exposition) {
    for (index, state) in CONNECTION_STATES.iter().enumerate() {
        out.sample(&[state], overview.total(|worker| worker.connections(index)));
    }
}

fn accepted(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.accepted));
}

fn taken_over(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.taken_over));
}

fn holds(overview: &Overview, out: &mut Exposition) {
    for (number, route) in overview.routes() {
        let count = overview.total(|worker| worker.routes()[number].holds.get());
        if count > 0 {
            out.sample(&[route], count);
        }
    }
}

fn held(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], Seconds(overview.sum(|worker| &worker.held_nanoseconds)));
}

fn refused(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.refused));
}

fn accept_failures(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.accept_failures));
}

fn handshakes(overview: &Overview, out: &mut Exposition) {
    out.sample(&["full"], overview.sum(|worker| &worker.handshakes_full));
    out.sample(&["resumed"], overview.sum(|worker| &worker.handshakes_resumed));
    out.sample(&["failed"], overview.sum(|worker| &worker.handshakes_failed));
}

fn limits_hit(overview: &Overview, out: &mut Exposition) {
    for (index, name) in limit::counted() {
        out.sample(&[name], overview.total(|worker| worker.hits(index)));
    }
}

fn panics(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| &worker.panics));
}

fn cache_lookups(overview: &Overview, out: &mut Exposition) {
    for (cache, result, counter) in [
        ("memory", "hit", Counter::MemoryHit),
        ("memory", "miss", Counter::MemoryMiss),
        ("descriptor", "hit", Counter::DescriptorHit),
        ("descriptor", "miss", Counter::DescriptorMiss),
    ] {
        let count = overview.sum(|worker| worker.feature(counter));
        out.sample(&[cache, result], count);
    }
}

fn compressions(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| worker.feature(Counter::Compressed)));
}

fn upstream_connections(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| worker.feature(Counter::UpstreamConnected)));
}

fn upstream_reuses(overview: &Overview, out: &mut Exposition) {
    let taken_over = overview.sum(|worker| worker.feature(Counter::UpstreamTakenOver));
    let all = overview.sum(|worker| worker.feature(Counter::UpstreamReused));
    out.sample(&["own"], all.saturating_sub(taken_over));
    out.sample(&["other"], taken_over);
}

fn upstream_retries(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| worker.feature(Counter::UpstreamRetried)));
}

fn upstream_failures(overview: &Overview, out: &mut Exposition) {
    out.sample(&[], overview.sum(|worker| worker.feature(Counter::UpstreamFailed)));
}

fn log_lines(overview: &Overview, out: &mut Exposition) {
    let Some(log) = &overview.log else { return };
    out.sample(&["written"], log.written.get());
    out.sample(&["dropped"], overview.sum(|worker| &worker.log_dropped));
    out.sample(&["failed"], log.failed.get());
}

fn start_time(overview: &Overview, out: &mut Exposition) {
    let since = overview.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    out.sample(&[], Seconds(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)));
}

fn processor_time(_: &Overview, out: &mut Exposition) {
    out.sample(&[], Seconds(process::processor_nanoseconds()));
}

fn resident(_: &Overview, out: &mut Exposition) {
    sample_known(process::resident_bytes(), out);
}

fn open_descriptors(_: &Overview, out: &mut Exposition) {
    sample_known(process::open_descriptors(), out);
}

fn most_descriptors(_: &Overview, out: &mut Exposition) {
    sample_known(process::most_descriptors(), out);
}

fn sample_known(value: Option<u64>, out: &mut Exposition) {
    if let Some(value) = value {
        out.sample(&[], value);
    }
}

/// By a method's place; what is none of the registered is one.
const METHOD_NAMES: [&str; METHODS] = {
    let mut names = ["other"; METHODS];
    let mut index = 0;
    while index < Method::NAMED.len() {
        let method = Method::NAMED[index];
        if let Some(name) = method.as_str() {
            names[method as usize] = name;
        }
        index += 1;
    }
    names
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows as `docs/metrics.md` has them.
    fn rows() -> String {
        let row = |family: &Family| {
            let kind = format!("{:?}", family.kind).to_lowercase();
            let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
            let unit = if family.unit.is_empty() { "" } else { family.unit };
            format!("| `{}` | {kind} | {} | {unit} | {} |\n", family.name, labels.join(", "), family.help)
        };
        FAMILIES.iter().map(row).collect()
    }

    #[test]
    fn the_reference_shows_every_metric_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        let reference = std::fs::read_to_string(path).expect("docs/metrics.md is there");
        let shown: String = reference
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(shown, rows(), "the table of docs/metrics.md is to be:\n{}", rows());
    }

    #[test]
    fn a_name_ends_with_its_unit_and_is_there_once() {
        for (index, family) in FAMILIES.iter().enumerate() {
            assert!(family.name.ends_with(family.unit), "{}", family.name);
            assert!(FAMILIES[..index].iter().all(|other| other.name != family.name), "{}", family.name);
        }
        assert_eq!(
            (METHOD_NAMES[0], METHOD_NAMES[METHODS - 1], METHOD_NAMES[METHODS - 2]),
            ("GET", "other", "QUERY")
        );
    }
}
