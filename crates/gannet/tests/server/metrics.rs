//! Health, readiness and metrics: what the admin listener tells of what was done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet::prelude::*;
use gannet::{BackendChoice, Limits, Running};
use tokio::sync::Notify;

use crate::lifecycle::slow;
use crate::openmetrics::Metrics;
use crate::rig::{Client, PATIENCE, block_on, on_each_backend, serve};

on_each_backend!(
    requests_are_counted_by_route_method_and_class_and_bytes_as_they_were,
    what_is_refused_is_counted_with_the_limit_that_it_broke,
    a_client_that_leaves_is_counted_as_cut_and_not_as_answered,
    connections_are_counted_by_what_they_do,
    the_admin_listener_tells_health_and_knows_both_formats_and_nothing_else,
    the_server_is_not_ready_while_it_drains_and_the_admin_listener_ends_last,
    a_panic_is_counted,
);

/// A server with an admin listener, and a client of that.
pub fn watched(app: App, backend: BackendChoice) -> (Running, Client) {
    let server = serve(app.admin("127.0.0.1:0"), backend);
    let admin = Client::to(server.admin_address().expect("asked for")).expect("it listens");
    (server, admin)
}

/// What is told once `until` holds: the client may know of an answer before its worker does.
pub fn settled(admin: &mut Client, until: impl Fn(&Metrics) -> bool) -> Metrics {
    let begun = Instant::now();
    loop {
        let metrics = Metrics::of(admin);
        if until(&metrics) {
            return metrics;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "it is never so; requests: {}",
            metrics.sum("gannet_requests_total")
        );
    }
}

fn requests(route: &str, method: &str, status: &str) -> String {
    format!("gannet_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}")
}

fn requests_are_counted_by_route_method_and_class_and_bytes_as_they_were(backend: BackendChoice) {
    let read = async |mut request: Request| {
        while let Some(Ok(_)) = request.body().next().await {}
        Status::CREATED
    };
    let app = App::new().get("/", "hello").post("/", read).any("/any/*", Status::NOT_MODIFIED);
    let (server, mut admin) = watched(app, backend);
    let mut client = Client::connect(&server);
    let (mut sent, mut received) = (0, 0);
    let mut ask = |request: &str, status: u16| {
        sent += request.len();
        let answer = if request.starts_with("HEAD") {
            client.send(request).head()
        } else {
            client.send(request).answer()
        };
        received += answer.head.len() + 4 + answer.body.len();
        assert_eq!(answer.status, status);
    };
    for _ in 0..3 {
        ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    }
    ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 201);
    ask("BREW /any/pot HTTP/1.1\r\nHost: a\r\n\r\n", 304);
    ask("GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    ask("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405);
    ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200);
    let metrics = settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 9.0);
    for (series, count) in [
        (requests("/", "GET", "2xx"), 4.0),
        (requests("/", "HEAD", "2xx"), 1.0),
        (requests("/", "POST", "2xx"), 1.0),
        (requests("/any/*", "other", "3xx"), 1.0),
        (requests("none", "GET", "4xx"), 1.0),
        (requests("none", "PUT", "4xx"), 1.0),
        ("gannet_request_duration_seconds_count{route=\"/\"}".to_owned(), 6.0),
        ("gannet_received_bytes_total".to_owned(), sent as f64),
        ("gannet_sent_bytes_total".to_owned(), received as f64),
        ("gannet_responses_cut_total".to_owned(), 0.0),
    ] {
        assert_eq!(metrics.get(&series), count, "{series}");
    }
    assert_eq!(metrics.sum("gannet_requests_total"), 9.0);
    assert!(metrics.get("gannet_request_duration_seconds_sum{route=\"/\"}") > 0.0);
}

fn what_is_refused_is_counted_with_the_limit_that_it_broke(backend: BackendChoice) {
    let limits = Limits { connections_per_address: 1, ..Limits::default() };
    let (server, mut admin) = watched(App::new().get("/", "hello").limits(limits), backend);
    let mut client = Client::connect(&server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    Client::connect(&server).rest_of_broken(); // one is enough for this address
    client.send(format!("GET /{} HTTP/1.1\r\n", "x".repeat(9000)));
    assert_eq!(client.answer().status, 414);
    let metrics = settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 2.0);
    assert_eq!(metrics.get(&requests("none", "other", "4xx")), 1.0);
    for (limit, hits) in [("target_bytes", 1.0), ("connections_per_address", 1.0), ("head_bytes", 0.0)] {
        assert_eq!(metrics.get(&format!("gannet_limits_hit_total{{limit=\"{limit}\"}}")), hits, "{limit}");
    }
    assert_eq!(metrics.get("gannet_connections_refused_total"), 1.0);
    assert_eq!(metrics.get("gannet_connections_accepted_total"), 1.0);
}

