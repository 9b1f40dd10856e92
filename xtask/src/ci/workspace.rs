//! Steps that are Cargo's: the release build, the documentation, the dependencies, and with `--long` the workspaces apart
//! and more seeds of the simulation.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome};
use crate::command::{self, Ended};

const LIMIT: Duration = Duration::from_secs(30 * 60);
/// Seeds of a long run; each is a whole server's life on a simulated network.
const SEEDS: &str = "20000";

pub fn cargo(context: &Context, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Ended, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).envs(variables.iter().copied()).current_dir(&context.root);
    command::run(&mut cargo, LIMIT)?.succeeded()
}

/// Builds the binary as it is shipped.
pub fn build(context: &Context) -> Outcome {
    // An old binary must not pass for one that cannot be built; Cargo links it anew where it is up to date.
    let _ = fs::remove_file(context.gannet());
    let built = cargo(context, &["build", "--release", "--package", "gannet-cli"], &[]);
    Outcome::from(built.and_then(|_| {
        let size = context.gannet().metadata().map_err(|error| format!("no binary: {error}"))?.len();
        Ok(format!("{} of {} KiB", context.gannet().display(), size / 1024))
    }))
}

/// Builds the documentation; a broken link in it is a failure.
pub fn documentation(context: &Context) -> Outcome {
    let variables = [("RUSTDOCFLAGS", "-Dwarnings")];
    Outcome::from(
        cargo(context, &["doc", "--workspace", "--no-deps"], &variables).map(|_| "no warning".to_owned()),
    )
}

/// Licences, sources and duplicates of the dependencies, which are known without a network.
pub fn dependencies(context: &Context) -> Outcome {
    deny(context, &["bans", "licenses", "sources"])
}

/// Known faults of the dependencies; fetches the list of them.
pub fn advisories(context: &Context) -> Outcome {
    deny(context, &["advisories"])
}

fn deny(context: &Context, what: &[&str]) -> Outcome {
    if !command::is_there("cargo-deny") {
        return Outcome::LeftOut("cargo-deny is not installed".to_owned());
    }
    let checked = cargo(context, &[&["deny", "check"], what].concat(), &[]);
    Outcome::from(checked.map(|_| format!("{} as deny.toml allows", what.join(", "))))
}

/// Builds the benchmarks' workspace, which nothing else builds, and runs its tests: they hold the open loop to what it
/// says, and `BENCHMARKS.md` and the graphs to the results that are kept.
pub fn bench(context: &Context) -> Outcome {
    let arguments = ["test", "--workspace", "--manifest-path", "bench/Cargo.toml"];
    let ran = cargo(context, &arguments, &[]);
    Outcome::from(ran.map(|ended| format!("{} tests passed", passed(&ended.text()))))
}

/// Builds the fuzz targets' workspace, which nothing else builds.
pub fn fuzz(context: &Context) -> Outcome {
    if !command::is_there("c++") {
        return Outcome::LeftOut("libFuzzer needs a C++ compiler".to_owned());
    }
    build_apart(context, "fuzz")
}

fn build_apart(context: &Context, folder: &str) -> Outcome {
    let manifest = format!("{folder}/Cargo.toml");
    if !context.root.join(&manifest).exists() {
        return Outcome::LeftOut(format!("there is no {manifest}"));
    }
    Outcome::from(
        cargo(context, &["build", "--manifest-path", &manifest], &[]).map(|_| format!("{folder} builds")),
    )
}

/// Runs the simulation over many more seeds than `cargo test` does.
pub fn simulation(context: &Context) -> Outcome {
    let arguments = ["test", "--release", "--package", "gannet-server", "simulation"];
    let ran = cargo(context, &arguments, &[("GANNET_SEEDS", SEEDS)]);
    Outcome::from(ran.and_then(|ended| match passed(&ended.text()) {
        // A filter that matches nothing succeeds too.
        0 => Err("no test of gannet-server is named `simulation`".to_owned()),
        tests => Ok(format!("{tests} tests passed with GANNET_SEEDS={SEEDS}")),
    }))
}

/// The sum of what every `test result:` line says has passed.
fn passed(output: &str) -> usize {
    let results = output.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    results.filter_map(|rest| rest.split(' ').next()).filter_map(|count| count.parse::<usize>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_summed_over_all_results() {
        let output =
            "running 2 tests\ntest result: ok. 2 passed; 0 failed\n\ntest result: ok. 30 passed; 0 failed\n";
        assert_eq!(passed(output), 32);
        assert_eq!(passed("test result: ok. 0 passed; 0 failed; 0 ignored\n"), 0);
    }
}
