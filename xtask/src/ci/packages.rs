//! The Debian packages that later steps use: installed where that is allowed, never required.

use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome};
use crate::command;

/// (program, Debian package)
const PROGRAMS: &[(&str, &str)] = &[
    ("curl", "curl"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("nghttp", "nghttp2-client"),
    ("nginx", "nginx"),
    ("node", "nodejs"),
    ("openssl", "openssl"),
    ("python3", "python3"),
    ("sslscan", "sslscan"),
    ("testssl", "testssl.sh"),
    ("valgrind", "valgrind"),
];
/// The same, of the steps that take minutes.
const LONG_PROGRAMS: &[(&str, &str)] = &[("debootstrap", "debootstrap")];
const LIMIT: Duration = Duration::from_secs(600);

/// Installs what is missing, if this is root and was asked for.
pub fn install(context: &Context) -> Outcome {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .chain(if context.is_long { LONG_PROGRAMS } else { &[] })
        .filter(|(program, _)| !command::is_there(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Outcome::Ran("nothing is missing".to_owned());
    }
    let names = missing.join(", ");
    if !context.may_install {
        return Outcome::LeftOut(format!(
            "{names} not installed; `cargo xtask ci --install` as root does it"
        ));
    }
    if !command::is_there("apt-get") || !is_root() {
        return Outcome::LeftOut(format!("{names} not installed, and this is not root on a Debian system"));
    }
    match apt_get(&["update"]).and_then(|()| {
        apt_get(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
    }) {
        Ok(()) => Outcome::Ran(format!("installed {names}")),
        // The machine may have no way out; the steps that need the programs will say so themselves.
        Err(why) => Outcome::LeftOut(format!("{names} could not be installed: {why}")),
    }
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let mut apt = Command::new("apt-get");
    // A machine without a way out shall learn so in seconds, not minutes.
    apt.args(["--quiet", "--quiet", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command::run(&mut apt, LIMIT)?.succeeded().map(|_| ())
}

pub fn is_root() -> bool {
    let id = command::run(Command::new("id").arg("-u"), Duration::from_secs(10));
    id.is_ok_and(|ended| ended.text().trim() == "0")
}
