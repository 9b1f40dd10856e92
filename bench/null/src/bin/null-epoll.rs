//! The floor on epoll: one receive and one send per request, registered once and edge-triggered.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    process::ExitCode,
};

use rustix::{
    buffer::spare_capacity,
    event::epoll,
    io::{Errno, retry_on_intr},
    net::{self, RecvFlags, SendFlags, Shutdown, SocketFlags},
};

use null_servers::{End, Service};

/// One accepted socket; `owed` is the tail of a response that the socket's buffer could not hold.
struct Connection {
    socket: OwnedFd,
    owed: &'static [u8],
}

fn main() -> ExitCode {
    match null_servers::run(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("null-epoll: {line}");
            ExitCode::FAILURE
        }
    }
}

/// The event loop of one thread; it ends only when the kernel refuses to go on.
fn serve(service: Service) -> io::Result<()> {
    let listener = null_servers::listener(service.port, SocketFlags::NONBLOCK)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let token = |socket: &OwnedFd| epoll::EventData::new_u64(socket.as_raw_fd() as u64);
    epoll::add(&poll, &listener, token(&listener), epoll::EventFlags::IN)?;
    let mut events = Vec::with_capacity(1024);
    let mut scratch = vec![0; 64 * 1024];
    // Indexed by descriptor: descriptors are small and dense, so looking one up costs nothing.
    let mut connections: Vec<Option<Connection>> = Vec::new();
    loop {
        events.clear();
        // A tracer that attaches or leaves interrupts the wait (signal(7)).
        retry_on_intr(|| epoll::wait(&poll, spare_capacity(&mut events), None))?;
        for event in &events {
            let index = event.data.u64() as usize;
            if index == listener.as_raw_fd() as usize {
                while let Ok(socket) = net::accept_with(&listener, SocketFlags::NONBLOCK) {
                    let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
                    epoll::add(&poll, &socket, token(&socket), flags)?;
                    let index = socket.as_raw_fd() as usize;
                    connections.resize_with(connections.len().max(index + 1), || None);
                    connections[index] = Some(Connection { socket, owed: &[] });
                }
            } else if let Some(connection) = &mut connections[index]
                && connection.ready(event.flags, &mut scratch, &service).is_err()
            {
                connections[index] = None;
            }
        }
    }
}

impl Connection {
    /// Answers what arrived. The scratch buffer is larger than what a client sends at once, so one receive drains
    /// the socket and no second one is spent on seeing `EAGAIN`. An error means that the connection is over.
    fn ready(
        &mut self,
        flags: epoll::EventFlags,
        scratch: &mut [u8],
        service: &Service,
    ) -> Result<(), Errno> {
        if !self.owed.is_empty() && flags.contains(epoll::EventFlags::OUT) {
            self.send(self.owed, service.end)?;
        }
        if flags.contains(epoll::EventFlags::IN) {
            match net::recv(&self.socket, scratch, RecvFlags::empty()) {
                Ok((0, _)) => return Err(Errno::CONNRESET),
                Ok(_) => self.send(service.response, service.end)?,
                Err(Errno::AGAIN) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send(&mut self, bytes: &'static [u8], end: End) -> Result<(), Errno> {
        let sent = match net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) => sent,
            Err(Errno::AGAIN) => 0,
            Err(error) => return Err(error),
        };
        self.owed = &bytes[sent..];
        if self.owed.is_empty() && end != End::Keep {
            net::shutdown(&self.socket, Shutdown::Write)?;
            if end == End::Close {
                return Err(Errno::CONNABORTED);
            }
        }
        Ok(())
    }
}
