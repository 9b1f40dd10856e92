//! What extractors allocate, counted: nothing for numbers, states and forms of them, and whatever a client sends no more than its body and some.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::time::Duration;

use gannet::prelude::*;
use gannet::{BackendChoice, Method, Running};
use serde::{Deserialize, Serialize};

use crate::common::on_each_backend;

on_each_backend!(
    numbers_states_and_forms_of_them_cost_no_allocation,
    a_response_of_json_costs_one_allocation,
    what_is_wrong_costs_no_more_memory_than_its_body_and_some,
);

/// Requests until everything that is recycled has been made.
const WARM_UP: usize = 50;
/// Requests that are counted.
const COUNTED: usize = 300;

#[derive(Deserialize, Serialize)]
struct Point {
    x: u32,
    y: Option<f64>,
}

/// One worker, and what it has allocated when `/counted` was asked for last: which costs nothing itself.
struct Rig {
    server: Running,
    client: TcpStream,
    allocations: Arc<AtomicUsize>,
    most_bytes: Arc<AtomicIsize>,
    bytes: Arc<AtomicIsize>,
}

fn app() -> App {
    App::new()
        .get("/path/:id", |_: Path<u64>| "taken")
        .get("/pair/:a/:b", |_: Path<(u8, i64)>| "taken")
        .get("/point/:x/:y", async |_: Path<Point>| "taken")
        .get("/query", |_: Query<Point>| "taken")
        .get("/state", |_: State<String>| "taken")
        .get("/both/:id", async |_: Path<u64>, name: State<String>| {
            tokio::task::yield_now().await;
            drop(name);
            "taken"
        })
        .get("/head", |_: Header<Point>, _: ClientAddr, _: Method| "taken")
        .post("/form", async |_: Form<Point>| "taken")
        .post("/json", async |_: Json<Point>| "taken")
        .post("/values", async |_: Json<serde_json::Value>| "taken")
        .post("/pairs", async |_: Form<Vec<(String, String)>>| "taken")
        .post("/multipart", async |mut form: Multipart| -> Result<&'static str, Rejection> {
            while form.next().await?.is_some() {}
            Ok("taken")
        })
        .get("/told/:x", |x: Path<u32>| Json(Point { x: *x, y: None }))
        .state(String::from("a state"))
}

impl Rig {
    fn new(backend: BackendChoice) -> Rig {
        let (allocations, most_bytes, bytes) = (Arc::default(), Arc::default(), Arc::default());
        let (all, most, now): (Arc<AtomicUsize>, Arc<AtomicIsize>, Arc<AtomicIsize>) =
            (Arc::clone(&allocations), Arc::clone(&most_bytes), Arc::clone(&bytes));
        let app = app().get("/counted", move |_: Request| {
            let (counted, bytes, most_bytes) = counting::counted();
            all.store(counted, Ordering::SeqCst);
            now.store(bytes, Ordering::SeqCst);
            most.store(most_bytes, Ordering::SeqCst);
            "counted"
        });
        let server = app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("it is sound");
        let client = connect(&server);
        Rig { server, client, allocations, most_bytes, bytes }
    }

    /// Sends `request` and receives the answer, which is short; gives its status.
    fn exchange(&mut self, request: &[u8]) -> u16 {
        self.client.write_all(request).expect("taken");
        let (mut room, mut length) = ([0; 4096], 0);
        loop {
            let count = self.client.read(&mut room[length..]).expect("an answer");
            assert!(count > 0, "the connection has ended");
            length += count;
            let text = String::from_utf8_lossy(&room[..length]);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let said = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if said.is_none_or(|said| said.parse::<usize>().expect("a number") == body.len()) {
                return head[9..12].parse().expect("a status");
            }
        }
    }

    /// What the worker has allocated so far.
    fn allocations(&mut self) -> usize {
        assert_eq!(self.exchange(&get("/counted")), 200);
        self.allocations.load(Ordering::SeqCst)
    }

    /// What one of these costs.
    fn cost(&mut self, request: &[u8]) -> usize {
        (0..WARM_UP).for_each(|_| assert_eq!(self.exchange(request), 200, "{}", request.escape_ascii()));
        let before = self.allocations();
        (0..COUNTED).for_each(|_| assert_eq!(self.exchange(request), 200));
        self.allocations() - before
    }
}

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.socket_addresses()[0]).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("an option of sockets");
    stream
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nX: 7\r\nY: 1.5\r\n\r\n").into_bytes()
}

fn post(target: &str, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";

fn numbers_states_and_forms_of_them_cost_no_allocation(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    for request in [
        get("/path/18446744073709551615"),
        get("/pair/7/-7"),
        get("/point/7/1.5"),
        get("/query?y=1.5&x=7&other=a%20b"),
        get("/state"),
        get("/both/7"),
        get("/head"),
        post("/form", FORM, "x=7&y="),
        post("/json", JSON, "{\"x\": 7, \"y\": 1.5}"),
    ] {
        let cost = rig.cost(&request);
        assert_eq!(cost, 0, "{COUNTED} of {} on {}", request.escape_ascii(), rig.server.backend());
    }
}

fn a_response_of_json_costs_one_allocation(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    // What is allocated once, whatever is asked for, is not one for each.
    assert_eq!(rig.cost(&get("/told/7")) / COUNTED, 1, "on {}", rig.server.backend());
}

/// What a server keeps anyway may grow meanwhile: buffers, heads, the receive pool.
const AND_SOME: usize = 512 * 1024;

fn what_is_wrong_costs_no_more_memory_than_its_body_and_some(backend: BackendChoice) {
    let mut rig = Rig::new(backend);
    let endless_head = format!("--b\r\nContent-Disposition: form-data; name=\"{}", "x".repeat(1_500_000));
    let endless_part =
        format!("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n{}", "x".repeat(1_500_000));
    for (request, status, held) in [
        // A million keys.
        (post("/pairs", FORM, "a&".repeat(1_000_000)), 413, 2_000_000),
        (post("/values", JSON, "[".repeat(2_000_000)), 400, 2_000_000),
        (post("/values", JSON, "{\"a\":".repeat(400_000)), 400, 2_000_000),
        // The crate's own error quotes the text as a whole; for a moment, and once.
        (post("/json", JSON, format!("{{\"x\":\"{}\"}}", "x".repeat(1_900_000))), 422, 3 * 2_097_152),
        // Of these nothing has to be in memory as a whole.
        (post("/multipart", MULTIPART, "--b\r\n\r\n\r\n".repeat(200_000)), 400, 0),
        (post("/multipart", MULTIPART, endless_head), 413, 0),
        (post("/multipart", MULTIPART, endless_part), 400, 0),
        (post("/multipart", MULTIPART, "-".repeat(2_000_000)), 400, 0),
        (post("/multipart", MULTIPART, "\r\n--".repeat(500_000)), 400, 0),
    ] {
        rig.client = connect(&rig.server);
        rig.allocations();
        let before = rig.bytes.load(Ordering::SeqCst);
        let line = request[..60].escape_ascii().to_string();
        assert_eq!(rig.exchange(&request), status, "{line}");
        rig.client = connect(&rig.server);
        rig.allocations();
        let held_most = usize::try_from(rig.most_bytes.load(Ordering::SeqCst) - before).unwrap_or(0);
        assert!(held_most < held + AND_SOME, "{line}: {held_most} bytes on {}", rig.server.backend());
        let kept = usize::try_from(rig.bytes.load(Ordering::SeqCst) - before).unwrap_or(0);
        assert!(kept < AND_SOME, "{line}: {kept} bytes are kept on {}", rig.server.backend());
    }
}
