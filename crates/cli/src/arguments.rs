//! The flags, as they are typed: what they mean is found out together with the environment's.
//!
//! There are two commands. Which one it is, the first argument says; what both have is one definition.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser};

use crate::options::Stop;
use crate::usage;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// A folder is served.
    Files,
    /// Requests are passed on.
    Proxy,
}

/// The command line.
pub enum Arguments {
    /// Of `gannet [DIR]`.
    Files(Box<FilesArguments>),
    /// Of `gannet proxy UPSTREAM...`.
    Proxy(Box<ProxyArguments>),
}

/// Of `gannet [DIR]`.
#[derive(Parser)]
#[command(
    name = "gannet",
    version,
    about = "Serves the folder DIR, by default the current one, over HTTP/1.1.",
    override_usage = "gannet [OPTIONS] [DIR]\n       gannet proxy [OPTIONS] UPSTREAM...   (see gannet proxy --help)",
    help_template = "{about}\n{usage-heading} {usage}\n\n{options}{after-help}",
    after_help = AFTER_HELP,
    args_override_self = true,
    term_width = 80
)]
pub struct FilesArguments {
    #[arg(value_name = "DIR", hide = true)]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
    /// Map files to send them: auto, on, off [auto]
    #[arg(long, value_name = "HOW")]
    pub mmap: Option<OsString>,
    /// Answer unknown paths with the root's index
    #[arg(long)]
    pub spa: bool,
    /// List folders without an index: on, off [on]
    #[arg(long, value_name = "HOW")]
    pub listing: Option<OsString>,
}

/// Of `gannet proxy UPSTREAM...`.
#[derive(Parser)]
#[command(
    name = "gannet",
    version,
    about = "Passes requests on to UPSTREAM: [https://|h2c://]HOST:PORT, :PORT, unix:PATH.",
    override_usage = "gannet proxy [OPTIONS] UPSTREAM...",
    help_template = "{about}\n{usage-heading} {usage}\n\n{options}{after-help}",
    after_help = AFTER_HELP,
    args_override_self = true,
    term_width = 80
)]
pub struct ProxyArguments {
    #[arg(value_name = "UPSTREAM", hide = true, required = true)]
    pub upstreams: Vec<OsString>,
    #[command(flatten)]
    pub common: Common,
    /// round-robin, least-connections [round-robin]
    #[arg(long, value_name = "HOW")]
    pub balance: Option<OsString>,
    /// Host for upstreams: keep or upstream [keep]
    #[arg(long, value_name = "HOW")]
    pub host: Option<OsString>,
    /// Which HTTP upstreams get: auto, 1, 2 [auto]
    #[arg(long, value_name = "HOW")]
    pub upstream_http: Option<OsString>,
    /// Send a PROXY header first: v1, v2, off [off]
    #[arg(long, value_name = "HOW")]
    pub send_proxy: Option<OsString>,
    /// Whom to trust for https:// [the system's]
    #[arg(long, value_name = "FILE")]
    pub upstream_ca: Option<OsString>,
    /// Until a connection is there [5s]
    #[arg(long, value_name = "TIME")]
    pub connect_timeout: Option<OsString>,
    /// Until a response begins [60s]
    #[arg(long, value_name = "TIME")]
    pub head_timeout: Option<OsString>,
    /// Without a byte of a body [60s]
    #[arg(long, value_name = "TIME")]
    pub idle_timeout: Option<OsString>,
}

/// What both have.
#[derive(Args)]
pub struct Common {
    /// IP:PORT, PORT, unix:PATH [127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<OsString>,
    /// A certificate of PEM; by default on port 8443
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Vec<OsString>,
    /// Its private key
    #[arg(long, value_name = "FILE")]
    pub tls_key: Vec<OsString>,
    /// self-signed: by an authority of your own
    #[arg(long, value_name = "HOW")]
    pub tls: Option<OsString>,
    /// Whose certificates clients must have
    #[arg(long, value_name = "FILE")]
    pub tls_client_ca: Option<OsString>,
    /// required or optional [required]
    #[arg(long, value_name = "HOW")]
    pub tls_client_auth: Option<OsString>,
    /// Lead who comes here in clear text to TLS
    #[arg(long, value_name = "ADDR")]
    pub redirect: Option<OsString>,
    /// Browsers use TLS only: 1y, 1y,subdomains
    #[arg(long, value_name = "TIME")]
    pub hsts: Option<OsString>,
    /// Proxies to believe: 10.0.0.0/8, private
    #[arg(long, value_name = "CIDR")]
    pub trust: Vec<OsString>,
    /// They begin connections with a PROXY header
    #[arg(long)]
    pub proxy_protocol: bool,
    /// Do not speak HTTP/2
    #[arg(long)]
    pub http1_only: bool,
    /// Threads that serve; 0: one for each core [0]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub workers: Option<OsString>,
    /// Keep each worker on one core
    #[arg(long)]
    pub pin: bool,
    /// Let other processes listen on the same port
    #[arg(long)]
    pub share_port: bool,
    /// auto, uring (io_uring), epoll or kqueue [auto]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<OsString>,
    /// text, json or off [on a terminal text]
    #[arg(long, value_name = "FORMAT")]
    pub log: Option<OsString>,
    /// error to trace, also of a target [info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<OsString>,
    /// As --log-level debug
    #[arg(short, long)]
    pub verbose: bool,
    /// Of requests: a file, - (output) or off [-]
    #[arg(long, value_name = "PATH")]
    pub access_log: Option<OsString>,
    /// Health and metrics, on an address of their own
    #[arg(long, value_name = "ADDR")]
    pub admin: Option<OsString>,
    /// No banner, no access log; only errors
    #[arg(short, long)]
    pub quiet: bool,
}

