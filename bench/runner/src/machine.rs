//! Where and with what figures were made, for whoever reads them later.

use std::{env, fs, process::Command};

use crate::servers::installed;

/// The peers whose versions are named, by their crates.
const PEERS: [&str; 4] = ["axum", "actix-web", "hyper", "may_minihttp"];

/// The peers that are programs of their own: name, variable that names another, and what asks for the version.
const PROGRAMS: [(&str, &str, &str); 3] =
    [("nginx", "NGINX_BIN", "-v"), ("h2o", "H2O_BIN", "--version"), ("caddy", "CADDY_BIN", "version")];

/// The machine, the peers' versions and the command, as a list in markdown.
pub fn describe() -> String {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let command = format!("cargo run --release --manifest-path bench/Cargo.toml -- {}", arguments.join(" "));
    let peers: Vec<String> =
        PEERS.iter().filter_map(|name| Some(format!("{name} {}", version(name)?))).collect();
    let lines = [
        ("processor", processor().unwrap_or_else(|| "unknown".to_owned())),
        ("kernel", format!("Linux {}", read("/proc/sys/kernel/osrelease").trim())),
        ("peers", format!("{}, {}", peers.join(", "), programs())),
        ("command", format!("`{}`", command.trim_end())),
    ];
    lines.iter().map(|(name, value)| format!("- {name}: {value}\n")).collect()
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
