//! Programs of Python, each in an environment of its own, which is made if that is allowed.

use std::path::PathBuf;
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
    if !context.may_install {
        let how = "`cargo xtask ci --install` does it";
        return Err(Outcome::LeftOut(format!("{package} is not installed; {how}")));
    }
    let install = || {
        let mut environment = Command::new("python3");
        command::run(environment.args(["-m", "venv", "--clear"]).arg(&folder), LIMIT)?.succeeded()?;
        let mut pip = Command::new(folder.join("bin/pip"));
        // A machine without a way out shall learn so in seconds, not minutes.
        pip.args(["install", "--quiet", "--retries", "1", "--timeout", "20"]);
        command::run(pip.arg(format!("{package}=={version}")), LIMIT)?.succeeded()
    };
    match install() {
        Ok(_) => Ok(program),
        Err(why) => Err(Outcome::LeftOut(format!("{package} could not be installed: {why}"))),
    }
}
