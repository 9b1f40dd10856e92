//! The engine alone: a server that sends back what it gets, and knows no HTTP.
//!
//! An engine takes *operations* (listen, receive, send, close) and gives *completions* out of a queue. There are no threads, no
//! callbacks and no futures here: one loop takes what happened, and says what is to happen next.
//!
//! ```text
//! cargo run -p example-echo          # then, elsewhere: nc 127.0.0.1 7777
//! ```
//! Watch for two things. The bytes are never copied: the block that was received into is what is sent. And memory is bounded,
//! however slowly a client reads: a socket receives no more while what it sent is not taken back.
#![allow(clippy::print_stdout, reason = "showing is what this program does")]

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use gannet_engine::{Backend, BackendKind, Block, Completion, Engine, Listener, Output, Pool, SocketId};

/// One connection: what waits to be sent back.
#[derive(Default)]
struct Conversation {
    waiting: Box<Output>,
    /// The engine has an output of ours: it takes one at a time.
    sending: bool,
    /// The client says no more.
    ended: bool,
}

struct Echo {
    engine: Engine,
    conversations: HashMap<SocketId, Conversation>,
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7777".to_owned());
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let listener = Listener::bind(address, false)?;
    let mut engine = Engine::new(backend()?);
    println!("echo on {}, by {}", listener.local_address()?, engine.name());
    engine.listen(listener)?;
    let mut echo = Echo { engine, conversations: HashMap::new() };
    loop {
        echo.engine.poll(None)?; // waits until something has happened
        while let Some(completion) = echo.engine.next_completion() {
            echo.take(completion)?;
        }
    }
}

/// The first of this system's that the kernel lets us have (of Linux io_uring, else epoll): what is built on them cannot tell.
fn backend() -> io::Result<Box<dyn Backend>> {
    let pool = Pool::new(16 * 1024, 1024); // blocks to receive into: so much memory, and no more
    let first = BackendKind::HERE.iter().find_map(|kind| kind.open(pool.clone()).ok());
    first.map_or_else(|| BackendKind::LAST.open(pool), Ok)
}

impl Echo {
    /// Something happened.
    fn take(&mut self, completion: Completion) -> io::Result<()> {
        match completion {
            Completion::Accepted(accepted) => {
                let socket = self.engine.adopt(accepted.connection)?;
                self.conversations.insert(socket, Conversation::default());
                self.engine.receive(socket); // from here on, until paused
            }
            Completion::Received { socket, block } => self.received(socket, block),
            Completion::Sent { socket, output, result: Ok(_) } => self.sent(socket, output),
            Completion::Ended { socket } => self.ended(socket),
            Completion::Sent { socket, .. } | Completion::ReceiveFailed { socket, .. } => self.close(socket),
            Completion::Closed { .. } => {} // the kernel has let go: the slot is used anew
            Completion::AcceptFailed { error, .. } => return Err(error),
            // Nothing here connects, or gives sockets away.
            Completion::Connected { .. } | Completion::Released { .. } => {}
        }
        Ok(())
    }

    /// What came is to be sent back; until it is, nothing else need come.
    fn received(&mut self, socket: SocketId, block: Block) {
        let Some(conversation) = self.conversations.get_mut(&socket) else { return };
        conversation.waiting.push_chunk(block.share());
        self.engine.pause(socket);
        self.send(socket);
    }

    /// Hands over what waits, unless the last is still on its way.
    fn send(&mut self, socket: SocketId) {
        let Some(conversation) = self.conversations.get_mut(&socket) else { return };
        if !conversation.sending {
            conversation.sending = true;
            self.engine.send(socket, std::mem::take(&mut conversation.waiting));
        }
    }

    /// The kernel took some of it, or all.
    fn sent(&mut self, socket: SocketId, rest: Box<Output>) {
        let Some(conversation) = self.conversations.get_mut(&socket) else { return };
        if !rest.is_empty() {
            return self.engine.send(socket, rest);
        }
        conversation.sending = false;
        match (conversation.waiting.is_empty(), conversation.ended) {
            (false, _) => self.send(socket),
            (true, false) => self.engine.receive(socket),
            (true, true) => self.close(socket),
        }
    }

    /// Who only ended its half still gets all of it back.
    fn ended(&mut self, socket: SocketId) {
        let Some(conversation) = self.conversations.get_mut(&socket) else { return };
        conversation.ended = true;
        if !conversation.sending {
            self.close(socket);
        }
    }

    fn close(&mut self, socket: SocketId) {
        self.conversations.remove(&socket);
        self.engine.close(socket);
    }
}
