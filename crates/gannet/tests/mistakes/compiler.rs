//! The compiler, and the libraries that cargo built for this test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program without a mistake.
pub const RIGHT: &str = "right.rs";

/// A compiler that knows the library.
pub struct Compiler {
    rustc: PathBuf,
    version: String,
    /// Where the libraries are.
    libraries: PathBuf,
    /// Those that programs name, by these names.
    externs: Vec<String>,
}

impl Compiler {
    /// Finds those libraries with which the right program compiles: there may be several of a name, built with other features. Of the same name the newest comes first, since what this
    /// test was built with is at least as new as the sources.
    pub fn find(programs: &Path) -> Compiler {
        let rustc = rustc();
        let said = Command::new(&rustc).arg("--version").output().expect("the compiler runs");
        let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        let executable = env::current_exe().expect("a test has a path");
        let libraries = executable.parent().expect("it is in a folder").to_owned();
        let mut why = String::from("there are none");
        for gannet in newest_first(&libraries, "libgannet-") {
            for serde in newest_first(&libraries, "libserde-") {
                let externs = [("gannet", &gannet), ("serde", &serde)];
                let externs = externs.map(|(name, path)| format!("{name}={}", path.display())).to_vec();
                let (rustc, version, libraries) = (rustc.clone(), version.clone(), libraries.clone());
                let compiler = Compiler { rustc, version, libraries, externs };
                match compiler.compile(&programs.join(RIGHT)) {
                    Ok(()) => return compiler,
                    Err(said) => why = said,
                }
            }
        }
        panic!("with no libraries in {} {RIGHT} compiles: {why}", libraries.display());
    }

    /// As `rustc 1.95.0 (hash, date)`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Checks a program, and gives what is said where it is wrong.
    pub fn compile(&self, program: &Path) -> Result<(), String> {
        let made = tempfile::tempdir().expect("a temporary folder");
        let mut rustc = Command::new(&self.rustc);
        rustc.args([
            "--edition=2024",
            "--emit=metadata",
            "--color=never",
            "--diagnostic-width=140",
            "--out-dir",
        ]);
        rustc.arg(made.path()).arg("-L").arg(format!("dependency={}", self.libraries.display()));
        rustc.args(self.externs.iter().flat_map(|library| ["--extern", library]));
        // By its name only, which is then how the compiler calls it.
        rustc.current_dir(program.parent().expect("it is in a folder"));
        rustc.arg(program.file_name().expect("it has a name"));
        let output = rustc.output().expect("the compiler runs");
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// The compiler beside cargo.
fn rustc() -> PathBuf {
    let beside = |cargo| Path::new(&cargo).with_file_name("rustc");
    let beside = env::var_os("CARGO").map(beside).filter(|rustc| rustc.exists());
    env::var_os("RUSTC").map(PathBuf::from).or(beside).unwrap_or_else(|| "rustc".into())
}

fn newest_first(libraries: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(libraries).expect("the libraries' folder is there");
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(prefix) && name.ends_with(".rlib")
        })
        .map(|entry| (entry.metadata().and_then(|metadata| metadata.modified()).ok(), entry.path()))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}
