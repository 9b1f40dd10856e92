//! The project's own checks, as `cargo xtask COMMAND`.
//!
//! `tidy` reads the tree as text and holds it to the habits of the house; `ci` runs what needs other programs; `docs`
//! writes what is made from the source; `instructions` counts what a request takes; `flamegraph` draws where the time
//! goes; `check-bsd` type-checks the engine for the systems that this is not; `bench` starts the comparison workspace,
//! `peers` fetches what it compares with; `compile-time` builds a hello beside axum's. `cargo test`, `clippy` and `fmt` stay
//! what they are: `.ci/run` runs all.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line tool reports on its standard output")]

mod bench;
mod check_bsd;
mod ci;
mod command;
mod compile_time;
mod docs;
mod flamegraph;
mod instructions;
mod peers;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One command of `cargo xtask`.
struct Command {
    name: &'static str,
    does: &'static str,
    run: fn(&Path, &[String]) -> ExitCode,
}

/// Every command; the help and the check of the README's commands read this table too.
const COMMANDS: &[Command] = &[
    Command {
        name: "tidy",
        does: "hold the tree to the habits of the house (reads files, builds nothing)",
        run: tidy::run,
    },
    Command {
        name: "ci",
        does: "try the built binary with other programs [--long] [--install] [STEP...]",
        run: ci::run,
    },
    Command {
        name: "docs",
        does: "write the documents made from the source: docs/limits.md, docs/defaults.md",
        run: docs::run,
    },
    Command {
        name: "check-bsd",
        does: "type-check the engine for macOS and FreeBSD, as root on Debian [FOLDER]",
        run: check_bsd::run,
    },
    Command {
        name: "instructions",
        does: "count the server's instructions per request beside their rows [--write]",
        run: instructions::run,
    },
    Command {
        name: "flamegraph",
        does: "draw where the processor is while the server is loaded [SCENARIO]",
        run: flamegraph::run,
    },
    Command { name: "bench", does: "run the comparison benchmarks [--quick] [--help]", run: bench::run },
    Command {
        name: "compile-time",
        does: "build examples/hello and axum's hello from nothing, in turns [ROUNDS]",
        run: compile_time::run,
    },
    Command {
        name: "peers",
        does: "fetch the servers that `bench` compares with [--sid]: crates, Debian's packages, Debian sid's",
        run: peers::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(&root(), &arguments[1..]),
        None => help(name),
    }
}

/// The repository's root: the folder above this package.
///
/// Cargo says at run time where the package is. What it said when this was built may be another checkout of the same
/// repository that shares its target folder.
fn root() -> PathBuf {
    let built_in = || PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(built_in, PathBuf::from);
    package.pop();
    package
}

/// Cargo's target folder.
fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

fn help(name: &str) -> ExitCode {
    println!("usage: cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:12} {}", command.name, command.does);
    }
    if name.is_empty() || name == "--help" || name == "help" {
        return ExitCode::SUCCESS;
    }
    eprintln!("\nerror: no command `{name}`");
    ExitCode::from(2)
}
