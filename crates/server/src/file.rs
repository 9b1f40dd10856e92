//! Step 8, respond, for files: a range goes out in pieces, and each only when the kernel has it in memory, so that a slow disk holds up
//! nobody but those who want what is on it.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use gannet_core::Later;
use gannet_engine::{Output, SocketId};

use crate::connection::Active;
use crate::local::Local;

/// How much is put into the output at a time: what the engine maps in one go. Each piece is looked for in memory
/// just before it is sent.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;

/// A range of a file on its way into the output.
pub(crate) struct Piecewise {
    file: Arc<File>,
    rest: Range<u64>,
    /// It is sent from a mapping.
    mapped: bool,
    /// The next piece is being read from the disk.
    warming: Option<Later<()>>,
}

impl Piecewise {
    pub(crate) fn new(file: Arc<File>, range: Range<u64>, mapped: bool) -> Piecewise {
        Piecewise { file, rest: range, mapped, warming: None }
    }

    /// Whether all of it is in the output.
    pub(crate) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Puts the next piece into the output, or breaks off because the disk has to be waited for.
    pub(crate) fn pull(
        &mut self,
        active: &mut Active,
        socket: SocketId,
        local: &mut Local,
    ) -> ControlFlow<()> {
        let piece = self.rest.start..self.rest.end.min(self.rest.start + PIECE_BYTES);
        if self.warming.is_none() {
            self.warming = local.disk.warm(&self.file, &piece);
        }
        if let Some(warming) = &mut self.warming {
            let waker = local.wakers.waker(socket.index);
            match Pin::new(warming).poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => return ControlFlow::Break(()),
                Poll::Ready(()) => self.warming = None,
            }
        }
        self.rest.start = piece.end;
        let push = if self.mapped { Output::push_mapped } else { Output::push_file };
        push(active.wire.output(local), self.file.clone(), piece);
        ControlFlow::Continue(())
    }
}
