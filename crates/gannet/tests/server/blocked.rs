//! A worker whose handler does not let go of it: whom that holds up, and whom not.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use gannet::prelude::*;
use gannet::{BackendChoice, Limits, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Client, PATIENCE, on_each_backend};

on_each_backend!(
    while_a_worker_is_blocked_new_connections_are_answered_by_the_others,
    who_waits_for_a_worker_that_was_blocked_is_answered_by_it_and_nobody_is_reset,
    a_handler_that_holds_its_worker_is_counted_by_its_route_and_so_is_for_how_long,
    a_server_drains_although_a_worker_was_blocked_and_serves_who_waited,
    timers_and_sockets_of_tokio_make_progress_while_their_worker_is_never_idle,
    while_computations_run_their_worker_serves_others,
);

/// Handlers that block their workers until each is told to go on.
struct Blocked {
    server: Running,
    /// A handler has begun to block.
    begun: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

impl Blocked {
    fn start(workers: usize, backend: BackendChoice, change: impl FnOnce(App) -> App) -> Blocked {
        let (begin, begun) = mpsc::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let block = move |_: Request| {
            let _ = begin.send(()); // the test may have heard enough
            let _ = wait.lock().expect("nobody panics").recv_timeout(PATIENCE);
            "unblocked"
        };
        let app = change(App::new().get("/", "hello").get("/block/:number", block));
        let app = app.listen("127.0.0.1:0").admin("127.0.0.1:0").workers(workers).backend(backend);
        Blocked { server: app.start().expect("the application is sound"), begun, go_on }
    }

    /// A client whose worker is blocked by its request.
    fn block(&self) -> Client {
        let mut client = Client::connect(&self.server);
        client.send("GET /block/1 HTTP/1.1\r\nHost: a\r\n\r\n");
        self.begun.recv_timeout(PATIENCE).expect("the handler runs");
        client
    }

    fn go_on(&self) {
        self.go_on.send(()).expect("a handler waits");
    }

