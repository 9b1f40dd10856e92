//! Why a server did not start, in one line with the way out.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use gannet_engine::{BackendKind, Unfit};
use rustix::io::Errno;

use super::UnixError;
use crate::observe::LogDestination;

/// Why the server did not start.
#[derive(Debug)]
pub enum StartError {
    /// An address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// A Unix socket cannot be made at the path.
    Unix(PathBuf, UnixError),
    /// Nothing can be accepted from the descriptor of this number and name that was handed over.
    Unfit(i32, String, Unfit),
    /// Sockets that were handed over cannot be taken.
    Handover(io::Error),
    /// There is no descriptor left for the copy of a listening socket.
    Copy(io::Error),
    /// A worker cannot be kept on a core.
    Pin(io::Error),
    /// The engine cannot run here.
    Engine(&'static str, io::Error),
    /// The limit of descriptors leaves room for so few connections.
    Descriptors(u64),
    /// The admin listener's address cannot be listened on.
    Admin(SocketAddr, io::Error),
    /// The access log's file cannot be opened.
    AccessLog(LogDestination, io::Error),
    /// A worker's state could not be made: its type, and what was said.
    State(String),
    /// A thread or its runtime could not be made.
    Thread(io::Error),
}

/// What mends it, in the words of whoever reads of it.
struct Ways {
    address: &'static str,
    port: &'static str,
    admin: &'static str,
    workers: &'static str,
    pin: &'static str,
    epoll: &'static str,
    best: &'static str,
    log: &'static str,
}

/// Of a program's author.
const METHODS: Ways = Ways {
    address: "pass another address to App::listen",
    port: "pass a higher one to App::listen",
    admin: "pass another address to App::admin",
    workers: "lower App::workers",
    pin: "leave out App::pin",
    epoll: "BackendChoice::Epoll needs no io_uring",
    best: "BackendChoice::Auto takes the best of them",
    log: "name another file, or none",
};

/// Of whoever starts the binary.
const OPTIONS: Ways = Ways {
    address: "choose another with --listen",
    port: "choose a higher one with --listen",
    admin: "choose another with --admin",
    workers: "lower --workers",
    pin: "leave out --pin",
    epoll: "--backend epoll needs no io_uring",
    best: "--backend auto takes the best of them",
    log: "name another file, or - or off",
};

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tell(&METHODS, f)
    }
}

impl StartError {
    /// The same for whoever starts the binary, with its options.
    pub fn with_options(&self) -> impl fmt::Display {
        fmt::from_fn(|f| self.tell(&OPTIONS, f))
    }

    fn tell(&self, ways: &Ways, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, error) => {
                write!(f, "cannot listen on {address}: {}{}", said(error), way_to_listen(error, ways))
            }
            StartError::Admin(address, error) => {
                let ways = &Ways { address: ways.admin, port: ways.admin, ..*ways };
                let way = way_to_listen(error, ways);
                write!(f, "cannot listen on {address} for the admin listener: {}{way}", said(error))
            }
            StartError::AccessLog(LogDestination::File(path), error) => {
                let path = path.display();
                write!(f, "the access log {path} cannot be opened: {}; {}", said(error), ways.log)
            }
            StartError::AccessLog(LogDestination::StandardOutput, error) => {
                write!(f, "the access log's writer cannot be started: {}", said(error))
            }
            StartError::Copy(error) => {
                write!(
                    f,
                    "the listening sockets cannot be duplicated: {}; raise the limit of descriptors (ulimit -n)",
                    said(error)
                )
            }
            StartError::Unix(path, error) => write!(f, "cannot listen on unix:{}: {error}", path.display()),
            StartError::Unfit(number, name, unfit) => {
                let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
                write!(f, "descriptor {number}{name}, which was handed over, {unfit}; see systemd.socket(5)")
            }
            StartError::Handover(error) => {
                write!(f, "the sockets that were handed over cannot be taken: {}", said(error))
            }
            StartError::Pin(error) => {
                write!(f, "a worker cannot be kept on a core: {}; {}", said(error), ways.pin)
            }
            StartError::Engine(name, error) => {
                let whether = match error.kind() {
                    io::ErrorKind::PermissionDenied => "not permitted",
                    _ => "not available",
                };
                write!(f, "the {name} backend is {whether}: {}", said(error))?;
                match error.kind() {
                    _ if *name == BackendKind::Uring.name() => write!(f, "; {}", ways.epoll),
                    io::ErrorKind::Unsupported => write!(f, "; {}", ways.best),
                    _ => Ok(()),
                }
            }
            StartError::Descriptors(limit) => {
                write!(
                    f,
                    "the limit of {limit} open descriptors is too low to serve; raise it (ulimit -n 1024)"
                )
            }
            StartError::State(said) => write!(f, "cannot make {said}"),
            StartError::Thread(error) => write!(f, "cannot start a worker: {}", said(error)),
        }
    }
}

