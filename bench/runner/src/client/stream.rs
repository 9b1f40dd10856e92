//! A connection for a single request, which waits: in clear text, or over TLS with everything verified.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConnection, StreamOwned};

use super::tls::{NAME, Tls};

/// Nobody needs longer for one response.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What can be read and written.
pub trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// Over a connected socket; the handshake takes place when it is written to.
pub fn stream(socket: TcpStream, tls: Option<&Tls>) -> io::Result<Box<dyn Stream>> {
    socket.set_read_timeout(Some(TIME_LIMIT))?;
    let Some(tls) = tls else { return Ok(Box::new(socket)) };
    let connection = ClientConnection::new(Arc::clone(&tls.careful), tls.name.clone());
    Ok(Box::new(StreamOwned::new(connection.map_err(io::Error::other)?, socket)))
}

/// What a server is called in requests to it.
pub fn host(address: SocketAddr, tls: Option<&Tls>) -> String {
    if tls.is_some() { format!("{NAME}:{}", address.port()) } else { address.to_string() }
}
