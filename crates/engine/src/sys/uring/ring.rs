//! The pair of queues shared with the kernel (io_uring(7)), and the descriptor that wakes the host.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, Probe, cqueue, opcode, squeue};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use super::tag::{CANCELLING, Tag};
use crate::{ListenerId, SocketId};

/// The one group of provided buffers.
pub(super) const BUFFER_GROUP: u16 = 0;

/// The queues, with the count of what is under way in the kernel.
pub(super) struct Ring {
    queues: IoUring,
    /// What did not fit into the submission queue while the kernel took no more.
    backlog: VecDeque<squeue::Entry>,
    /// Operations whose last completion has not been gathered.
    under_way: usize,
    wakeup: OwnedFd,
    /// The kernel signals `wakeup`.
    wakeup_enabled: bool,
}

/// What became of an operation.
pub(super) enum Outcome {
    /// A connection was accepted, or accepting came to its end.
    Accepted { listener: ListenerId, result: Result<OwnedFd, Errno>, more: bool },
    /// So many bytes came into a buffer (0: the peer's end), or receiving came to its end.
    Received { socket: SocketId, result: Result<usize, Errno>, buffer: Option<u16>, more: bool },
    /// So many bytes were sent; or the socket, which was full, takes more.
    Sent { socket: SocketId, result: Result<u32, Errno> },
    /// It was to be cancelled, and was not met where it waits. Mostly it is over, which its own completion tells. But it may have
    /// been on its way back to waiting (`ENOENT`), or in a thread of the kernel's (`EALREADY`; io_uring_prep_cancel(3)), and
    /// go on for ever: while it is under way, it is to be cancelled again.
    Evaded(Tag),
}

/// When the kernel does what has become possible for an operation: best first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// When we enter the ring, and a flag in shared memory says that there is some (`DEFER_TASKRUN`, Linux 6.1).
    Deferred,
    /// When we make any system call, with the same flag; it interrupts nothing else (`COOP_TASKRUN`, Linux 5.19).
    Cooperative,
}

impl Ring {
    /// Queues for so many operations and completions, in the best mode that the kernel knows.
    pub(super) fn new(submissions: u32, completions: u32) -> io::Result<Ring> {
        best(|mode| Ring::in_mode(mode, submissions, completions))
    }

    /// The same in one mode; `EINVAL` if the kernel does not know it.
    pub(super) fn in_mode(mode: Mode, submissions: u32, completions: u32) -> io::Result<Ring> {
        let mut builder = IoUring::builder();
        builder
            .setup_cqsize(completions)
            .setup_submit_all()
            .setup_single_issuer()
            .setup_coop_taskrun()
            .setup_taskrun_flag();
        if mode == Mode::Deferred {
            builder.setup_defer_taskrun();
        }
        Ring::on(builder.build(submissions)?)
    }

    fn on(mut queues: IoUring) -> io::Result<Ring> {
        check_age(&queues)?;
        let wakeup = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // With DEFER_TASKRUN the ring's own descriptor does not become readable: nothing completes until we enter.
        queues.submitter().register_eventfd(wakeup.as_raw_fd())?;
        queues.completion().disable_eventfd();
        Ok(Ring { queues, backlog: VecDeque::new(), under_way: 0, wakeup, wakeup_enabled: false })
    }

    /// Accepts connections until cancelled or failed.
    pub(super) fn accept(&mut self, id: ListenerId, listener: BorrowedFd<'_>) {
        let entry = opcode::AcceptMulti::new(Fd(listener.as_raw_fd()))
            .flags(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK)
            .build();
        // SAFETY: multishot accept is given no memory (the peer's address is not asked for).
        unsafe { self.begin(entry, Tag::Accept(id)) };
    }

    /// Receives into provided buffers until cancelled, ended or failed.
    pub(super) fn receive(&mut self, id: SocketId, socket: BorrowedFd<'_>) {
        let entry = opcode::RecvMulti::new(Fd(socket.as_raw_fd()), BUFFER_GROUP).build();
        // SAFETY: the memory is that of the buffer group, for which `Buffers` answers.
        unsafe { self.begin(entry, Tag::Receive(id)) };
    }

    /// Waits until the socket takes more.
    pub(super) fn wait_writable(&mut self, id: SocketId, socket: BorrowedFd<'_>) {
        let entry = opcode::PollAdd::new(Fd(socket.as_raw_fd()), libc::POLLOUT as u32).build();
        // SAFETY: poll is given no memory.
        unsafe { self.begin(entry, Tag::Send(id)) };
    }

