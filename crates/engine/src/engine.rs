//! A backend, with its completions and its clock.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use gannet_block::Pool;

use crate::{
    Address, Backend, Completion, Completions, Detached, Listener, ListenerId, Now, Output, ReadClock,
    SocketId,
};

/// One worker's engine.
pub struct Engine {
    backend: Box<dyn Backend>,
    completions: Completions,
    now: Now,
}

impl Engine {
    /// An engine on `backend`.
    pub fn new(backend: Box<dyn Backend>) -> Engine {
        let now = backend.now();
        Engine { backend, completions: Completions::default(), now }
    }

    /// Gathers completions, waiting up to `wait` for the first (`None`: for as long as it takes), reads the clock, and says how
    /// many completions there are to take.
    ///
    /// # Errors
    /// When the kernel refuses to be asked: the engine cannot go on.
    pub fn poll(&mut self, wait: Option<Duration>) -> io::Result<usize> {
        let wait = if self.completions.is_empty() { wait } else { Some(Duration::ZERO) };
        self.backend.poll(wait, &mut self.completions)?;
        self.now = self.backend.now();
        Ok(self.completions.len())
    }

    /// The next completion.
    pub fn next_completion(&mut self) -> Option<Completion> {
        self.completions.pop_front()
    }

    /// The time as of the last [`poll`](Engine::poll).
    pub fn now(&self) -> Now {
        self.now
    }

    /// See [`Backend::clock`].
    pub fn clock(&self) -> ReadClock {
        self.backend.clock()
    }

    /// See [`Backend::name`].
    pub fn name(&self) -> &'static str {
        self.backend.name()
    }

    /// See [`Backend::descriptor`].
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.backend.descriptor()
    }

    /// See [`Backend::listen`].
    ///
    /// # Errors
    /// As there.
    pub fn listen(&mut self, listener: Listener) -> io::Result<ListenerId> {
        self.backend.listen(listener)
    }

    /// See [`Backend::resume_accept`].
    pub fn resume_accept(&mut self, listener: ListenerId) {
        self.backend.resume_accept(listener);
    }

    /// See [`Backend::pause_accept`].
    pub fn pause_accept(&mut self, listener: ListenerId) {
        self.backend.pause_accept(listener);
    }

    /// See [`Backend::unlisten`].
    pub fn unlisten(&mut self, listener: ListenerId) {
        self.backend.unlisten(listener);
    }

    /// See [`Backend::connect`].
    ///
    /// # Errors
    /// As there.
    pub fn connect(&mut self, target: &Address) -> io::Result<SocketId> {
        self.backend.connect(target, &mut self.completions)
    }

    /// See [`Backend::adopt`].
    ///
    /// # Errors
    /// As there.
    pub fn adopt(&mut self, connection: Detached) -> io::Result<SocketId> {
        self.backend.adopt(connection)
    }

    /// See [`Backend::is_quiet`].
    pub fn is_quiet(&self, connection: &Detached) -> bool {
        self.backend.is_quiet(connection)
    }

    /// See [`Backend::receive`].
    pub fn receive(&mut self, socket: SocketId) {
        self.backend.receive(socket);
    }

    /// See [`Backend::pause`].
    pub fn pause(&mut self, socket: SocketId) {
        self.backend.pause(socket);
    }

    /// See [`Backend::send`].
    pub fn send(&mut self, socket: SocketId, output: Box<Output>) {
        self.backend.send(socket, output, &mut self.completions);
    }

    /// See [`Backend::shutdown`].
    pub fn shutdown(&mut self, socket: SocketId) {
        self.backend.shutdown(socket);
    }

    /// See [`Backend::reset`].
    pub fn reset(&mut self, socket: SocketId) {
        self.backend.reset(socket);
    }

    /// See [`Backend::close`].
    pub fn close(&mut self, socket: SocketId) {
        self.backend.close(socket, &mut self.completions);
    }

    /// See [`Backend::release`].
    pub fn release(&mut self, socket: SocketId) {
        self.backend.release(socket, &mut self.completions);
    }

    /// See [`Backend::peer_address`].
    ///
    /// # Errors
    /// As there.
    pub fn peer_address(&self, socket: SocketId) -> io::Result<SocketAddr> {
        self.backend.peer_address(socket)
    }

    /// See [`Backend::sockets`].
    pub fn sockets(&self) -> usize {
        self.backend.sockets()
    }

    /// See [`Backend::pool`].
    pub fn pool(&self) -> &Pool {
        self.backend.pool()
    }
}
