//! A long mixed load on real sockets whose clients leave at random points; afterwards nothing may be left of it:
//! `cargo xtask ci --long` runs it for ten minutes on each backend.
//!
//! 1. two workers serve handlers of every kind (`site`, `server`), with deadlines so short that stalls run into them;
//! 2. clients ask, and those that do not leave look at every answer (`client`); what they draw follows from the seed;
//! 3. a tenth of the time warms everything up; then all clients leave, and what the process holds is looked at (`held`);
//! 4. the rest of the time is load; all leave again, and the process may hold no more than before;
//! 5. the workers drain: no connection, deadline, copy of a head, block, future or body may be left of any of them.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line tool reports on its standard output")]

mod client;
mod held;
mod response;
mod server;
mod site;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use client::Tally;
use held::Held;
use server::Server;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [backend, seconds, seed] = &arguments[..] else {
        eprintln!("usage: soak epoll|uring SECONDS SEED");
        return ExitCode::from(2);
    };
    let (Ok(seconds), Ok(seed)) = (seconds.parse(), seed.parse()) else {
        eprintln!("error: seconds and the seed are numbers");
        return ExitCode::from(2);
    };
    match soak(backend, Duration::from_secs(seconds), seed) {
        Ok(seen) => {
            println!("{seen}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: seed {seed}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn soak(backend: &str, time: Duration, seed: u64) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let server = Server::start(backend, folder.path())?;
    let warm = time / 10;
    load(&server, warm, seed)?;
    let before = Held::now()?;
    let tally = load(&server, time - warm, seed.wrapping_add(1))?;
    let after = Held::now()?;
    server.end()?;
    let grown = before.judge(&after)?;
    tally.judge()?;
    Ok(format!("{tally}; nothing is left, {grown}"))
}

/// Load for so long; then all clients have left, and so has the server's side of their connections.
fn load(server: &Server, time: Duration, seed: u64) -> Result<Tally, String> {
    let tally = client::run(server.address(), Instant::now() + time, seed)?;
    server.wait_for_quiet()?;
    Ok(tally)
}
