//! What is measured, by name.

mod broadcast;
mod columns;
mod head_of_line;
mod held;
mod idle;
mod latency;
mod one_stream;
mod rounds;
mod slow_clients;
mod sparse;
mod startup;
mod system_calls;
mod tree;
mod works;

use std::{io, path::PathBuf, time::Duration};

use clap::ValueEnum;

use crate::{
    client::{Expected, First, Framing, Load, LoadError, Tls},
    process::{Pinning, Process},
    report::Table,
    servers::Server,
    site::Site,
    work::{Ask, Beside, Besides, Target, USERS, Work, user},
};

use rounds::Shape;
use works::{
    compressed, file_1k, file_1m, file_10m, file_16k, file_100k, multiplexed, not_modified, proxied, range,
    resumed, secured,
};

/// What the figures of idle TLS connections are of; each takes a handshake to open.
const TLS_IDLE_CONNECTIONS: usize = 2_000;

/// Over how many connections what is multiplexed goes.
const HTTP2_CONNECTIONS: usize = 8;

/// One thing that can be measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Scenario {
    /// 13 bytes over 64 kept connections
    Keepalive,
    /// 13 bytes over 1,000 kept connections
    #[value(name = "keepalive-1000")]
    Keepalive1000,
    /// 13 bytes over 64 kept connections, 16 requests at once
    Pipelined,
    /// 13 bytes, a connection for each request
    Connect,
    /// A path with a parameter, answered with JSON: where there are extractors, by them
    #[value(alias = "path-json")]
    Json,
    /// 13 bytes from a handler, and from the same behind eight idle filters
    Filters,
    /// 13 bytes over 64 kept connections, at a rate: latency
    Latency,
    /// 13 bytes over 1,000 kept connections, at a rate: latency
    #[value(name = "latency-1000")]
    Latency1000,
    /// A file of 1 KiB
    #[value(name = "file-1k")]
    File1K,
    /// A file of 16 KiB
    #[value(name = "file-16k")]
    File16K,
    /// A file of 100 KiB
    #[value(name = "file-100k")]
    File100K,
    /// A file of 512 KiB
    #[value(name = "file-512k")]
    File512K,
    /// A file of 1 MiB
    #[value(name = "file-1m")]
    File1M,
    /// A file of 10 MiB
    #[value(name = "file-10m")]
    File10M,
    /// A file of 100 MiB: throughput, and by how much the server grows
    Large,
    /// A file of 1 KiB asked for by its ETag, beside the whole of it
    NotModified,
    /// 1 KiB in the middle of 1 GiB, beside a file of 1 KiB
    Range,
    /// 50 KiB of prose that the client takes compressed
    Compressed,
    /// A file of 1 KiB with and without an access log, with and without metrics
    Observed,
    /// Memory while eight clients fetch sparse files of 10 GiB
    Sparse,
    /// A million small files in a random order; where they lie is told by `--tree`
    Tree,
    /// 100,000 connections held open, and new ones beside them
    Held,
    /// 13 bytes beside clients that ask for 10 MiB and read nothing
    SlowClients,
    /// A quick request alone, beside slow ones, and behind one
    HeadOfLine,
    /// Memory per idle connection
    Idle,
    /// 13 bytes through a proxy, over 64 kept connections
    Proxy,
    /// 100 KiB through a proxy
    #[value(name = "proxy-100k")]
    Proxy100K,
    /// 10 MiB through a proxy
    #[value(name = "proxy-10m")]
    Proxy10M,
    /// 13 bytes through a proxy, at a rate: latency
    ProxyLatency,
    /// 13 bytes over TLS 1.3, over 64 kept connections
    Tls,
    /// 13 bytes over TLS 1.3, a connection and a full handshake for each request
    TlsHandshake,
    /// The same with resumed handshakes
    TlsResumed,
    /// A file of 100 KiB over TLS 1.3
    #[value(name = "tls-100k")]
    Tls100K,
    /// Memory per idle connection over TLS 1.3
    TlsIdle,
    /// 13 bytes over HTTP/2 in clear text, 8 connections of 32 streams
    H2,
    /// The same over TLS 1.3
    H2Tls,
    /// A file of 100 KiB over HTTP/2 and TLS 1.3, 8 connections of 32 streams
    #[value(name = "h2-tls-100k")]
    H2Tls100K,
    /// 13 bytes over one connection, one request at a time, over HTTP/2 and HTTP/1.1: latency
    H2Latency,
    /// Memory per idle connection over HTTP/2, in clear text and over TLS 1.3
    H2Idle,
    /// 13 bytes through a proxy, over HTTP/2 to it and HTTP/1.1 to its upstream, in clear text
    H2Proxy,
    /// 13 bytes through a proxy, over HTTP/2 to it and to its upstream, in clear text
    #[value(name = "h2-proxy-h2")]
    H2ProxyH2,
    /// 32 bytes over 64 WebSockets, sent back
    WsEcho,
    /// 32 bytes over 64 WebSockets, 16 messages at once, sent back
    WsEchoPipelined,
    /// 32 bytes published to 10,000 WebSockets
    WsBroadcast,
    /// From the start to the first response
    Startup,
    /// System calls per request, one at a time and 16 at once
    Syscalls,
    /// System calls per file, by its length and the way it is asked for
    SyscallsFiles,
}

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Measurements of each server.
    pub rounds: usize,
    /// The length of one.
    pub measure: Duration,
    /// How long the server is driven before it.
    pub warm_up: Duration,
    /// How many connections are left idle.
    pub idle_connections: usize,
    /// How many connections several processes hold.
    pub held_connections: usize,
    /// How long new ones come beside them.
    pub held_time: Duration,
    /// How many system calls' requests are counted.
    pub counted_requests: u64,
    /// Whether the client copies long bodies from the kernel.
    pub copied: bool,
}

