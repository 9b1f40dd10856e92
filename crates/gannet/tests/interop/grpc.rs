//! gRPC: tonic's client, the proxy, and a server of tonic's behind it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use gannet::{App, BackendChoice, Running};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{ClientStreamingService, ServerStreamingService, StreamingService, UnaryService};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::common::on_each_backend;
use crate::{address, block_on, serve};

on_each_backend!(
    calls_of_all_four_kinds_go_through_the_proxy,
    both_sides_of_a_call_talk_in_turns_as_long_as_they_like,
    an_error_comes_with_its_code_its_message_and_its_metadata,
    a_call_that_is_dropped_is_dropped_by_the_server_behind_the_proxy,
    a_deadline_reaches_the_server_and_ends_the_call,
    a_server_that_is_not_there_is_a_failure_of_the_gateway,
    a_hundred_calls_at_once_share_their_client_s_connection,
);

/// Messages that are bytes.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, room: &mut EncodeBuf<'_>) -> Result<(), Status> {
        room.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining())))
    }
}

type Later<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;
type Messages = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

/// What the server does; it tells when a call that waits is dropped, and the deadline that it came with.
#[derive(Clone)]
struct Service {
    told: mpsc::UnboundedSender<String>,
}

struct TellWhenDropped(mpsc::UnboundedSender<String>);

impl Drop for TellWhenDropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped".to_owned()); // the test may have heard enough
    }
}

impl UnaryService<Bytes> for Service {
    type Response = Bytes;
    type Future = Later<Bytes>;

    fn call(&mut self, request: Request<Bytes>) -> Later<Bytes> {
        let told = self.told.clone();
        Box::pin(async move {
            match &request.get_ref()[..] {
                b"fail" => {
                    let mut status = Status::failed_precondition("as it was asked \u{e9}");
                    status.metadata_mut().insert("x-why", "because".parse().expect("a value"));
                    Err(status)
                }
                b"wait" => {
                    let deadline = request.metadata().get("grpc-timeout").map(|text| format!("{text:?}"));
                    let _ = told.send(deadline.unwrap_or_default());
                    let _dropped = TellWhenDropped(told);
                    std::future::pending().await
                }
                _ => Ok(Response::new(request.into_inner())),
            }
        })
    }
}

impl ServerStreamingService<Bytes> for Service {
    type Response = Bytes;
    type ResponseStream = Messages;
    type Future = Later<Messages>;

    fn call(&mut self, request: Request<Bytes>) -> Later<Messages> {
        let count = request.get_ref().len();
        Box::pin(async move {
            let all = (0..count).map(|number| Ok(Bytes::from(number.to_string())));
            Ok(Response::new(Box::pin(tokio_stream::iter(all)) as Messages))
        })
    }
}

impl ClientStreamingService<Bytes> for Service {
    type Response = Bytes;
    type Future = Later<Bytes>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Later<Bytes> {
        Box::pin(async move {
            let (mut messages, mut length) = (request.into_inner(), 0);
            while let Some(message) = messages.message().await? {
                length += message.len();
            }
            Ok(Response::new(length.to_string().into()))
        })
    }
}

impl StreamingService<Bytes> for Service {
    type Response = Bytes;
    type ResponseStream = Messages;
    type Future = Later<Messages>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Later<Messages> {
        Box::pin(async move { Ok(Response::new(Box::pin(request.into_inner()) as Messages)) })
    }
}

/// A server of tonic's, on the present runtime.
async fn upstream(told: mpsc::UnboundedSender<String>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = Service { told: told.clone() };
            let answer = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let service = service.clone();
                async move {
                    let mut grpc = tonic::server::Grpc::new(Raw);
                    Ok::<_, Infallible>(match request.uri().path() {
                        "/test/unary" => grpc.unary(service, request).await,
                        "/test/count" => grpc.server_streaming(service, request).await,
                        "/test/length" => grpc.client_streaming(service, request).await,
                        "/test/talk" => grpc.streaming(service, request).await,
                        _ => Status::unimplemented("no such method").into_http(),
                    })
                }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

/// A client of tonic's, through a proxy to a server of tonic's.
struct Rig {
    grpc: Grpc<Channel>,
    told: mpsc::UnboundedReceiver<String>,
    front: Running,
}

impl Rig {
    async fn new(backend: BackendChoice) -> Rig {
        let (teller, told) = mpsc::unbounded_channel();
        let to = format!("h2c://{}", upstream(teller).await);
        let front = serve(App::new().proxy("/*", to.as_str()).admin("127.0.0.1:0"), backend);
        Rig { grpc: connect(&front).await, told, front }
    }
}

async fn connect(front: &Running) -> Grpc<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", address(front))).expect("a URL");
    Grpc::new(endpoint.connect().await.expect("it listens"))
}

async fn unary(grpc: &mut Grpc<Channel>, message: &'static str) -> Result<Bytes, Status> {
    grpc.ready().await.expect("the channel goes on");
    let request = Request::new(Bytes::from_static(message.as_bytes()));
    Ok(grpc.unary(request, http::uri::PathAndQuery::from_static("/test/unary"), Raw).await?.into_inner())
}

