//! hyper's clients of HTTP/2: of one connection, and of many that it pools.

use gannet::prelude::*;
use gannet::{BackendChoice, BodyError};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::common::on_each_backend;
use crate::{address, block_on, serve};

on_each_backend!(
    hyper_asks_and_posts_on_one_connection,
    the_client_that_pools_connections_needs_but_one,
    an_upload_of_fifty_megabytes_comes_back_while_it_is_sent,
);

fn app() -> App {
    let length = async |mut request: Request| -> Result<String, BodyError> {
        Ok(request.body().collect(1 << 20).await?.len().to_string())
    };
    let echo = |request: Request| {
        Response::new(Status::OK).with_body(gannet::Body::Received(request.into_body(), None))
    };
    App::new().get("/", "hello").post("/length", length).post("/echo", echo)
}

fn request<B>(method: &str, target: &str, body: B) -> hyper::Request<B> {
    let request = hyper::Request::builder().method(method).uri(format!("http://a.example{target}"));
    request.body(body).expect("a well-formed request")
}

fn hyper_asks_and_posts_on_one_connection(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        let stream = tokio::net::TcpStream::connect(address(&server)).await.expect("the server listens");
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.expect("nothing to fail yet");
        tokio::spawn(connection);
        for size in 0..50 {
            let body = Full::<Bytes>::from(vec![b'x'; size * 1000]);
            let posted = sender.send_request(request("POST", "/length", body)).await.expect("an answer");
            assert_eq!(posted.version(), hyper::Version::HTTP_2);
            let length = posted.into_body().collect().await.expect("a whole body").to_bytes();
            assert_eq!(length, (size * 1000).to_string());
            let head = sender.send_request(request("HEAD", "/", Full::default())).await.expect("an answer");
            assert_eq!(head.headers()["content-length"], "5");
        }
        assert_eq!(server.connections(), 1);
    });
}

fn the_client_that_pools_connections_needs_but_one(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<Bytes>>();
        let url = format!("http://{}/", address(&server));
        let ask = || async {
            let response = client.get(url.parse().expect("a URL")).await.expect("an answer");
            response.into_body().collect().await.expect("a whole body").to_bytes()
        };
        assert_eq!(ask().await, "hello");
        let (one, other, third) = tokio::join!(ask(), ask(), ask());
        assert_eq!([one, other, third], ["hello"; 3]);
        assert_eq!(server.connections(), 1);
    });
}

fn an_upload_of_fifty_megabytes_comes_back_while_it_is_sent(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
        let body = Full::from(vec![b'x'; 50_000_000]);
        let request = hyper::Request::post(format!("http://{}/echo", address(&server))).body(body);
        let answer = client.request(request.expect("a well-formed request")).await.expect("an answer");
        let (mut length, mut body) = (0, answer.into_body());
        while let Some(frame) = body.frame().await {
            // A reader slower than the writer: the connection's task gets several turns for each of ours.
            tokio::task::yield_now().await;
            length += frame.expect("whole").data_ref().map_or(0, Bytes::len);
        }
        assert_eq!(length, 50_000_000);
    });
}