impl Plan {
    /// In a few words.
    pub fn describe(&self) -> String {
        format!("{} rounds of {} s", self.rounds, self.measure.as_secs_f64())
    }
}

/// What every scenario works with.
pub struct Bench {
    /// The servers that were chosen.
    pub servers: Vec<Server>,
    /// The folder that is served.
    pub site: Site,
    /// Who runs where.
    pub pinning: Pinning,
    /// How long and how often.
    pub plan: Plan,
    /// Where the million files lie, or are to lie.
    pub tree: Option<PathBuf>,
}

impl Scenario {
    /// The name on the command line and in tables.
    pub fn name(self) -> String {
        let value = self.to_possible_value().expect("no scenario is hidden from the command line");
        value.get_name().to_owned()
    }

    /// Whether it is measured when no scenario is named.
    pub fn is_default(self) -> bool {
        use Scenario::{
            Compressed, File512K, Large, NotModified, Observed, Range, Sparse, SyscallsFiles, Tree,
        };
        !matches!(
            self,
            Compressed | File512K | Large | NotModified | Observed | Range | Sparse | SyscallsFiles | Tree
        )
    }

    /// About how long it takes with so many servers, builds and the making of files aside.
    pub fn estimate(self, bench: &Bench) -> Duration {
        let Plan { rounds, measure, warm_up, held_connections, held_time, .. } = bench.plan;
        let turn = measure + warm_up;
        let servers = |work: &Work| bench.able(work).count() as u32;
        let turns = |work: &Work, each: u32| turn * (servers(work) * each * rounds as u32);
        match self {
            Scenario::Keepalive | Scenario::Keepalive1000 | Scenario::Pipelined => turns(&Work::hello(1), 1),
            Scenario::Connect => turns(&Work::hello(1).short(), 1),
            Scenario::Json => turns(&Work::user(), 1),
            Scenario::Latency | Scenario::Latency1000 => {
                turns(&Work::hello(1), 1) + turn * servers(&Work::hello(1))
            }
            Scenario::NotModified | Scenario::Range => turns(&file_1k(), 2),
            Scenario::Observed => turns(&file_1k().besides(Besides::Observing), 1),
            Scenario::Filters => turns(&Work::hello(1).besides(Besides::Filtering), 1),
            Scenario::Proxy | Scenario::Proxy100K | Scenario::Proxy10M => turns(&proxied(Work::hello(1)), 1),
            Scenario::ProxyLatency => {
                turns(&proxied(Work::hello(1)), 1) + turn * servers(&proxied(Work::hello(1)))
            }
            Scenario::Tls | Scenario::TlsHandshake => turns(&secured(Work::hello(1)), 1),
            Scenario::TlsResumed => turns(&secured(Work::hello(1)), 2),
            Scenario::Tls100K => turns(&secured(file_100k()), 1),
            Scenario::H2 => turns(&multiplexed(Work::hello(1)), 1),
            Scenario::H2Tls => turns(&secured(multiplexed(Work::hello(1))), 1),
            Scenario::H2Tls100K => turns(&secured(multiplexed(file_100k())), 1),
            Scenario::H2Proxy => turns(&proxied(multiplexed(Work::hello(1))), 1),
            Scenario::H2ProxyH2 => turns(&proxied(multiplexed(Work::hello(1))).all_http2(), 1),
            Scenario::H2Latency => one_stream::estimate(bench),
            Scenario::TlsIdle | Scenario::H2Idle => {
                Duration::from_secs(2) * servers(&secured(Work::hello(1)))
            }
            Scenario::WsEcho | Scenario::WsEchoPipelined => turns(&Work::echo(1), 1),
            Scenario::WsBroadcast => broadcast::estimate(bench),
            Scenario::Idle | Scenario::Startup | Scenario::Syscalls | Scenario::SyscallsFiles => {
                Duration::from_secs(2) * servers(&Work::hello(1))
            }
            Scenario::Held => {
                let sharing = bench.servers.iter().filter(|server| server.can_share()).count() as u32;
                (held_time + Duration::from_micros(200) * held_connections as u32) * sharing
            }
            Scenario::SlowClients => (measure + warm_up) * 4 * servers(&file_1k()),
            Scenario::HeadOfLine => Duration::from_secs(8),
            Scenario::Sparse => measure * servers(&file_1k()),
            Scenario::Tree => Duration::from_secs(25) * servers(&file_1k()),
            _ => turns(&file_1k(), 1),
        }
    }

