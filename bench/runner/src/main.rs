//! `gannet-bench`: drives Gannet, its peers and the null servers in one run, and prints what a request costs each.
//!
//! The walk: read the options, build the programs of this workspace, choose the servers, then for each scenario start
//! every server, measure them in turns, and print a table.

mod client;
mod machine;
mod options;
mod process;
mod random;
mod report;
mod scenario;
mod servers;
mod site;
mod tree;
mod usage;
mod work;

use std::{
    env, io,
    path::Path,
    process::{Command, ExitCode},
};

use clap::Parser;

use crate::{options::Options, process::Pinning, scenario::Bench, site::Site};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("gannet-bench: {line}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let mut servers = servers::all();
    for text in &options.extra {
        servers.push(servers::extra(text)?);
    }
    let servers = servers::choose(servers, &options.servers)?;
    if !options.no_build {
        build().map_err(|error| format!("the null servers and peers were not built: {error}"))?;
    }
    let pinning = Pinning { server: options.server_cpu, client: options.client_cpu };
    process::pin(pinning.client)
        .map_err(|error| format!("cannot run on processor {}: {error}", pinning.client))?;
    let site = Site::create().map_err(|error| format!("no folder to serve could be made: {error}"))?;
    let bench = Bench { servers, site, pinning, plan: options.plan(), tree: options.tree.clone() };
    if let Some(path) = &options.markdown {
        write(path, "machine", &machine::describe())?;
    }
    let mut failed = Vec::new();
    for scenario in options.scenarios() {
        let table = scenario.run(&bench).map_err(|error| format!("{}: {error}", scenario.name()))?;
        println!("{}", table.text());
        if let Some(path) = &options.markdown {
            write(path, &scenario.name(), &table.markdown())?;
        }
        if table.rows.is_empty() {
            failed.push(scenario.name());
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("no server could be measured in {}", failed.join(", ")))
    }
}

fn write(path: &Path, section: &str, body: &str) -> Result<(), String> {
    report::write_section(path, section, body).map_err(|error| format!("{}: {error}", path.display()))
}

/// Builds every program of this workspace: `cargo run` has built only the bench.
fn build() -> io::Result<()> {
    let manifest = servers::repository().join("bench/Cargo.toml");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--workspace", "--quiet", "--manifest-path"]).arg(manifest);
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("cargo ended with {status}"))) }
}
