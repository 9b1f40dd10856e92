//! Which backends there are on kernels, and which of them this system has.

use std::io;

use gannet_block::Pool;

use crate::Backend;
use crate::sys::system;

/// A backend on a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackendKind {
    /// io_uring(7), of Linux.
    Uring,
    /// epoll(7), of Linux.
    Epoll,
    /// kqueue(2), of macOS and FreeBSD.
    Kqueue,
}

impl BackendKind {
    /// Those of this system, the best first.
    pub const HERE: &'static [BackendKind] = system::BACKENDS;

    /// The one that this system always has.
    pub const LAST: BackendKind = system::BACKENDS[system::BACKENDS.len() - 1];

    /// Its name, as `--backend` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            BackendKind::Uring => "uring",
            BackendKind::Epoll => "epoll",
            BackendKind::Kqueue => "kqueue",
        }
    }

    /// Opens it, to receive into blocks of `pool`.
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported): another system has it, or a newer kernel;
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied): the kernel has it, and not for us. Else the descriptors are used up.
    pub fn open(self, pool: Pool) -> io::Result<Box<dyn Backend>> {
        system::open(self, pool).unwrap_or_else(|| {
            let here: Vec<&str> = BackendKind::HERE.iter().map(|kind| kind.name()).collect();
            let why = format!("this system's are {}", here.join(" and "));
            Err(io::Error::new(io::ErrorKind::Unsupported, why))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_of_another_system_is_refused_with_those_that_this_one_has() {
        for kind in [BackendKind::Uring, BackendKind::Epoll, BackendKind::Kqueue] {
            if BackendKind::HERE.contains(&kind) {
                continue;
            }
            let error = kind.open(Pool::new(4096, 1)).err().expect("it is not here");
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            for here in BackendKind::HERE {
                assert!(error.to_string().contains(here.name()), "{error}");
            }
        }
    }

    #[test]
    fn the_last_one_is_always_there_and_each_goes_by_its_name() {
        assert!(BackendKind::LAST.open(Pool::new(4096, 1)).is_ok());
        for kind in BackendKind::HERE {
            if let Ok(backend) = kind.open(Pool::new(4096, 1)) {
                assert_eq!(backend.name(), kind.name());
            }
        }
    }
}
