//! The closed loop that a load asks for: over kept connections, over new ones, over many streams of one, or over WebSockets.

use std::net::TcpStream;

use super::{
    Client, Limit, Load, LoadError, Outcome, ShortClient, http2::Multiplexed, websocket::Conversations,
};
use crate::work::Protocol;

/// A closed loop, ready to run.
pub enum ClosedLoop {
    /// HTTP/1.1 over kept connections.
    Kept(Box<Client>),
    /// HTTP/1.1 over a connection for each request.
    Short(Box<ShortClient>),
    /// HTTP/2 over kept connections.
    Multiplexed(Box<Multiplexed>),
    /// WebSockets.
    Conversing(Box<Conversations>),
}

impl ClosedLoop {
    /// Over kept connections, all of which are opened.
    pub fn kept(load: &Load) -> Result<ClosedLoop, LoadError> {
        Ok(match load.protocol {
            Protocol::Http1 => ClosedLoop::Kept(Box::new(Client::connect(load)?)),
            Protocol::Http2 => ClosedLoop::Multiplexed(Box::new(Multiplexed::connect(load)?)),
            Protocol::WebSocket => ClosedLoop::Conversing(Box::new(Conversations::connect(load)?)),
        })
    }

    /// Over a connection for each request.
    pub fn short(load: &Load) -> Result<ClosedLoop, LoadError> {
        Ok(ClosedLoop::Short(Box::new(ShortClient::new(load)?)))
    }

    /// Drives the server until the limit, waits for what is then under way, and says what was seen.
    pub fn run(&mut self, limit: Limit) -> Result<Outcome, LoadError> {
        match self {
            ClosedLoop::Kept(client) => client.run(limit),
            ClosedLoop::Short(client) => client.run(limit),
            ClosedLoop::Multiplexed(client) => client.run(limit),
            ClosedLoop::Conversing(client) => client.run(limit),
        }
    }

    /// The sockets alone, for connections that are to stay open and do nothing more.
    pub fn into_sockets(self) -> Vec<TcpStream> {
        match self {
            ClosedLoop::Kept(client) => client.into_sockets(),
            ClosedLoop::Short(_) | ClosedLoop::Conversing(_) => Vec::new(),
            ClosedLoop::Multiplexed(client) => client.into_sockets(),
        }
    }
}
