//! The REST example against its own description: schemathesis makes requests of all kinds of it, and holds every answer against it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome, python};
use crate::command;

/// The version that is known to be content with what we say; another may ask for more.
const VERSION: &str = "4.32.5";
/// Requests of each kind for each operation, at most.
const EXAMPLES: &str = "60";
/// The same numbers each time.
const SEED: &str = "7";
const LIMIT: Duration = Duration::from_secs(300);

/// Runs all of its checks on the example `tasks`.
pub fn run(context: &Context) -> Outcome {
    let program = match python::installed(context, "schemathesis", VERSION) {
        Ok(program) => program,
        Err(outcome) => return outcome,
    };
    match Server::start_example(context, "tasks", &[], &[]) {
        Ok(server) => {
            Outcome::from(check(context, &program, &server).and_then(|seen| server.stop().map(|()| seen)))
        }
        Err(outcome) => outcome,
    }
}

fn check(context: &Context, program: &Path, server: &Server) -> Result<String, String> {
    let mut schemathesis = Command::new(program);
    schemathesis
        .arg("--config-file")
        .arg(context.root.join("examples/tasks/schemathesis.toml"))
        .args([
            "run",
            "--max-examples",
            EXAMPLES,
            "--seed",
            SEED,
            "--no-color",
            "--generation-database",
            "none",
        ])
        .arg(format!("{}/openapi.json", server.address))
        .current_dir(context.folder("ci")?);
    let ended = command::run(&mut schemathesis, LIMIT)?;
    let text = ended.text();
    if ended.code != Some(0) {
        let report = context.folder("ci")?.join("schemathesis.log");
        std::fs::write(&report, &text).map_err(|error| format!("{}: {error}", report.display()))?;
        return Err(format!("{}; all of it is in {}", failures(&text), report.display()));
    }
    cases(&text).map(str::to_owned).ok_or_else(|| format!("it ran no test: {}", command::complaint(&text)))
}

/// How many tests there were: `1234 generated, 1234 passed`.
fn cases(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| line.contains(" generated, "))
}

/// What it says failed: the titles.
fn failures(text: &str) -> String {
    let titles: Vec<&str> =
        text.lines().map(str::trim).filter(|line| line.starts_with("- ") && line.len() > 2).take(5).collect();
    if titles.is_empty() { command::complaint(text) } else { titles.join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_tests_there_were_is_told() {
        let text =
            "operations mostly rejected generated data\n\nTest cases:\n  1219 generated, 1219 passed\n";
        assert_eq!(cases(text), Some("1219 generated, 1219 passed"));
        assert_eq!(cases("no test cases were generated\n"), None);
    }

    #[test]
    fn what_failed_is_told_by_its_titles() {
        let text =
            "___ GET /tasks ___\n1. Test Case ID: x\n\n- Server error\n- Undocumented HTTP status code\n";
        assert_eq!(failures(text), "- Server error | - Undocumented HTTP status code");
        assert_eq!(failures("error: no such host\n"), "error: no such host");
    }
}
