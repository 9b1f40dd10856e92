//! One connection: a channel, and the streams that it carries.

use std::{
    net::{SocketAddr, TcpStream},
    os::fd::OwnedFd,
};

use rustix::event::epoll;

use super::{
    super::{
        Load, LoadError, Received,
        channel::Channel,
        host, stream,
        tls::{ALPN_HTTP2, Tls},
    },
    request::Blocks,
    streams::Streams,
};

/// A greeting and a short response fit in it.
const BUFFER_BYTES: usize = 64 * 1024;

/// A connection over which both sides have told their settings.
pub struct Connection<T> {
    channel: Channel,
    streams: Streams<T>,
}

/// Opens all connections of a load, one after the other, and registers them by their numbers.
pub fn open_all<T: Copy>(load: &Load, buffer: &mut [u8]) -> Result<(OwnedFd, Vec<Connection<T>>), LoadError> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut connections = Vec::with_capacity(load.connections);
    for index in 0..load.connections {
        let connection = Connection::open(load, buffer)?;
        let token = epoll::EventData::new_u64(index as u64);
        epoll::add(&poll, &connection.channel, token, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
        connections.push(connection);
    }
    Ok((poll, connections))
}

impl<T: Copy> Connection<T> {
    /// Connects, and waits until the server has told its settings.
    fn open(load: &Load, buffer: &mut [u8]) -> Result<Connection<T>, LoadError> {
        let host = host(load.address, load.tls.as_ref());
        let blocks = Blocks::new(&host, &load.paths[0], load.tls.is_some())?;
        let mut streams = Streams::new(blocks, Some(load.expected.body_bytes()));
        let mut channel = Channel::open(load.address)?;
        if let Some(tls) = &load.tls {
            // Its settings may come with the end of the handshake.
            channel.secure(tls, buffer, |bytes| streams.take(bytes, &mut Vec::new()).map(|()| 0))?;
            if channel.protocol() != Some(ALPN_HTTP2) {
                return Err(LoadError::Alpn);
            }
        }
        let mut connection = Connection { channel, streams };
        connection.flush()?;
        while !connection.streams.is_greeted() {
            connection.channel.wait()?;
            connection.receive(buffer, &mut Received::default(), &mut Vec::new())?;
        }
        connection.flush()?;
        Ok(connection)
    }

    /// Begins a request, which the next [`Connection::flush`] sends.
    pub fn ask(&mut self, tag: T) {
        self.streams.ask(tag);
    }

    /// Sends what is outgoing, if anything is, in one call.
    pub fn flush(&mut self) -> Result<(), LoadError> {
        if !self.streams.outgoing().is_empty() {
            self.channel.send(self.streams.outgoing())?;
            self.streams.sent();
        }
        Ok(())
    }

    /// Takes what has arrived, and adds the tags of the requests whose responses end with it.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        books: &mut Received,
        ended: &mut Vec<T>,
    ) -> Result<(), LoadError> {
        let Connection { channel, streams } = self;
        let mut is_dry = false;
        while !is_dry {
            is_dry = channel.receive(buffer, books, |bytes| streams.take(bytes, ended).map(|()| 0))?.is_dry;
        }
        Ok(())
    }

    /// The socket alone.
    pub fn into_socket(self) -> TcpStream {
        self.channel.into_socket()
    }
}

/// Asks once over a socket, and waits for the end of the response, which must be a 200.
pub fn ask(socket: TcpStream, address: SocketAddr, tls: Option<&Tls>, path: &str) -> Result<(), LoadError> {
    let blocks = Blocks::new(&host(address, tls), path, tls.is_some())?;
    let (mut streams, mut ended) = (Streams::new(blocks, None), Vec::new());
    let mut stream = stream(socket, tls)?;
    streams.ask(());
    let mut buffer = vec![0; BUFFER_BYTES];
    while ended.is_empty() {
        stream.write_all(streams.outgoing())?;
        streams.sent();
        match stream.read(&mut buffer)? {
            0 => return Err(LoadError::Closed),
            received => streams.take(&buffer[..received], &mut ended)?,
        }
    }
    Ok(())
}
