//! Ten minutes of mixed load whose clients leave at random points, after which nothing may be left of it
//! (`crates/server/examples/soak`).

use std::process::Command;
use std::time::{Duration, SystemTime};

use super::{Context, Outcome, workspace};
use crate::command;

/// How long each backend is loaded, in seconds; the variable is for trying the step.
const SECONDS: u64 = 600;
const SECONDS_VARIABLE: &str = "GANNET_SOAK_SECONDS";
/// What the clients draw follows from it; by default it is the time.
const SEED_VARIABLE: &str = "GANNET_SEED";
/// What ending may take beside the load: deadlines, and the clients' patience.
const ENDS_WITHIN: Duration = Duration::from_secs(300);

pub fn run(context: &Context, backend: &str) -> Outcome {
    let seconds = match number(SECONDS_VARIABLE) {
        Ok(seconds) => seconds.unwrap_or(SECONDS),
        Err(why) => return Outcome::Failed(why),
    };
    let clock = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs());
    let seed = match number(SEED_VARIABLE) {
        Ok(seed) => seed.unwrap_or(clock),
        Err(why) => return Outcome::Failed(why),
    };
    let arguments = ["build", "--release", "--package", "gannet-server", "--example", "soak"];
    if let Err(why) = workspace::cargo(context, &arguments, &[]) {
        return Outcome::Failed(why);
    }
    let mut soak = Command::new(context.target.join("release/examples/soak"));
    soak.args([backend, &seconds.to_string(), &seed.to_string()]);
    let ended = command::run(&mut soak, Duration::from_secs(seconds) + ENDS_WITHIN);
    match ended.and_then(command::Ended::succeeded) {
        Ok(ended) => Outcome::Ran(format!("{seconds} s, seed {seed}: {}", ended.text().trim())),
        Err(why) if backend == "uring" && super::server::is_kernels_refusal(&why) => {
            Outcome::LeftOut(format!("the kernel allows no io_uring: {why}"))
        }
        Err(why) => Outcome::Failed(format!("{SECONDS_VARIABLE}={seconds} {SEED_VARIABLE}={seed}: {why}")),
    }
}

fn number(variable: &str) -> Result<Option<u64>, String> {
    let Some(value) = std::env::var_os(variable) else { return Ok(None) };
    let number = value.to_str().and_then(|value| value.parse().ok());
    number.map(Some).ok_or_else(|| format!("{variable} is a number, not `{}`", value.display()))
}