impl std::error::Error for StartError {}

/// What helps where bind(2) or listen(2) refuse.
fn way_to_listen(error: &io::Error, ways: &Ways) -> String {
    let Ways { address, port, workers, .. } = ways;
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ADDRINUSE) => format!("; another program listens there: stop it, or {address}"),
        Some(Errno::ACCESS) => format!("; ports below 1024 need a privilege: {port}"),
        Some(Errno::ADDRNOTAVAIL) => format!("; no interface of this machine has the address: {address}"),
        Some(Errno::AFNOSUPPORT) => format!("; this machine has no addresses of that kind: {address}"),
        Some(Errno::MFILE | Errno::NFILE) => {
            format!(
                "; each worker listens for itself: raise the limit of descriptors (ulimit -n), or {workers}"
            )
        }
        _ => String::new(),
    }
}

/// What the system says, in lower case and without its number.
pub(super) fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use gannet_engine::Pool;

    use super::*;

    #[test]
    fn an_engine_that_the_kernel_forbids_is_told_with_one_that_it_allows() {
        for (kind, reason, expected) in [
            (
                io::ErrorKind::PermissionDenied,
                "io_uring is forbidden here",
                "the uring backend is not permitted: io_uring is forbidden here; --backend epoll needs no io_uring",
            ),
            (
                io::ErrorKind::Unsupported,
                "this kernel has no io_uring",
                "the uring backend is not available: this kernel has no io_uring; --backend epoll needs no io_uring",
            ),
        ] {
            let error = StartError::Engine("uring", io::Error::new(kind, reason));
            assert_eq!(error.with_options().to_string(), expected);
            assert!(error.to_string().ends_with("BackendChoice::Epoll needs no io_uring"));
        }
        let elsewhere = BackendKind::Kqueue.open(Pool::new(4096, 1)).err();
        assert_eq!(
            StartError::Engine("kqueue", elsewhere.expect("this is Linux")).with_options().to_string(),
            "the kqueue backend is not available: this system's are uring and epoll; --backend auto takes the best of them"
        );
        let exhausted = StartError::Engine("epoll", io::Error::from_raw_os_error(24));
        assert_eq!(exhausted.to_string(), "the epoll backend is not available: too many open files");
    }

    #[test]
    fn what_watches_the_server_is_told_with_its_own_flag() {
        let address: SocketAddr = "127.0.0.1:9000".parse().unwrap();
        let error = StartError::Admin(address, Errno::ADDRINUSE.into());
        assert!(error.to_string().ends_with("App::admin"), "{error}");
        let told = error.with_options().to_string();
        assert!(
            told.contains("127.0.0.1:9000 for the admin listener") && told.ends_with("--admin"),
            "{told}"
        );
        let log = LogDestination::File("/no/such/log".into());
        assert_eq!(
            StartError::AccessLog(log, Errno::NOENT.into()).with_options().to_string(),
            "the access log /no/such/log cannot be opened: no such file or directory; name another file, or - or off"
        );
    }

    #[test]
    fn an_address_that_cannot_be_listened_on_is_told_with_why_and_what_helps() {
        let address: SocketAddr = "[::1]:80".parse().unwrap();
        for (errno, expected) in [
            (Errno::ADDRINUSE, "address already in use; another program listens there: stop it,"),
            (Errno::ACCESS, "permission denied; ports below 1024 need a privilege: choose a higher one"),
            (Errno::ADDRNOTAVAIL, "cannot assign requested address; no interface of this machine has"),
            (
                Errno::AFNOSUPPORT,
                "address family not supported by protocol; this machine has no addresses of that",
            ),
            (Errno::MFILE, "too many open files; each worker listens for itself: raise the limit"),
        ] {
            let error = StartError::Listen(address, errno.into());
            let told = error.with_options().to_string();
            assert!(told.starts_with(&format!("cannot listen on [::1]:80: {expected}")), "{told}");
            let told = error.to_string();
            assert!(told.contains("App::") && !told.contains("--"), "a program has no options: {told}");
        }
    }
}
