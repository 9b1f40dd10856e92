//! `peer-hyper PORT [h2 [CERTIFICATE KEY]]`: answers `GET /users/:id` with JSON and anything else with 13 bytes, on one
//! current-thread runtime. It speaks HTTP/1.1; with `h2` HTTP/2 and nothing else, over TLS 1.3 where there is a certificate.

use std::{convert::Infallible, error::Error, sync::Arc};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    rt::Executor,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::LocalSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

/// What a connection speaks.
#[derive(Clone)]
enum Protocol {
    Http1,
    Http2,
    SecuredHttp2(TlsAcceptor),
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let (port, protocol) = match given[..] {
        [port] => (port, Protocol::Http1),
        [port, "h2"] => (port, Protocol::Http2),
        [port, "h2", certificate, key] => (port, Protocol::SecuredHttp2(acceptor(certificate, key)?)),
        _ => return Err("usage: peer-hyper PORT [h2 [CERTIFICATE KEY]]".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(port.parse()?, protocol))
}

fn acceptor(certificate: &str, key: &str) -> Result<TlsAcceptor, Box<dyn Error>> {
    let certificate = CertificateDer::from_pem_file(certificate)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_file(key)?)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(port: u16, protocol: Protocol) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let protocol = protocol.clone();
        tokio::task::spawn_local(async move {
            // A client that leaves in the middle of a request, or of a handshake, is no fault of this server's.
            let _ = match protocol {
                Protocol::Http1 => serve_http1(socket).await,
                Protocol::Http2 => serve_http2(socket).await,
                Protocol::SecuredHttp2(acceptor) => match acceptor.accept(socket).await {
                    Ok(stream) => serve_http2(stream).await,
                    Err(_) => Ok(()),
                },
            };
        });
    }
}

async fn serve_http1<S: AsyncRead + AsyncWrite + Unpin + 'static>(stream: S) -> hyper::Result<()> {
    // hyper at its best: with it, the answers to one batch of pipelined requests leave in one write.
    let mut builder = http1::Builder::new();
    builder.pipeline_flush(true).serve_connection(TokioIo::new(stream), service_fn(answer)).await
}

async fn serve_http2<S: AsyncRead + AsyncWrite + Unpin + 'static>(stream: S) -> hyper::Result<()> {
    http2::Builder::new(Here).serve_connection(TokioIo::new(stream), service_fn(answer)).await
}

/// Runs what a connection needs beside itself on its own thread.
#[derive(Clone)]
struct Here;

impl<F: Future<Output = ()> + 'static> Executor<F> for Here {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
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
