//! `gannet-bench`: drives Gannet, its peers and the null servers in one run, and prints what a request costs each.
//!
//! The walk: read the options, build the programs, choose the servers, then for each scenario start every server, measure them
//! in turns, print a table, and keep it: as JSON, as a section of `BENCHMARKS.md`, as a graph.

mod builder;
mod client;
mod graph;
mod holder;
mod machine;
mod options;
mod process;
mod random;
mod record;
mod report;
mod scenario;
mod servers;
mod site;
mod tree;
mod usage;
mod work;

use std::{io, process::ExitCode, time::Duration};

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    machine::Origin,
    options::Options,
    process::Pinning,
    record::{Output, Record},
    scenario::{Bench, Scenario},
    site::Site,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done =
        raise_descriptor_limit().map_err(|error| format!("the descriptor limit: {error}")).and_then(|()| {
            match arguments.split_first() {
                Some((first, rest)) if first == holder::NAME => holder::run(rest),
                _ => run(&Options::parse()),
            }
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("gannet-bench: {line}");
            ExitCode::FAILURE
        }
    }
}

/// As many descriptors as this process may have; its children inherit it.
fn raise_descriptor_limit() -> io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

fn run(options: &Options) -> Result<(), String> {
    let output = options.output();
    if options.render {
        let sections = output.render_all().map_err(|error| format!("cannot render: {error}"))?;
        println!("{sections} sections of {}", output.folder().join("BENCHMARKS.md").display());
        return Ok(());
    }
    let mut servers = servers::all();
    for text in &options.extra {
        servers.push(servers::extra(text)?);
    }
    let servers = servers::choose(servers, &options.servers)?;
    if !options.no_build {
        builder::build().map_err(|error| format!("Gannet was not built: {error}"))?;
    }
    let pinning = Pinning { server: options.server_cpu, client: options.client_cpu };
    process::pin(pinning.client)
        .map_err(|error| format!("cannot run on processor {}: {error}", pinning.client))?;
    let site = Site::create().map_err(|error| format!("no folder to serve could be made: {error}"))?;
    let bench = Bench { servers, site, pinning, plan: options.plan(), tree: options.tree.clone() };
    measure(options, &bench, &output)
}

fn measure(options: &Options, bench: &Bench, output: &Output) -> Result<(), String> {
    let origin = Origin::here(&bench.plan);
    let is_there = |scenario: &Scenario| {
        let kept = output.kept(&scenario.name());
        kept.is_some_and(|kept| kept.origin.commit == origin.commit && kept.origin.plan == origin.plan)
    };
    let mut scenarios = options.scenarios();
    if options.resume {
        scenarios.retain(|scenario| !is_there(scenario));
    }
    tell_estimate(&scenarios, bench);
    let mut failed = Vec::new();
    for scenario in scenarios {
        let table = scenario.run(bench).map_err(|error| format!("{}: {error}", scenario.name()))?;
        println!("{}", table.text());
        if table.rows.is_empty() {
            failed.push(scenario.name());
            continue;
        }
        let folder = output.folder().display();
        let record = Record { table, origin: origin.clone() };
        output
            .keep(&record)
            .map_err(|error| format!("the results cannot be written to {folder}: {error}"))?;
    }
    println!("Results, BENCHMARKS.md and graphs: {}", output.folder().display());
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("no server could be measured in {}", failed.join(", ")))
    }
}

/// Says how long it will take, about.
fn tell_estimate(scenarios: &[Scenario], bench: &Bench) {
    let minutes = |time: Duration| time.as_secs_f64() / 60.0;
    let parts: Vec<(String, Duration)> =
        scenarios.iter().map(|scenario| (scenario.name(), scenario.estimate(bench))).collect();
    let each: Vec<String> =
        parts.iter().map(|(name, time)| format!("{name} {:.1}", minutes(*time))).collect();
    let all = parts.iter().map(|(_, time)| *time).sum();
    eprintln!("about {:.0} minutes ({}): {}", minutes(all).ceil(), bench.plan.describe(), each.join(", "));
}
