//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use crate::{
    record::Output,
    scenario::{Plan, Scenario},
    servers::{repository, target},
};

/// Measures what a request costs Gannet, its peers and a server that does nothing but answer.
#[derive(Debug, Parser)]
#[command(name = "gannet-bench")]
pub struct Options {
    /// What to measure, one after the other; without any, what BENCHMARKS.md compares servers by
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,

    /// Run every scenario
    #[arg(long, conflicts_with = "scenarios")]
    all: bool,

    /// Only these servers: names, or families such as `gannet` or `null`
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub servers: Vec<String>,

    /// One more server, such as 'mine=./server {port} {root}', with {upstream} for a proxy, {certificate} and {key} for TLS;
    /// it answers GET /hello.txt
    #[arg(long, value_name = "NAME=COMMAND")]
    pub extra: Vec<String>,

    /// How many times each server is measured
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,

    /// How long each measurement lasts, in seconds
    #[arg(long, default_value_t = 1.2, value_parser = seconds)]
    seconds: f64,

    /// How long each server is driven before it is measured, in seconds
    #[arg(long, default_value_t = 0.3, value_parser = seconds)]
    warm_up: f64,

    /// Two short rounds and fewer connections: to see that it works, not to quote; nothing in the repository is changed
    #[arg(long, conflicts_with_all = ["rounds", "seconds", "warm_up"])]
    quick: bool,

    /// How many connections the `idle` scenario opens, and how many subscribers `ws-broadcast` has
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    idle_connections: u32,

    /// How many connections the `held` scenario holds
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=250_000))]
    held_connections: u32,

    /// The folder of a million files that `tree` serves: made if it is not there (4 GiB), and kept
    #[arg(long, value_name = "FOLDER")]
    pub tree: Option<PathBuf>,

    /// The client copies long bodies from the kernel, as one that wants them; else it drops them there
    #[arg(long)]
    copy: bool,

    /// Where results, BENCHMARKS.md and graphs go: the repository, but with --quick, --servers or --extra a folder in target
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,

    /// Measure nothing: write BENCHMARKS.md and the graphs anew from the results
    #[arg(long, conflicts_with_all = ["scenarios", "all", "quick"])]
    pub render: bool,

    /// Leave out the scenarios whose results are of this commit and plan already
    #[arg(long)]
    pub resume: bool,

    /// The processor that servers run on
    #[arg(long, default_value_t = 0, value_name = "CPU")]
    pub server_cpu: usize,

    /// The processor that the client runs on
    #[arg(long, default_value_t = 1, value_name = "CPU")]
    pub client_cpu: usize,

    /// Take Gannet, the null servers and the peers as they were last built
    #[arg(long)]
    pub no_build: bool,
}

impl Options {
    /// What to measure, in order. The million files are left out of all scenarios unless it is said where they lie.
    pub fn scenarios(&self) -> Vec<Scenario> {
        if !self.scenarios.is_empty() {
            return self.scenarios.clone();
        }
        let all = Scenario::value_variants().iter().copied();
        let takes_part = |scenario: &Scenario| match scenario {
            Scenario::Tree => self.all && self.tree.is_some(),
            scenario => self.all || scenario.is_default(),
        };
        all.filter(takes_part).collect()
    }

    /// Where what was found goes.
    pub fn output(&self) -> Output {
        let is_trial = self.quick || !self.servers.is_empty() || !self.extra.is_empty();
        Output::new(match &self.output {
            Some(folder) => folder.clone(),
            None if is_trial => target().join("bench-trial"),
            None => repository().to_owned(),
        })
    }

    /// How long and how often to measure.
    pub fn plan(&self) -> Plan {
        let (rounds, seconds, warm_up) =
            if self.quick { (2, 0.2, 0.1) } else { (self.rounds, self.seconds, self.warm_up) };
        Plan {
            rounds: rounds as usize,
            measure: Duration::from_secs_f64(seconds),
            warm_up: Duration::from_secs_f64(warm_up),
            idle_connections: self.idle_connections.min(if self.quick { 2_000 } else { u32::MAX }) as usize,
            held_connections: self.held_connections.min(if self.quick { 10_000 } else { u32::MAX }) as usize,
            held_time: Duration::from_secs(if self.quick { 1 } else { 10 }),
            counted_requests: if self.quick { 1_600 } else { 16_000 },
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
    fn without_a_name_the_compared_scenarios_are_run() {
        let scenarios = Options::parse_from(["gannet-bench"]).scenarios();
        assert!(scenarios.contains(&Scenario::Keepalive) && scenarios.contains(&Scenario::Held));
        assert!(!scenarios.contains(&Scenario::Tree) && !scenarios.contains(&Scenario::Sparse));
        let named = Options::parse_from(["gannet-bench", "connect", "json"]).scenarios();
        assert_eq!(named, [Scenario::Connect, Scenario::Json]);
    }

    #[test]
    fn what_is_not_to_be_quoted_changes_nothing_in_the_repository() {
        let output =
            |arguments: &[&str]| Options::parse_from([&["gannet-bench"], arguments].concat()).output();
        assert_eq!(output(&["keepalive"]).folder(), repository());
        for trial in [&["--quick"][..], &["--servers", "null"], &["--extra", "own=true"]] {
            assert_eq!(output(trial).folder(), target().join("bench-trial"));
        }
        assert_eq!(
            output(&["--quick", "--output", "/tmp/there"]).folder(),
            std::path::Path::new("/tmp/there")
        );
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
