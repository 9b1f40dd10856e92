//! Handlers and filters: what they may do, and what becomes of them.

use std::io::{ErrorKind, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

use gannet::prelude::*;
use gannet::{BackendChoice, Body, BodyError, Frame, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};

use crate::rig::{Client, Over, PATIENCE, Server, TellWhenDropped, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    a_panic_is_answered_500_and_harms_nobody,
    a_panic_in_a_streamed_body_breaks_it_off_so_that_it_is_not_taken_for_whole,
    a_body_that_panics_when_asked_for_its_length_is_answered_500,
    a_body_of_endless_empty_pieces_keeps_nobody_else_from_being_served,
    a_handler_or_body_that_panics_while_it_is_dropped_harms_nobody,
    a_client_that_leaves_drops_the_future_of_its_handler,
    a_client_that_leaves_drops_the_body_that_is_streamed_to_it,
    a_filter_sees_the_response_of_every_handler,
    a_filter_may_wait_before_and_after_the_handler,
    timers_and_sockets_of_tokio_work_within_a_handler,
    a_handler_is_woken_from_another_thread,
    handlers_of_many_connections_wait_for_one_another,
    a_task_that_a_handler_spawns_runs_while_the_handler_waits,
    a_panic_in_a_filter_is_answered_500,
    handlers_that_never_rest_do_not_keep_others_from_being_served,
    methods_of_one_s_own_and_connect_are_routed_as_others_are,
    a_body_is_written_by_a_future_of_its_own_as_fast_as_the_client_reads,
);

on_each_backend!(a_broken_body_that_a_client_of_http_1_0_would_take_for_whole_resets_its_connection);

fn app() -> App {
    App::new().get("/", "hello")
}

fn a_panic_is_answered_500_and_harms_nobody(over: Over) {
    let at_once = |request: Request| -> &str { panic!("{request:?} is part of a test") };
    let later = async |request: Request| -> &str {
        tokio::task::yield_now().await;
        panic!("{request:?} is part of a test")
    };
    let app = app().get("/at-once", at_once).get("/later", later);
    let server = Server::start(app, over);
    let (mut client, mut other) = (Client::connect(&server), Client::connect(&server));
    for target in ["/at-once", "/later", "/at-once"] {
        let answer = client.get(target);
        assert_eq!(answer.status, 500);
        assert!(!answer.text().contains("part of a test"), "what was said is for the log");
        assert_eq!(client.get("/").says(), (200, "hello"));
        assert_eq!(other.get("/").says(), (200, "hello"));
    }
}

/// A body of one piece, behind which it fails.
struct Fragile(bool);

impl Source for Fragile {
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        assert!(!std::mem::replace(&mut self.0, true), "this panic is part of a test");
        Poll::Ready(Some(Ok(Frame::Data("half".into()))))
    }
}

fn a_panic_in_a_streamed_body_breaks_it_off_so_that_it_is_not_taken_for_whole(over: Over) {
    let fragile = |_: Request| Response::new(Status::OK).with_body(Body::stream(Fragile(false)));
    let server = Server::start(app().get("/fragile", fragile), over);
    let (mut client, mut other) = (Client::connect(&server), Client::connect(&server));
    assert_eq!(client.send("GET /fragile HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
    let received = client.rest_of_broken();
    assert!(!received.ends_with(b"0\r\n\r\n"), "{:?}", String::from_utf8_lossy(&received));
    assert_eq!(other.get("/").says(), (200, "hello"));
}

fn a_broken_body_that_a_client_of_http_1_0_would_take_for_whole_resets_its_connection(
    backend: BackendChoice,
) {
    let fragile = |_: Request| Response::new(Status::OK).with_body(Body::stream(Fragile(false)));
    let server = serve(app().get("/fragile", fragile), backend);
    let mut client = Client::connect(&server);
    client.send("GET /fragile HTTP/1.0\r\n\r\n");
    let error =
        client.stream().read_to_end(&mut Vec::new()).expect_err("an end would be taken for the body's");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

/// A body that does not know its length, and takes the question badly.
struct Touchy;

impl Source for Touchy {
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(None)
    }

    fn length(&self) -> Option<u64> {
        panic!("this panic is part of a test")
    }
}

fn a_body_that_panics_when_asked_for_its_length_is_answered_500(over: Over) {
    let touchy = |_: Request| Response::new(Status::OK).with_body(Body::stream(Touchy));
    let server = Server::start(app().get("/touchy", touchy), over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/touchy").status, 500);
    assert_eq!(client.get("/").says(), (200, "hello"));
}

/// A body of pieces without bytes, and no end.
struct Idler;

impl Source for Idler {
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(Some(Ok(Frame::Data("".into()))))
    }
}

fn a_body_of_endless_empty_pieces_keeps_nobody_else_from_being_served(over: Over) {
    let idler = |_: Request| Response::new(Status::OK).with_body(Body::stream(Idler));
    let server = Server::start(app().get("/idler", idler), over);
    let (mut client, mut other) = (Client::connect(&server), Client::connect(&server));
    client.send("GET /idler HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.head().status, 200);
    for _ in 0..3 {
        assert_eq!(other.get("/").says(), (200, "hello"));
    }
}

/// Panics when it is dropped, unless something panics already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "this panic is part of a test");
    }
}

/// An empty body that panics when it is dropped.
struct Explosive {
    _bomb: Bomb,
}

impl Source for Explosive {
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(None)
    }
}

