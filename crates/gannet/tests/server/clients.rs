//! Clients that others wrote: hyper and ureq.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use gannet::prelude::*;
use gannet::{BackendChoice, Body, Fields, Running};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderValue};
use hyper_util::rt::TokioIo;

use crate::rig::{block_on, on_each_backend, serve};

on_each_backend!(
    hyper_makes_many_requests_of_each_kind_on_one_connection,
    hyper_gets_its_own_answers_on_sixty_four_connections_to_two_workers,
    hyper_streams_a_body_up_with_trailers,
    hyper_gets_a_streamed_body_with_trailers,
    hyper_sends_and_receives_fifty_megabytes_at_once_while_it_reads_slowly,
    ureq_gets_posts_and_is_told_what_is_not_there_or_not_allowed,
    ureq_follows_the_redirect_of_a_directory_without_its_slash,
);

fn app() -> App {
    let length = async |mut request: Request| -> Result<String, gannet::BodyError> {
        Ok(request.body().collect(1 << 20).await?.len().to_string())
    };
    App::new().get("/", "hello").post("/length", length).post("/echo", crate::body::echo)
}

/// A connection of hyper's, driven by a task of the present runtime.
async fn connect<B>(server: &Running) -> SendRequest<B>
where
    B: hyper::body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let stream =
        tokio::net::TcpStream::connect(server.socket_addresses()[0]).await.expect("the server listens");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("nothing to fail yet");
    tokio::spawn(connection);
    sender
}

fn request<B>(method: &str, target: &str, body: B) -> hyper::Request<B> {
    let request = hyper::Request::builder().method(method).uri(target).header("host", "a.example");
    request.body(body).expect("a well-formed request")
}

async fn whole(response: hyper::Response<Incoming>) -> (u16, Bytes) {
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.expect("a whole body").to_bytes())
}

fn hyper_makes_many_requests_of_each_kind_on_one_connection(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        let mut sender = connect::<Full<Bytes>>(&server).await;
        for size in 0..100 {
            let got = sender.send_request(request("GET", "/", Full::default())).await.expect("an answer");
            assert_eq!(whole(got).await, (200, "hello".into()));
            let body = Full::from(vec![b'x'; size * 100]);
            let posted = sender.send_request(request("POST", "/length", body)).await.expect("an answer");
            assert_eq!(whole(posted).await, (200, (size * 100).to_string().into()));
            let head = sender.send_request(request("HEAD", "/", Full::default())).await.expect("an answer");
            assert_eq!(head.headers()["content-length"], "5");
            assert_eq!(whole(head).await, (200, "".into()));
        }
        assert_eq!(server.connections(), 1);
    });
}

fn hyper_gets_its_own_answers_on_sixty_four_connections_to_two_workers(backend: BackendChoice) {
    let at_once = |request: Request| request.query().unwrap_or_default().to_owned();
    let later = async |request: Request| {
        tokio::task::yield_now().await;
        request.query().unwrap_or_default().to_owned()
    };
    let app = App::new().get("/at-once", at_once).get("/later", later);
    let app = app.listen("127.0.0.1:0").workers(2).backend(backend);
    let server = app.start().expect("the application is sound");
    block_on(async {
        let mut tasks = Vec::new();
        for number in 0..64 {
            let mut sender = connect::<Empty<Bytes>>(&server).await;
            tasks.push(tokio::spawn(async move {
                for round in 0..20 {
                    let target =
                        format!("/{}?{number}-{round}", if round % 2 == 0 { "at-once" } else { "later" });
                    let answer =
                        sender.send_request(request("GET", &target, Empty::new())).await.expect("an answer");
                    assert_eq!(whole(answer).await, (200, format!("{number}-{round}").into()));
                }
            }));
        }
        for task in tasks {
            task.await.expect("every answer was its own");
        }
    });
}

/// A body of so many pieces of 10,000 bytes each, and a trailer field that says how many.
struct Pieces {
    left: usize,
    trailer: Option<usize>,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left > 0 {
            self.left -= 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 10_000])))));
        }
        let trailers = self.trailer.take().map(|count| {
            let value = HeaderValue::from(count);
            Ok(Frame::trailers(HeaderMap::from_iter([("x-pieces".parse().expect("a name"), value)])))
        });
        Poll::Ready(trailers)
    }
}

