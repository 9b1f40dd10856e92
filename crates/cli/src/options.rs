//! What was asked for: on the command line, else in the environment, else by default.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use gannet::{AccessLog, App, BackendChoice, LogDestination, MappedSends};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::address::Place;
use crate::logging::{self, LogFormat};
use crate::usage;

/// What to do.
#[derive(Debug)]
pub struct Options {
    /// The folder to serve.
    pub folder: PathBuf,
    /// Where to listen.
    pub listen: Vec<Place>,
    /// Sockets were handed over, and are not among those.
    pub ignores_sockets: bool,
    /// Whether other processes may listen on the same ports.
    pub share_port: bool,
    /// Whether each worker is kept on a core.
    pub pin: bool,
    /// Threads that serve; 0: one for each core.
    pub workers: usize,
    /// The engine.
    pub backend: BackendChoice,
    /// Which files are sent from a mapping.
    pub mmap: MappedSends,
    /// The folder is an application of a single page.
    pub spa: bool,
    /// A folder without an index is listed.
    pub listing: bool,
    /// How the log is written.
    pub log: LogFormat,
    /// What is logged.
    pub log_level: Targets,
    /// The access log, if there is one.
    pub access_log: Option<AccessLog>,
    /// Where health and metrics are told.
    pub admin: Option<SocketAddr>,
    /// No banner, and only errors.
    pub quiet: bool,
}

/// Why nothing is served.
#[derive(PartialEq, Eq, Debug)]
pub enum Stop {
    /// Something was asked for that is now told: the help, the version.
    Told(String),
    /// The command line, or the environment, is wrong.
    Misused(String),
}

/// The command line as it was typed: what it means is found out together with the environment's.
#[derive(Parser)]
#[command(
    name = "gannet",
    version,
    about = "Serves the folder DIR, by default the current one, over HTTP/1.1.",
    override_usage = "gannet [OPTIONS] [DIR]",
    help_template = "{about}\n{usage-heading} {usage}\n\n{options}{after-help}",
    after_help = AFTER_HELP,
    args_override_self = true,
    term_width = 80
)]
struct Arguments {
    #[arg(value_name = "DIR", hide = true)]
    folder: Option<PathBuf>,
    /// IP:PORT, PORT, unix:PATH... [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<OsString>,
    /// Threads that serve; 0: one for each core [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    workers: Option<OsString>,
    /// Keep each worker on one core
    #[arg(long)]
    pin: bool,
    /// Let other processes listen on the same port
    #[arg(long)]
    share_port: bool,
    /// auto, uring (io_uring), epoll or kqueue [default: auto]
    #[arg(long, value_name = "NAME")]
    backend: Option<OsString>,
    /// Map files to send them: auto, on, off [default: auto]
    #[arg(long, value_name = "WHICH")]
    mmap: Option<OsString>,
    /// Answer unknown paths with the root's index
    #[arg(long)]
    spa: bool,
    /// List folders without an index: on, off [default: on]
    #[arg(long, value_name = "WHETHER")]
    listing: Option<OsString>,
    /// text, json or off [default: on a terminal text]
    #[arg(long, value_name = "FORMAT")]
    log: Option<OsString>,
    /// error to trace, also of a target [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<OsString>,
    /// As --log-level debug
    #[arg(short, long)]
    verbose: bool,
    /// Of requests: a file, - (output) or off [default: -]
    #[arg(long, value_name = "PATH")]
    access_log: Option<OsString>,
    /// Health and metrics, on an address of their own
    #[arg(long, value_name = "ADDR")]
    admin: Option<OsString>,
    /// No banner, no access log, only errors in the log
    #[arg(short, long)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
Each is also a variable: --log-level is GANNET_LOG_LEVEL. A flag goes before it.
Ctrl-C or SIGTERM: finish what runs and leave; a second: leave at once.";

/// More threads than any machine has cores for are a slip of the finger.
const MOST_WORKERS: usize = 1024;

/// A value, and where it is from.
struct Given {
    value: OsString,
    origin: String,
}

/// The flags that were given, and the environment for those that were not.
struct Sources<E> {
    environment: E,
}

impl Options {
    /// Reads the command line (the program's name first) and the environment.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Options, Stop> {
        let arguments = Arguments::try_parse_from(arguments).map_err(|error| usage::explain(&error))?;
        Options::resolve(arguments, &Sources { environment }).map_err(Stop::Misused)
    }

