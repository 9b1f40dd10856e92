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
    /// What to run on, and why it is not the best of this system's where that was to be tried. On Linux auto is io_uring where the
    /// kernel has it and allows it, since it costs less there (docs/engine.md has the figures).
    ///
    /// Where requests are passed on to upstreams it is epoll: bodies that come in and go out cost some six tenths there (BENCHMARKS.md, `proxy-100k` and
    /// `proxy-10m`: 31 and 53 µs, 3.4 and 5.9 ms), and small ones no more.
    pub(super) fn resolve(self, upstreams: bool) -> (BackendKind, Option<io::Error>) {
        match self {
            BackendChoice::Auto if upstreams => (BackendKind::LAST, None),
            BackendChoice::Auto => best(),
            BackendChoice::Epoll => (BackendKind::Epoll, None),
            BackendChoice::Uring => (BackendKind::Uring, None),
            BackendChoice::Kqueue => (BackendKind::Kqueue, None),
        }
    }

    /// The choice's name, as `--backend` takes it.
    pub fn name(self) -> &'static str {
        match self {
            BackendChoice::Auto => "auto",
            chosen => chosen.resolve(false).0.name(),
        }
    }
}

fn best() -> (BackendKind, Option<io::Error>) {
    let mut refusal = None;
    for kind in BackendKind::HERE.iter().filter(|kind| **kind != BackendKind::LAST) {
        match kind.open(Pool::new(4096, 1)) {
            Ok(_) => return (*kind, refusal),
            Err(error) => refusal = Some(error),
        }
    }
    (BackendKind::LAST, refusal)
}

/// An engine for one worker; made on its thread.
pub(super) fn engine(kind: BackendKind, limits: &Limits) -> io::Result<Engine> {
    let blocks = 2 * limits.connections + SHARED_BLOCKS;
    let block_bytes = if kind == BackendKind::Uring { 4 * 1024 } else { 16 * 1024 };
    kind.open(Pool::new(block_bytes, blocks)).map(Engine::new)
}
