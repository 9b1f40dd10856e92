//! What a connection costs that does nothing: memory after thousands of connections, each of which has had one answer.
//!
//! It is user memory only. What the kernel keeps per socket is the same for every server.

use rustix::process::{Resource, getrlimit};

use super::{Bench, load};
use crate::{
    client::{ClosedLoop, Limit, LoadError},
    process::Process,
    report::{Cell, Column, Graph, Table},
    servers::Server,
    usage::{self, Memory},
    work::{Protocol, Work},
};

/// Descriptors that either side needs besides the connections.
const SPARE_DESCRIPTORS: u64 = 200;
/// Enough requests on enough connections that code, pools and tables are in memory before the first reading.
const WARM_UP_CONNECTIONS: usize = 64;
const WARM_UP_REQUESTS: u64 = 20_000;

/// Measures each server in a process of its own, one after the other.
pub fn run(scenario: &str, bench: &Bench, works: &[Work], connections: usize) -> Table {
    let connections = connections.min(descriptor_limit());
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for (work, server) in works.iter().flat_map(|work| bench.able(work).map(move |server| (work, server))) {
        let growth = bench
            .start(server, work)
            .map_err(LoadError::from)
            .and_then(|process| growth(bench, server, &process, work, connections));
        match growth {
            Ok((before, after)) => rows.push(row(&server.name, work, before, after, connections)),
            Err(error) => missing.push(format!("{}, {}: {error}", server.name, way(work))),
        }
    }
    Table {
        scenario: scenario.to_owned(),
        what: format!("user memory of {connections} connections that have had one answer each"),
        columns: vec![
            Column::words("server"),
            Column::words("over"),
            Column::figures("bytes/connection", 0),
            Column::figures("anonymous bytes/connection", 0),
            Column::figures("RSS before KiB", 0),
            Column::figures("RSS after KiB", 0),
        ],
        graph: Some(Graph {
            title: "User memory of an idle connection, bytes".to_owned(),
            value: "bytes/connection".to_owned(),
            spread: None,
            note: None,
        }),
        rows,
        missing,
    }
}

/// As many connections as this process, and a server that inherits its limit, may hold.
pub fn descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit.saturating_sub(SPARE_DESCRIPTORS)).unwrap_or(usize::MAX)
}

fn growth(
    bench: &Bench,
    server: &Server,
    process: &Process,
    work: &Work,
    connections: usize,
) -> Result<(Memory, Memory), LoadError> {
    ClosedLoop::kept(&load(bench, server, process, WARM_UP_CONNECTIONS, work)?)?
        .run(Limit::Requests(WARM_UP_REQUESTS))?;
    let before = usage::memory(process.id())?;
    let mut held = Vec::with_capacity(connections);
    // One after the other, so that what stays is what a connection keeps, not what a burst needs.
    for _ in 0..connections {
        let mut client = ClosedLoop::kept(&load(bench, server, process, 1, work)?)?;
        client.run(Limit::Requests(1))?;
        held.push(client.into_sockets());
    }
    Ok((before, usage::memory(process.id())?))
}

/// How the connections are asked.
fn way(work: &Work) -> &'static str {
    match (work.protocol, work.handshake) {
        (Protocol::Http1, None) => "HTTP/1.1",
        (Protocol::Http1, Some(_)) => "HTTP/1.1, TLS 1.3",
        (Protocol::WebSocket, _) => "WebSocket",
        (Protocol::Http2, None) => "HTTP/2",
        (Protocol::Http2, Some(_)) => "HTTP/2, TLS 1.3",
    }
}

fn row(name: &str, work: &Work, before: Memory, after: Memory, connections: usize) -> Vec<Cell> {
    let each = |before: u64, after: u64| Cell::from((after as f64 - before as f64) / connections as f64);
    vec![
        name.into(),
        way(work).into(),
        each(before.resident, after.resident),
        each(before.anonymous, after.anonymous),
        ((before.resident / 1024) as f64).into(),
        ((after.resident / 1024) as f64).into(),
    ]
}
