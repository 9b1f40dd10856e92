//! `cargo xtask compile-time`: how long the smallest service takes to compile from nothing, beside axum's.
//!
//! Both are packages of their own, as a user has them, with Cargo's own profiles: ours is `examples/hello`, axum's what its repository has as
//! `examples/hello-world`. Whatever they need is fetched before anything is timed; then they are built in turns, each time into an empty folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::command;

/// How many times each is built, unless it is said; the median is told.
const ROUNDS: usize = 3;
/// Crates that are compiled at a time.
const JOBS: &str = "-j2";
/// A build that takes longer does not end.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// What a second of `/proc/self/stat` is counted in (proc(5)): USER_HZ, on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

const AXUM: &str = r#"use axum::{Router, response::Html, routing::get};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/", get(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    axum::serve(listener, app).await.unwrap();
}

async fn handler() -> Html<&'static str> {
    Html("<h1>Hello, World!</h1>")
}
"#;
const AXUM_NEEDS: &str = "axum = \"0.8\"\ntokio = { version = \"1\", features = [\"full\"] }\n";

/// A package that is built, and what it took.
struct Hello {
    name: &'static str,
    folder: PathBuf,
    crates: usize,
    /// Of each profile, of each round.
    taken: [Vec<Taken>; PROFILES.len()],
}

/// What one build took, in seconds.
#[derive(Clone, Copy)]
struct Taken {
    elapsed: f64,
    processor: f64,
}

/// A profile's name, and how Cargo is asked for it.
const PROFILES: [(&str, &[&str]); 2] = [("debug", &[]), ("release", &["--release"])];

/// Builds both in turns, and prints what it took.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let rounds = match arguments {
        [] => Some(ROUNDS),
        [rounds] => rounds.parse().ok().filter(|rounds| *rounds > 0),
        _ => None,
    };
    let Some(rounds) = rounds else {
        eprintln!("error: compile-time takes how many rounds are built, and nothing else");
        return ExitCode::from(2);
    };
    match measure(root, rounds) {
        Ok(hellos) => {
            print!("{}", table(&hellos));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(root: &Path, rounds: usize) -> Result<[Hello; 2], String> {
    let folder = crate::target(root).join("compile-time");
    let ours = fs::read_to_string(root.join("examples/hello/src/main.rs"))
        .map_err(|error| format!("examples/hello: {error}"))?;
    let gannet = format!("gannet = {{ path = \"{}\" }}\n", root.join("crates/gannet").display());
    let mut hellos =
        [Hello::write("gannet", &folder, &gannet, &ours)?, Hello::write("axum", &folder, AXUM_NEEDS, AXUM)?];
    for round in 0..rounds {
        for (profile, (name, flags)) in PROFILES.iter().enumerate() {
            for hello in &mut hellos {
                let taken = hello.build(&folder.join("target"), flags)?;
                eprintln!("round {}: {}, {name}: {:.1} s", round + 1, hello.name, taken.elapsed);
                hello.taken[profile].push(taken);
            }
        }
    }
    Ok(hellos)
}

impl Hello {
    /// Writes the package, and fetches what it needs.
    fn write(name: &'static str, folder: &Path, needs: &str, source: &str) -> Result<Hello, String> {
        let folder = folder.join(name);
        let manifest = format!(
            "[package]\nname = \"hello-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{needs}\n[workspace]\n"
        );
        let failed = |error| format!("{}: {error}", folder.display());
        fs::create_dir_all(folder.join("src")).map_err(failed)?;
        fs::write(folder.join("Cargo.toml"), manifest).map_err(failed)?;
        fs::write(folder.join("src/main.rs"), source).map_err(failed)?;
        let mut hello = Hello { name, folder, crates: 0, taken: [const { Vec::new() }; PROFILES.len()] };
        hello.cargo(&["fetch"])?;
        let tree = hello.cargo(&["tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"])?;
        let mut crates: Vec<&str> = tree.lines().filter_map(|line| line.split(" (").next()).collect();
        crates.sort_unstable();
        crates.dedup();
        hello.crates = crates.len();
        Ok(hello)
    }

    /// Builds it into an empty folder.
    fn build(&self, target: &Path, flags: &[&str]) -> Result<Taken, String> {
        match fs::remove_dir_all(target) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", target.display()));
            }
            _ => {}
        }
        let into = target.to_string_lossy();
        let arguments = [&["build", "--offline", JOBS, "--target-dir", &into], flags].concat();
        let (begun, processor) = (Instant::now(), processor_of_children()?);
        self.cargo(&arguments)?;
        let (elapsed, processor) = (begun.elapsed().as_secs_f64(), processor_of_children()? - processor);
        Ok(Taken { elapsed, processor })
    }

    fn cargo(&self, arguments: &[&str]) -> Result<String, String> {
        let mut cargo = Command::new(env!("CARGO"));
        // What is set for this workspace's builds is not for these.
        cargo
            .args(arguments)
            .current_dir(&self.folder)
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS");
        let ended = command::run(&mut cargo, LIMIT)?.succeeded();
        ended.map(|ended| ended.text()).map_err(|why| format!("{}: {why}", self.name))
    }
}

/// The processor's seconds that children have taken who have ended: `cutime` and `cstime` of proc(5).
fn processor_of_children() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    children_ticks(&stat)
        .map(|ticks| ticks as f64 / TICKS_PER_SECOND)
        .ok_or("/proc/self/stat is not as in proc(5)".to_owned())
}

fn children_ticks(stat: &str) -> Option<u64> {
    // The name of the program, the second field, is in brackets and may have anything in it.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// One row for each package and profile; the ratio is of the medians.
fn table(hellos: &[Hello; 2]) -> String {
    let mut text = "| hello | crates | profile | seconds | processor seconds | × axum |\n|---|---:|---|---:|---:|---:|\n".to_owned();
    for (profile, (name, _)) in PROFILES.iter().enumerate() {
        let elapsed =
            |hello: &Hello| median(hello.taken[profile].iter().map(|taken| taken.elapsed).collect());
        for hello in hellos {
            let processor = median(hello.taken[profile].iter().map(|taken| taken.processor).collect());
            let ratio = elapsed(hello) / elapsed(&hellos[1]);
            let (own, crates) = (elapsed(hello), hello.crates);
            text +=
                &format!("| {} | {crates} | {name} | {own:.1} | {processor:.1} | {ratio:.2} |\n", hello.name);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticks_of_children_are_read_behind_whatever_a_program_is_called() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 200 0 0 11 12 13 14 20 0 1 0 5 6 7";
        assert_eq!(children_ticks(stat), Some(27));
        assert_eq!(children_ticks("7 (a) S 1"), None);
        assert!(processor_of_children().is_ok());
    }

    #[test]
    fn the_table_compares_medians() {
        let hello = |name, seconds: [f64; 3]| {
            let taken = seconds.map(|elapsed| Taken { elapsed, processor: 2.0 * elapsed }).to_vec();
            Hello { name, folder: PathBuf::new(), crates: 50, taken: [taken.clone(), taken] }
        };
        let text = table(&[hello("gannet", [9.0, 1.0, 3.0]), hello("axum", [4.0, 4.0, 8.0])]);
        assert!(text.contains("| gannet | 50 | debug | 3.0 | 6.0 | 0.75 |"), "{text}");
        assert!(text.contains("| axum | 50 | release | 4.0 | 8.0 | 1.00 |"), "{text}");
    }
}