    fn resolve<E>(arguments: Arguments, sources: &Sources<E>) -> Result<Options, String>
    where
        E: Fn(&str) -> Option<OsString>,
    {
        let log = sources.one("log", arguments.log, str::parse)?;
        let log = log.unwrap_or_else(LogFormat::by_terminal);
        let log_level = sources.one("log-level", arguments.log_level, logging::levels)?;
        let verbose = sources.switch("verbose", arguments.verbose)?;
        let quiet = sources.switch("quiet", arguments.quiet)?;
        let access_log =
            sources.one("access-log", arguments.access_log, |text| Ok(parse_access_log(text)))?;
        let by_default = (log != LogFormat::Off && !quiet).then_some(LogDestination::StandardOutput);
        let destination = access_log.unwrap_or(by_default);
        let listen = sources.places(arguments.listen)?;
        let admin = sources.one("admin", arguments.admin, parse_admin)?;
        apart(&listen, admin.as_ref())?;
        Ok(Options {
            ignores_sockets: sources.has_sockets() && !listen.contains(&Place::Systemd),
            share_port: sources.switch("share-port", arguments.share_port)?,
            pin: sources.switch("pin", arguments.pin)?,
            folder: arguments.folder.unwrap_or_else(|| PathBuf::from(".")),
            listen,
            workers: sources.one("workers", arguments.workers, parse_workers)?.unwrap_or(0),
            backend: sources.one("backend", arguments.backend, parse_backend)?.unwrap_or_default(),
            mmap: sources.one("mmap", arguments.mmap, parse_mmap)?.unwrap_or_default(),
            spa: sources.switch("spa", arguments.spa)?,
            listing: sources.one("listing", arguments.listing, parse_listing)?.unwrap_or(true),
            log,
            log_level: match log_level {
                _ if quiet => Targets::new().with_default(LevelFilter::ERROR),
                _ if verbose => Targets::new().with_default(LevelFilter::DEBUG),
                Some(levels) => levels,
                None => Targets::new().with_default(LevelFilter::INFO),
            },
            access_log: destination.map(|destination| AccessLog { format: log.of_requests(), destination }),
            admin: admin.map(|place| place.admin_address()).transpose()?,
            quiet,
        })
    }

    /// The application with what lets it be watched.
    pub fn watched(&self, mut app: App) -> App {
        if let Some(log) = &self.access_log {
            app = app.access_log(log.clone());
        }
        match self.admin {
            Some(address) => app.admin(address),
            None => app,
        }
    }

    /// Makes the application listen where, and serve as, was asked for.
    pub fn apply(&self, app: App) -> App {
        let app = self.listen.iter().fold(app, |app, place| place.listened_on_by(app));
        let app = app.workers(self.workers).pin(self.pin).share_port(self.share_port);
        app.backend(self.backend).mapped_sends(self.mmap)
    }
}

impl<E: Fn(&str) -> Option<OsString>> Sources<E> {
    /// A flag's value, else that of its variable. An empty variable is one that is not set, as in many a container's
    /// configuration.
    fn given(&self, flag: &str, typed: Option<OsString>) -> Option<Given> {
        if let Some(value) = typed {
            return Some(Given { value, origin: format!("--{flag} ") });
        }
        let variable = variable(flag);
        let value = (self.environment)(&variable).filter(|value| !value.is_empty())?;
        Some(Given { value, origin: format!("{variable}=") })
    }

    fn one<T>(
        &self,
        flag: &str,
        typed: Option<OsString>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.given(flag, typed).map(|given| given.parse(parse)).transpose()
    }

    /// A flag that takes no value; its variable says true or false.
    fn switch(&self, flag: &str, typed: bool) -> Result<bool, String> {
        Ok(typed || self.one(flag, None, parse_switch)?.unwrap_or(false))
    }

    /// Whether a service manager hands sockets over to this process (sd_listen_fds(3)).
    fn has_sockets(&self) -> bool {
        let set = |name: &str| (self.environment)(name).filter(|value| !value.is_empty());
        set("LISTEN_PID").is_some_and(|id| id.to_str() == Some(&std::process::id().to_string()))
            && set("LISTEN_FDS").is_some_and(|count| count != "0")
    }

    /// Where to listen: every flag, else the variable's list, else what was handed over.
    fn places(&self, typed: Vec<OsString>) -> Result<Vec<Place>, String> {
        let mut places = Vec::new();
        for flag in typed {
            places.extend(self.one("listen", Some(flag), str::parse::<Place>)?);
        }
        if places.is_empty() {
            let list = |text: &str| text.split(',').map(|one| one.trim().parse()).collect();
            places = self.one("listen", None, list)?.unwrap_or_default();
        }
        if places.is_empty() && self.has_sockets() {
            places.push(Place::Systemd);
        }
        if places.is_empty() {
            places.push(Place::Address(SocketAddr::from(([127, 0, 0, 1], 8080))));
        }
        distinct(&places)?;
        Ok(places)
    }
}

