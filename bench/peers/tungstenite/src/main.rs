//! `peer-tungstenite PORT`: every connection is a WebSocket that is sent back what it sends, on one current-thread runtime.

use std::error::Error;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    task::LocalSet,
};
use tokio_tungstenite::{accept_async, tungstenite};

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-tungstenite PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(port))
}

async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        // A client that leaves is no fault of this server's.
        tokio::task::spawn_local(async move { drop(echo(socket).await) });
    }
}

/// What came at once leaves in one write: that makes it fastest.
async fn echo(socket: TcpStream) -> Result<(), tungstenite::Error> {
    let mut socket = accept_async(socket).await?;
    while let Some(first) = socket.next().await {
        let mut next = Some(first);
        while let Some(message) = next {
            let message = message?;
            if message.is_text() || message.is_binary() {
                socket.feed(message).await?;
            }
            next = socket.next().now_or_never().flatten();
        }
        socket.flush().await?;
    }
    Ok(())
}
