//! Packages of npm, each in a folder of its own, which is made if that is allowed.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome};
use crate::command;

const LIMIT: Duration = Duration::from_secs(300);

/// The folder whose `node_modules` has this version of a package.
pub fn installed(context: &Context, package: &str, version: &str) -> Result<PathBuf, Outcome> {
    if !command::is_there("node") {
        return Err(Outcome::LeftOut("node is not installed".to_owned()));
    }
    let folder = context.folder("ci").map_err(Outcome::Failed)?.join(format!("npm-{package}-{version}"));
    if folder.join("node_modules").join(package).join("package.json").is_file() {
        return Ok(folder);
    }
    if !context.may_install || !command::is_there("npm") {
        let how = "`cargo xtask ci --install` does it, where npm is";
        return Err(Outcome::LeftOut(format!("npm's {package} is not installed; {how}")));
    }
    let mut npm = Command::new("npm");
    // A machine without a way out shall learn so in seconds, not minutes.
    npm.args([
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--fetch-retries=1",
        "--fetch-timeout=20000",
    ]);
    npm.arg("--prefix").arg(&folder).arg(format!("{package}@{version}"));
    match command::run(&mut npm, LIMIT).and_then(command::Ended::succeeded) {
        Ok(_) => Ok(folder),
        Err(why) => Err(Outcome::LeftOut(format!("npm's {package} could not be installed: {why}"))),
    }
}