fn a_handler_or_body_that_panics_while_it_is_dropped_harms_nobody(over: Over) {
    let (told, heard) = mpsc::channel();
    let waits = move |_: Request| {
        let (bomb, reached) = (Bomb, TellWhenDropped(told.clone()));
        async move {
            let _held = (reached, bomb);
            std::future::pending::<&str>().await
        }
    };
    let panics = async |_: Request| {
        let _bomb = Bomb;
        "answered"
    };
    let body = |_: Request| Response::new(Status::OK).with_body(Body::stream(Explosive { _bomb: Bomb }));
    let server = Server::start(app().get("/waits", waits).get("/panics", panics).get("/body", body), over);
    let mut other = Client::connect(&server);
    other.get("/");
    let mut leaving = Client::connect(&server);
    leaving.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n").finish();
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
    assert_eq!(other.get("/").says(), (200, "hello"));
    assert_eq!(other.get("/panics").status, 500);
    assert_eq!(other.get("/body").says(), (200, ""), "it was complete before");
    assert_eq!(other.get("/").says(), (200, "hello"));
}

fn a_client_that_leaves_drops_the_future_of_its_handler(over: Over) {
    let (told, heard) = mpsc::channel();
    let begun = Arc::new(Notify::new());
    let started = begun.clone();
    let waits = move |_: Request| {
        let (dropped, started) = (TellWhenDropped(told.clone()), started.clone());
        async move {
            let _dropped = dropped;
            started.notify_one();
            std::future::pending::<&str>().await
        }
    };
    let server = Server::start(app().get("/waits", waits), over);
    for reset in [false, true] {
        let mut client = Client::connect(&server);
        client.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
        crate::rig::block_on(begun.notified());
        match reset {
            true => client.reset(),
            false => drop(client),
        }
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"), "reset: {reset}");
    }
}

/// Never says anything; the test hears when it is dropped.
struct Silent(#[expect(dead_code, reason = "it is for its drop")] TellWhenDropped);

impl Source for Silent {
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Pending
    }
}

