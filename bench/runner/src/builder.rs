//! Builds what is measured: Gannet's binary, a service of its library, the null servers and the peers.

use std::{env, io, path::Path, process::Command};

use crate::servers::repository;

/// Builds both workspaces. What of the peers cannot be built is left out of the scenarios by its name, so only Gannet
/// must succeed.
pub fn build() -> io::Result<()> {
    cargo(&repository().join("Cargo.toml"), &["--package", "gannet-cli"])?;
    let bench = repository().join("bench/Cargo.toml");
    cargo(&bench, &["--package", "gannet-service"])?;
    let others = ["--workspace", "--keep-going", "--exclude", "gannet-bench"];
    if let Err(error) = cargo(&bench, &others) {
        eprintln!("some of the null servers and peers were not built, and are left out: {error}");
    }
    Ok(())
}

fn cargo(manifest: &Path, arguments: &[&str]) -> io::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Where one builds matters to `.cargo/config.toml`, and to a relative target folder.
    command.current_dir(repository()).args(["build", "--release", "--manifest-path"]).arg(manifest);
    let status = command.args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("cargo ended with {status}"))) }
}
