//! Which system calls a server makes, and how many per request, as `strace -c` counts them.
//!
//! Counts are exact for what was traced, but a traced server is slow, so more requests are ready each time it looks:
//! calls that serve a whole turn (`epoll_wait`, `io_uring_enter`) come out lower than in a free run.

use std::{
    fs, io,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Bench, load};
use crate::{
    client::{Client, Limit, LoadError},
    report::{Cell, Column, Table},
    servers::Server,
    usage,
    work::Work,
};

const CONNECTIONS: usize = 64;
/// Requests before the tracer comes.
const WARM_UP_REQUESTS: u64 = 3_200;
/// So many bytes of body take the tracer a second or two.
const COUNTED_BYTES: u64 = 1 << 30;
/// How long the tracer may take to come or to leave.
const TRACER_LIMIT: Duration = Duration::from_secs(10);
/// The calls that hand a response to the kernel.
const SENDS: [&str; 6] = ["send", "sendto", "sendmsg", "write", "writev", "sendfile"];

/// Traces each server with each of these works.
pub fn run(scenario: &str, bench: &Bench, works: &[Work]) -> io::Result<Table> {
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for work in works {
        bench.prepare(work)?;
    }
    for server in bench.able(&works[0]) {
        for work in works.iter().filter(|work| server.can(work)) {
            match count(bench, server, work) {
                Ok(count) => {
                    eprintln!("count the calls of {}, {}", server.name, work.label);
                    rows.push(row(&server.name, work, &count));
                }
                Err(error) => missing.push(format!("{}: {error}", server.name)),
            }
        }
    }
    Ok(Table {
        scenario: scenario.to_owned(),
        what: format!(
            "system calls per request, {} requests (fewer of long bodies: {} GiB) over \
             {CONNECTIONS} kept connections",
            bench.plan.counted_requests,
            COUNTED_BYTES >> 30
        ),
        columns: vec![
            Column::words("server"),
            Column::words("asked for"),
            Column::figures("at once", 0),
            Column::figures("calls/request", 3),
            Column::figures("sends/request", 3),
            Column::figures("client receives/request", 3),
            Column::words("by name"),
        ],
        graph: None,
        rows,
        missing,
    })
}

/// What was counted of one server with one work.
struct Count {
    calls: Vec<Calls>,
    requests: u64,
    client_receives: u64,
}

/// How often one call was made.
#[derive(Debug, Eq, PartialEq)]
struct Calls {
    name: String,
    count: u64,
    /// How many of them ended with an error, which is most often that the socket was full or empty.
    errors: u64,
}

fn count(bench: &Bench, server: &Server, work: &Work) -> Result<Count, LoadError> {
    let process = bench.start(server, work)?;
    let at_most = |requests: u64| {
        Limit::Requests(requests.min(bench.plan.counted_requests).min(COUNTED_BYTES / work.body_bytes.max(1)))
    };
    let mut client = Client::connect(&load(bench, server, &process, CONNECTIONS, work)?)?;
    client.run(at_most(WARM_UP_REQUESTS))?;
    let report = bench.site.scratch().join("strace");
    let tracer = Tracer::attach(process.id(), &report)?;
    let outcome = client.run(at_most(bench.plan.counted_requests))?;
    tracer.detach()?;
    let calls = parse(&fs::read_to_string(report)?);
    Ok(Count { calls, requests: outcome.requests, client_receives: outcome.receives })
}

/// A running `strace`; dropped, it is killed and waited for.
struct Tracer(Child);

impl Tracer {
    /// Starts the tracer and waits until it holds every thread of the process.
    fn attach(process: u32, report: &std::path::Path) -> io::Result<Tracer> {
        let mut command = Command::new("strace");
        command.args(["-c", "-f", "-p", &process.to_string(), "-o"]).arg(report);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| io::Error::other(format!("strace: {error}")))?;
        let mut tracer = Tracer(child);
        let started = Instant::now();
        while !usage::is_traced(process)? {
            if started.elapsed() > TRACER_LIMIT || tracer.0.try_wait()?.is_some() {
                return Err(io::Error::other("strace could not attach to the server"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(tracer)
    }

    /// Asks the tracer to leave, and waits until it has written its report.
    fn detach(mut self) -> io::Result<()> {
        let process = Pid::from_child(&self.0);
        kill_process(process, Signal::INT)?;
        let started = Instant::now();
        while self.0.try_wait()?.is_none() {
            if started.elapsed() > TRACER_LIMIT {
                return Err(io::Error::other("strace did not end"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // It has most often ended by itself; then there is nothing to kill, only to collect.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads strace's summary: a rule of dashes, one line per call, another rule, the total. The count is the fourth
/// column and the name the last; the column of errors between them may be empty.
fn parse(report: &str) -> Vec<Calls> {
    let lines = report.lines().skip_while(|line| !line.starts_with("---")).skip(1);
    let calls = lines.take_while(|line| !line.starts_with("---")).filter_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let errors = if words.len() > 5 { words[4].parse().ok()? } else { 0 };
        Some(Calls { name: (*words.last()?).to_owned(), count: words.get(3)?.parse().ok()?, errors })
    });
    let mut calls: Vec<Calls> = calls.collect();
    calls.sort_by_key(|call| std::cmp::Reverse(call.count));
    calls
}

fn row(name: &str, work: &Work, counted: &Count) -> Vec<Cell> {
    let each = |count: u64| count as f64 / counted.requests as f64;
    let total = |names: Option<&[&str]>| -> u64 {
        let named = |call: &&Calls| names.is_none_or(|names| names.contains(&call.name.as_str()));
        counted.calls.iter().filter(named).map(|call| call.count).sum()
    };
    // What happens less than once in a thousand requests is not part of a request.
    let frequent = counted.calls.iter().filter(|call| each(call.count) >= 0.001);
    let failed = |errors: u64| match each(errors) {
        part if part >= 0.001 => format!(" ({part:.3} in vain)"),
        _ => String::new(),
    };
    let by_name: Vec<String> = frequent
        .map(|call| format!("{} {:.3}{}", call.name, each(call.count), failed(call.errors)))
        .collect();
    // Sends that go through a ring are not calls of their own.
    let ring = total(Some(&["io_uring_enter"])) > 0;
    vec![
        name.into(),
        work.label.into(),
        f64::from(work.depth).into(),
        each(total(None)).into(),
        if ring { "in the ring".into() } else { each(total(Some(&SENDS))).into() },
        each(counted.client_receives).into(),
        by_name.join(", ").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_with_and_without_errors() {
        let report = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            60.00    0.001000          10       100           sendto\n \
            40.00    0.000500           5       120        20 recvfrom\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.001500           6       220        20 total\n";
        let expected = [("recvfrom", 120), ("sendto", 100)];
        let calls = parse(report);
        assert_eq!(calls.iter().map(|call| (call.name.as_str(), call.count)).collect::<Vec<_>>(), expected);
        let row = row("null-epoll", &Work::hello(1), &Count { calls, requests: 100, client_receives: 100 });
        assert_eq!(
            row,
            [
                "null-epoll".into(),
                "13 bytes".into(),
                1.0.into(),
                2.2.into(),
                1.0.into(),
                1.0.into(),
                Cell::from("recvfrom 1.200 (0.200 in vain), sendto 1.000")
            ]
        );
    }
}
