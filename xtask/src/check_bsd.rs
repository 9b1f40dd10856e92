//! `cargo xtask check-bsd`: type-checks the engine for macOS and FreeBSD, on Linux.
//!
//! Their standard libraries are not to be had here, so they are checked too, from their source. That source, and the compiler that
//! it belongs to, are Debian sid's, in a folder of their own: made once (some minutes, 2 GB) and used again. Nothing runs
//! that was built: what these systems do with it is not known by this.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::command::{self, Ended};

/// What is checked for.
const TARGETS: [&str; 2] = ["x86_64-apple-darwin", "x86_64-unknown-freebsd"];
/// Debian's packages in the folder. `libc6-dev`: build scripts are linked, and debootstrap does not know who provides `libc-dev`.
const PACKAGES: &str = "cargo,rustc,rust-src,ca-certificates,libc6-dev";
/// Where the packages have the standard library's source.
const LIBRARY: &str = "usr/lib/rustlib/src/rust/library/Cargo.toml";
/// In the folder once all packages are in it.
const COMPLETE: &str = "complete";

/// The programs that are needed, and the Debian packages that they are in.
const PROGRAMS: [(&str, &str); 4] =
    [("debootstrap", "debootstrap"), ("unshare", "util-linux"), ("mount", "mount"), ("chroot", "coreutils")];

const DOWNLOAD_LIMIT: Duration = Duration::from_secs(20 * 60);
const CHECK_LIMIT: Duration = Duration::from_secs(20 * 60);

/// Runs a command in the folder ($1), which sees the tree ($2) and Cargo's home ($3), and can change neither.
const ENTER: &str = r#"
set -e
sid=$1 tree=$2 crates=$3
shift 3
mkdir -p "$sid/tree" "$sid/crates"
mount -o bind /proc "$sid/proc"
mount -o bind,ro "$tree" "$sid/tree"
mount -o bind,ro "$crates" "$sid/crates"
exec chroot "$sid" env -i -C /tree PATH=/usr/bin:/bin HOME=/root CARGO_HOME=/crates CARGO_TARGET_DIR=/root/target \
    CARGO_TERM_COLOR=never RUSTC_BOOTSTRAP=1 "$@"
"#;

/// Why nothing, or nothing good, is known.
#[derive(Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// This machine lacks something.
    Lacking(String),
    /// The engine, or the way to check it, has a fault.
    Failed(String),
}

/// Where Debian's packages are put unless told otherwise.
pub fn default_folder(target: &Path) -> PathBuf {
    target.join("check-bsd")
}

/// The command.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let folder = match arguments {
        [] => default_folder(&crate::target(root)),
        [folder] if !folder.starts_with('-') => root.join(folder),
        _ => {
            eprintln!("usage: cargo xtask check-bsd [FOLDER for Debian sid's compiler]");
            return ExitCode::from(2);
        }
    };
    match check(root, &folder) {
        Ok(seen) => {
            println!("check-bsd: {seen}");
            ExitCode::SUCCESS
        }
        Err(Unchecked::Lacking(what)) => {
            eprintln!("error: the engine cannot be checked here: {what}");
            ExitCode::FAILURE
        }
        Err(Unchecked::Failed(what)) => {
            eprintln!("error: {what}");
            ExitCode::FAILURE
        }
    }
}

/// Checks the engine for each target; says what was checked, and by which compiler.
pub fn check(root: &Path, folder: &Path) -> Result<String, Unchecked> {
    let is_root = rustix::process::geteuid().is_root();
    if let Some(lacking) = lacking(is_root, command::is_there) {
        return Err(Unchecked::Lacking(lacking));
    }
    let failed = Unchecked::Failed;
    let folder = std::path::absolute(folder).map_err(|error| failed(error.to_string()))?;
    install(&folder).map_err(failed)?;
    fetch(root, &folder).map_err(failed)?;
    let compiler = enter(root, &folder, &["rustc", "--version"]).map_err(failed)?.text();
    for target in TARGETS {
        let arguments = [
            "cargo",
            "check",
            "--offline",
            "--locked",
            "--package",
            "gannet-engine",
            "--features",
            "simulator",
        ];
        let std = ["-Zbuild-std=std,panic_abort", "--target", target];
        let checked = enter(root, &folder, &[&arguments[..], &std[..]].concat());
        let verdict = checked.and_then(|ended| without_warnings(&ended));
        verdict.map_err(|what| failed(format!("the engine for {target}: {what}")))?;
    }
    Ok(format!("no error and no warning for {} ({})", TARGETS.join(" and "), compiler.trim()))
}