    /// The value of a metric's sample; 0 if there is none.
    fn metric(&self, sample: &str) -> f64 {
        let mut client = Client::to(self.server.admin_address().expect("there is one")).expect("it listens");
        let answer = client.get("/metrics");
        let line = answer.text().lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Asks until a metric is as wanted.
    fn await_metric(&self, sample: &str, wanted: impl Fn(f64) -> bool) {
        for _ in 0..10_000 {
            if wanted(self.metric(sample)) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("{sample} is {}", self.metric(sample));
    }
}

fn while_a_worker_is_blocked_new_connections_are_answered_by_the_others(backend: BackendChoice) {
    let blocked = Blocked::start(2, backend, |app| app);
    let mut client = blocked.block();
    // The kernel goes on giving about half of them to the listener of the worker that is blocked.
    let mut others: Vec<_> = (0..32).map(|_| Client::connect(&blocked.server)).collect();
    for other in &mut others {
        assert_eq!(other.get("/").says(), (200, "hello"));
    }
    assert!(blocked.metric("gannet_connections_taken_over_total") >= 1.0);
    for other in &mut others {
        assert_eq!(other.get("/").says(), (200, "hello"), "and they stay where they are answered");
    }
    blocked.go_on();
    assert_eq!(client.answer().says(), (200, "unblocked"));
    assert_eq!(client.get("/").says(), (200, "hello"));
    for _ in 0..32 {
        assert_eq!(Client::connect(&blocked.server).get("/").says(), (200, "hello"));
    }
}

fn who_waits_for_a_worker_that_was_blocked_is_answered_by_it_and_nobody_is_reset(backend: BackendChoice) {
    let blocked = Blocked::start(1, backend, |app| app);
    let mut kept = Client::connect(&blocked.server);
    assert_eq!(kept.get("/").says(), (200, "hello"));
    let mut client = blocked.block();
    let mut waiting: Vec<_> = (0..8).map(|_| Client::connect(&blocked.server)).collect();
    for other in waiting.iter_mut().chain([&mut kept]) {
        other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    blocked.go_on();
    assert_eq!(client.answer().says(), (200, "unblocked"));
    for other in waiting.iter_mut().chain([&mut kept]) {
        assert_eq!(other.answer().says(), (200, "hello"));
    }
    assert!(blocked.metric("gannet_connections_taken_over_total") == 0.0, "there was nobody to take them");
}

fn a_handler_that_holds_its_worker_is_counted_by_its_route_and_so_is_for_how_long(backend: BackendChoice) {
    let limits = Limits { worker_hold: Duration::from_millis(20), ..Limits::default() };
    let blocked = Blocked::start(2, backend, |app| app.limits(limits));
    let mut client = blocked.block();
    let held = "gannet_worker_holds_total{route=\"/block/:number\"}";
    blocked.await_metric(held, |count| count == 1.0);
    assert!(blocked.metric("gannet_worker_held_seconds_total") == 0.0, "it is not over");
    blocked.go_on();
    assert_eq!(client.answer().says(), (200, "unblocked"));
    blocked.await_metric("gannet_worker_held_seconds_total", |seconds| seconds >= 0.02);
    assert!(blocked.metric(held) == 1.0, "it is told once");
}

fn a_server_drains_although_a_worker_was_blocked_and_serves_who_waited(backend: BackendChoice) {
    let mut blocked = Blocked::start(2, backend, |app| app);
    let mut client = blocked.block();
    let mut others: Vec<_> = (0..16).map(|_| Client::connect(&blocked.server)).collect();
    for other in &mut others {
        other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    blocked.server.drain();
    blocked.go_on();
    assert_eq!(client.answer().says(), (200, "unblocked"));
    for other in &mut others {
        assert_eq!(other.answer().says(), (200, "hello"), "whoever was in a backlog is answered");
        other.ends();
    }
    drop(client);
    crate::rig::block_on(blocked.server.wait()).expect("a clean end");
}

fn timers_and_sockets_of_tokio_make_progress_while_their_worker_is_never_idle(backend: BackendChoice) {
    // It is to be polled again at once, each time: so the worker has something to do in every turn.
    let endless = async |_: Request| {
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            std::task::Poll::<&str>::Pending
        })
        .await
    };
    let patient = async |_: Request| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut client =
            tokio::net::TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
        let (mut server, _) = listener.accept().await.expect("it comes");
        for byte in 0..100u8 {
            let late = tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
            assert!(late.is_err(), "a timer, and nothing else, ends it");
            client.write_all(&[byte]).await.expect("room");
            assert_eq!(server.read_u8().await.expect("it comes"), byte);
        }
        "through"
    };
    let app = App::new().get("/endless", endless).get("/patient", patient);
    let server = crate::rig::serve(app, backend);
    let mut spinning = Client::connect(&server);
    spinning.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(Client::connect(&server).get("/patient").says(), (200, "through"));
}

fn while_computations_run_their_worker_serves_others(backend: BackendChoice) {
    let (begin, begun) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let computes = move |_: Request| {
        let (begin, wait) = (begin.clone(), wait.clone());
        async move {
            let computed = gannet::cpu(move || {
                let _ = begin.send(()); // the test may have heard enough
                wait.lock().expect("nobody panics").recv_timeout(PATIENCE).is_ok()
            });
            Ok::<_, gannet::CpuError>(if computed.await? { "computed" } else { "gave up" })
        }
    };
    let panics = async |_: Request| gannet::cpu(|| -> &str { panic!("this panic is part of a test") }).await;
    let spawned = async |_: Request| {
        let task = tokio::spawn(async { gannet::cpu(|| (1..=10u32).product::<u32>()).await });
        task.await.expect("no panic").map(|product| product.to_string())
    };
    let app = App::new().get("/", "hello").get("/computes", computes);
    let server = crate::rig::serve(app.get("/panics", panics).get("/spawned", spawned), backend);
    let mut client = Client::connect(&server);
    client.send("GET /computes HTTP/1.1\r\nHost: a\r\n\r\n");
    begun.recv_timeout(PATIENCE).expect("it computes");
    let mut other = Client::connect(&server);
    assert_eq!(other.get("/").says(), (200, "hello"));
    go_on.send(()).expect("it waits");
    assert_eq!(client.answer().says(), (200, "computed"));
    assert_eq!(other.get("/spawned").says(), (200, "3628800"));
    assert_eq!(other.get("/panics").says(), (500, "500: the computation panicked\n"));
    assert_eq!(other.get("/").says(), (200, "hello"));
}
