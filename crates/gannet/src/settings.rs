//! How an application is served: by how many threads, within which limits, seen by whom.

use std::fmt;
use std::net::ToSocketAddrs;
use std::panic::Location;

use gannet_server::host::BackendChoice;
use gannet_server::{AccessLog, Limits, MappedSends};

use crate::App;

impl App {
    /// Whether each worker is kept on one core of those that this process may use; more workers than cores take turns. By default
    /// the kernel moves them as it likes.
    #[must_use]
    pub fn pin(mut self, pin: bool) -> App {
        self.pin = pin;
        self
    }

    /// How many worker threads; 0, the default: one for each core.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> App {
        self.workers = workers;
        self
    }

    /// Which engine; by default the best this machine can run.
    #[must_use]
    pub fn backend(mut self, backend: BackendChoice) -> App {
        self.backend = backend;
        self
    }

    /// The limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> App {
        self.limits = limits;
        self
    }

    /// Tells health (`/healthz`, `/readyz`) and metrics (`/metrics`) on an address of their own, which nobody but those who watch
    /// the server should reach; port 0 takes a free one. By default nowhere. `docs/metrics.md` has every metric.
    #[must_use]
    #[track_caller]
    pub fn admin(mut self, address: impl ToSocketAddrs + fmt::Debug) -> App {
        match address.to_socket_addrs().map(|mut addresses| addresses.next()) {
            Ok(Some(address)) => self.admin = Some(address),
            Ok(None) => {
                self.mistake(Location::caller(), format!("{address:?} is no address for the admin listener"))
            }
            Err(error) => {
                self.mistake(
                    Location::caller(),
                    format!("{address:?} is no address for the admin listener: {error}"),
                );
            }
        }
        self
    }

    /// Logs a line for each request, when it is over. By default there is no access log. `docs/logging.md` has the formats.
    #[must_use]
    pub fn access_log(mut self, log: AccessLog) -> App {
        self.access_log = Some(log);
        self
    }

    /// Which files are sent from a mapping of them, which only the kernel reads; by default those that are cheaper to send so.
    #[must_use]
    pub fn mapped_sends(mut self, mapped_sends: MappedSends) -> App {
        self.mapped_sends = mapped_sends;
        self
    }

    /// Lets the environment have the last word: `GANNET_LISTEN` (addresses and `unix:PATH`s, separated by commas), `GANNET_WORKERS`,
    /// `GANNET_BACKEND` (`auto`, `epoll`, `uring`), `GANNET_MMAP` (`auto`, `on`, `off`).
    #[must_use]
    #[track_caller]
    pub fn environment(mut self) -> App {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(addresses) = set("GANNET_LISTEN") {
            self.listen.clear();
            for address in addresses.split(',').map(str::trim) {
                self = match address.strip_prefix("unix:") {
                    Some(path) => self.listen_unix(path),
                    None => self.listen(address),
                };
            }
        }
        if let Some(workers) = set("GANNET_WORKERS") {
            match workers.parse() {
                Ok(workers) => self.workers = workers,
                Err(_) => {
                    self.mistake(
                        Location::caller(),
                        format!("GANNET_WORKERS is {workers:?}; it is a number of threads"),
                    );
                }
            }
        }
        if let Some(backend) = set("GANNET_BACKEND") {
            match backend.parse() {
                Ok(backend) => self.backend = backend,
                Err(error) => {
                    self.mistake(Location::caller(), format!("GANNET_BACKEND is {backend:?}: {error}"))
                }
            }
        }
        if let Some(mapped_sends) = set("GANNET_MMAP") {
            match mapped_sends.parse() {
                Ok(mapped_sends) => self.mapped_sends = mapped_sends,
                Err(error) => {
                    self.mistake(Location::caller(), format!("GANNET_MMAP is {mapped_sends:?}: {error}"))
                }
            }
        }
        self
    }
}
