//! Handlers that ask another server and pass its response on.

use std::sync::Arc;

use gannet::prelude::*;
use gannet::{
    BackendChoice, Body, Running, UpgradeOffer, Upstream, UpstreamAddress, UpstreamFailure, UpstreamRequest,
};

use crate::body::echo;
use crate::rig::{Client, Over, Server, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    a_response_is_passed_on_as_it_comes,
    requests_one_after_the_other_share_a_connection,
    who_cannot_be_connected_to_is_an_error_and_the_request_is_given_back,
    a_response_to_head_says_how_long_the_content_would_be,
);

on_each_backend!(a_body_goes_through_both_ways_with_its_trailers, a_conversation_goes_through,);

/// Sends the request as it is.
async fn forward(upstream: Arc<Upstream>, request: Request) -> Result<Response, Response> {
    let mut sent =
        UpstreamRequest::new(request.ports(), request.method(), request.method_name(), request.target());
    // In HTTP/2 no field names the host.
    sent.fields.forward("Host", request.authority().unwrap_or_default().as_bytes());
    for (name, value) in request.fields().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        sent.fields.forward(name, value);
    }
    if request.offers_upgrade() {
        sent.upgrade = UpgradeOffer::Http1;
        sent.fields.append("Upgrade", request.field("upgrade").unwrap_or_default()).expect("as it came");
    }
    sent.body = match request.body_length() {
        gannet::BodyLength::None => Body::Empty,
        gannet::BodyLength::Known(length) => Body::Received(request.into_body(), Some(length)),
        gannet::BodyLength::Chunked => Body::Received(request.into_body(), None),
    };
    upstream.send(sent).await.map_err(|UpstreamFailure { error, unsent }| {
        Response::text(format!("{error}; unsent: {}", unsent.is_some())).with_status(error.status())
    })
}

/// A server that passes everything on to `address`.
fn front(address: UpstreamAddress, over: Over) -> Server {
    let upstream = Arc::new(Upstream::new(address));
    let handler = move |request: Request| forward(upstream.clone(), request);
    Server::start(App::new().any("/*", handler), over)
}

fn pair(app: App, over: impl Into<Over>) -> (Running, Server) {
    let over = over.into();
    let behind = serve(app, over.backend);
    let front = front(UpstreamAddress::Internet(behind.socket_addresses()[0]), over);
    (behind, front)
}

fn a_response_is_passed_on_as_it_comes(over: Over) {
    let app = App::new().get("/a", |_: Request| Response::text("hello").with("X-A", "1"));
    let (_behind, front) = pair(app, over);
    let mut client = Client::connect(&front);
    for _ in 0..3 {
        let answer = client.get("/a");
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"hello"[..]));
        assert_eq!(answer.head.to_ascii_lowercase().matches("\ndate:").count(), 1, "{}", answer.head);
        assert_eq!((answer.field("x-a"), answer.field("content-length")), (Some("1"), Some("5")));
        assert_eq!(client.get("/none").status, 404);
    }
}

fn a_body_goes_through_both_ways_with_its_trailers(backend: BackendChoice) {
    let (_behind, front) = pair(App::new().post("/", echo), backend);
    let mut client = Client::connect(&front);
    let large = vec![b'x'; 1_000_000];
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", large.len());
    let mut stream = client.stream();
    let sent = large.clone();
    let sender = std::thread::spawn(move || {
        use std::io::Write;
        stream.write_all(&[head.into_bytes(), sent].concat()).expect("it is taken");
    });
    let answer = client.answer();
    sender.join().expect("sent");
    assert_eq!((answer.status, answer.body == large), (200, true));
    let chunked =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
    let answer = client.send(chunked).answer();
    assert_eq!((answer.body.as_slice(), answer.trailers.as_str()), (&b"abc"[..], "X-T: 1\r\n"));
}

fn requests_one_after_the_other_share_a_connection(over: Over) {
    let who = |request: Request| format!("{:?}", request.peer());
    let (_behind, front) = pair(App::new().get("/", who), over);
    let (mut one, mut other) = (Client::connect(&front), Client::connect(&front));
    let first = one.get("/").body;
    assert_eq!(other.get("/").body, first);
    assert_eq!(one.get("/").body, first);
}

fn who_cannot_be_connected_to_is_an_error_and_the_request_is_given_back(over: Over) {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let tcp = front(UpstreamAddress::Internet(gone), over);
    let unix = front(UpstreamAddress::Unix("/nonexistent/socket".into()), over);
    for server in [tcp, unix] {
        let answer = Client::connect(&server).get("/");
        assert_eq!(answer.status, 502);
        let text = String::from_utf8(answer.body).expect("text");
        assert!(text.contains("cannot be connected to") && text.ends_with("unsent: true"), "{text}");
    }
}

fn a_conversation_goes_through(backend: BackendChoice) {
    let echo = |_: Request| {
        Response::upgrade("echo", async |mut upgraded: gannet::Upgraded| {
            while let Some(Ok(chunk)) = upgraded.reader.next().await {
                if upgraded.writer.send(chunk).await.is_err() {
                    return;
                }
            }
        })
    };
    let (_behind, front) = pair(App::new().get("/echo", echo), backend);
    let mut client = Client::connect(&front);
    let offer = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst";
    let head = client.send(offer).head();
    assert_eq!((head.status, head.field("upgrade")), (101, Some("echo")));
    assert_eq!(client.take(5), b"first");
    assert_eq!(client.send("second").take(6), b"second");
    client.finish();
    assert_eq!(client.rest(), b"");
}

fn a_response_to_head_says_how_long_the_content_would_be(over: Over) {
    let (_behind, front) = pair(App::new().get("/", "hello"), over);
    let mut client = Client::connect(&front);
    let head = client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").head();
    assert_eq!((head.status, head.field("content-length")), (200, Some("5")));
    assert_eq!(client.get("/").body, b"hello");
}
