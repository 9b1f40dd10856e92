//! Where, when and with what figures were made, for whoever reads them later.

use std::{env, fs, process::Command};

use serde::{Deserialize, Serialize};

use crate::{
    scenario::Plan,
    servers::{installed, repository},
};

/// The peers whose versions are named, by their crates.
const PEERS: [&str; 8] =
    ["axum", "actix-web", "hyper", "ntex", "may_minihttp", "tokio-tungstenite", "fastwebsockets", "actix-ws"];

/// The peers that are programs of their own: name, variable that names another, and what asks for the version.
const PROGRAMS: [(&str, &str, &str); 7] = [
    ("nginx", "NGINX_BIN", "-v"),
    ("haproxy", "HAPROXY_BIN", "-v"),
    ("h2o", "H2O_BIN", "--version"),
    ("nghttpd", "NGHTTPD_BIN", "--version"),
    ("caddy", "CADDY_BIN", "version"),
    ("socketify", "SOCKETIFY_BIN", "--version"),
    ("nchan", "NCHAN_BIN", "-v"),
];

/// What is measured: a change anywhere else does not make the commit another one.
const MEASURED: [&str; 7] =
    ["crates", "examples", "Cargo.toml", "Cargo.lock", "bench/runner", "bench/peers", "bench/null"];

/// Where the figures of a run come from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Origin {
    /// What was typed.
    pub command: String,
    /// How often and how long was measured.
    pub plan: String,
    /// The commit, and whether there were changes that are in none.
    pub commit: String,
    /// The day.
    pub date: String,
    /// The processor, and how many.
    pub processor: String,
    /// The kernel.
    pub kernel: String,
    /// The peers' versions, or that they are missing.
    pub peers: String,
}

impl Origin {
    /// This machine, now.
    pub fn here(plan: &Plan) -> Origin {
        let arguments: Vec<String> = env::args().skip(1).collect();
        let peers: Vec<String> =
            PEERS.iter().filter_map(|name| Some(format!("{name} {}", version(name)?))).collect();
        Origin {
            command: format!("cargo xtask bench {}", arguments.join(" ")).trim_end().to_owned(),
            plan: plan.describe(),
            commit: commit(),
            date: said("date", &["-u", "+%Y-%m-%d"]).unwrap_or_default(),
            processor: processor().unwrap_or_else(|| "unknown processor".to_owned()),
            kernel: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            peers: format!("{}, {}", peers.join(", "), programs()),
        }
    }

    /// One paragraph below a table.
    pub fn markdown(&self) -> String {
        let Origin { command, plan, commit, date, processor, kernel, peers } = self;
        format!("`{command}` ({plan}) at {commit}, {date}; {processor}, {kernel}; {peers}.\n")
    }
}

/// The commit that is checked out; `and changes` where what is measured is not all in it.
fn commit() -> String {
    let Some(commit) = said("git", &["rev-parse", "--short=10", "HEAD"]) else {
        return "an unknown commit".to_owned();
    };
    let changes = said("git", &[&["status", "--porcelain", "--"], &MEASURED[..]].concat());
    if changes.is_some_and(|changes| changes.is_empty()) { commit } else { format!("{commit} and changes") }
}

/// What a program of the system's writes, if it succeeds.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(repository()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn processor() -> Option<String> {
    let text = read("/proc/cpuinfo");
    let model =
        text.lines().find_map(|line| line.strip_prefix("model name"))?.trim_start_matches(['\t', ' ', ':']);
    let processors = text.lines().filter(|line| line.starts_with("processor")).count();
    Some(format!("{model}, {processors} processors"))
}

/// The version of a crate in this workspace's lock file.
fn version(name: &str) -> Option<&'static str> {
    let package = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = include_str!("../../Cargo.lock").split_once(&package)?;
    rest.split('"').next()
}

/// The versions of the peers that are programs of their own, or what is not there.
fn programs() -> String {
    let said = PROGRAMS.map(|(name, variable, argument)| {
        let output = installed(name, variable).and_then(|path| Command::new(path).arg(argument).output());
        // nginx says it on its error stream.
        let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let number = text.split(|c: char| !c.is_ascii_digit() && c != '.').find(|word| word.contains('.'));
        number.map_or_else(|| format!("no {name}"), |number| format!("{name} {number}"))
    });
    said.join(", ")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for name in PEERS {
            let version = version(name).unwrap();
            assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{name} {version}");
        }
    }
}
