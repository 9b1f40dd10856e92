//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use crate::scenario::{Plan, Scenario};

/// Measures what a request costs Gannet, its peers and a server that does nothing but answer.
#[derive(Debug, Parser)]
#[command(name = "gannet-bench")]
pub struct Options {
    /// What to measure; several are run one after the other
    #[arg(value_enum, default_value = "keepalive")]
    scenarios: Vec<Scenario>,

    /// Run every scenario
    #[arg(long, conflicts_with = "scenarios")]
    all: bool,

    /// Only these servers: names, or families such as `gannet` or `null`
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub servers: Vec<String>,

    /// One more server, such as 'mine=./server {port} {root}'; it answers GET /hello.txt
    #[arg(long, value_name = "NAME=COMMAND")]
    pub extra: Vec<String>,

    /// How many times each server is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,

    /// How long each measurement lasts, in seconds
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,

    /// How long each server is driven before it is measured, in seconds
    #[arg(long, default_value_t = 0.5, value_parser = seconds)]
    warm_up: f64,

    /// Three rounds of half a second: to see that it works, not to quote
    #[arg(long, conflicts_with_all = ["rounds", "seconds", "warm_up"])]
    quick: bool,

    /// How many connections the `idle` scenario opens
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    idle_connections: u32,

    /// The folder of a million files that `tree` serves: made if it is not there (4 GiB), and kept
    #[arg(long, value_name = "FOLDER")]
    pub tree: Option<PathBuf>,

    /// The client copies long bodies from the kernel, as one that wants them; else it drops them there
    #[arg(long)]
    copy: bool,

    /// Also write the tables into this file, each into its own section
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,

    /// The processor that servers run on
    #[arg(long, default_value_t = 0, value_name = "CPU")]
    pub server_cpu: usize,

    /// The processor that the client runs on
    #[arg(long, default_value_t = 1, value_name = "CPU")]
    pub client_cpu: usize,

    /// Take the null servers and peers as they were last built
    #[arg(long)]
    pub no_build: bool,
}

impl Options {
    /// What to measure, in order. The million files are left out of all scenarios unless it is said where they lie.
    pub fn scenarios(&self) -> Vec<Scenario> {
        if !self.all {
            return self.scenarios.clone();
        }
        let all = Scenario::value_variants().iter().copied();
        all.filter(|scenario| *scenario != Scenario::Tree || self.tree.is_some()).collect()
    }

    /// How long and how often to measure.
    pub fn plan(&self) -> Plan {
        let (rounds, seconds, warm_up) =
            if self.quick { (3, 0.5, 0.2) } else { (self.rounds, self.seconds, self.warm_up) };
        Plan {
            rounds: rounds as usize,
            measure: Duration::from_secs_f64(seconds),
            warm_up: Duration::from_secs_f64(warm_up),
            idle_connections: self.idle_connections as usize,
            copied: self.copy,
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, from 0.01 to 600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn keepalive_is_the_default() {
        let options = Options::parse_from(["gannet-bench"]);
        assert_eq!(options.scenarios(), [Scenario::Keepalive]);
        assert_eq!(options.plan().rounds, 5);
    }

    #[test]
    fn all_runs_every_scenario_and_the_tree_if_it_has_a_place() {
        let options = Options::parse_from(["gannet-bench", "--all", "--tree", "/tmp/tree"]);
        assert_eq!(options.scenarios(), Scenario::value_variants());
        let options = Options::parse_from(["gannet-bench", "--all"]);
        assert!(!options.scenarios().contains(&Scenario::Tree));
        assert_eq!(options.scenarios().len(), Scenario::value_variants().len() - 1);
    }

    #[test]
    fn times_out_of_range_are_refused() {
        for time in ["0", "-1", "NaN", "inf", "601"] {
            let given = format!("--seconds={time}");
            assert!(Options::try_parse_from(["gannet-bench", &given]).is_err(), "{time}");
        }
    }
}
