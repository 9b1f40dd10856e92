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

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, error) => {
                write!(f, "cannot listen on {address}: {}{}", said(error), way_to_listen(error))
            }
            StartError::Admin(address, error) => {
                let way = way_to_listen(error).replace("--listen", "--admin");
                write!(f, "cannot listen on {address} for the admin listener: {}{way}", said(error))
            }
            StartError::AccessLog(LogDestination::File(path), error) => {
                let path = path.display();
                write!(
                    f,
                    "the access log {path} cannot be opened: {}; name another file, or - or off",
                    said(error)
                )
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
                write!(f, "a worker cannot be kept on a core: {}; leave out --pin", said(error))
            }
            StartError::Engine(name, error) => {
                let whether = match error.kind() {
                    io::ErrorKind::PermissionDenied => "not permitted",
                    _ => "not available",
                };
                let way = match error.kind() {
                    _ if *name == BackendKind::Uring.name() => "; --backend epoll needs no io_uring",
                    io::ErrorKind::Unsupported => "; --backend auto takes the best of them",
                    _ => "",
                };
                write!(f, "the {name} backend is {whether}: {}{way}", said(error))
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
fn way_to_listen(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ADDRINUSE) => {
            "; another program listens there. Stop it, or choose another port with --listen"
        }
        Some(Errno::ACCESS) => "; ports below 1024 need a privilege. Choose a higher one with --listen",
        Some(Errno::ADDRNOTAVAIL) => {
            "; no interface of this machine has the address. Choose another with --listen"
        }
        Some(Errno::AFNOSUPPORT) => {
            "; this machine has no addresses of that kind. Choose another with --listen"
        }
        Some(Errno::MFILE | Errno::NFILE) => {
            "; each worker listens for itself. Raise the limit of descriptors (ulimit -n), or lower --workers"
        }
        _ => "",
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
            assert_eq!(StartError::Engine("uring", io::Error::new(kind, reason)).to_string(), expected);
        }
        let elsewhere = BackendKind::Kqueue.open(Pool::new(4096, 1)).err();
        assert_eq!(
            StartError::Engine("kqueue", elsewhere.expect("this is Linux")).to_string(),
            "the kqueue backend is not available: this system's are uring and epoll; --backend auto takes the best of them"
        );
        let exhausted = StartError::Engine("epoll", io::Error::from_raw_os_error(24));
        assert_eq!(exhausted.to_string(), "the epoll backend is not available: too many open files");
    }

    #[test]
    fn what_watches_the_server_is_told_with_its_own_flag() {
        let address: SocketAddr = "127.0.0.1:9000".parse().unwrap();
        let told = StartError::Admin(address, Errno::ADDRINUSE.into()).to_string();
        assert!(
            told.contains("127.0.0.1:9000 for the admin listener") && told.ends_with("--admin"),
            "{told}"
        );
        let log = LogDestination::File("/no/such/log".into());
        assert_eq!(
            StartError::AccessLog(log, Errno::NOENT.into()).to_string(),
            "the access log /no/such/log cannot be opened: no such file or directory; name another file, or - or off"
        );
    }

    #[test]
    fn an_address_that_cannot_be_listened_on_is_told_with_why_and_what_helps() {
        let address: SocketAddr = "[::1]:80".parse().unwrap();
        for (errno, expected) in [
            (Errno::ADDRINUSE, "address already in use; another program listens there. Stop it,"),
            (Errno::ACCESS, "permission denied; ports below 1024 need a privilege. Choose a higher one"),
            (Errno::ADDRNOTAVAIL, "cannot assign requested address; no interface of this machine has"),
            (
                Errno::AFNOSUPPORT,
                "address family not supported by protocol; this machine has no addresses of that",
            ),
            (Errno::MFILE, "too many open files; each worker listens for itself. Raise the limit"),
        ] {
            let told = StartError::Listen(address, errno.into()).to_string();
            assert!(told.starts_with(&format!("cannot listen on [::1]:80: {expected}")), "{told}");
        }
    }
}
