//! `cargo xtask ci`: what `cargo test` cannot show by itself, because it needs other programs.
//!
//! A list of named steps. Each says that it ran and what it saw, or that it was left out and why, or how it failed;
//! none stops the others. `--long` adds the steps that take minutes. `--install` (or `CI=true`), as root, first installs
//! the Debian packages that are missing. Steps that are named run alone, on the binary that was built before.

mod autobahn;
mod bad_input;
mod browser;
mod bsd;
mod chromium;
mod clients;
mod collector;
mod curl;
mod downloads;
mod features;
mod http2;
mod http2_browser;
mod instructions;
mod large_file;
mod listing;
mod many_entries;
mod memory;
mod npm;
mod openapi;
mod packages;
mod pages;
mod python;
mod schemathesis;
mod server;
mod soak;
mod tls;
mod tls_curl;
mod tls_openssl;
mod tls_scan;
mod upstreams;
mod websocket_browser;
mod websocket_clients;
mod workspace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use server::Server;

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran, and saw this.
    Ran(String),
    /// It could not run here, and why.
    LeftOut(String),
    /// What is wrong.
    Failed(String),
}

/// A failure is an error on the way; both ends of a step are then told by `?`.
impl From<Result<String, String>> for Outcome {
    fn from(result: Result<String, String>) -> Outcome {
        result.map_or_else(Outcome::Failed, Outcome::Ran)
    }
}

/// What the steps share.
pub struct Context {
    root: PathBuf,
    /// Cargo's target folder; screenshots and logs go there too.
    target: PathBuf,
    may_install: bool,
    /// Whether minutes may be taken.
    is_long: bool,
}

impl Context {
    /// For a short run that installs nothing.
    pub fn new(root: &Path) -> Context {
        Context { root: root.to_path_buf(), target: crate::target(root), may_install: false, is_long: false }
    }

    /// The built binary.
    fn gannet(&self) -> PathBuf {
        self.target.join("release/gannet")
    }

    /// The example site, which the binary serves in most steps.
    fn site(&self) -> PathBuf {
        self.root.join("examples/site")
    }

    /// A folder under the target folder, made if need be.
    pub fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.target.join(name);
        fs::create_dir_all(&folder)
            .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        Ok(folder)
    }
}

/// One step.
struct Step {
    name: &'static str,
    /// Only with `--long`.
    is_long: bool,
    run: fn(&Context) -> Outcome,
}

const STEPS: &[Step] = &[
    Step { name: "packages", is_long: false, run: packages::install },
    Step { name: "build", is_long: false, run: workspace::build },
    Step { name: "curl-epoll", is_long: false, run: |context| clients::run(context, "epoll") },
    Step { name: "curl-uring", is_long: false, run: |context| clients::run(context, "uring") },
    Step { name: "large-file-epoll", is_long: false, run: |context| large_file::run(context, "epoll") },
    Step { name: "large-file-uring", is_long: false, run: |context| large_file::run(context, "uring") },
    Step { name: "downloads-epoll", is_long: false, run: |context| downloads::run(context, "epoll") },
    Step { name: "downloads-uring", is_long: false, run: |context| downloads::run(context, "uring") },
    Step { name: "memory-epoll", is_long: false, run: |context| memory::run(context, "epoll") },
    Step { name: "memory-uring", is_long: false, run: |context| memory::run(context, "uring") },
    Step { name: "many-entries", is_long: false, run: many_entries::run },
    Step { name: "bad-input", is_long: false, run: bad_input::run },
    Step { name: "collector", is_long: false, run: collector::run },
    Step { name: "browser", is_long: false, run: browser::run },
    Step { name: "openapi", is_long: false, run: openapi::run },
    Step { name: "openapi-page", is_long: false, run: pages::openapi },
    Step { name: "graphiql", is_long: false, run: pages::graphiql },
    Step { name: "blog", is_long: false, run: pages::blog },
    Step { name: "chat", is_long: false, run: pages::chat },
    Step { name: "ticker", is_long: false, run: pages::ticker },
    Step { name: "live", is_long: false, run: pages::live },
    Step { name: "schemathesis", is_long: false, run: schemathesis::run },
    Step { name: "listing", is_long: false, run: listing::run },
    Step { name: "tls-openssl", is_long: false, run: tls_openssl::run },
    Step { name: "tls-scan", is_long: false, run: tls_scan::run },
    Step { name: "tls-curl", is_long: false, run: tls_curl::run },
    Step { name: "http2-clients", is_long: false, run: http2::run },
    Step { name: "http2-browser", is_long: false, run: http2_browser::run },
    Step { name: "autobahn-epoll", is_long: false, run: autobahn::epoll },
    Step { name: "autobahn-uring", is_long: false, run: autobahn::uring },
    Step { name: "websocket-clients", is_long: false, run: websocket_clients::run },
    Step { name: "websocket-browser", is_long: false, run: websocket_browser::run },
    Step { name: "proxy-upstreams", is_long: false, run: upstreams::run },
    Step { name: "instructions", is_long: false, run: instructions::run },
    Step { name: "features", is_long: false, run: features::run },
    Step { name: "documentation", is_long: false, run: workspace::documentation },
    Step { name: "dependencies", is_long: false, run: workspace::dependencies },
    Step { name: "advisories", is_long: true, run: workspace::advisories },
    Step { name: "bench-tests", is_long: true, run: workspace::bench },
    Step { name: "fuzz-builds", is_long: true, run: workspace::fuzz },
    Step { name: "simulation", is_long: true, run: workspace::simulation },
    Step { name: "check-bsd", is_long: true, run: bsd::run },
    Step { name: "soak-epoll", is_long: true, run: |context| soak::run(context, "epoll") },
    Step { name: "soak-uring", is_long: true, run: |context| soak::run(context, "uring") },
];