fn calls_of_all_four_kinds_go_through_the_proxy(backend: BackendChoice) {
    block_on(async {
        let mut rig = Rig::new(backend).await;
        for message in ["hello", "", "again"] {
            assert_eq!(unary(&mut rig.grpc, message).await.expect("an answer"), message);
        }
        let grpc = &mut rig.grpc;
        let path = http::uri::PathAndQuery::from_static;

        grpc.ready().await.expect("the channel goes on");
        let request = Request::new(Bytes::from(vec![0; 1000]));
        let counted = grpc.server_streaming(request, path("/test/count"), Raw).await.expect("an answer");
        let counted: Vec<_> = counted.into_inner().collect().await;
        let expected = (0..1000).map(|number| number.to_string());
        assert!(counted.into_iter().map(|message| message.expect("whole")).eq(expected));

        grpc.ready().await.expect("the channel goes on");
        let messages = tokio_stream::iter((0..300).map(|_| Bytes::from(vec![0; 10_000])));
        let length = grpc.client_streaming(Request::new(messages), path("/test/length"), Raw).await;
        assert_eq!(length.expect("an answer").into_inner(), "3000000");

        grpc.ready().await.expect("the channel goes on");
        let messages = tokio_stream::iter((0..300).map(|_| Bytes::from(vec![7; 10_000])));
        let echo = grpc.streaming(Request::new(messages), path("/test/talk"), Raw).await.expect("an answer");
        let echo: Vec<_> = echo.into_inner().collect().await;
        assert!(echo.iter().all(|message| message.as_ref().is_ok_and(|message| message[..] == [7; 10_000])));
        assert_eq!(echo.len(), 300);
    });
}

fn both_sides_of_a_call_talk_in_turns_as_long_as_they_like(backend: BackendChoice) {
    block_on(async {
        let mut rig = Rig::new(backend).await;
        rig.grpc.ready().await.expect("the channel goes on");
        let (sender, messages) = mpsc::channel(1);
        let path = http::uri::PathAndQuery::from_static("/test/talk");
        let talk = rig.grpc.streaming(Request::new(ReceiverStream::new(messages)), path, Raw).await;
        let mut talk = talk.expect("an answer before anything was said").into_inner();
        for number in 0..200 {
            sender.send(Bytes::from(number.to_string())).await.expect("it is taken");
            let said = talk.message().await.expect("no failure").expect("an answer");
            assert_eq!(said, number.to_string());
        }
        drop(sender);
        assert!(talk.message().await.expect("no failure").is_none());
        assert!(talk.trailers().await.expect("no failure").is_some());
    });
}

fn an_error_comes_with_its_code_its_message_and_its_metadata(backend: BackendChoice) {
    block_on(async {
        let mut rig = Rig::new(backend).await;
        for _ in 0..3 {
            let status = unary(&mut rig.grpc, "fail").await.expect_err("as it was asked");
            assert_eq!(
                (status.code(), status.message()),
                (Code::FailedPrecondition, "as it was asked \u{e9}")
            );
            assert_eq!(status.metadata().get("x-why").expect("metadata"), "because");
        }
        assert_eq!(unary(&mut rig.grpc, "hello").await.expect("an answer"), "hello");
        rig.grpc.ready().await.expect("the channel goes on");
        let path = http::uri::PathAndQuery::from_static("/test/nothing");
        let status = rig.grpc.unary(Request::new(Bytes::new()), path, Raw).await.expect_err("there is none");
        assert_eq!(status.code(), Code::Unimplemented);
    });
}

fn a_call_that_is_dropped_is_dropped_by_the_server_behind_the_proxy(backend: BackendChoice) {
    block_on(async {
        let mut rig = Rig::new(backend).await;
        let mut other = rig.grpc.clone();
        let call = tokio::spawn(async move { unary(&mut other, "wait").await });
        assert_eq!(rig.told.recv().await.as_deref(), Some(""));
        call.abort();
        assert_eq!(rig.told.recv().await.as_deref(), Some("dropped"));
        assert_eq!(unary(&mut rig.grpc, "hello").await.expect("an answer"), "hello");
    });
}

fn a_deadline_reaches_the_server_and_ends_the_call(backend: BackendChoice) {
    block_on(async {
        let mut rig = Rig::new(backend).await;
        rig.grpc.ready().await.expect("the channel goes on");
        let mut request = Request::new(Bytes::from_static(b"wait"));
        request.set_timeout(Duration::from_millis(50));
        let path = http::uri::PathAndQuery::from_static("/test/unary");
        let status = rig.grpc.unary(request, path, Raw).await.expect_err("it waits for ever");
        assert!(matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded), "{status:?}");
        assert!(rig.told.recv().await.is_some_and(|deadline| deadline.contains("50")), "it was told");
        assert_eq!(rig.told.recv().await.as_deref(), Some("dropped"));
    });
}

fn a_server_that_is_not_there_is_a_failure_of_the_gateway(backend: BackendChoice) {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let front = serve(App::new().proxy("/*", format!("h2c://{gone}")), backend);
    block_on(async {
        let mut grpc = connect(&front).await;
        let status = unary(&mut grpc, "hello").await.expect_err("nobody is there");
        // tonic reads the page that explains it as a message, and tells both.
        assert!(status.message().contains("502 Bad Gateway"), "{status:?}");
    });
}

fn a_hundred_calls_at_once_share_their_client_s_connection(backend: BackendChoice) {
    block_on(async {
        let rig = Rig::new(backend).await;
        let calls = (0..100).map(|_| {
            let mut grpc = rig.grpc.clone();
            tokio::spawn(async move { unary(&mut grpc, "hello").await.expect("an answer") })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.expect("no panic"), "hello");
        }
        assert_eq!(rig.front.connections(), 1);
    });
}
