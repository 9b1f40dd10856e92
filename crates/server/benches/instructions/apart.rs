//! The simulated engine behind functions of a name of their own, at which callgrind stops counting until they return.
//!
//! None is called by another, and none is inlined: a backend is called through its trait's table.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use gannet_engine::sim::Sim;
use gannet_engine::{
    Address, Backend, Completions, Detached, Listener, ListenerId, Now, Output, Pool, SocketId,
};

/// The simulated engine, whose instructions are not the server's.
pub struct Apart(pub Sim);

impl Backend for Apart {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn poll(&mut self, wait: Option<Duration>, completions: &mut Completions) -> io::Result<()> {
        self.0.poll(wait, completions)
    }

    fn now(&self) -> Now {
        self.0.now()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.0.descriptor()
    }

    fn listen(&mut self, listener: Listener) -> io::Result<ListenerId> {
        self.0.listen(listener)
    }

    fn resume_accept(&mut self, listener: ListenerId) {
        self.0.resume_accept(listener);
    }

    fn pause_accept(&mut self, listener: ListenerId) {
        self.0.pause_accept(listener);
    }

    fn unlisten(&mut self, listener: ListenerId) {
        self.0.unlisten(listener);
    }

    fn connect(&mut self, target: &Address, completions: &mut Completions) -> io::Result<SocketId> {
        self.0.connect(target, completions)
    }

    fn adopt(&mut self, connection: Detached) -> io::Result<SocketId> {
        self.0.adopt(connection)
    }

    fn is_quiet(&self, connection: &Detached) -> bool {
        self.0.is_quiet(connection)
    }

    fn receive(&mut self, socket: SocketId) {
        self.0.receive(socket);
    }

    fn pause(&mut self, socket: SocketId) {
        self.0.pause(socket);
    }

    fn send(&mut self, socket: SocketId, output: Box<Output>, completions: &mut Completions) {
        self.0.send(socket, output, completions);
    }

    fn shutdown(&mut self, socket: SocketId) {
        self.0.shutdown(socket);
    }

    fn reset(&mut self, socket: SocketId) {
        self.0.reset(socket);
    }

    fn close(&mut self, socket: SocketId, completions: &mut Completions) {
        self.0.close(socket, completions);
    }

    fn release(&mut self, socket: SocketId, completions: &mut Completions) {
        self.0.release(socket, completions);
    }

    fn peer_address(&self, socket: SocketId) -> io::Result<SocketAddr> {
        self.0.peer_address(socket)
    }

    fn sockets(&self) -> usize {
        self.0.sockets()
    }

    fn pool(&self) -> &Pool {
        self.0.pool()
    }
}
