//! The floor on io_uring: multishot accept, multishot receive into a ring of provided buffers, one send per receive.
#![allow(unsafe_code, reason = "submission entries and the buffer ring are shared with the kernel")]

use std::{
    alloc::{Layout, alloc_zeroed, handle_alloc_error},
    io,
    os::fd::{AsRawFd, OwnedFd, RawFd},
    process::ExitCode,
    sync::atomic::{AtomicU16, Ordering},
};

use io_uring::{
    IoUring, cqueue, opcode, squeue,
    types::{BufRingEntry, Fd},
};
use null_servers::{End, Service};
use rustix::net::SocketFlags;

/// The buffer ring: 1024 buffers, as many as there may be receives in one turn.
const BUFFERS: u16 = 1024;
const BUFFER_BYTES: usize = 4096;
const GROUP: u16 = 1;

/// What a completion answers, in the upper half of its user data; the lower half is the descriptor.
#[derive(Clone, Copy)]
enum Operation {
    Accept = 1,
    Receive = 2,
    Send = 3,
    Shutdown = 4,
}

impl Operation {
    fn on(self, descriptor: RawFd) -> u64 {
        (self as u64) << 32 | descriptor as u64
    }
}

fn main() -> ExitCode {
    match null_servers::run(|service| Server::new(service)?.serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("null-uring: {line}");
            ExitCode::FAILURE
        }
    }
}

struct Server {
    ring: IoUring,
    buffers: BufferRing,
    listener: OwnedFd,
    service: Service,
    /// The greetings that are owed, by descriptor.
    greetings: Vec<Option<&'static [u8]>>,
}

