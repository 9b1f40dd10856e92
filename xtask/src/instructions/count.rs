//! The program of scenarios: built, asked what it knows, and run under callgrind.
//!
//! Valgrind places memory itself, so that addresses are the same each time, and the program draws nothing: so are the counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::command;

const LIMIT: Duration = Duration::from_secs(30 * 60);
/// Requests of the first run of a scenario; the second has twice as many.
const REQUESTS: u64 = 1024;
/// Where counting begins and ends, in the program's `drive.rs`.
const COUNTED: &str = "--toggle-collect=*counted_turn*";
/// Where it ends and begins within, in its `apart.rs`.
const APART: &str = "--toggle-collect=*Apart*Backend*";

/// The built program, and what it knows.
pub struct Program {
    path: PathBuf,
    /// The CPU level that the parser uses.
    pub level: String,
    scenarios: Vec<String>,
}

impl Program {
    /// Builds it with the profile that the server is shipped with.
    pub fn build(root: &Path) -> Result<Program, String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "--package", "gannet-server", "--bench", "instructions"]);
        cargo.arg("--message-format=json-render-diagnostics").current_dir(root);
        let messages = command::run(&mut cargo, LIMIT)?.succeeded()?.text();
        let path = executable(&messages).ok_or("Cargo names no executable of the bench `instructions`")?;
        let told = command::run(&mut Command::new(&path), LIMIT)?.succeeded()?.text();
        let words = |key: &str| -> Vec<String> {
            let lines = told.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            lines.map(str::to_owned).collect()
        };
        let level = words("level").pop().ok_or("the scenarios' program names no CPU level")?;
        Ok(Program { path, level, scenarios: words("scenario") })
    }

    /// Instructions per request of every scenario.
    pub fn count_all(&self, folder: &Path) -> Result<Vec<(String, f64)>, String> {
        fs::create_dir_all(folder)
            .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        let counts = self.scenarios.iter().map(|scenario| {
            let per_request = self.count_per_request(scenario, folder)?;
            Ok((scenario.clone(), per_request))
        });
        counts.collect()
    }

    /// What the second half of the requests took: the start is in both runs.
    fn count_per_request(&self, scenario: &str, folder: &Path) -> Result<f64, String> {
        let (half, whole) = thread::scope(|scope| {
            let half = scope.spawn(|| self.count(scenario, REQUESTS, folder));
            let whole = self.count(scenario, 2 * REQUESTS, folder);
            (half.join().unwrap_or_else(|_| Err("counting panicked".to_owned())), whole)
        });
        let (half, whole) = (half?, whole?);
        if half == 0 || whole <= half {
            return Err(format!(
                "{scenario}: {half} instructions, and {whole} for twice the requests; were functions renamed?"
            ));
        }
        Ok((whole - half) as f64 / REQUESTS as f64)
    }

    fn count(&self, scenario: &str, requests: u64, folder: &Path) -> Result<u64, String> {
        let out = folder.join(format!("{scenario}-{requests}.out"));
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--tool=callgrind", "--collect-atstart=no", COUNTED, APART]);
        valgrind.arg(format!("--callgrind-out-file={}", out.display()));
        valgrind.arg(&self.path).args([scenario, &requests.to_string()]);
        let failed = |why: String| format!("{scenario}: {why}");
        command::run(&mut valgrind, LIMIT).and_then(command::Ended::succeeded).map_err(failed)?;
        let profile =
            fs::read_to_string(&out).map_err(|error| failed(format!("{}: {error}", out.display())))?;
        total(&profile).ok_or_else(|| failed(format!("{} has no `totals:`", out.display())))
    }
}

/// The path of the executable, out of Cargo's messages: JSON, an object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let mut artifacts = messages.lines().filter(|line| line.contains(r#""name":"instructions""#));
    let rest = artifacts.find_map(|line| line.split_once(r#""executable":""#))?.1;
    rest.split_once('"').map(|(path, _)| PathBuf::from(path))
}

/// What callgrind counted in all.
fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"gannet_server"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"instructions"},"executable":"/t/release/deps/instructions-1"}"#,
            "\n",
        );
        assert_eq!(executable(messages), Some(PathBuf::from("/t/release/deps/instructions-1")));
        assert_eq!(executable("{\"reason\":\"build-finished\"}"), None);
    }

    #[test]
    fn a_profile_says_how_many_instructions_there_were() {
        assert_eq!(total("events: Ir\nfn=(1)\n1 2\ntotals: 5277453\n"), Some(5_277_453));
        assert_eq!(total("events: Ir\n"), None);
    }
}
