//! A keep-alive request costs the worker no allocation, whether it is answered at once, later, or from a file: counted, not
//! measured.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gannet::filters::{
    BodyLimit, ContentSecurityPolicy, Cors, ErrorPages, RequestIds, RequestLog, SecurityHeaders,
    ServerTiming, Timeout, Transform,
};
use gannet::prelude::*;
use gannet::{AccessLog, BackendChoice, LogDestination, LogFormat, Running};
use tokio::sync::Notify;

use crate::common::on_each_backend;

/// Requests until everything that is recycled has been made.
const WARM_UP: usize = 50;
/// Requests that are counted.
const COUNTED: usize = 500;
/// What `/proxied/large` answers with.
const LARGE_BYTES: usize = 100 * 1024;
/// A file is looked at anew once a second, which opens it: of so many rounds one falls between two such looks.
const ROUNDS: usize = 5;

/// One worker, and a client on one connection.
struct Rig {
    server: Running,
    client: TcpStream,
    /// Whom `/proxied/` is passed on to.
    _upstream: Running,
    /// What is served; removed when the test is over.
    _folder: tempfile::TempDir,
    /// What the worker had allocated when `/allocations` was asked for; asking costs nothing itself.
    allocations: Arc<AtomicUsize>,
    /// The handler of `/woken` waits, and may go on.
    waits: Arc<Notify>,
    go_on: Arc<Notify>,
}

fn app(allocations: &Arc<AtomicUsize>, waits: &Arc<Notify>, go_on: &Arc<Notify>) -> App {
    let (allocations, waits, go_on) = (allocations.clone(), waits.clone(), go_on.clone());
    let woken = move |_: Request| {
        let (waits, go_on) = (waits.clone(), go_on.clone());
        async move {
            waits.notify_one();
            go_on.notified().await;
            "woken"
        }
    };
    let body = async |mut request: Request| {
        while let Some(Ok(_)) = request.body().next().await {}
        "read"
    };
    App::new()
        .get("/allocations", move |_: Request| {
            allocations.store(counting::counted().0, Ordering::SeqCst);
            "counted"
        })
        .get("/value", "value")
        .get("/function", |request: Request| {
            Response::text("function").with("x-method", request.method_name())
        })
        .get("/users/:id/posts/{post}", |request: Request| {
            let length = request.params().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            if length == 10 && request.param("post") == Some("22") { "found" } else { "lost" }
        })
        .get("/prefix/*rest", async |request: Request| {
            tokio::task::yield_now().await;
            if request.param("rest") == Some("a/b") { "found" } else { "lost" }
        })
        .post("/prefix/a/:name", "posted")
        .host(["b.example", "*.c.example"], |routes| routes.get("/:id", "on b"))
        .get("/at-once", async |_: Request| "at once")
        .get("/yields", async |_: Request| {
            tokio::task::yield_now().await;
            "yields"
        })
        .get("/woken", woken)
        .post("/body", body)
}

/// The server behind the proxy: its allocations are on a thread of its own, and not counted.
fn upstream(backend: BackendChoice) -> Running {
    let body = async |mut request: Request| {
        while let Some(Ok(_)) = request.body().next().await {}
        "read"
    };
    let app = App::new()
        .get("/proxied/value", "value")
        .post("/proxied/body", body)
        .get("/proxied/large", "x".repeat(LARGE_BYTES))
        .get("/shared/value", "value")
        .post("/shared/body", body)
        .get("/shared/large", "x".repeat(LARGE_BYTES));
    app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("it is sound")
}

impl Rig {
    fn new(backend: BackendChoice, change: impl FnOnce(App) -> App) -> Rig {
        let (waits, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let allocations = Arc::default();
        let folder = tempfile::tempdir().expect("room for a folder");
        std::fs::write(folder.path().join("small.html"), "<p>small").expect("written");
        let upstream = upstream(backend);
        let app = app(&allocations, &waits, &go_on)
            .proxy("/proxied/*", upstream.socket_addresses()[0].to_string())
            .proxy("/shared/*", format!("h2c://{}", upstream.socket_addresses()[0]))
            .files("/", folder.path());
        let app = change(app);
        let server = app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("it is sound");
        let client = connect(&server);
        Rig { server, client, _upstream: upstream, _folder: folder, allocations, waits, go_on }
    }

    /// Sends `request` and receives the answer, which one receive has as a whole unless it is long.
    fn exchange(&mut self, request: &str) {
        self.client.write_all(request.as_bytes()).expect("taken");
        if request.starts_with("GET /woken") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(self.waits.notified());
            self.go_on.notify_one();
        }
        let mut room = [0; 4096];
        let count = self.client.read(&mut room).expect("an answer");
        let answer = &room[..count];
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{:?}", str::from_utf8(answer));
        let mut missing = missing(answer);
        while missing > 0 {
            let most = missing.min(room.len());
            let count = self.client.read(&mut room[..most]).expect("more of the answer");
            assert!(count > 0, "{missing} bytes are missing");
            missing -= count;
        }
    }

