//! Which engine runs a worker.

use std::fmt;
use std::io;

use gannet_engine::{BackendKind, Engine, Pool};

use crate::limits::Limits;

/// Blocks that a worker may receive into, beyond two for each connection: one that is its own, and one of the shared part.
pub(super) const SHARED_BLOCKS: usize = 1024;

/// Which engine to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BackendChoice {
    /// The best this machine can run.
    #[default]
    Auto,
    /// epoll(7).
    Epoll,
    /// io_uring(7).
    Uring,
    /// kqueue(2), of macOS and FreeBSD.
    Kqueue,
}

/// A name that is no backend's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownBackend;

impl std::str::FromStr for BackendChoice {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<BackendChoice, UnknownBackend> {
        [BackendChoice::Auto, BackendChoice::Epoll, BackendChoice::Uring, BackendChoice::Kqueue]
            .into_iter()
            .find(|choice| choice.name() == name)
            .ok_or(UnknownBackend)
    }
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a backend is auto, epoll, uring or kqueue")
    }
}

impl std::error::Error for UnknownBackend {}

impl BackendChoice {
    /// Auto is the best of this system's that the kernel allows. On Linux io_uring comes first: it measures no worse than epoll
    /// per small request (`cargo xtask bench keepalive`).
    pub(super) fn resolve(self) -> BackendKind {
        match self {
            BackendChoice::Auto => best(),
            BackendChoice::Epoll => BackendKind::Epoll,
            BackendChoice::Uring => BackendKind::Uring,
            BackendChoice::Kqueue => BackendKind::Kqueue,
        }
    }

    /// The choice's name, as `--backend` takes it.
    pub fn name(self) -> &'static str {
        match self {
            BackendChoice::Auto => "auto",
            chosen => chosen.resolve().name(),
        }
    }
}

fn best() -> BackendKind {
    for kind in BackendKind::HERE {
        match kind.open(Pool::new(4096, 1)) {
            Ok(_) => return *kind,
            Err(error) => tracing::info!(%error, "{} is not to be had here", kind.name()),
        }
    }
    // None could be opened just now, perhaps for want of descriptors: whoever opens this one will be told.
    BackendKind::LAST
}

/// An engine for one worker; made on its thread.
pub(super) fn engine(kind: BackendKind, limits: &Limits) -> io::Result<Engine> {
    let blocks = 2 * limits.connections + SHARED_BLOCKS;
    let block_bytes = if kind == BackendKind::Uring { 4 * 1024 } else { 16 * 1024 };
    kind.open(Pool::new(block_bytes, blocks)).map(Engine::new)
}