impl Server {
    fn new(service: Service) -> io::Result<Server> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_coop_taskrun()
            .setup_cqsize(8192)
            .build(2048)?;
        let buffers = BufferRing::register(&ring)?;
        let listener = null_servers::listener(service.port, SocketFlags::empty())?;
        Ok(Server { ring, buffers, listener, service, greetings: Vec::new() })
    }

    /// The event loop of one thread; it ends only when the kernel refuses to go on.
    fn serve(mut self) -> io::Result<()> {
        let mut completions: Vec<cqueue::Entry> = Vec::with_capacity(8192);
        self.accept()?;
        loop {
            match self.ring.submit_and_wait(1) {
                // A tracer that attaches or leaves interrupts the wait (signal(7)).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                submitted => {
                    submitted?;
                }
            }
            completions.extend(self.ring.completion());
            for completion in completions.drain(..) {
                self.complete(&completion)?;
            }
        }
    }

    fn complete(&mut self, completion: &cqueue::Entry) -> io::Result<()> {
        let descriptor = completion.user_data() as u32 as RawFd;
        let last = !cqueue::more(completion.flags());
        match completion.user_data() >> 32 {
            kind if kind == Operation::Accept as u64 => {
                if let Ok(index) = usize::try_from(completion.result()) {
                    self.greetings.resize(self.greetings.len().max(index + 1), None);
                    self.greetings[index] = self.service.greeting;
                    self.receive(completion.result())?;
                }
                if last {
                    self.accept()?;
                }
            }
            kind if kind == Operation::Receive as u64 => {
                if let Some(buffer) = cqueue::buffer_select(completion.flags()) {
                    self.buffers.give_back(buffer);
                }
                self.received(descriptor, completion.result(), last)?;
            }
            // A send or a shutdown that failed says nothing that the receive on the same socket does not say too.
            _ => {}
        }
        Ok(())
    }

    fn received(&mut self, descriptor: RawFd, result: i32, last: bool) -> io::Result<()> {
        match result {
            1.. => {
                self.send(descriptor)?;
                if last {
                    self.receive(descriptor)?;
                }
            }
            _ if result == -libc::ENOBUFS => self.receive(descriptor)?,
            // SAFETY: the descriptor came from this ring's accept and nobody else owns it; the receive that kept it
            // in use has just ended, so this is the only close.
            _ => unsafe {
                libc::close(descriptor);
            },
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        let listener = self.listener.as_raw_fd();
        self.push(&opcode::AcceptMulti::new(Fd(listener)).build().user_data(Operation::Accept.on(listener)))
    }

    fn receive(&mut self, descriptor: RawFd) -> io::Result<()> {
        let receive = opcode::RecvMulti::new(Fd(descriptor), GROUP).build();
        self.push(&receive.user_data(Operation::Receive.on(descriptor)))
    }

    /// `MSG_WAITALL` lets the kernel retry a short send, so that a large body needs no code here. Where the connection
    /// ends with the response, a shutdown is linked to it; the receive then ends by itself, and the socket is closed: at
    /// once where both halves are shut, else when the peer has closed.
    fn send(&mut self, descriptor: RawFd) -> io::Result<()> {
        let response = self.greetings[descriptor as usize].take().unwrap_or(self.service.response);
        let length = u32::try_from(response.len()).map_err(io::Error::other)?;
        let send = opcode::Send::new(Fd(descriptor), response.as_ptr(), length)
            .flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL)
            .build()
            .user_data(Operation::Send.on(descriptor));
        let how = match self.service.end {
            End::Keep => return self.push(&send),
            End::Close => libc::SHUT_RDWR,
            End::HalfClose => libc::SHUT_WR,
        };
        let shutdown = opcode::Shutdown::new(Fd(descriptor), how).build();
        let linked =
            [send.flags(squeue::Flags::IO_LINK), shutdown.user_data(Operation::Shutdown.on(descriptor))];
        // SAFETY: as in `push`. Both entries go in together, or neither: a link does not reach over a submission.
        if unsafe { self.ring.submission().push_multiple(&linked) }.is_err() {
            self.ring.submit()?;
            // SAFETY: as above; submitting has emptied the queue.
            unsafe { self.ring.submission().push_multiple(&linked) }.map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // SAFETY: every entry names either no memory (accept, receive into provided buffers) or a response, which
        // is leaked and so outlives the operation.
        if unsafe { self.ring.submission().push(entry) }.is_err() {
            self.ring.submit()?;
            // SAFETY: as above; submitting has emptied the queue.
            unsafe { self.ring.submission().push(entry) }.map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// The ring through which the kernel is lent buffers to receive into (io_uring_register_buf_ring(3)).
struct BufferRing {
    entries: *mut BufRingEntry,
    /// BUFFERS buffers in a row. A pointer, not a slice: the kernel writes there at any time.
    memory: *mut u8,
    tail: u16,
}

impl BufferRing {
    /// Registers a ring and lends every buffer. Ring and buffers live as long as the process: the kernel may write
    /// into them until the io_uring itself is gone.
    fn register(ring: &IoUring) -> io::Result<BufferRing> {
        let layout = Layout::from_size_align(size_of::<BufRingEntry>() * usize::from(BUFFERS), 4096)
            .map_err(io::Error::other)?;
        // SAFETY: the layout's size is not zero.
        let entries = unsafe { alloc_zeroed(layout) }.cast::<BufRingEntry>();
        if entries.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: `entries` is page-aligned memory for exactly BUFFERS entries and is never freed.
        unsafe { ring.submitter().register_buf_ring_with_flags(entries as u64, BUFFERS, GROUP, 0) }?;
        let memory = vec![0; usize::from(BUFFERS) * BUFFER_BYTES].leak().as_mut_ptr();
        let mut buffers = BufferRing { entries, memory, tail: 0 };
        (0..BUFFERS).for_each(|buffer| buffers.give_back(buffer));
        Ok(buffers)
    }

    /// Lends the kernel a buffer whose bytes nobody looks at any more: here, that is any it has filled.
    fn give_back(&mut self, buffer: u16) {
        let address = self.memory as u64 + u64::from(buffer) * BUFFER_BYTES as u64;
        // SAFETY: the index is masked to the ring's length, and the kernel reads an entry only once the tail, stored
        // below, has passed it.
        let entry = unsafe { &mut *self.entries.add(usize::from(self.tail % BUFFERS)) };
        entry.set_addr(address);
        entry.set_len(BUFFER_BYTES as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `entries` is the first entry of a live ring; its tail is 16 bits, aligned, and shared with the
        // kernel, which is why it is written as an atomic.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}