impl Given {
    fn parse<T>(&self, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
        let text = self.value.to_str().ok_or_else(|| "this is not UTF-8".to_owned());
        text.and_then(parse).map_err(|why| format!("{}{}: {why}", self.origin, self.value.to_string_lossy()))
    }
}

/// The variable that says what a flag does: the same word.
fn variable(flag: &str) -> String {
    format!("GANNET_{}", flag.replace('-', "_").to_uppercase())
}

/// An address given twice would be found in use, by another program as it seems.
fn distinct(places: &[Place]) -> Result<(), String> {
    for (index, place) in places.iter().enumerate() {
        let others = places[..index].iter().chain(&places[index + 1..]);
        if let Some(other) = others.into_iter().find(|other| place.covers(other)) {
            return Err(format!("the addresses {place} and {other} overlap; {place} alone is enough"));
        }
    }
    Ok(())
}

fn parse_workers(text: &str) -> Result<usize, String> {
    let complaint = || format!("give a number of threads from 0 to {MOST_WORKERS}; 0: one for each core");
    text.parse().ok().filter(|workers| *workers <= MOST_WORKERS).ok_or_else(complaint)
}

fn parse_backend(text: &str) -> Result<BackendChoice, String> {
    text.parse().map_err(|error: <BackendChoice as std::str::FromStr>::Err| error.to_string())
}

fn parse_admin(text: &str) -> Result<Place, String> {
    let place = text.parse::<Place>()?;
    place.admin_address().map(|_| place)
}

/// The admin listener would find its address in use, by another program as it seems.
fn apart(listen: &[Place], admin: Option<&Place>) -> Result<(), String> {
    let Some(admin) = admin else { return Ok(()) };
    match listen.iter().find(|place| place.covers(admin) || admin.covers(place)) {
        Some(place) => {
            Err(format!("--listen {place} and --admin {admin} overlap; give one of them another port"))
        }
        None => Ok(()),
    }
}

/// A file named `off` or `-` is written `./off` or `./-`.
fn parse_access_log(text: &str) -> Option<LogDestination> {
    match text {
        "off" => None,
        "-" => Some(LogDestination::StandardOutput),
        path => Some(LogDestination::File(path.into())),
    }
}

fn parse_mmap(text: &str) -> Result<MappedSends, String> {
    text.parse().map_err(|error: <MappedSends as std::str::FromStr>::Err| error.to_string())
}

