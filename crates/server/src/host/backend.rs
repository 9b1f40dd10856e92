//! Which engine runs a worker.

use std::fmt;
use std::io;

use gannet_engine::epoll::Epoll;
use gannet_engine::sys::uring::Uring;
use gannet_engine::{Backend, Engine, Pool};

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
}

/// A name that is no backend's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownBackend;

impl std::str::FromStr for BackendChoice {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<BackendChoice, UnknownBackend> {
        [BackendChoice::Auto, BackendChoice::Epoll, BackendChoice::Uring]
            .into_iter()
            .find(|choice| choice.name() == name)
            .ok_or(UnknownBackend)
    }
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a backend is auto, epoll or uring")
    }
}

impl std::error::Error for UnknownBackend {}

impl BackendChoice {
    /// What to run on, and why it is not io_uring where that was to be tried: auto is io_uring where the kernel has it and allows it,
    /// since it costs less there (docs/engine.md has the figures).
    pub(super) fn resolve(self) -> (BackendChoice, Option<io::Error>) {
        if self != BackendChoice::Auto {
            return (self, None);
        }
        match Uring::new(Pool::new(4096, 1)) {
            Ok(_) => (BackendChoice::Uring, None),
            Err(error) => (BackendChoice::Epoll, Some(error)),
        }
    }

    /// The backend's name, as `--backend` takes it.
    pub fn name(self) -> &'static str {
        match self {
            BackendChoice::Auto => "auto",
            BackendChoice::Epoll => "epoll",
            BackendChoice::Uring => "uring",
        }
    }

    /// An engine for one worker; made on its thread.
    pub(super) fn engine(self, limits: &Limits) -> io::Result<Engine> {
        let blocks = 2 * limits.connections + SHARED_BLOCKS;
        let backend: Box<dyn Backend> = match self {
            BackendChoice::Uring => Box::new(Uring::new(Pool::new(4 * 1024, blocks))?),
            BackendChoice::Auto | BackendChoice::Epoll => Box::new(Epoll::new(Pool::new(16 * 1024, blocks))?),
        };
        Ok(Engine::new(backend))
    }
}