    /// Begins an operation that completes under `tag`.
    ///
    /// # Safety
    /// Memory that the entry points to stays where it is, and unchanged, until the operation's last completion was gathered.
    pub(super) unsafe fn begin(&mut self, entry: squeue::Entry, tag: Tag) {
        self.under_way += 1;
        // SAFETY: as our caller promises.
        unsafe { self.push(entry.user_data(tag.bits())) };
    }

    /// Cancels an operation: it completes soon, with `ECANCELED` unless it was faster, or is told to have evaded.
    pub(super) fn cancel(&mut self, tag: Tag) {
        // The canceller's own success says nothing that the cancelled operation's completion does not.
        let entry = opcode::AsyncCancel::new(tag.bits()).build().flags(squeue::Flags::SKIP_SUCCESS);
        // SAFETY: cancelling is given no memory.
        unsafe { self.push(entry.user_data(CANCELLING | tag.bits())) };
    }

    /// Cancels all that is under way.
    pub(super) fn cancel_all(&mut self) {
        let entry = opcode::AsyncCancel2::new(CancelBuilder::any()).build();
        // SAFETY: cancelling is given no memory.
        unsafe { self.push(entry.user_data(CANCELLING)) };
    }

    /// How many operations are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// # Safety
    /// As for [`begin`](Ring::begin).
    unsafe fn push(&mut self, entry: squeue::Entry) {
        if self.backlog.is_empty() {
            // SAFETY: as our caller promises.
            if unsafe { self.queues.submission().push(&entry) }.is_ok() {
                return;
            }
            // Full: the kernel takes what is there and we go on. If it will not, `enter` tries again.
            let _ = self.queues.submit();
            // SAFETY: as our caller promises.
            if unsafe { self.queues.submission().push(&entry) }.is_ok() {
                return;
            }
        }
        self.backlog.push_back(entry);
    }

    fn push_backlog(&mut self) {
        let mut submissions = self.queues.submission();
        while let Some(entry) = self.backlog.front() {
            // SAFETY: whoever pushed the entry promised that its memory stays until the operation has completed.
            if unsafe { submissions.push(entry) }.is_err() {
                return;
            }
            self.backlog.pop_front();
        }
    }

    /// Whether operations wait for the next [`enter`](Ring::enter).
    fn has_queued(&mut self) -> bool {
        !self.backlog.is_empty() || !self.queues.submission().is_empty()
    }

    /// Hands over what is queued and lets the kernel do what it put off; waits up to `wait` for a completion if there is none.
    /// At most one system call, and none when there is nothing to do.
    pub(super) fn enter(&mut self, wait: Option<Duration>) -> io::Result<()> {
        self.push_backlog();
        let (submitter, submissions, completions) = self.queues.split();
        let queued = submissions.len() as u32;
        let put_off = submissions.taskrun() || submissions.cq_overflow();
        let waits = wait != Some(Duration::ZERO) && completions.is_empty() && self.backlog.is_empty();
        drop((submissions, completions));
        let entered = match wait {
            Some(wait) if waits => {
                submitter.submit_with_args(1, &SubmitArgs::new().timespec(&Timespec::from(wait)))
            }
            None if waits => submitter.submit_and_wait(1),
            _ if queued == 0 && !put_off => return Ok(()),
            // GETEVENTS even when nothing was put off yet: cancelling puts off the end of what it cancels.
            // SAFETY: no argument is passed.
            _ => unsafe { submitter.enter::<()>(queued, 0, EnterFlags::GETEVENTS.bits(), None) },
        };
        match entered.map_err(|error| error.raw_os_error()) {
            // EAGAIN, EBUSY: short of memory, or too many completions not yet gathered; what was not taken stays queued.
            Ok(_) | Err(Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY)) => Ok(()),
            Err(error) => Err(io::Error::from_raw_os_error(error.unwrap_or(libc::EIO))),
        }
    }

    /// Takes the completions that are there.
    pub(super) fn gather(&mut self, outcomes: &mut Vec<Outcome>) {
        for entry in self.queues.completion() {
            match entry.user_data() {
                // Of cancelling all: each of them tells what became of it.
                CANCELLING => {}
                bits if bits & CANCELLING != 0 => {
                    outcomes.push(Outcome::Evaded(Tag::from_bits(bits & !CANCELLING)));
                }
                _ => {
                    self.under_way -= usize::from(!cqueue::more(entry.flags()));
                    outcomes.push(outcome(&entry));
                }
            }
        }
    }

    /// The descriptor that becomes readable after [`enable_wakeup`](Ring::enable_wakeup) when there is something to gather.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wakeup.as_fd()
    }

    /// From here the kernel signals the descriptor: called when there was nothing to gather, since a signal for each completion
    /// of a busy turn would only cost.
    pub(super) fn enable_wakeup(&mut self) -> io::Result<()> {
        self.wakeup_enabled = true;
        self.queues.completion().enable_eventfd();
        // What came before the kernel saw the flag was not signalled: look once more, strictly after setting it.
        fence(Ordering::SeqCst);
        if !cfg!(target_arch = "x86_64") {
            // The kernel marks work put off and looks at our flag without a barrier in between: elsewhere the mark may be seen
            // late, so that only entering is certain to find the work.
            // SAFETY: no argument is passed.
            unsafe { self.queues.submitter().enter::<()>(0, 0, EnterFlags::GETEVENTS.bits(), None) }?;
        }
        let missed = {
            let submissions = self.queues.submission();
            submissions.taskrun() || submissions.cq_overflow()
        };
        // What was begun anew meanwhile must be with the kernel before the host sleeps: that, too, takes another poll.
        if missed || self.has_queued() || !self.queues.completion().is_empty() {
            rustix::io::write(&self.wakeup, &1u64.to_ne_bytes())?;
        }
        Ok(())
    }

    /// The descriptor is readable no more.
    pub(super) fn disable_wakeup(&mut self) {
        if !self.wakeup_enabled {
            return;
        }
        self.wakeup_enabled = false;
        self.queues.completion().disable_eventfd();
        // Resets the count (eventfd(2)); EAGAIN when there was no signal.
        let _ = rustix::io::read(&self.wakeup, &mut [0; 8]);
    }

    /// Registers the ring of provided buffers.
    ///
    /// # Safety
    /// `memory` holds `entries` entries, and buffers it names are ours to lend, until it is unregistered.
    pub(super) unsafe fn register_buffers(&mut self, memory: u64, entries: u16) -> io::Result<()> {
        // SAFETY: as our caller promises.
        unsafe { self.queues.submitter().register_buf_ring_with_flags(memory, entries, BUFFER_GROUP, 0) }
    }

    pub(super) fn unregister_buffers(&mut self) -> io::Result<()> {
        self.queues.submitter().unregister_buf_ring(BUFFER_GROUP)
    }
}

