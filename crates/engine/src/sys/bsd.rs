//! What macOS and FreeBSD have in common.

use std::io;

use gannet_block::Pool;
use rustix::io::Errno;

use super::kqueue::Kqueue;
use crate::{Backend, BackendKind};

/// The backends, the best first.
pub(crate) const BACKENDS: &[BackendKind] = &[BackendKind::Kqueue];

/// Opens a backend, if it is one of this system's.
pub(crate) fn open(kind: BackendKind, pool: Pool) -> Option<io::Result<Box<dyn Backend>>> {
    match kind {
        BackendKind::Kqueue => Some(Kqueue::new(pool).map(|backend| Box::new(backend) as Box<dyn Backend>)),
        BackendKind::Uring | BackendKind::Epoll => None,
    }
}

/// What sendfile(2) sent. A full socket and a signal end it in the midst: it fails then, and says beside it how much was sent.
pub(super) fn sent(status: libc::c_int, sent: libc::off_t) -> rustix::io::Result<usize> {
    let error = Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO);
    match usize::try_from(sent) {
        Ok(sent) if status == 0 => Ok(sent),
        Ok(sent) if sent > 0 && matches!(error, Errno::AGAIN | Errno::INTR) => Ok(sent),
        _ => Err(error),
    }
}
