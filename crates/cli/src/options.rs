//! What was asked for: on the command line, else in the environment, else by default.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use gannet::{AccessLog, BackendChoice, LogDestination, MappedSends, Networks};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::address::Place;
use crate::arguments::{Arguments, Common, FilesArguments};
use crate::logging::{self, LogFormat};
use crate::proxy::ProxyOptions;
use crate::sources::Sources;
use crate::tls::TlsOptions;

/// What to do.
#[derive(Debug)]
pub struct Options {
    /// What is served.
    pub task: Task,
    /// Where to listen.
    pub listen: Vec<Place>,
    /// Sockets were handed over, and are not among those.
    pub ignores_sockets: bool,
    /// TLS, if that is spoken.
    pub tls: Option<TlsOptions>,
    /// The proxies that are believed.
    pub trust: Networks,
    /// Whether connections begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// Do not speak HTTP/2.
    pub http1_only: bool,
    /// Whether other processes may listen on the same ports.
    pub share_port: bool,
    /// Whether each worker is kept on a core.
    pub pin: bool,
    /// Threads that serve; 0: one for each core.
    pub workers: usize,
    /// The engine.
    pub backend: BackendChoice,
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

/// What is served.
#[derive(Debug)]
pub enum Task {
    /// A folder.
    Files(FilesOptions),
    /// What other servers answer.
    Proxy(ProxyOptions),
}

/// How a folder is served.
#[derive(Debug)]
pub struct FilesOptions {
    /// Which.
    pub folder: PathBuf,
    /// Which files are sent from a mapping.
    pub mmap: MappedSends,
    /// It is an application of a single page.
    pub spa: bool,
    /// Without an index it is listed.
    pub listing: bool,
}

/// Why nothing is served.
#[derive(PartialEq, Eq, Debug)]
pub enum Stop {
    /// Something was asked for that is now told: the help, the version.
    Told(String),
    /// The command line, or the environment, is wrong.
    Misused(String),
}

/// More threads than any machine has cores for are a slip of the finger.
const MOST_WORKERS: usize = 1024;

/// Where to listen if nobody says: in clear text, and with TLS.
const DEFAULT_PORTS: (u16, u16) = (8080, 8443);

impl Options {
    /// Reads the command line (the program's name first) and the environment.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Options, Stop> {
        let arguments = Arguments::read(arguments)?;
        Options::resolve(arguments, &Sources::new(environment)).map_err(Stop::Misused)
    }

    fn resolve<E>(arguments: Arguments, sources: &Sources<E>) -> Result<Options, String>
    where
        E: Fn(&str) -> Option<OsString>,
    {
        match arguments {
            Arguments::Files(mut files) => {
                let task = Task::Files(FilesOptions::take(&mut files, sources)?);
                Options::common(files.common, task, sources)
            }
            Arguments::Proxy(mut proxy) => {
                let task = Task::Proxy(ProxyOptions::take(&mut proxy, sources)?);
                Options::common(proxy.common, task, sources)
            }
        }
    }

    /// What both commands have.
    fn common<E>(mut common: Common, task: Task, sources: &Sources<E>) -> Result<Options, String>
    where
        E: Fn(&str) -> Option<OsString>,
    {
        let log = sources.one("log", common.log.take(), str::parse)?;
        let log = log.unwrap_or_else(LogFormat::by_terminal);
        let quiet = sources.switch("quiet", common.quiet)?;
        let access_log =
            sources.one("access-log", common.access_log.take(), |text| Ok(parse_access_log(text)))?;
        let by_default = (log != LogFormat::Off && !quiet).then_some(LogDestination::StandardOutput);
        let destination = access_log.unwrap_or(by_default);
        let tls = TlsOptions::take(&mut common, sources)?;
        let listen = places(std::mem::take(&mut common.listen), tls.is_some(), sources)?;
        let admin = sources.one("admin", common.admin.take(), parse_admin)?;
        apart(&listen, tls.as_ref().and_then(|tls| tls.redirect.as_ref()), admin.as_ref())?;
        let trust = sources.several("trust", std::mem::take(&mut common.trust), parse_networks)?;
        let trust: Networks = trust.into_iter().flatten().collect();
        let proxy_protocol = sources.switch("proxy-protocol", common.proxy_protocol)?;
        if proxy_protocol && trust.is_empty() {
            return Err("--proxy-protocol lets whoever connects say who the client is; name those who may by --trust, such as --trust 10.0.0.0/8".to_owned());
        }
        Ok(Options {
            task,
            ignores_sockets: sources.has_sockets() && !listen.contains(&Place::Systemd),
            listen,
            tls,
            trust,
            proxy_protocol,
            http1_only: sources.switch("http1-only", common.http1_only)?,
            share_port: sources.switch("share-port", common.share_port)?,
            pin: sources.switch("pin", common.pin)?,
            workers: sources.one("workers", common.workers.take(), parse_workers)?.unwrap_or(0),
            backend: sources.one("backend", common.backend.take(), parse_backend)?.unwrap_or_default(),
            log,
            log_level: log_level(&mut common, quiet, sources)?,
            access_log: destination.map(|destination| AccessLog { format: log.of_requests(), destination }),
            admin: admin.map(|place| place.admin_address()).transpose()?,
            quiet,
        })
    }
}

