//! The floor on epoll: one receive and one send per request, registered once and edge-triggered.

use std::{io, os::fd::OwnedFd, process::ExitCode};

use rustix::{
    event::epoll,
    io::Errno,
    net::{self, RecvFlags, SendFlags, Shutdown},
};

use null_servers::{End, Service};

/// One accepted socket; `owed` is the tail of a response that the socket's buffer could not hold.
struct Connection {
    socket: OwnedFd,
    owed: &'static [u8],
    greeting: Option<&'static [u8]>,
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

fn serve(service: Service) -> io::Result<()> {
    let mut scratch = vec![0; 64 * 1024];
    null_servers::serve_on_epoll(
        service.port,
        |socket| Connection { socket, owed: &[], greeting: service.greeting },
        |connection, flags| connection.ready(flags, &mut scratch, &service),
    )
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
                Ok(_) => {
                    let response = self.greeting.take().unwrap_or(service.response);
                    self.send(response, service.end)?;
                }
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
