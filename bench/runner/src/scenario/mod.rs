//! What is measured, by name.

mod idle;
mod rounds;
mod startup;
mod system_calls;

use std::{io, time::Duration};

use clap::ValueEnum;

use crate::{
    client::Load,
    process::{Pinning, Process},
    report::Table,
    servers::{Server, Work},
    site::Site,
};

use rounds::Shape;

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
    /// Memory per idle connection
    Idle,
    /// From the start to the first response
    Startup,
    /// System calls per request, one at a time and 16 at once
    Syscalls,
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
}

impl Scenario {
    /// The name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Keepalive => "keepalive",
            Scenario::Keepalive1000 => "keepalive-1000",
            Scenario::Pipelined => "pipelined",
            Scenario::File1K => "file-1k",
            Scenario::File16K => "file-16k",
            Scenario::File100K => "file-100k",
            Scenario::File512K => "file-512k",
            Scenario::File1M => "file-1m",
            Scenario::File10M => "file-10m",
            Scenario::Large => "large",
            Scenario::Idle => "idle",
            Scenario::Startup => "startup",
            Scenario::Syscalls => "syscalls",
        }
    }

    /// Measures every server that can do it.
    pub fn run(self, bench: &Bench) -> io::Result<Table> {
        let name = self.name();
        let file = |file, kibibytes: u64| Work { file: Some(file), body_bytes: kibibytes * 1024, depth: 1 };
        match self {
            Scenario::Keepalive => rounds::run(name, bench, &Shape::new(64, Work::hello(1))),
            Scenario::Keepalive1000 => rounds::run(name, bench, &Shape::new(1000, Work::hello(1))),
            Scenario::Pipelined => rounds::run(name, bench, &Shape::new(64, Work::hello(16))),
            Scenario::File1K => rounds::run(name, bench, &Shape::new(64, file("1k.bin", 1))),
            Scenario::File16K => rounds::run(name, bench, &Shape::new(64, file("16k.bin", 16))),
            Scenario::File100K => rounds::run(name, bench, &Shape::new(64, file("100k.bin", 100))),
            Scenario::File512K => rounds::run(name, bench, &Shape::new(16, file("512k.bin", 512))),
            Scenario::File1M => rounds::run(name, bench, &Shape::new(16, file("1m.bin", 1024))),
            Scenario::File10M => rounds::run(name, bench, &Shape::new(4, file("10m.bin", 10 * 1024))),
            Scenario::Large => rounds::run(name, bench, &Shape::new(4, file("large.bin", 100 * 1024))),
            Scenario::Idle => Ok(idle::run(name, bench)),
            Scenario::Startup => Ok(startup::run(name, bench)),
            Scenario::Syscalls => Ok(system_calls::run(name, bench)),
        }
    }
}

impl Bench {
    /// The servers that can do this work.
    fn able<'a>(&'a self, work: &'a Work) -> impl Iterator<Item = &'a Server> {
        self.servers.iter().filter(|server| server.can(work))
    }

    fn start(&self, server: &Server, work: &Work) -> io::Result<Process> {
        eprintln!("start {}", server.name);
        server.start(&self.site, work, self.pinning.server)
    }
}

fn load(server: &Server, process: &Process, connections: usize, work: &Work) -> Load {
    Load {
        address: process.address,
        path: server.path(work),
        connections,
        depth: work.depth,
        body_bytes: work.body_bytes,
    }
}