/// What is not here, and the way out.
fn lacking(is_root: bool, is_there: impl Fn(&str) -> bool) -> Option<String> {
    let missing = PROGRAMS.iter().filter(|(program, _)| !is_there(program));
    let mut lacking: Vec<String> = missing
        .map(|(program, package)| format!("{program} is not installed (apt-get install {package})"))
        .collect();
    if !is_root {
        lacking.push("this is not root, which debootstrap(8) and chroot(8) need".to_owned());
    }
    (!lacking.is_empty()).then(|| lacking.join("; "))
}

/// Puts Debian's packages into the folder, unless they are there.
fn install(folder: &Path) -> Result<(), String> {
    let complete = folder.join(COMPLETE);
    if complete.exists() {
        return Ok(());
    }
    // What an interrupted run left is of no use. Only what debootstrap made is taken for that.
    if folder.join("debootstrap").exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        return Err(format!("{} has something else in it; name an empty folder", folder.display()));
    }
    println!("check-bsd: Debian sid's compiler is put into {}", folder.display());
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", "--include", PACKAGES, "sid"]).arg(folder);
    let told = |why| format!("debootstrap: {why}; {} says more", folder.join("debootstrap").display());
    command::run(&mut debootstrap, DOWNLOAD_LIMIT)?.succeeded().map_err(told)?;
    fs::write(complete, PACKAGES).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Fetches the crates that the engine and the standard library are built of, so that the check needs no network.
fn fetch(root: &Path, folder: &Path) -> Result<(), String> {
    for manifest in [root.join("Cargo.toml"), folder.join(LIBRARY)] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["fetch", "--locked", "--manifest-path"]).arg(&manifest);
        cargo.args(TARGETS.iter().flat_map(|target| ["--target", target]));
        // The standard library's manifest uses what is not stable.
        cargo.env("RUSTC_BOOTSTRAP", "1").current_dir(folder);
        let told = |why| format!("what {} needs cannot be fetched: {why}", manifest.display());
        command::run(&mut cargo, DOWNLOAD_LIMIT)?.succeeded().map_err(told)?;
    }
    Ok(())
}

/// Runs a program of the folder's on the tree.
fn enter(root: &Path, folder: &Path, program: &[&str]) -> Result<Ended, String> {
    let in_home = || env::home_dir().map(|home| home.join(".cargo"));
    let crates = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(in_home);
    let crates = crates.ok_or("Cargo's folder is not known: set CARGO_HOME")?;
    // The mounts are in a namespace of their own, and gone with it.
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--mount", "sh", "-c", ENTER, "sh"])
        .args([folder, root, &crates].map(AsRef::<OsStr>::as_ref));
    command::run(unshare.args(program), CHECK_LIMIT)?.succeeded()
}

/// A warning is a fault, too. Cargo sums up those of a package in one line.
fn without_warnings(ended: &Ended) -> Result<(), String> {
    let summary =
        ended.stderr.lines().find(|line| line.starts_with("warning: `") && line.contains("generated"));
    match summary {
        Some(_) => Err(format!("there are warnings:\n{}", ended.stderr)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_named_with_the_way_to_get_it() {
        assert_eq!(lacking(true, |_| true), None);
        let told = lacking(false, |program| program != "debootstrap").expect("something is lacking");
        assert!(told.contains("apt-get install debootstrap") && told.contains("not root"), "{told}");
    }

    #[test]
    fn a_warning_is_a_fault() {
        let ended = |stderr: &str| Ended { code: Some(0), stdout: Vec::new(), stderr: stderr.to_owned() };
        assert_eq!(
            without_warnings(&ended("    Checking gannet-engine\n    Finished `dev` profile\n")),
            Ok(())
        );
        let warned = "warning: unused import\nwarning: `gannet-engine` (lib) generated 1 warning\n";
        assert!(without_warnings(&ended(warned)).expect_err("one warning").contains("unused import"));
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let folder = env::temp_dir().join(format!("gannet-check-bsd-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("precious"), "").expect("a file");
        let told = install(&folder).expect_err("it is not ours");
        assert!(told.contains("something else") && folder.join("precious").exists(), "{told}");
        fs::remove_dir_all(&folder).expect("it is there");
    }
}
