//! `peer-hyper PORT`: answers `GET /users/:id` with JSON and anything else with 13 bytes, on one current-thread
//! runtime.

use std::{convert::Infallible, error::Error};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{net::TcpListener, task::LocalSet};

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-hyper PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(port))
}

async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        // hyper at its best: with it, the answers to one batch of pipelined requests leave in one write.
        let connection = http1::Builder::new()
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(socket), service_fn(answer));
        tokio::task::spawn_local(async {
            // A client that leaves in the middle of a request is no fault of this server's.
            let _ = connection.await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let id = request.uri().path().strip_prefix("/users/").and_then(|id| id.parse().ok());
    let user = id.and_then(|id| {
        let (name, email) = (format!("User {id}"), format!("user{id}@example.org"));
        serde_json::to_vec(&User { id, name, email, active: true }).ok()
    });
    let (body, kind) = match user {
        Some(user) => (Bytes::from(user), "application/json"),
        None => (Bytes::from_static(b"Hello, World!"), "text/plain"),
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}