    /// Measures every server that can do it.
    pub fn run(self, bench: &Bench) -> io::Result<Table> {
        let name = &self.name();
        let rounds = |connections, work| rounds::run(name, bench, &Shape::new(connections, work));
        match self {
            Scenario::Keepalive => rounds(64, Work::hello(1)),
            Scenario::Keepalive1000 => rounds(1000, Work::hello(1)),
            Scenario::Pipelined => rounds(64, Work::hello(16)),
            Scenario::Connect => rounds(64, Work::hello(1).short()),
            Scenario::Json => rounds(64, Work::user()),
            Scenario::Latency => Ok(latency::run(name, bench, &Shape::new(64, Work::hello(1)))),
            Scenario::Latency1000 => Ok(latency::run(name, bench, &Shape::new(1000, Work::hello(1)))),
            Scenario::Held => Ok(held::run(name, bench)),
            Scenario::File1K => rounds(64, file_1k()),
            Scenario::File16K => rounds(64, file_16k()),
            Scenario::File100K => rounds(64, file_100k()),
            Scenario::File512K => rounds(16, Work::file("512 KiB", "512k.bin", 512)),
            Scenario::File1M => rounds(16, file_1m()),
            Scenario::File10M => rounds(4, file_10m()),
            Scenario::Large => rounds(4, Work::file("100 MiB", "large.bin", 100 * 1024)),
            Scenario::NotModified => rounds::run(name, bench, &Shape::new(64, file_1k()).and(not_modified())),
            Scenario::Range => rounds::run(name, bench, &Shape::new(64, file_1k()).and(range())),
            Scenario::Compressed => rounds(64, compressed()),
            Scenario::Observed => rounds(64, file_1k().besides(Besides::Observing)),
            Scenario::Filters => rounds(64, Work::hello(1).besides(Besides::Filtering)),
            Scenario::Sparse => sparse::run(name, bench),
            Scenario::Tree => tree::run(name, bench),
            Scenario::SlowClients => slow_clients::run(name, bench),
            Scenario::HeadOfLine => Ok(head_of_line::run(name, bench)),
            Scenario::Idle => Ok(idle::run(name, bench, &[Work::hello(1)], bench.plan.idle_connections)),
            Scenario::Proxy => rounds(64, proxied(Work::hello(1))),
            Scenario::Proxy100K => rounds(64, proxied(Work::body("100 KiB", 100))),
            Scenario::Proxy10M => rounds(4, proxied(Work::body("10 MiB", 10 * 1024))),
            Scenario::ProxyLatency => {
                let work = Work::hello(1).proxied(Beside::Proxy);
                Ok(latency::run(name, bench, &Shape::new(64, work)))
            }
            Scenario::Tls => rounds(64, secured(Work::hello(1))),
            Scenario::TlsHandshake => rounds(64, secured(Work::hello(1)).short()),
            Scenario::TlsResumed => rounds(64, resumed()),
            Scenario::Tls100K => rounds(64, secured(file_100k())),
            Scenario::TlsIdle => {
                let connections = bench.plan.idle_connections.min(TLS_IDLE_CONNECTIONS);
                Ok(idle::run(name, bench, &[secured(Work::hello(1))], connections))
            }
            Scenario::H2Idle => {
                let connections = bench.plan.idle_connections.min(TLS_IDLE_CONNECTIONS);
                let works = [Work::hello(1).over_http2(1), secured(Work::hello(1).over_http2(1))];
                Ok(idle::run(name, bench, &works, connections))
            }
            Scenario::H2Latency => Ok(one_stream::run(name, bench)),
            Scenario::H2 => rounds(HTTP2_CONNECTIONS, multiplexed(Work::hello(1))),
            Scenario::H2Tls => rounds(HTTP2_CONNECTIONS, secured(multiplexed(Work::hello(1)))),
            Scenario::H2Tls100K => rounds(HTTP2_CONNECTIONS, secured(multiplexed(file_100k()))),
            Scenario::H2Proxy => rounds(HTTP2_CONNECTIONS, proxied(multiplexed(Work::hello(1)))),
            Scenario::H2ProxyH2 => {
                rounds(HTTP2_CONNECTIONS, proxied(multiplexed(Work::hello(1))).all_http2())
            }
            Scenario::WsEcho => rounds(64, Work::echo(1)),
            Scenario::WsEchoPipelined => rounds(64, Work::echo(16)),
            Scenario::WsBroadcast => Ok(broadcast::run(name, bench)),
            Scenario::Startup => Ok(startup::run(name, bench)),
            Scenario::Syscalls => system_calls::run(name, bench, &[Work::hello(1), Work::hello(16)]),
            Scenario::SyscallsFiles => {
                let whole = [file_1k(), file_16k(), file_100k(), file_1m(), file_10m()];
                system_calls::run(name, bench, &[&whole[..], &[not_modified(), range()]].concat())
            }
        }
    }
}

