//! WebSockets through the proxy, by peers that others wrote: before it tungstenite, and the crate h2; behind it axum on hyper, by HTTP/1.1 and by HTTP/2 (RFC 8441).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message as Said, WebSocket};
use axum::routing::any;
use gannet::{App, BackendChoice, Running, Tls};
use gannet_testing::Authority;
use http::StatusCode;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tower::Service;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;

use crate::client::{Client, PATIENCE, Protocol, Speaks, tcp};
use crate::common::on_each_backend;
use crate::places::pattern;

on_each_backend! {
    messages_of_tungstenite_go_to_axum_and_back_by_either_http,
    every_client_reaches_hyper_by_either_http_and_each_half_ends_by_itself,
    what_hyper_refuses_is_passed_on_by_either_http,
}

/// axum on hyper: by HTTP/1.1 on one port, and on the other by HTTP/2 in clear text.
struct Foreign {
    http1: SocketAddr,
    http2: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Foreign {
    fn start() -> Foreign {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime on this thread").block_on(async move {
                let bind = || TcpListener::bind("127.0.0.1:0");
                let (http1, http2) = (bind().await.expect("a port"), bind().await.expect("a port"));
                let address = |listener: &TcpListener| listener.local_addr().expect("an address");
                tell.send((address(&http1), address(&http2))).expect("somebody asks");
                tokio::spawn(serve(http1, false));
                tokio::spawn(serve(http2, true));
                let _ = stopped.await;
            });
        });
        let (http1, http2) = told.recv_timeout(PATIENCE).expect("it listens");
        Foreign { http1, http2, stop: Some(stop), thread: Some(thread) }
    }

    /// What a proxy calls them.
    fn targets(&self) -> [String; 2] {
        [self.http1.to_string(), format!("h2c://{}", self.http2)]
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()), "no panic");
    }
}

async fn serve(listener: TcpListener, is_http2: bool) {
    let upgrade = async |upgrade: WebSocketUpgrade| upgrade.protocols(["chat"]).on_upgrade(echo);
    let router = Router::new()
        .route("/chat", any(upgrade))
        .route("/refuse", any(async || (StatusCode::FORBIDDEN, "not for you")))
        .route("/plain", any(async || "plain"));
    while let Ok((stream, _)) = listener.accept().await {
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut router = router.clone();
            async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
        });
        let stream = TokioIo::new(stream);
        if is_http2 {
            let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            server.enable_connect_protocol();
            tokio::spawn(server.serve_connection(stream, service));
        } else {
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(stream, service).with_upgrades());
        }
    }
}

/// Sends every message back.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Said::Text(_) | Said::Binary(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}

fn front(target: &str, backend: BackendChoice, tls: Option<Tls>) -> Running {
    let app = App::new().proxy("/*", target).listen("127.0.0.1:0").workers(1).backend(backend);
    let app = match tls {
        Some(tls) => app.tls(tls),
        None => app,
    };
    app.start().expect("the application is sound")
}

fn messages_of_tungstenite_go_to_axum_and_back_by_either_http(backend: BackendChoice) {
    let foreign = Foreign::start();
    for target in foreign.targets() {
        let front = front(&target, backend, None);
        let stream = tcp(front.socket_addresses()[0]).expect("it listens");
        let mut request = "ws://a.example/chat".into_client_request().expect("a URL");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("superchat, chat"));
        // It checks status, key and protocol.
        let (mut socket, response) = tungstenite::client(request, stream).expect("a WebSocket");
        assert_eq!(response.headers()["sec-websocket-protocol"], "chat", "{target}");
        let large = pattern(1_000_000);
        let messages = [
            Message::text("hello"),
            Message::binary(large),
            Message::text(""),
            Message::text("w\u{f6}rld".repeat(30_000)),
        ];
        for message in messages {
            socket.send(message.clone()).expect("it is taken");
            assert!(socket.read().expect("a message") == message, "{target}");
        }
        socket.send(Message::Ping("are you there".into())).expect("it is taken");
        assert_eq!(socket.read().expect("a message"), Message::Pong("are you there".into()));
        socket.close(None).expect("it is taken");
        assert!(matches!(socket.read(), Ok(Message::Close(_))), "{target}");
        let ended = socket.read().expect_err("the end");
        assert!(matches!(ended, tungstenite::Error::ConnectionClosed), "{target}: {ended}");
    }
}

/// A client's text of five letters, as one frame of no more than two handfuls of bytes (RFC 6455, 5.7).
const MASKED: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
const UNMASKED: &[u8] = &[0x81, 0x05, b'H', b'e', b'l', b'l', b'o'];

/// Close, with 1000.
const MASKED_CLOSE: &[u8] = &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8];
const UNMASKED_CLOSE: &[u8] = &[0x88, 0x02, 0x03, 0xe8];

fn ask(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    )
}

/// Does something with each kind of client, before each kind of upstream.
fn for_each(backend: BackendChoice, act: impl Fn(&dyn Fn() -> Client, Protocol, bool, &str)) {
    let (foreign, authority) = (Foreign::start(), Authority::new());
    let signed = authority.sign("a", &["localhost"]);
    for (target, is_http2) in foreign.targets().iter().zip([false, true]) {
        for tls in [None, Some(&rustls::version::TLS13)] {
            let front = front(target, backend, tls.map(|_| Tls::files(&signed.certificate, &signed.key)));
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let speaks = Speaks { protocol, tls };
                let connect = || Client::speaking(speaks, front.socket_addresses()[0], &authority.root());
                act(&connect, protocol, is_http2, &format!("{speaks:?} to {target}"));
            }
        }
    }
}

fn every_client_reaches_hyper_by_either_http_and_each_half_ends_by_itself(backend: BackendChoice) {
    for_each(backend, |connect, protocol, _, here| {
        let mut client = connect();
        client.send(ask("/chat"));
        let answer = client.head();
        let status = if protocol == Protocol::Http1 { 101 } else { 200 };
        assert_eq!(answer.status, status, "{here}: {}", answer.head);
        let of_key = (protocol == Protocol::Http1).then_some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(answer.field("sec-websocket-accept"), of_key, "{here}");
        assert_eq!(answer.field("sec-websocket-protocol"), Some("chat"), "{here}");
        for _ in 0..3 {
            client.send(MASKED);
            assert_eq!(client.take(UNMASKED.len()), UNMASKED, "{here}");
        }
        client.send(MASKED_CLOSE);
        assert_eq!(client.take(UNMASKED_CLOSE.len()), UNMASKED_CLOSE, "{here}");
        // Who said it last ends its half first (RFC 6455, 7.1.1).
        match protocol {
            Protocol::Http1 => client.ends(),
            Protocol::Http2 => client.end_conversation(),
        }
    });
}

fn what_hyper_refuses_is_passed_on_by_either_http(backend: BackendChoice) {
    for_each(backend, |connect, protocol, is_http2, here| {
        let mut client = connect();
        client.send(ask("/refuse"));
        assert_eq!(client.answer().says(), (403, "not for you"), "{here}");
        if protocol == Protocol::Http1 {
            // Nothing was upgraded: the connection goes on.
            assert_eq!(client.get("/plain").says(), (200, "plain"), "{here}");
        }
        if is_http2 {
            return; // there any success is one
        }
        let answer = connect().send(ask("/plain")).answer();
        match protocol {
            Protocol::Http1 => assert_eq!(answer.says(), (200, "plain"), "{here}"),
            Protocol::Http2 => assert_eq!(answer.status, 501, "{here}"),
        }
    });
}
