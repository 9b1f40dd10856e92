//! docs/headers.md lists every field that the server sends: held against responses of every kind.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use gannet::files::Files;
use gannet::filters::{ContentSecurityPolicy, Cors, RequestIds, SecurityHeaders, ServerTiming};
use gannet::prelude::*;
use gannet::{App, BackendChoice, Body, Limits, Running};
use tempfile::TempDir;

use crate::rig::{Client, serve};

const DOCUMENT: &str = include_str!("../../../../docs/headers.md");

/// Statuses that the requests below must have had, so that none is left out unnoticed.
const STATUSES: [u16; 18] =
    [100, 101, 200, 204, 206, 304, 308, 400, 404, 405, 408, 412, 414, 416, 417, 426, 431, 500];

/// A row's field and one of its values, in which `*` stands for anything.
type Listed = (String, String);

/// The document's two tables: of what the server sends by itself, and of what filters add.
fn tables() -> (&'static str, &'static str) {
    let (table, rest) = DOCUMENT.split_once("## Not sent").expect("the second section is there");
    let (_, of_filters) = rest.split_once("## Of filters").expect("the third section is there");
    (table, of_filters)
}

/// What a table lists; an empty first cell is the row above it going on.
fn listed(table: &str) -> Vec<Listed> {
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    let (mut listed, mut field) = (Vec::new(), String::new());
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        if let Some(named) = cells[0].split('`').nth(1) {
            field = named.to_owned();
        }
        let values = cells[1].split('`').skip(1).step_by(2);
        listed.extend(values.map(|value| (field.clone(), value.to_owned())));
    }
    listed
}

/// Whether a value is as the table has it.
fn fits(value: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = value.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        let found = if is_last { rest.ends_with(part).then_some(rest.len()) } else { rest.find(part) };
        let Some(at) = found else { return false };
        rest = &rest[(at + part.len()).min(rest.len())..];
    }
    rest.is_empty()
}

/// A folder with a file of every kind that matters, and one with an error page of its own.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("room for a folder");
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).expect("written");
    fs::create_dir_all(folder.path().join("own/sub")).expect("made");
    write("a.txt", &"a line of text\n".repeat(100));
    write("app.3f9a1c2b.js", "1");
    write("bird.png", "png");
    write("large.bin", &"x".repeat(100_000));
    write("own/404.html", "<p>mine");
    folder
}

fn app(folder: &TempDir) -> App {
    let unknown_length = |_: Request| {
        Response::new(Status::OK).with_body(Body::written(async |mut sender| {
            sender.send("piece").await.expect("the client is there");
        }))
    };
    let root = Files::open(folder.path()).map(|files| files.listing(true));
    let upgrade = |_: Request| Response::upgrade("echo", async |_: gannet::Upgraded| ());
    let panics = |request: Request| -> &str { panic!("{request:?} is part of a test") };
    let reads = async |request: Request| {
        let _ = request.into_body().collect(1).await; // it never comes: the client leaves
        "read"
    };
    let app = App::new().files("/", root).files("/own", folder.path().join("own"));
    app.get("/streamed", unknown_length).get("/upgrade", upgrade).get("/panics", panics).post("/reads", reads)
}

/// Requests that among them bring about every kind of response; `TAG` is the tag of `/a.txt`.
const REQUESTS: &[&str] = &[
    "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /large.bin HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /bird.png HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /app.3f9a1c2b.js HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: zstd\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: TAG\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"other\"\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-3\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-3,500-509\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=9999-\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n",
    "GET /own HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /own/sub/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /missing HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /missing HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n",
    "GET /missing HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n",
    "POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "OPTIONS /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /streamed HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /streamed HTTP/1.0\r\n\r\n",
    "GET /a.txt HTTP/1.0\r\n\r\n",
    "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
    "GET /upgrade HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /reads HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
    "GET /panics HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n",
    "GET /a.txt HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
];

/// Every field of every response, with the request it came to.
#[derive(Default)]
struct Seen {
    statuses: BTreeSet<u16>,
    fields: Vec<(String, String, String)>,
}

impl Seen {
    fn take(&mut self, request: &str, client: &mut Client) -> u16 {
        let answer = client.head();
        self.statuses.insert(answer.status);
        for line in answer.head.lines().skip(1) {
            let (name, value) = line.split_once(": ").expect("a field has a name and a value");
            self.fields.push((name.to_owned(), value.to_owned(), request.to_owned()));
        }
        answer.status
    }