impl Bench {
    /// The servers that can do this work. Where it is compared what they do besides, they are the null servers, those that do it,
    /// and each of these without.
    fn able<'a>(&'a self, work: &'a Work) -> impl Iterator<Item = &'a Server> {
        let is_baseline = |server: &Server| {
            let mut compared = self.servers.iter().filter(|other| other.besides == work.besides);
            compared.any(|other| other.baseline.is_some_and(|name| name == server.name))
        };
        let takes_part = move |server: &&Server| {
            work.besides == Besides::Nothing
                || server.is_null()
                || server.baseline.is_some()
                || is_baseline(server)
        };
        self.servers.iter().filter(|server| server.can(work)).filter(takes_part)
    }

    /// Makes the file that is asked for.
    fn prepare(&self, work: &Work) -> io::Result<()> {
        match work.target {
            Target::File(file) => self.site.file(file, work.content),
            Target::Hello | Target::User | Target::Echo | Target::Topic => Ok(()),
        }
    }

    fn start(&self, server: &Server, work: &Work) -> io::Result<Process> {
        eprintln!("start {}", server.name);
        server.start(&self.site, work, self.pinning)
    }
}

/// What the client sends this server and expects of it; where only the server knows it, it is asked once before.
fn load(
    bench: &Bench,
    server: &Server,
    process: &Process,
    connections: usize,
    work: &Work,
) -> Result<Load, LoadError> {
    let (address, paths) = (process.address, server.paths(work));
    let path = &paths[0];
    let tls = work
        .handshake
        .map(|handshake| Tls::new(bench.site.certificate(), handshake, work.protocol))
        .transpose()?;
    let ask = |fields: &str| First::ask(address, tls.as_ref(), path, fields);
    if work.target == Target::User && !server.is_null() {
        // Only heads and lengths are looked at later: what is sent must be right at least once.
        let body = String::from_utf8_lossy(&ask("")?.body).into_owned();
        if body != user(USERS.start) {
            return Err(LoadError::Body { body });
        }
    }
    let whole = Expected::whole(work.body_bytes);
    let (fields, expected) = match work.ask {
        Ask::Whole => (String::new(), whole),
        Ask::Range(first, last) => {
            (format!("Range: bytes={first}-{last}\r\n"), Expected { status: 206, ..whole })
        }
        Ask::IfNoneMatch => {
            let etag = ask("")?.etag.ok_or(LoadError::NoEtag)?;
            (format!("If-None-Match: {etag}\r\n"), Expected { status: 304, framing: Framing::None })
        }
        Ask::Compressed => {
            let fields = "Accept-Encoding: br, gzip\r\n".to_owned();
            ask(&fields)?;
            // A server that compresses apart answers the first requests with the file as it is.
            std::thread::sleep(bench.plan.warm_up);
            let expected = ask(&fields)?.expected;
            (fields, expected)
        }
    };
    let (depth, copied) = (work.depth, bench.plan.copied);
    let protocol = work.protocol;
    Ok(Load { protocol, address, tls, paths, fields, connections, depth, expected, copied })
}