    /// What the worker has allocated so far.
    fn allocations(&mut self) -> usize {
        self.exchange(&get("/allocations"));
        self.allocations.load(Ordering::SeqCst)
    }

    /// What the worker allocates while `run` runs; at best, of [`ROUNDS`].
    fn cost(&mut self, mut run: impl FnMut(&mut Rig)) -> usize {
        let rounds = (0..ROUNDS).map(|_| {
            let before = self.allocations();
            run(self);
            self.allocations() - before
        });
        rounds.min().unwrap_or_default()
    }

    fn assert_free(&mut self, request: &str) {
        (0..WARM_UP).for_each(|_| self.exchange(request));
        self.allocations();
        let cost = self.cost(|rig| (0..COUNTED).for_each(|_| rig.exchange(request)));
        let line = request.lines().next().unwrap_or_default();
        assert_eq!(cost, 0, "allocations for {COUNTED} of {line} on {}", self.server.backend());
    }
}

/// How much of an answer did not come with its head.
fn missing(answer: &[u8]) -> usize {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").expect("a head comes whole");
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    length.map_or(0, |length| length.parse::<usize>().expect("a number").saturating_sub(body.len()))
}

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.socket_addresses()[0]).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("an option of sockets");
    stream
}

/// Receives an answer that ends with `text`.
fn receive(client: &mut TcpStream, text: &str) {
    let mut room = [0; 4096];
    let count = client.read(&mut room).expect("an answer");
    assert!(room[..count].ends_with(text.as_bytes()), "{:?}", str::from_utf8(&room[..count]));
}

/// Asks for `target`, whose answer ends with `text`.
fn receive_text(rig: &mut Rig, target: &str, text: &str) {
    rig.client.write_all(get(target).as_bytes()).expect("taken");
    receive(&mut rig.client, text);
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a.example\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n")
}

/// Runs `test` on a server of this backend.
fn on(backend: BackendChoice, change: impl FnOnce(App) -> App, test: impl FnOnce(&mut Rig)) {
    test(&mut Rig::new(backend, change));
}

on_each_backend! {
    a_request_answered_at_once_costs_no_allocation,
    a_request_with_parameters_or_for_a_host_costs_no_allocation,
    a_request_that_is_counted_and_logged_costs_no_allocation,
    a_request_answered_later_costs_no_allocation,
    a_small_file_costs_no_allocation,
    a_request_with_a_body_costs_no_allocation,
    a_proxied_request_costs_no_allocation,
    a_proxied_body_costs_no_allocation,
    a_request_proxied_by_http_2_costs_no_allocation,
    a_body_proxied_by_http_2_costs_no_allocation,
    a_filter_costs_no_allocation,
    nine_idle_filters_cost_no_allocation,
    pipelined_requests_cost_no_allocation,
    requests_of_many_connections_at_once_cost_no_allocation,
    a_connection_in_the_place_of_an_earlier_one_costs_no_allocation,
}

fn a_request_answered_at_once_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            for target in ["/value", "/function", "/at-once"] {
                rig.assert_free(&get(target));
            }
        },
    );
}

fn a_request_with_parameters_or_for_a_host_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            rig.assert_free(&get("/users/11/posts/22"));
            rig.assert_free(&get("/prefix/a/b"));
            for host in ["b.example", "x.y.C.example:80"] {
                rig.assert_free(&get("/users").replace("a.example", host));
            }
            receive_text(rig, "/users/11/posts/22", "found");
            receive_text(rig, "/prefix/a/b", "found");
        },
    );
}

