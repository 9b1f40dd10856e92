//! `cargo xtask flamegraph [SCENARIO]`: where the processor is while the shipped binary serves a load, as a picture for the README.
//!
//! 1. the binary is built as it is shipped, and serves a folder on one worker;
//! 2. a client of ours loads it (`load`), while `perf record` samples where it is, with the stack of each sample;
//! 3. `perf script`, `inferno-collapse-perf` and `inferno-flamegraph` make a picture of that.
//!
//! Samples are of the clock of each thread that runs: that works in virtual machines without counters too.

mod load;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use crate::ci::{Context, Outcome, Server};
use crate::command;
use load::{Load, SCENARIOS};

/// Programs, and how each is come by.
const PROGRAMS: &[(&str, &str)] = &[
    ("perf", "Debian's linux-perf"),
    ("inferno-collapse-perf", "cargo install inferno"),
    ("inferno-flamegraph", "cargo install inferno"),
];
/// The picture of the first scenario; others have their name in theirs.
const PICTURE: &str = "docs/images/flamegraph.svg";
const BUILDS_WITHIN: Duration = Duration::from_secs(30 * 60);
const DRAWS_WITHIN: Duration = Duration::from_secs(10 * 60);
const SECONDS: &str = "5";
/// Samples a second: not a multiple of any timer's rate.
const FREQUENCY: &str = "1999";
/// Frames narrower than this many percent are left out, so that the picture can be kept in the tree.
const LEAST_PERCENT: &str = "0.25";
/// The largest picture that is kept.
const MOST_BYTES: u64 = 300_000;

/// Draws the flamegraph of a scenario.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let name = match arguments {
        [] => SCENARIOS[0].name,
        [name] => name,
        _ => "",
    };
    let Some(load) = SCENARIOS.iter().find(|load| load.name == name) else {
        let names: Vec<&str> = SCENARIOS.iter().map(|load| load.name).collect();
        eprintln!(
            "error: flamegraph knows the scenarios {}, not `{}`",
            names.join(", "),
            arguments.join(" ")
        );
        return ExitCode::from(2);
    };
    match draw(root, load) {
        Ok(picture) => {
            println!("{picture} is written");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn draw(root: &Path, load: &Load) -> Result<String, String> {
    let missing = PROGRAMS.iter().filter(|(program, _)| !command::is_there(program));
    let missing: Vec<String> = missing.map(|(program, from)| format!("`{program}` ({from})")).collect();
    if !missing.is_empty() {
        return Err(format!("not installed: {}", missing.join(", ")));
    }
    let context = Context::new(root);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--package", "gannet-cli"]).current_dir(root);
    command::run(&mut cargo, BUILDS_WITHIN)?.succeeded()?;
    let folder = context.folder("flamegraph")?;
    let site = context.folder("flamegraph/site")?;
    fs::write(site.join("hello.txt"), "Hello, world!").map_err(|error| format!("hello.txt: {error}"))?;
    let samples = record(&context, load, &site, &folder)?;
    let stacks = piped(
        Command::new("perf").args(["script", "--no-inline", "--input"]).arg(&samples),
        &folder.join("stacks.txt"),
    )?;
    let folded = piped(
        Command::new("inferno-collapse-perf").arg("--kernel").arg(&stacks),
        &folder.join("folded.txt"),
    )?;
    let picture = if load.name == SCENARIOS[0].name {
        PICTURE.to_owned()
    } else {
        PICTURE.replace(".svg", &format!("-{}.svg", load.name))
    };
    let title = format!("Gannet, {}: {SECONDS} s of one worker", load.does);
    piped(
        Command::new("inferno-flamegraph")
            .args(["--title", &title, "--subtitle", "orange: the kernel, yellow: Gannet, red: the C library"])
            .args(["--colors", "java", "--deterministic", "--minwidth", LEAST_PERCENT])
            .arg(&folded),
        &root.join(&picture),
    )?;
    let bytes = fs::metadata(root.join(&picture)).map_err(|error| format!("{picture}: {error}"))?.len();
    if bytes > MOST_BYTES {
        return Err(format!(
            "{picture} has {bytes} bytes, more than the {MOST_BYTES} to be kept in the tree"
        ));
    }
    Ok(picture)
}

/// Samples the server under load, and says where the samples are.
fn record(context: &Context, load: &Load, site: &Path, folder: &Path) -> Result<PathBuf, String> {
    let server = Server::start_with(context, site, "auto", &["--workers", "1", "--access-log", "off"])
        .map_err(|outcome| match outcome {
            Outcome::Ran(what) | Outcome::LeftOut(what) | Outcome::Failed(what) => what,
        })?;
    let samples = folder.join("perf.data");
    let mut perf = Command::new("perf");
    // The binary has no frame pointers: each sample takes the stack with it, and it is unwound afterwards.
    perf.args([
        "record",
        "--quiet",
        "--event",
        "cpu-clock",
        "--freq",
        FREQUENCY,
        "--call-graph",
        "dwarf,16384",
    ]);
    perf.args(["--pid", &server.process().to_string(), "--output"]).arg(&samples);
    perf.args(["--", "sleep", SECONDS]);
    let requests =
        load.during(&server.address, || command::run(&mut perf, DRAWS_WITHIN)?.succeeded().map(drop))?;
    println!("{} {requests} requests; {}", load.does, server.banner);
    server.stop()?;
    Ok(samples)
}

/// Runs a program whose output goes to a file, and says which.
fn piped(program: &mut Command, path: &Path) -> Result<PathBuf, String> {
    let name = program.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let output = File::create(path).map_err(failed)?;
    let child = program.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|error| format!("`{name}` did not start: {error}"))?;
    match command::wait(&mut child, DRAWS_WITHIN) {
        Some(Some(0)) => Ok(path.to_path_buf()),
        Some(_) => Err(format!("`{name}` failed")),
        None => Err(format!("`{name}` ran longer than {} s", DRAWS_WITHIN.as_secs())),
    }
}
