//! `cargo xtask bench`: the comparison benchmarks, which are a workspace of their own (their peers are heavy).

use std::path::Path;
use std::process::{Command, ExitCode};

/// Runs the `bench` workspace's binary with the given arguments.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let manifest = root.join("bench/Cargo.toml");
    if !manifest.exists() {
        eprintln!("error: {} is not there; the benchmarks live in the folder `bench`", manifest.display());
        return ExitCode::FAILURE;
    }
    let status = Command::new(env!("CARGO"))
        .args(["run", "--release", "--manifest-path"])
        .arg(&manifest)
        .arg("--")
        .args(arguments)
        .current_dir(root)
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: cargo could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