fn a_request_that_is_counted_and_logged_costs_no_allocation(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    for format in [LogFormat::Combined, LogFormat::Json] {
        let destination = LogDestination::File(folder.path().join("log"));
        let log = AccessLog { format, destination };
        on(
            backend,
            |app| app.access_log(log.clone()).admin("127.0.0.1:0"),
            |rig| {
                let pipelined = get("/value").repeat(16);
                for request in [&get("/value"), &get("/yields"), &get("/small.html"), &pipelined] {
                    rig.assert_free(request);
                }
            },
        );
    }
}

fn a_request_answered_later_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            for target in ["/yields", "/woken"] {
                rig.assert_free(&get(target));
            }
        },
    );
}

fn a_small_file_costs_no_allocation(backend: BackendChoice) {
    on(backend, |app| app, |rig| rig.assert_free(&get("/small.html")));
}

fn a_request_with_a_body_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            rig.assert_free("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
            rig.assert_free(
                "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            );
        },
    );
}

fn a_proxied_request_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            rig.assert_free(&get("/proxied/value"));
            receive_text(rig, "/proxied/value", "value");
        },
    );
}

fn a_proxied_body_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            rig.assert_free("POST /proxied/body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
            rig.assert_free(
                "POST /proxied/body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            );
            rig.assert_free(&get("/proxied/large"));
        },
    );
}

fn a_request_proxied_by_http_2_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            rig.assert_free(&get("/shared/value"));
            receive_text(rig, "/shared/value", "value");
        },
    );
}

fn a_body_proxied_by_http_2_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            rig.assert_free("POST /shared/body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
            rig.assert_free(
                "POST /shared/body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            );
            rig.assert_free(&get("/shared/large"));
        },
    );
}

fn a_filter_costs_no_allocation(backend: BackendChoice) {
    let filtered = |app: App| {
        app.with(async |request: Request, next: Next| next.run(request).await.with("x-filtered", "1"))
            .with(async |request: Request, next: Next| next.run(request).await)
    };
    on(backend, filtered, |rig| {
        for target in ["/value", "/yields"] {
            rig.assert_free(&get(target));
        }
    });
}

/// All filters but those that count or authenticate, none of which has anything to refuse.
fn nine_idle_filters_cost_no_allocation(backend: BackendChoice) {
    let filtered = |app: App| {
        let policy = ContentSecurityPolicy::new().script_nonces();
        app.with(RequestLog::new())
            .with(ServerTiming::new())
            .with(RequestIds::new())
            .with(Cors::new().origins(["https://app.example"]).credentials(true))
            .with(SecurityHeaders::new().content_security_policy(policy))
            .with(BodyLimit::bytes(1000))
            .with(Timeout::after(Duration::from_secs(60)))
            .with(ErrorPages::new().page(404..=404, "nothing here").problems())
            .with(Transform::new().set_field("x-served-by", "gannet").remove_request_field("x-internal"))
    };
    on(backend, filtered, |rig| {
        for target in
            ["/value", "/function", "/at-once", "/yields", "/woken", "/small.html", "/proxied/value"]
        {
            rig.assert_free(&get(target));
            let of_a_page = get(target).replace("Accept:", "Origin: https://app.example\r\nAccept:");
            rig.assert_free(&of_a_page);
        }
        rig.assert_free("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    });
}

fn pipelined_requests_cost_no_allocation(backend: BackendChoice) {
    on(backend, |app| app, |rig| rig.assert_free(&get("/value").repeat(16)));
}

fn requests_of_many_connections_at_once_cost_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            let mut clients: Vec<_> = (0..16).map(|_| connect(&rig.server)).collect();
            let mut ask_all = |_: &mut Rig| {
                for _ in 0..WARM_UP {
                    clients
                        .iter_mut()
                        .for_each(|client| client.write_all(get("/yields").as_bytes()).expect("taken"));
                    clients.iter_mut().for_each(|client| receive(client, "yields"));
                }
            };
            ask_all(rig);
            assert_eq!(rig.cost(ask_all), 0, "on {}", rig.server.backend());
        },
    );
}

fn a_connection_in_the_place_of_an_earlier_one_costs_no_allocation(backend: BackendChoice) {
    on(
        backend,
        |app| app,
        |rig| {
            let visit = |rig: &mut Rig| {
                for _ in 0..WARM_UP {
                    let mut client = connect(&rig.server);
                    client.write_all(get("/value").as_bytes()).expect("taken");
                    receive(&mut client, "value");
                }
            };
            visit(rig);
            assert_eq!(rig.cost(visit), 0, "on {}", rig.server.backend());
        },
    );
}