/// A request with a body of `count` pieces.
fn pieces(target: &str, count: usize) -> hyper::Request<Pieces> {
    let mut request = request("POST", target, Pieces { left: count, trailer: Some(count) });
    request.headers_mut().insert("trailer", HeaderValue::from_static("x-pieces"));
    request
}

fn hyper_streams_a_body_up_with_trailers(backend: BackendChoice) {
    let counts = async |mut request: Request| {
        let mut length = 0;
        while let Some(chunk) = request.body().next().await {
            length += chunk.expect("a whole body").len();
        }
        let trailers = request.body().trailers().expect("the client sent some");
        let pieces = trailers.get("x-pieces").map(String::from_utf8_lossy);
        format!("{length} bytes in {} pieces", pieces.expect("the field"))
    };
    let server = serve(App::new().post("/count", counts), backend);
    block_on(async {
        let mut sender = connect(&server).await;
        for count in [1, 30] {
            let answer = sender.send_request(pieces("/count", count)).await.expect("an answer");
            let said = format!("{} bytes in {count} pieces", count * 10_000);
            assert_eq!(whole(answer).await, (200, said.into()));
        }
    });
}

fn hyper_gets_a_streamed_body_with_trailers(backend: BackendChoice) {
    let streamed = |_: Request| {
        Response::new(Status::OK).with_body(Body::written(async |mut sender| {
            sender.send("one, ").await.expect("the client is there");
            tokio::task::yield_now().await;
            sender.send("two").await.expect("the client is there");
            let mut trailers = Fields::new();
            trailers.append("x-count", "2").expect("a field");
            sender.finish(trailers).await.expect("the client is there");
        }))
    };
    let server = serve(App::new().get("/", streamed), backend);
    block_on(async {
        let mut sender = connect::<Empty<Bytes>>(&server).await;
        for _ in 0..3 {
            let answer = sender.send_request(request("GET", "/", Empty::new())).await.expect("an answer");
            let body = answer.into_body().collect().await.expect("a whole body");
            assert_eq!(body.trailers().expect("some")["x-count"], "2");
            assert_eq!(body.to_bytes(), "one, two");
        }
    });
}

fn hyper_sends_and_receives_fifty_megabytes_at_once_while_it_reads_slowly(backend: BackendChoice) {
    let server = serve(app(), backend);
    block_on(async {
        let mut sender = connect(&server).await;
        let answer = sender.send_request(pieces("/echo", 5000)).await.expect("an answer");
        let (mut length, mut body) = (0, answer.into_body());
        while let Some(frame) = body.frame().await {
            // A reader slower than the writer: the connection's task gets several turns for each of ours.
            tokio::task::yield_now().await;
            length += frame.expect("whole").data_ref().map_or(0, |data| data.len());
        }
        assert_eq!(length, 50_000_000);
    });
}

fn ureq_gets_posts_and_is_told_what_is_not_there_or_not_allowed(backend: BackendChoice) {
    let server = serve(app(), backend);
    let agent =
        ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    let url = |path: &str| format!("http://{}{path}", server.socket_addresses()[0]);
    for _ in 0..3 {
        let mut answer = agent.get(url("/")).call().expect("an answer");
        assert_eq!(answer.body_mut().read_to_string().expect("text"), "hello");
        let mut answer = agent.post(url("/length")).send(&[0; 12_345]).expect("an answer");
        assert_eq!(answer.body_mut().read_to_string().expect("text"), "12345");
        assert_eq!(agent.get(url("/none")).call().expect("an answer").status(), 404);
        let refused = agent.get(url("/length")).call().expect("an answer");
        assert_eq!(refused.status(), 405);
        assert_eq!(refused.headers()["allow"], "OPTIONS, POST");
    }
}

fn ureq_follows_the_redirect_of_a_directory_without_its_slash(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    std::fs::create_dir(folder.path().join("sub")).expect("made");
    std::fs::write(folder.path().join("sub/index.html"), "<p>index").expect("written");
    let server = serve(App::new().files("/", folder.path()), backend);
    let answer = ureq::get(format!("http://{}/sub", server.socket_addresses()[0])).call();
    assert_eq!(answer.expect("an answer").body_mut().read_to_string().expect("text"), "<p>index");
}