/// Runs the steps; fails when one failed.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let known = ["--long", "--install"];
    let is_step = |name: &str| STEPS.iter().any(|step| step.name == name);
    if let Some(unknown) = arguments.iter().find(|name| !known.contains(&name.as_str()) && !is_step(name)) {
        let steps: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        eprintln!("error: ci knows {} and the steps {}, not `{unknown}`", known.join(", "), steps.join(", "));
        return ExitCode::from(2);
    }
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let context = Context {
        may_install: has("--install") || std::env::var_os("CI").is_some_and(|value| value == "true"),
        is_long: has("--long"),
        ..Context::new(root)
    };
    let takes_all = !arguments.iter().any(|argument| is_step(argument));
    let outcomes: Vec<(&str, Outcome)> = STEPS
        .iter()
        .filter(|step| takes_all || has(step.name))
        .map(|step| (step.name, run_step(step, &context, context.is_long || has(step.name))))
        .collect();
    conclude(&outcomes)
}

fn run_step(step: &Step, context: &Context, is_long_run: bool) -> Outcome {
    let outcome = if step.is_long && !is_long_run {
        Outcome::LeftOut("runs with --long".to_owned())
    } else {
        (step.run)(context)
    };
    println!("{}", line(step.name, &outcome));
    outcome
}

fn line(name: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ran(seen) => format!("ci {name}: ran: {seen}"),
        Outcome::LeftOut(why) => format!("ci {name}: left out: {why}"),
        Outcome::Failed(what) => format!("ci {name}: FAILED: {what}"),
    }
}

/// Counts, names what failed, and turns it into the exit status.
fn conclude(outcomes: &[(&str, Outcome)]) -> ExitCode {
    let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, outcome)| is(outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let left_out = count(|outcome| matches!(outcome, Outcome::LeftOut(_)));
    println!("ci: {} ran, {left_out} left out, {failed} failed", outcomes.len() - left_out - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_run_and_one_left_out_does_not() {
        let ran = || ("a", Outcome::Ran("it".to_owned()));
        let left_out = || ("b", Outcome::LeftOut("no curl".to_owned()));
        let failed = ("c", Outcome::Failed("404".to_owned()));
        assert_eq!(conclude(&[ran(), left_out()]), ExitCode::SUCCESS);
        assert_eq!(conclude(&[ran(), left_out(), failed]), ExitCode::FAILURE);
    }

    #[test]
    fn a_step_says_how_it_ended_and_why() {
        assert_eq!(line("a", &Outcome::LeftOut("no curl".to_owned())), "ci a: left out: no curl");
        assert_eq!(line("a", &Outcome::from(Err("404".to_owned()))), "ci a: FAILED: 404");
        assert_eq!(line("a", &Outcome::from(Ok("200".to_owned()))), "ci a: ran: 200");
    }

    #[test]
    fn a_long_step_is_left_out_of_a_short_run() {
        let context =
            Context { root: PathBuf::new(), target: PathBuf::new(), may_install: false, is_long: false };
        let step = Step { name: "a", is_long: true, run: |_| Outcome::Ran("it".to_owned()) };
        assert_eq!(run_step(&step, &context, false), Outcome::LeftOut("runs with --long".to_owned()));
        assert_eq!(run_step(&step, &context, true), Outcome::Ran("it".to_owned()));
    }
}