fn outcome(entry: &cqueue::Entry) -> Outcome {
    let more = cqueue::more(entry.flags());
    match Tag::from_bits(entry.user_data()) {
        Tag::Accept(listener) => {
            // SAFETY: accept(2) gave this descriptor to us; nobody else knows it.
            let owned = |fd: u32| unsafe { OwnedFd::from_raw_fd(fd as i32) };
            Outcome::Accepted { listener, result: result(entry).map(owned), more }
        }
        Tag::Receive(socket) => Outcome::Received {
            socket,
            result: result(entry).map(|count| count as usize),
            buffer: cqueue::buffer_select(entry.flags()),
            more,
        },
        Tag::Send(socket) => Outcome::Sent { socket, result: result(entry) },
    }
}

fn result(entry: &cqueue::Entry) -> Result<u32, Errno> {
    u32::try_from(entry.result()).map_err(|_| Errno::from_raw_os_error(-entry.result()))
}

/// The first mode that the kernel knows, and what `make` makes in it.
fn best<T>(mut make: impl FnMut(Mode) -> io::Result<T>) -> io::Result<T> {
    let is_unknown = |error: &io::Error| error.raw_os_error() == Some(libc::EINVAL);
    match make(Mode::Deferred) {
        Err(error) if is_unknown(&error) => {}
        made => return made.map_err(explained),
    }
    make(Mode::Cooperative).map_err(|error| if is_unknown(&error) { too_old() } else { explained(error) })
}

/// Refuses kernels before 6.0, which have no multishot receive. No probe names it; it came together with this operation.
fn check_age(queues: &IoUring) -> io::Result<()> {
    let mut probe = Probe::new();
    queues.submitter().register_probe(&mut probe)?;
    if probe.is_supported(opcode::SendZc::CODE) { Ok(()) } else { Err(too_old()) }
}

fn too_old() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "io_uring of this kernel is too old: Linux 6.0 is needed")
}

/// Says in words why there is no io_uring here.
pub(super) fn explained(error: io::Error) -> io::Error {
    let reason = match error.raw_os_error() {
        Some(libc::ENOSYS) => "this kernel has no io_uring",
        Some(libc::EPERM | libc::EACCES) => {
            "io_uring is forbidden here (kernel.io_uring_disabled, or a filter of system calls)"
        }
        _ => return error,
    };
    io::Error::new(error.kind(), reason)
}

#[cfg(test)]
mod tests;
