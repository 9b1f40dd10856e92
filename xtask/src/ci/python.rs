//! Programs of Python, each in an environment or a folder of its own, which is made if that is allowed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome};
use crate::command;

const LIMIT: Duration = Duration::from_secs(300);

/// The program that a package of the same name installs, in this version.
pub fn installed(context: &Context, package: &str, version: &str) -> Result<PathBuf, Outcome> {
    if !command::is_there("python3") {
        return Err(Outcome::LeftOut("python3 is not installed".to_owned()));
    }
    let folder = context.folder("ci").map_err(Outcome::Failed)?.join(format!("{package}-{version}"));
    let program = folder.join("bin").join(package);
    if program.is_file() {
        return Ok(program);
    }
    install(context, package, || {
        let mut environment = Command::new("python3");
        command::run(environment.args(["-m", "venv", "--clear"]).arg(&folder), LIMIT)?.succeeded()?;
        pip(Command::new(folder.join("bin/python")), &[], package, version)
    })?;
    Ok(program)
}

/// Installs a package and all that it needs into a folder, for this Python: one that is too old for environments has pip.
pub fn install_into(
    context: &Context,
    python: Command,
    folder: &Path,
    package: &str,
    version: &str,
) -> Result<(), Outcome> {
    let target = format!("--target={}", folder.display());
    install(context, package, || pip(python, &[&target], package, version))
}

/// Does it if that is allowed.
fn install(
    context: &Context,
    package: &str,
    how: impl FnOnce() -> Result<(), String>,
) -> Result<(), Outcome> {
    if !context.may_install {
        let way = "`cargo xtask ci --install` does it";
        return Err(Outcome::LeftOut(format!("{package} is not installed; {way}")));
    }
    how().map_err(|why| Outcome::LeftOut(format!("{package} could not be installed: {why}")))
}

fn pip(mut python: Command, flags: &[&str], package: &str, version: &str) -> Result<(), String> {
    // A machine without a way out shall learn so in seconds, not minutes.
    python.args(["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "20"]).args(flags);
    command::run(python.arg(format!("{package}=={version}")), LIMIT)?.succeeded().map(|_| ())
}