fn a_client_that_leaves_is_counted_as_cut_and_not_as_answered(backend: BackendChoice) {
    let begun = Arc::new(Notify::new());
    let told = begun.clone();
    let never = move |_: Request| {
        told.notify_one();
        std::future::pending::<&str>()
    };
    let (server, mut admin) = watched(App::new().get("/never", never), backend);
    let mut client = Client::connect(&server);
    client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    block_on(begun.notified());
    client.reset();
    let metrics = settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 1.0);
    assert_eq!(metrics.get(&requests("/never", "GET", "none")), 1.0);
    assert_eq!(metrics.get("gannet_responses_cut_total"), 1.0);
    assert_eq!(metrics.sum("gannet_request_duration_seconds_count"), 0.0);
}

fn connections_are_counted_by_what_they_do(backend: BackendChoice) {
    let state =
        |metrics: &Metrics, state: &str| metrics.get(&format!("gannet_connections{{state=\"{state}\"}}"));
    let never = |_: Request| std::future::pending::<&str>();
    let app = App::new().get("/", "hello").get("/never", never);
    let (server, mut admin) = watched(app, backend);
    let (mut idle, mut active) = (Client::connect(&server), Client::connect(&server));
    idle.get("/");
    active.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut last = Client::connect(&server);
    last.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    last.rest();
    settled(&mut admin, |metrics| {
        ["idle", "active", "lingering", "closing"].map(|name| state(metrics, name)) == [1.0, 1.0, 1.0, 0.0]
    });
    drop((idle, active, last));
    settled(&mut admin, |metrics| metrics.sum("gannet_connections{") == 0.0);
}

fn the_admin_listener_tells_health_and_knows_both_formats_and_nothing_else(backend: BackendChoice) {
    let (server, mut admin) = watched(App::new().get("/", "hello"), backend);
    assert_eq!(admin.get("/healthz").says(), (200, "ok\n"));
    assert_eq!(admin.get("/readyz").says(), (200, "ready\n"));
    for target in ["/", "/metrics/", "/health"] {
        assert_eq!(admin.get(target).status, 404, "{target}");
    }
    assert_eq!(Client::connect(&server).get("/metrics").status, 404, "not among what is served");
    let request = "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain;version=0.0.4\r\n\r\n";
    let plain = admin.send(request).answer();
    assert_eq!(plain.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = plain.text();
    assert!(
        text.contains("# TYPE gannet_responses_cut_total counter\n") && !text.contains("# EOF"),
        "{text}"
    );
    assert!(text.contains("# TYPE gannet_build_info gauge\n") && !text.contains("# UNIT"), "{text}");
    let metrics = Metrics::of(&mut admin);
    assert_eq!((metrics.get("gannet_ready"), metrics.get("gannet_workers")), (1.0, 1.0));
    let build = format!(
        "gannet_build_info{{version=\"{}\",backend=\"{}\"}}",
        env!("CARGO_PKG_VERSION"),
        server.backend()
    );
    assert_eq!(metrics.get(&build), 1.0);
    assert!(metrics.get("process_resident_memory_bytes") > 1e6 && metrics.get("process_open_fds") > 3.0);
    assert!(
        metrics.get("process_start_time_seconds") > 1.7e9 && metrics.get("process_cpu_seconds_total") > 0.0
    );
}

fn the_server_is_not_ready_while_it_drains_and_the_admin_listener_ends_last(backend: BackendChoice) {
    let (app, begun, go_on) = slow();
    let limits = Limits { drain_grace: Duration::from_millis(20), ..Limits::default() };
    let (mut server, mut admin) = watched(app.limits(limits), backend);
    let mut busy = Client::connect(&server);
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    block_on(begun.notified());
    server.drain();
    assert_eq!(admin.get("/readyz").says(), (503, "draining\n"));
    assert_eq!(admin.get("/healthz").says(), (200, "ok\n"), "it still serves what runs");
    assert_eq!(Metrics::of(&mut admin).get("gannet_ready"), 0.0);
    go_on.notify_one();
    assert_eq!(busy.answer().says(), (200, "finished"));
    drop(busy);
    block_on(server.wait()).expect("drained");
    admin.ends();
}

fn a_panic_is_counted(backend: BackendChoice) {
    let panics = |_: Request| -> &'static str { panic!("on purpose") };
    let (server, mut admin) = watched(App::new().get("/", panics), backend);
    assert_eq!(Client::connect(&server).get("/").status, 500);
    let metrics = settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 1.0);
    assert_eq!((metrics.get("gannet_panics_total"), metrics.get(&requests("/", "GET", "5xx"))), (1.0, 1.0));
}
