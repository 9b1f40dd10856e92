//! What `cargo xtask instructions` counts: one scenario of the whole server on the simulated network, under callgrind.
//!
//! Nothing here is random and no clock is read: the same program executes the same instructions each time. Callgrind counts
//! from where [`drive::counted_turn`] is entered to where it is left, without what the engine does ([`apart::Apart`]): what
//! remains is the server's own share, from a block received to an output handed over. Two runs, of so many requests
//! and of twice as many, leave out the start: their difference is what the second half of the requests took.
//!
//! Without arguments it says what it knows: the level of the CPU that the parser uses, and the scenarios, a line each.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line tool answers on its standard output")]

mod apart;
mod drive;
mod folder;
mod http2;
mod scenario;

use std::process::ExitCode;

use gannet_proto::scan::Level;

use scenario::SCENARIOS;

fn main() -> ExitCode {
    // `cargo bench` says `--bench` to every benchmark: it is told what there is.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => {
            println!("level {}", Level::detect().name());
            SCENARIOS.iter().for_each(|scenario| println!("scenario {}", scenario.name));
            ExitCode::SUCCESS
        }
        [name, requests] => run(name, requests),
        _ => complain("give a scenario and a number of requests, or nothing"),
    }
}

fn run(name: &str, requests: &str) -> ExitCode {
    let Some(scenario) = SCENARIOS.iter().find(|scenario| scenario.name == name) else {
        return complain(&format!("no scenario `{name}`"));
    };
    match requests.parse::<usize>() {
        Ok(requests) if requests % scenario.requests_per_round() == 0 => {
            drive::run(scenario, requests / scenario.requests_per_round());
            ExitCode::SUCCESS
        }
        _ => complain(&format!("`{name}` takes a multiple of {} requests", scenario.requests_per_round())),
    }
}

fn complain(what: &str) -> ExitCode {
    eprintln!("error: {what}");
    ExitCode::from(2)
}