fn parse_listing(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("listings are on or off".to_owned()),
    }
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Options, Stop> {
        let arguments = ["gannet"].iter().chain(arguments).map(OsString::from);
        let value =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Options::read(arguments, value)
    }

    fn all(level: LevelFilter) -> Targets {
        Targets::new().with_default(level)
    }

    fn complaint(arguments: &[&str], environment: &[(&str, &str)]) -> String {
        match read(arguments, environment) {
            Err(Stop::Misused(complaint)) => complaint,
            other => panic!("{arguments:?} {environment:?} is taken: {other:?}"),
        }
    }

    #[test]
    fn without_any_flag_the_current_folder_is_served_to_this_machine() {
        let options = read(&[], &[]).unwrap();
        assert_eq!(options.folder, PathBuf::from("."));
        assert_eq!(options.listen, ["127.0.0.1:8080".parse().unwrap()]);
        assert!(!options.pin && !options.share_port && !options.ignores_sockets);
        assert_eq!((options.workers, options.backend), (0, BackendChoice::Auto));
        assert_eq!((options.log_level, options.quiet), (all(LevelFilter::INFO), false));
        assert_eq!(options.access_log.map(|log| log.destination), Some(LogDestination::StandardOutput));
        assert!(options.admin.is_none());
        assert!(options.listing);
    }

    #[test]
    fn every_flag_is_taken_and_the_last_of_several_counts_but_listen_which_adds_up() {
        let options = read(
            &[
                "public",
                "--listen",
                "127.0.0.1:1",
                "--listen=[::1]:2",
                "--listen",
                "unix:/run/s",
                "--pin",
                "--share-port",
                "--workers",
                "1",
                "--workers=3",
                "--backend",
                "epoll",
                "--mmap",
                "off",
                "--listing",
                "off",
                "--log",
                "json",
                "--log-level",
                "trace",
                "--access-log",
                "log",
                "--admin=127.0.0.1:9000",
            ],
            &[],
        );
        let options = options.unwrap();
        assert_eq!(options.folder, PathBuf::from("public"));
        let places = ["127.0.0.1:1", "[::1]:2", "unix:/run/s"].map(|place| place.parse().unwrap());
        assert_eq!(options.listen, places);
        assert!(options.pin && options.share_port);
        assert_eq!((options.workers, options.backend), (3, BackendChoice::Epoll));
        assert_eq!((options.mmap, options.listing), (MappedSends::Off, false));
        assert_eq!((options.log, options.log_level), (LogFormat::Json, all(LevelFilter::TRACE)));
        let log =
            AccessLog { format: gannet::LogFormat::Json, destination: LogDestination::File("log".into()) };
        assert_eq!((options.access_log, options.admin), (Some(log), "127.0.0.1:9000".parse().ok()));
    }

    #[test]
    fn the_environment_says_what_no_flag_does() {
        let environment = [
            ("GANNET_LISTEN", "127.0.0.1:1, unix:/run/s"),
            ("GANNET_PIN", "1"),
            ("GANNET_SHARE_PORT", "true"),
            ("GANNET_WORKERS", "2"),
            ("GANNET_BACKEND", "uring"),
            ("GANNET_MMAP", "on"),
            ("GANNET_LISTING", "off"),
            ("GANNET_LOG", "off"),
            ("GANNET_LOG_LEVEL", "warn"),
            ("GANNET_ACCESS_LOG", "-"),
            ("GANNET_ADMIN", "localhost:9000"),
        ];
        let options = read(&[], &environment).unwrap();
        assert_eq!(options.listen, ["127.0.0.1:1", "unix:/run/s"].map(|place| place.parse().unwrap()));
        assert!(options.pin && options.share_port);
        assert_eq!((options.workers, options.backend), (2, BackendChoice::Uring));
        assert_eq!((options.mmap, options.listing), (MappedSends::On, false));
        assert!(read(&["--listing", "on"], &environment).unwrap().listing);
        assert_eq!((options.log, options.log_level), (LogFormat::Off, logging::levels("warn").unwrap()));
        assert_eq!(
            options.access_log,
            Some(AccessLog::default()),
            "asked for, it is there though there is no log"
        );
        assert_eq!(options.admin, "127.0.0.1:9000".parse().ok());
        let options = read(&["--listen", "127.0.0.1:3", "--workers", "4"], &environment).unwrap();
        assert_eq!(options.listen, ["127.0.0.1:3".parse().unwrap()]);
        assert_eq!(options.workers, 4);
        assert_eq!(read(&[], &[("GANNET_WORKERS", "")]).unwrap().workers, 0, "empty is not set");
    }

    #[test]
    fn sockets_that_were_handed_over_are_listened_on_unless_something_else_is_asked_for() {
        let own = std::process::id().to_string();
        let environment = [("LISTEN_PID", own.as_str()), ("LISTEN_FDS", "1")];
        assert_eq!(read(&[], &environment).unwrap().listen, [Place::Systemd]);
        let options = read(&["--listen", "80"], &environment).unwrap();
        assert_eq!((options.listen, options.ignores_sockets), (vec![Place::EveryInterface(80)], true));
        let options = read(&["--listen", "80", "--listen", "systemd"], &environment).unwrap();
        assert!(options.listen.len() == 2 && !options.ignores_sockets);
        for not_ours in
            [[("LISTEN_PID", "1"), ("LISTEN_FDS", "1")], [("LISTEN_PID", &own), ("LISTEN_FDS", "0")]]
        {
            assert_eq!(read(&[], &not_ours).unwrap().listen, ["127.0.0.1:8080".parse().unwrap()]);
        }
    }

    #[test]
    fn quiet_leaves_only_errors() {
        let options = read(&["-q", "--log-level", "trace"], &[]).unwrap();
        assert_eq!((options.quiet, options.log_level), (true, all(LevelFilter::ERROR)));
        assert_eq!(options.access_log, None);
        assert!(read(&[], &[("GANNET_QUIET", "1")]).unwrap().quiet);
        assert!(!read(&[], &[("GANNET_QUIET", "false")]).unwrap().quiet);
    }

    #[test]
    fn verbose_tells_more() {
        assert_eq!(read(&["-v"], &[]).unwrap().log_level, all(LevelFilter::DEBUG));
        assert_eq!(read(&[], &[("GANNET_VERBOSE", "yes")]).unwrap().log_level, all(LevelFilter::DEBUG));
    }

    #[test]
    fn the_access_log_has_the_log_s_format_and_is_off_with_it_unless_asked_for() {
        let log = |arguments: &[&str]| read(arguments, &[]).unwrap().access_log;
        let formats = [("text", gannet::LogFormat::Combined), ("json", gannet::LogFormat::Json)];
        for (name, format) in formats {
            assert_eq!(log(&["--log", name]).map(|log| log.format), Some(format));
        }
        for arguments in [&["--log", "off"][..], &["-q"], &["--access-log", "off"]] {
            assert_eq!(log(arguments), None);
        }
        let file = log(&["-q", "--access-log", "./off"]).map(|log| log.destination);
        assert_eq!(file, Some(LogDestination::File("./off".into())));
    }

    #[test]
    fn a_wrong_value_is_told_with_where_it_is_from_and_what_would_be_right() {
        for (arguments, environment, expected) in [
            (
                &["--listen", "here:80"][..],
                &[][..],
                "--listen here:80: this is no address; write IP:PORT, localhost:PORT, PORT or unix:PATH, such as 127.0.0.1:8080",
            ),
            (
                &[],
                &[("GANNET_LISTEN", "1,127.0.0.1")],
                "GANNET_LISTEN=1,127.0.0.1: the address lacks a port; write 127.0.0.1:8080",
            ),
            (
                &["--workers", "-1"],
                &[],
                "--workers -1: give a number of threads from 0 to 1024; 0: one for each core",
            ),
            (
                &[],
                &[("GANNET_WORKERS", "all")],
                "GANNET_WORKERS=all: give a number of threads from 0 to 1024; 0: one for each core",
            ),
            (&["--backend", "iocp"], &[], "--backend iocp: a backend is auto, epoll, uring or kqueue"),
            (&["--mmap", "yes"], &[], "--mmap yes: mapped sends are auto, on or off"),
            (&["--listing", "no"], &[], "--listing no: listings are on or off"),
            (&["--log", "xml"], &[], "--log xml: a log is text, json or off"),
            (
                &["--log-level", "3"],
                &[],
                "--log-level 3: a level is off, error, warn, info, debug or trace, also of a target, as in info,gannet_server=debug",
            ),
            (
                &["--admin", "here"],
                &[],
                "--admin here: this is no address; write IP:PORT, localhost:PORT, PORT or unix:PATH, such as 127.0.0.1:8080",
            ),
            (
                &["--admin", "unix:/run/admin"],
                &[],
                "--admin unix:/run/admin: the admin listener takes no Unix socket; write IP:PORT, localhost:PORT or PORT",
            ),
            (&[], &[("GANNET_QUIET", "please")], "GANNET_QUIET=please: write true or false"),
            (
                &["--listen", "8080", "--admin", "127.0.0.1:8080"],
                &[],
                "--listen 8080 and --admin 127.0.0.1:8080 overlap; give one of them another port",
            ),
            (
                &["--listen", "80", "--listen", "127.0.0.1:80"],
                &[],
                "the addresses 80 and 127.0.0.1:80 overlap; 80 alone is enough",
            ),
        ] {
            assert_eq!(complaint(arguments, environment), expected);
        }
    }

    #[test]
    fn the_help_fits_a_screen_and_tells_how_every_flag_s_variable_is_named() {
        let Err(Stop::Told(help)) = read(&["--help"], &[]) else { panic!("--help tells nothing") };
        assert!(help.lines().count() < 24, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        for (flag, _) in flags() {
            assert!(help.contains(&flag), "{flag}: {help}");
        }
        assert!(help.contains("--log-level is GANNET_LOG_LEVEL"), "{help}");
        assert!(flags().contains(&("--log-level".to_owned(), "GANNET_LOG_LEVEL".to_owned())));
    }

    /// Each flag that has a variable, and the variable.
    fn flags() -> Vec<(String, String)> {
        let command = Arguments::command();
        let flags = command.get_arguments().filter_map(|argument| argument.get_long());
        flags.map(|flag| (format!("--{flag}"), variable(flag))).collect()
    }

    #[test]
    fn the_reference_has_a_row_for_every_flag_and_its_variable() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command-line.md");
        let reference = std::fs::read_to_string(path).unwrap();
        for (flag, variable) in flags() {
            let row = format!("`{flag}` | `{variable}` |");
            assert!(reference.lines().any(|line| line.contains(&row)), "docs/command-line.md has no {row}");
        }
    }
}