const AFTER_HELP: &str = "\
In brackets is what holds otherwise. Each is also a variable, GANNET_LOG_LEVEL
for --log-level; a flag goes before it. More: docs/command-line.md.
Ctrl-C or SIGTERM: finish what runs and leave; a second: leave at once.";

/// The word that makes it a proxy.
const PROXY: &str = "proxy";

impl Arguments {
    /// Reads the command line, the program's name first.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, Stop> {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        if arguments.get(1).is_some_and(|first| first == PROXY) {
            arguments.remove(1);
            let read = ProxyArguments::try_parse_from(arguments);
            return read
                .map(|read| Arguments::Proxy(Box::new(read)))
                .map_err(|error| usage::explain(&error, Command::Proxy));
        }
        let read = FilesArguments::try_parse_from(&arguments)
            .map_err(|error| usage::explain(&error, Command::Files).unless_misplaced(&arguments))?;
        if read.folder.as_deref().is_some_and(|folder| folder.as_os_str() == PROXY) {
            return Err(misplaced());
        }
        Ok(Arguments::Files(Box::new(read)))
    }
}

impl Stop {
    /// What is wrong may be that the command did not come first.
    fn unless_misplaced(self, arguments: &[OsString]) -> Stop {
        let is_misuse = matches!(self, Stop::Misused(_));
        if is_misuse && arguments.iter().any(|argument| argument == PROXY) { misplaced() } else { self }
    }
}

fn misplaced() -> Stop {
    let text =
        "the command proxy comes first: gannet proxy [OPTIONS] UPSTREAM...; a folder of this name is ./proxy";
    Stop::Misused(text.to_owned())
}

impl Command {
    /// Its flags, by their long names.
    pub fn flags(self) -> Vec<String> {
        let command = match self {
            Command::Files => FilesArguments::command(),
            Command::Proxy => ProxyArguments::command(),
        };
        command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned).collect()
    }

    /// The other one.
    pub fn other(self) -> Command {
        match self {
            Command::Files => Command::Proxy,
            Command::Proxy => Command::Files,
        }
    }

    /// How help is asked for.
    pub fn help(self) -> &'static str {
        match self {
            Command::Files => "gannet --help",
            Command::Proxy => "gannet proxy --help",
        }
    }
}

/// The variable that says what a flag does: the same word.
pub fn variable(flag: &str) -> String {
    format!("GANNET_{}", flag.replace('-', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(arguments: &[&str]) -> String {
        match Arguments::read(["gannet"].iter().chain(arguments).map(OsString::from)) {
            Err(Stop::Told(help)) => help,
            _ => panic!("{arguments:?} tells nothing"),
        }
    }

    fn both() -> [(Command, &'static [&'static str]); 2] {
        [(Command::Files, &["--help"]), (Command::Proxy, &["proxy", "--help"])]
    }

    #[test]
    fn each_help_fits_a_screen_and_tells_how_every_flag_s_variable_is_named() {
        for (command, arguments) in both() {
            let help = help(arguments);
            assert!(help.lines().count() <= 40, "{help}");
            assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
            for flag in command.flags() {
                assert!(help.contains(&format!("--{flag}")), "{flag}: {help}");
            }
            assert!(help.contains("GANNET_LOG_LEVEL\nfor --log-level"), "{help}");
        }
        assert_eq!(variable("log-level"), "GANNET_LOG_LEVEL");
    }

    #[test]
    fn the_help_of_folders_leads_to_that_of_the_proxy() {
        assert!(help(&["-h"]).contains("gannet proxy --help"));
    }

    #[test]
    fn the_reference_has_a_row_for_every_flag_and_its_variable() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command-line.md");
        let reference = std::fs::read_to_string(path).unwrap();
        for flag in both().into_iter().flat_map(|(command, _)| command.flags()) {
            let row = format!("`--{flag}` | `{}` |", variable(&flag));
            assert!(reference.lines().any(|line| line.contains(&row)), "docs/command-line.md has no {row}");
        }
    }
}