impl FilesOptions {
    fn take<E>(arguments: &mut FilesArguments, sources: &Sources<E>) -> Result<FilesOptions, String>
    where
        E: Fn(&str) -> Option<OsString>,
    {
        Ok(FilesOptions {
            folder: arguments.folder.take().unwrap_or_else(|| PathBuf::from(".")),
            mmap: sources.one("mmap", arguments.mmap.take(), parse_mmap)?.unwrap_or_default(),
            spa: sources.switch("spa", arguments.spa)?,
            listing: sources.one("listing", arguments.listing.take(), parse_listing)?.unwrap_or(true),
        })
    }
}

fn log_level<E>(common: &mut Common, quiet: bool, sources: &Sources<E>) -> Result<Targets, String>
where
    E: Fn(&str) -> Option<OsString>,
{
    let levels = sources.one("log-level", common.log_level.take(), logging::levels)?;
    let verbose = sources.switch("verbose", common.verbose)?;
    Ok(match levels {
        _ if quiet => Targets::new().with_default(LevelFilter::ERROR),
        _ if verbose => Targets::new().with_default(LevelFilter::DEBUG),
        Some(levels) => levels,
        None => Targets::new().with_default(LevelFilter::INFO),
    })
}

/// Where to listen: every flag, else the variable's list, else what was handed over.
fn places<E>(typed: Vec<OsString>, tls: bool, sources: &Sources<E>) -> Result<Vec<Place>, String>
where
    E: Fn(&str) -> Option<OsString>,
{
    let mut places: Vec<Place> = sources.several("listen", typed, str::parse)?;
    if places.is_empty() && sources.has_sockets() {
        places.push(Place::Systemd);
    }
    if places.is_empty() {
        let port = if tls { DEFAULT_PORTS.1 } else { DEFAULT_PORTS.0 };
        places.push(Place::Address(SocketAddr::from(([127, 0, 0, 1], port))));
    }
    distinct(&places)?;
    Ok(places)
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

/// What is listened on beside would find its address in use, by another program as it seems.
fn apart(listen: &[Place], redirect: Option<&Place>, admin: Option<&Place>) -> Result<(), String> {
    let mut all: Vec<(&str, &Place)> = listen.iter().map(|place| ("--listen", place)).collect();
    for (flag, place) in [("--redirect", redirect), ("--admin", admin)] {
        let Some(place) = place else { continue };
        if let Some((other, taken)) = all.iter().find(|(_, other)| other.covers(place) || place.covers(other))
        {
            return Err(format!("{other} {taken} and {flag} {place} overlap; give one of them another port"));
        }
        all.push((flag, place));
    }
    Ok(())
}

fn parse_networks(text: &str) -> Result<Networks, String> {
    text.parse().map_err(|error: <Networks as std::str::FromStr>::Err| error.to_string())
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gannet::{Balance, HostField, ProxyProtocol, UpstreamProtocol};

    use crate::tls::{Certificates, Clients};

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

    fn files(options: &Options) -> &FilesOptions {
        match &options.task {
            Task::Files(files) => files,
            Task::Proxy(_) => panic!("a folder is served"),
        }
    }

    fn proxy(options: &Options) -> &ProxyOptions {
        match &options.task {
            Task::Proxy(proxy) => proxy,
            Task::Files(_) => panic!("requests are passed on"),
        }
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
        assert_eq!(files(&options).folder, PathBuf::from("."));
        assert_eq!(options.listen, ["127.0.0.1:8080".parse().unwrap()]);
        assert!(!options.pin && !options.share_port && !options.ignores_sockets);
        assert_eq!((options.workers, options.backend), (0, BackendChoice::Auto));
        assert_eq!((&options.log_level, options.quiet), (&all(LevelFilter::INFO), false));
        let log = options.access_log.as_ref().map(|log| log.destination.clone());
        assert_eq!(log, Some(LogDestination::StandardOutput));
        assert!(options.admin.is_none());
        assert!(files(&options).listing && !files(&options).spa);
        assert_eq!(files(&options).mmap, MappedSends::Auto);
        assert!(options.tls.is_none() && options.trust.is_empty());
        assert!(!options.proxy_protocol && !options.http1_only);
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
        assert_eq!(files(&options).folder, PathBuf::from("public"));
        let places = ["127.0.0.1:1", "[::1]:2", "unix:/run/s"].map(|place| place.parse().unwrap());
        assert_eq!(options.listen, places);
        assert!(options.pin && options.share_port);
        assert_eq!((options.workers, options.backend), (3, BackendChoice::Epoll));
        assert_eq!((files(&options).mmap, files(&options).listing), (MappedSends::Off, false));
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
        assert_eq!((files(&options).mmap, files(&options).listing), (MappedSends::On, false));
        assert!(files(&read(&["--listing", "on"], &environment).unwrap()).listing);
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

    /// Flags of TLS that go together.
    const PAIR: [&str; 4] = ["--tls-cert", "a.pem", "--tls-key", "a.key"];

    #[test]
    fn tls_is_by_files_or_self_signed_and_has_a_port_of_its_own() {
        let options = read(&PAIR, &[]).unwrap();
        assert_eq!(options.listen, ["127.0.0.1:8443".parse().unwrap()]);
        let pairs = |pairs: &[(&str, &str)]| {
            Certificates::Files(pairs.iter().map(|(a, b)| (a.into(), b.into())).collect())
        };
        let tls = options.tls.unwrap();
        assert_eq!(tls.certificates, pairs(&[("a.pem", "a.key")]));
        assert_eq!((tls.clients, tls.redirect, tls.hsts), (None, None, None));
        let several = [&PAIR[..], &["--tls-cert", "b.pem", "--tls-key", "b.key"]].concat();
        let tls = read(&several, &[]).unwrap().tls.unwrap();
        assert_eq!(tls.certificates, pairs(&[("a.pem", "a.key"), ("b.pem", "b.key")]));
        let environment = [("GANNET_TLS_CERT", "a.pem,b.pem"), ("GANNET_TLS_KEY", "a.key, b.key")];
        assert_eq!(read(&[], &environment).unwrap().tls.unwrap().certificates, tls.certificates);
        let self_signed = read(&["--tls", "self-signed", "--listen", "443"], &[]).unwrap();
        assert_eq!(self_signed.tls.unwrap().certificates, Certificates::SelfSigned);
        assert_eq!(self_signed.listen, [Place::EveryInterface(443)]);
        assert!(read(&["--tls", "off"], &[("GANNET_TLS", "self-signed")]).unwrap().tls.is_none());
    }

    #[test]
    fn what_belongs_to_tls_is_taken_with_it() {
        let with = |flags: &[&str]| read(&[&PAIR[..], flags].concat(), &[]).unwrap().tls.unwrap();
        let clients = |optional| Some(Clients { authorities: "ca.pem".into(), optional });
        assert_eq!(with(&["--tls-client-ca", "ca.pem"]).clients, clients(false));
        assert_eq!(
            with(&["--tls-client-ca", "ca.pem", "--tls-client-auth", "optional"]).clients,
            clients(true)
        );
        assert_eq!(with(&["--redirect", "80"]).redirect, Some(Place::EveryInterface(80)));
        let hsts = |text: &str| with(&["--hsts", text]).hsts.map(|hsts| hsts.to_string());
        assert_eq!(hsts("1y").as_deref(), Some("max-age=31536000"));
        assert_eq!(hsts("30d,subdomains").as_deref(), Some("max-age=2592000; includeSubDomains"));
        assert_eq!(
            hsts("2y, subdomains, preload").as_deref(),
            Some("max-age=63072000; includeSubDomains; preload")
        );
        assert_eq!(hsts("off"), None);
    }

    #[test]
    fn http_2_is_not_spoken_if_that_is_asked_for() {
        assert!(read(&["--http1-only"], &[]).unwrap().http1_only);
        assert!(read(&[], &[("GANNET_HTTP1_ONLY", "true")]).unwrap().http1_only);
    }

    #[test]
    fn networks_that_are_trusted_add_up() {
        let options =
            read(&["--trust", "10.0.0.0/8,loopback", "--trust", "fd00::/8", "--proxy-protocol"], &[]);
        let options = options.unwrap();
        for address in ["10.1.1.1", "127.0.0.1", "::1", "fd00::1"] {
            assert!(options.trust.contains(address.parse().unwrap()), "{address}");
        }
        assert!(options.proxy_protocol && !options.trust.contains("192.0.2.1".parse().unwrap()));
        let options = read(&[], &[("GANNET_TRUST", "private, 192.0.2.1")]).unwrap();
        assert!(options.trust.contains("192.0.2.1".parse().unwrap()));
        assert!(options.trust.contains("172.16.0.1".parse().unwrap()));
    }

    #[test]
    fn the_proxy_takes_upstreams_and_what_both_commands_have() {
        let options = read(&["proxy", ":3000"], &[("GANNET_SPA", "nonsense of the other command")]).unwrap();
        let expected = ProxyOptions {
            upstreams: vec![":3000".to_owned()],
            balance: Balance::RoundRobin,
            host: HostField::Kept,
            protocol: UpstreamProtocol::Negotiated,
            send_proxy: None,
            upstream_ca: None,
            connect_timeout: None,
            head_timeout: None,
            idle_timeout: None,
        };
        assert_eq!(*proxy(&options), expected);
        assert_eq!(options.listen, ["127.0.0.1:8080".parse().unwrap()]);
        let flags = [
            &[
                "proxy",
                "https://a.example",
                "--listen",
                "80",
                "unix:/run/b",
                "--balance",
                "least-connections",
            ][..],
            &[
                "--host",
                "upstream",
                "--upstream-http",
                "2",
                "--send-proxy",
                "v2",
                "--upstream-ca",
                "ca.pem",
                "--connect-timeout",
                "500ms",
            ],
            &["--head-timeout", "2m", "--idle-timeout", "1h"],
        ];
        let options = read(&flags.concat(), &[]).unwrap();
        let expected = ProxyOptions {
            upstreams: vec!["https://a.example".to_owned(), "unix:/run/b".to_owned()],
            balance: Balance::LeastConnections,
            host: HostField::Upstream,
            protocol: UpstreamProtocol::Http2,
            send_proxy: Some(ProxyProtocol::V2),
            upstream_ca: Some("ca.pem".into()),
            connect_timeout: Some(Duration::from_millis(500)),
            head_timeout: Some(Duration::from_secs(120)),
            idle_timeout: Some(Duration::from_secs(3600)),
        };
        assert_eq!(*proxy(&options), expected);
        assert_eq!(options.listen, [Place::EveryInterface(80)]);
        assert_eq!(files(&read(&["./proxy"], &[]).unwrap()).folder, PathBuf::from("./proxy"));
    }

    #[test]
    fn flags_of_tls_that_do_not_go_together_are_told_with_the_way_out() {
        for (arguments, expected) in [
            (&["--tls-cert", "a.pem"][..], "--tls-cert a.pem has no key; add --tls-key FILE"),
            (&["--tls-key", "a.key"], "--tls-key a.key has no certificate; add --tls-cert FILE"),
            (
                &["--tls-cert", "a", "--tls-key", "b", "--tls-cert", "c"],
                "--tls-cert c has no key; add --tls-key FILE",
            ),
            (
                &["--tls", "self-signed", "--tls-cert", "a", "--tls-key", "b"],
                "--tls self-signed makes a certificate of its own, and --tls-cert a is another; leave one of them out",
            ),
            (
                &["--tls", "auto"],
                "--tls auto: TLS is self-signed or off; certificates of files are given by --tls-cert and --tls-key",
            ),
            (
                &["--tls", "self-signed", "--tls-client-auth", "optional"],
                "--tls-client-auth says how clients must have a certificate, and not whose; add --tls-client-ca FILE",
            ),
            (
                &["--tls-client-auth", "maybe"],
                "--tls-client-auth maybe: certificates of clients are required or optional",
            ),
            (
                &["--hsts", "365"],
                "--hsts 365: the unit is missing; write 365s for seconds (there are ms, s, m, h, d, w, y)",
            ),
            (
                &["--hsts", "1y,sub"],
                "--hsts 1y,sub: behind the duration stand subdomains or preload, as in 1y,subdomains",
            ),
            (
                &["--hsts", "30d,subdomains,preload"],
                "--hsts 30d,subdomains,preload: browsers preload only what is for a year or more and for subdomains; write 1y,subdomains,preload",
            ),
        ] {
            assert_eq!(complaint(arguments, &[]), expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_means_nothing_without_tls_is_told_with_how_to_have_it() {
        for (flag, value) in [
            ("--tls-client-ca", "a"),
            ("--tls-client-auth", "optional"),
            ("--redirect", "80"),
            ("--hsts", "1y"),
        ] {
            let expected = format!(
                "{flag} means nothing without TLS; add --tls-cert and --tls-key, or --tls self-signed"
            );
            assert_eq!(complaint(&[flag, value], &[]), expected);
        }
    }

    #[test]
    fn addresses_that_overlap_and_trust_in_nobody_are_told_with_the_way_out() {
        for (arguments, expected) in [
            (
                &["--redirect", "systemd"][..],
                "--redirect systemd: the redirect takes no socket that is handed over; write IP:PORT, localhost:PORT or PORT",
            ),
            (
                &["--tls", "self-signed", "--listen", "443", "--redirect", "443"],
                "--listen 443 and --redirect 443 overlap; give one of them another port",
            ),
            (
                &["--tls", "self-signed", "--redirect", "80", "--admin", "127.0.0.1:80"],
                "--redirect 80 and --admin 127.0.0.1:80 overlap; give one of them another port",
            ),
            (
                &["--proxy-protocol"],
                "--proxy-protocol lets whoever connects say who the client is; name those who may by --trust, such as --trust 10.0.0.0/8",
            ),
            (
                &["--trust", "10.0.0.1/8"],
                "--trust 10.0.0.1/8: \"10.0.0.1/8\" has bits beyond its prefix: write 10.0.0.0/8 for the network, or the address alone for one machine",
            ),
        ] {
            assert_eq!(complaint(arguments, &[]), expected, "{arguments:?}");
        }
    }

    #[test]
    fn wrong_values_of_the_proxy_are_told_with_right_ones() {
        for (arguments, expected) in [
            (
                &["proxy", ":1", "--balance", "random"][..],
                "--balance random: balancing is round-robin or least-connections",
            ),
            (
                &["proxy", ":1", "--host", "0.0.0.0"],
                "--host 0.0.0.0: Host is keep (the client's) or upstream (the upstream's own); an address to listen on is --listen",
            ),
            (
                &["proxy", ":1", "--upstream-http", "h2"],
                "--upstream-http h2: upstreams are spoken to by HTTP 1 or 2, or auto: over TLS by what they choose",
            ),
            (
                &["proxy", "h2c://a:1", "--upstream-http", "1"],
                "--upstream-http 1 and h2c://a:1 contradict each other; leave one of them out",
            ),
            (
                &["proxy", ":1", "--send-proxy", "3"],
                "--send-proxy 3: the PROXY header that is sent is v1, v2 or off",
            ),
            (
                &["proxy", ":1", "--head-timeout", "0s"],
                "--head-timeout 0s: in no time nothing can be done; write a longer one, such as 5s",
            ),
            (
                &["proxy", ":1", "--upstream-ca", "a.pem"],
                "--upstream-ca means nothing without TLS to an upstream; write one as https://HOST:PORT",
            ),
        ] {
            assert_eq!(complaint(arguments, &[]), expected, "{arguments:?}");
        }
    }
}