    fn ask(&mut self, server: &Running, request: &str) {
        self.take(request, Client::connect(server).send(request));
    }
}

fn responses_of_every_kind() -> Seen {
    let folder = folder();
    let server = serve(app(&folder).admin("127.0.0.1:0"), BackendChoice::Epoll);
    let tag = Client::connect(&server).get("/a.txt").field("etag").expect("a tag").to_owned();
    let mut seen = Seen::default();
    for request in REQUESTS {
        seen.ask(&server, &request.replace("TAG", &tag));
    }
    seen.ask(&server, &format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(10_000)));
    seen.ask(&server, &format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(200)));
    for path in ["/healthz", "/readyz", "/metrics", "/missing"] {
        let mut client = Client::to(server.admin_address().expect("asked for")).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        seen.take(&request, client.send(&request));
    }
    let hasty = Limits { head_timeout: Duration::from_millis(1), ..Limits::default() };
    let server = serve(App::new().limits(hasty), BackendChoice::Epoll);
    seen.ask(&server, "GET / HT");
    seen
}

#[test]
fn every_field_that_is_sent_is_in_the_document_and_every_one_in_the_document_is_sent() {
    let (listed, seen) = (listed(tables().0), responses_of_every_kind());
    for status in STATUSES {
        assert!(seen.statuses.contains(&status), "no response was {status}");
    }
    seen.check(&listed, &[]);
}

/// Requests that among them bring about every field of a filter.
const REQUESTS_TO_FILTERS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example\r\n\r\n",
    "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n\
     Access-Control-Request-Headers: x-a\r\nAccess-Control-Request-Private-Network: true\r\n\r\n",
];

#[test]
fn every_field_that_a_filter_adds_is_in_the_document_and_every_one_in_its_table_is_added() {
    let cors = Cors::new().origins(["https://app.example"]).credentials(true).expose(["X-Request-Id"]);
    let policy = ContentSecurityPolicy::new().script_nonces();
    let tried = ContentSecurityPolicy::empty().directive("default-src", "'none'");
    let app = App::new()
        .get("/", "text")
        .with(RequestIds::new())
        .with(ServerTiming::new())
        .with(SecurityHeaders::new().content_security_policy(policy).report_only(tried))
        .with(cors.max_age(Duration::from_secs(600)).private_network(true));
    let server = serve(app, BackendChoice::Epoll);
    let mut seen = Seen::default();
    for request in REQUESTS_TO_FILTERS {
        seen.ask(&server, request);
    }
    let (of_server, of_filters) = tables();
    seen.check(&listed(of_filters), &listed(of_server));
}

impl Seen {
    /// Whether each field that was sent is listed, if not among those of another table, and each one that is listed was sent.
    fn check(&self, listed: &[Listed], others: &[Listed]) {
        let mut shown = BTreeSet::new();
        let is = |(field, pattern): &&Listed, name: &str, value: &str| field == name && fits(value, pattern);
        for (name, value, request) in &self.fields {
            let rows: Vec<&Listed> = listed.iter().filter(|row| is(row, name, value)).collect();
            let is_known = !rows.is_empty() || others.iter().any(|row| is(&row, name, value));
            assert!(is_known, "docs/headers.md has no `{name}: {value}`, sent to {request:?}");
            shown.extend(rows);
        }
        let idle: Vec<&Listed> = listed.iter().filter(|row| !shown.contains(row)).collect();
        assert!(idle.is_empty(), "docs/headers.md lists what no response had: {idle:?}");
    }
}

#[test]
fn a_value_fits_its_pattern_only_from_end_to_end() {
    for (value, pattern) in
        [("no-cache", "no-cache"), ("bytes 0-3/9", "bytes *-*/*"), ("/a/", "*/"), ("\"1\"", "\"*\"")]
    {
        assert!(fits(value, pattern), "{value} {pattern}");
    }
    for (value, pattern) in
        [("no-cache, x", "no-cache"), ("bytes */9", "bytes *-*/*"), ("/a", "*/"), ("W/\"1\"", "\"*\"")]
    {
        assert!(!fits(value, pattern), "{value} {pattern}");
    }
}