fn a_client_that_leaves_drops_the_body_that_is_streamed_to_it(over: Over) {
    let (told, heard) = mpsc::channel();
    let silent = move |_: Request| {
        Response::new(Status::OK).with_body(Body::stream(Silent(TellWhenDropped(told.clone()))))
    };
    let server = Server::start(app().get("/silent", silent), over);
    let mut client = Client::connect(&server);
    assert_eq!(client.send("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
    client.reset();
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
}

fn a_filter_sees_the_response_of_every_handler(over: Over) {
    let app = app()
        .get("/later", async |_: Request| "later")
        .with(async |request: Request, next: Next| next.run(request).await.with("x-served-by", "gannet"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (target, status) in [("/", 200), ("/later", 200), ("/", 200)] {
        let answer = client.get(target);
        assert_eq!((answer.status, answer.field("x-served-by")), (status, Some("gannet")), "{target}");
    }
}

fn a_filter_may_wait_before_and_after_the_handler(over: Over) {
    let waiting = async |request: Request, next: Next| {
        tokio::task::yield_now().await;
        let response = next.run(request).await;
        tokio::task::yield_now().await;
        response.with("x-waited", "twice")
    };
    let server = Server::start(app().with(waiting), over);
    let mut client = Client::connect(&server);
    let answer = client.get("/");
    assert_eq!((answer.says(), answer.field("x-waited")), ((200, "hello"), Some("twice")));
}

fn timers_and_sockets_of_tokio_work_within_a_handler(over: Over) {
    let upstream = serve(App::new().get("/", "from upstream"), over.backend);
    let address = upstream.socket_addresses()[0];
    let timer = async |_: Request| {
        let late = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
        late.map_or("in time", |()| "never")
    };
    let socket = move |_: Request| async move {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("upstream listens");
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.expect("taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    };
    let server = Server::start(app().get("/timer", timer).get("/socket", socket), over);
    let mut client = Client::connect(&server);
    for _ in 0..3 {
        assert_eq!(client.get("/timer").says(), (200, "in time"));
        assert!(client.get("/socket").text().ends_with("\r\n\r\nfrom upstream"));
    }
}

fn a_handler_is_woken_from_another_thread(over: Over) {
    let woken = async |_: Request| {
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::spawn(move || sender.send("from a thread"));
        let said = receiver.await.expect("sent");
        assert_eq!(thread.join().ok(), Some(Ok(())));
        said
    };
    let server = Server::start(app().get("/woken", woken), over);
    let mut client = Client::connect(&server);
    for _ in 0..20 {
        assert_eq!(client.get("/woken").says(), (200, "from a thread"));
    }
}

fn handlers_of_many_connections_wait_for_one_another(over: Over) {
    let barrier = Arc::new(tokio::sync::Barrier::new(100));
    let meets = move |_: Request| {
        let barrier = barrier.clone();
        async move {
            barrier.wait().await;
            "all are here"
        }
    };
    let server = Server::start(app().get("/meet", meets), over);
    let mut clients: Vec<_> = (0..100).map(|_| Client::connect(&server)).collect();
    for _ in 0..2 {
        for client in &mut clients {
            client.send("GET /meet HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.answer().says(), (200, "all are here"));
        }
    }
}

fn a_task_that_a_handler_spawns_runs_while_the_handler_waits(over: Over) {
    let spawns = async |_: Request| {
        let task = tokio::spawn(async {
            tokio::task::yield_now().await;
            "from a task"
        });
        task.await.expect("the task ended")
    };
    let server = Server::start(app().get("/spawns", spawns), over);
    let mut client = Client::connect(&server);
    for _ in 0..3 {
        assert_eq!(client.get("/spawns").says(), (200, "from a task"));
    }
}

fn a_body_is_written_by_a_future_of_its_own_as_fast_as_the_client_reads(over: Over) {
    let written = |_: Request| {
        Response::new(Status::OK).with_body(Body::written(async |mut sender| {
            for number in 0..100 {
                if number % 10 == 0 {
                    tokio::task::yield_now().await;
                }
                sender.send(vec![number; 50_000]).await.expect("the client is there");
            }
            let mut trailers = gannet::Fields::new();
            trailers.append("x-pieces", "100").expect("a field");
            sender.finish(trailers).await.expect("the client is there");
        }))
    };
    let server = Server::start(app().get("/written", written), over);
    let mut client = Client::connect(&server);
    let answer = client.get("/written");
    let whole = (0..100).flat_map(|number| std::iter::repeat_n(number, 50_000)).collect::<Vec<u8>>();
    assert!(answer.body == whole, "all came, in order");
    assert_eq!(answer.trailers, "x-pieces: 100\r\n");
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn a_panic_in_a_filter_is_answered_500(over: Over) {
    let fragile = async |request: Request, next: Next| {
        assert!(request.query() != Some("before"), "this panic is part of a test");
        let after = request.query() == Some("after");
        let response = next.run(request).await;
        assert!(!after, "this panic is part of a test");
        response
    };
    let server = Server::start(app().with(fragile), over);
    let mut client = Client::connect(&server);
    for (target, status) in [("/?before", 500), ("/", 200), ("/?after", 500), ("/", 200)] {
        assert_eq!(client.get(target).status, status, "{target}");
    }
}

fn handlers_that_never_rest_do_not_keep_others_from_being_served(over: Over) {
    let yields = async |_: Request| -> &str {
        loop {
            tokio::task::yield_now().await;
        }
    };
    let wakes = async |_: Request| {
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<&str>::Pending
        })
        .await
    };
    let timer = async |_: Request| {
        let late = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
        late.map_or("in time", |()| "never")
    };
    let server = Server::start(app().get("/yields", yields).get("/wakes", wakes).get("/timer", timer), over);
    let mut restless = [Client::connect(&server), Client::connect(&server)];
    restless[0].send("GET /yields HTTP/1.1\r\nHost: a\r\n\r\n");
    restless[1].send("GET /wakes HTTP/1.1\r\nHost: a\r\n\r\n");
    for _ in 0..20 {
        let mut client = Client::connect(&server);
        assert_eq!(client.get("/").says(), (200, "hello"));
        assert_eq!(client.get("/timer").says(), (200, "in time"));
    }
}

fn methods_of_one_s_own_and_connect_are_routed_as_others_are(over: Over) {
    let any = |request: Request| request.method_name().to_owned();
    let server = Server::start(app().any("/any", any), over);
    let mut client = Client::connect(&server);
    for method in ["GET", "BREW", "PROPFIND", "brew"] {
        let answer = client.send(format!("{method} /any HTTP/1.1\r\nHost: a\r\n\r\n")).answer();
        assert_eq!(answer.says(), (200, method));
    }
    let brew = client.send("BREW / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    assert_eq!((brew.status, brew.field("allow")), (405, Some("GET, HEAD, OPTIONS")));
    let connect = client.send("CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n").answer();
    assert_eq!(connect.status, 405);
    assert_eq!(client.get("/").says(), (200, "hello"));
}
