//! The cases of the table.

use crate::client::{Answer, Protocol};
use crate::places::{LARGE_BYTES, TEXT, pattern};

/// Fields that say something about a connection of HTTP/1.1, and are not there in other protocols.
pub const OF_THE_CONNECTION: [&str; 5] =
    ["connection", "keep-alive", "transfer-encoding", "upgrade", "sec-websocket-accept"];

/// What a client does.
pub enum Talk {
    /// Sends this, and reads as many answers as are expected.
    Sends(Vec<u8>),
    /// The same, in pieces of seven bytes.
    Dribbles(Vec<u8>),
    /// Sends this, which is answered by a head alone.
    AsksForHead(Vec<u8>),
    /// Sends the body when it is asked to.
    WaitsToBeAsked { head: Vec<u8>, body: Vec<u8> },
    /// Sends a body, which it is sent back, piece by piece.
    ReadsAsItSends { head: Vec<u8>, body: Vec<u8> },
    /// Has the connection upgraded, and is sent back each word.
    Upgrades { protocol: &'static str, head: Vec<u8>, words: Vec<Vec<u8>> },
}

/// What is answered: the status, fields (none: that it is not there), the body.
pub struct Expected {
    pub status: u16,
    pub fields: Vec<(&'static str, Option<String>)>,
    pub body: Content,
}

/// A body.
pub enum Content {
    Is(Vec<u8>),
    Has(&'static str),
}

pub struct Case {
    pub name: &'static str,
    pub talk: Talk,
    pub expected: Vec<Expected>,
    /// The connection ends behind it.
    pub ends: bool,
    /// No other protocol can say it.
    pub is_of_http_1_alone: bool,
}

impl Case {
    pub fn check(&self, answers: &[Answer], protocol: Protocol, here: &str) {
        assert_eq!(answers.len(), self.expected.len(), "{here}");
        for (answer, expected) in answers.iter().zip(&self.expected) {
            let status = match (protocol, expected.status) {
                // An extended CONNECT succeeds as other requests do (RFC 8441, 5).
                (Protocol::Http2, 101) => 200,
                (_, status) => status,
            };
            assert_eq!(answer.status, status, "{here}: {}", answer.head);
            let fields = expected.fields.iter();
            let is_said = |name: &str| protocol == Protocol::Http1 || !OF_THE_CONNECTION.contains(&name);
            for (name, value) in fields.filter(|(name, _)| is_said(name)) {
                assert_eq!(answer.field(name), value.as_deref(), "{here}: {}", answer.head);
            }
            match &expected.body {
                Content::Is(body) => assert!(
                    answer.body == *body,
                    "{here}: a body of {} bytes, not of {}",
                    answer.body.len(),
                    body.len()
                ),
                Content::Has(text) => {
                    assert!(String::from_utf8_lossy(&answer.body).contains(text), "{here}: no {text}");
                }
            }
        }
    }
}

fn is(status: u16, body: impl Into<Vec<u8>>) -> Expected {
    Expected { status, fields: Vec::new(), body: Content::Is(body.into()) }
}

fn has(status: u16, text: &'static str) -> Expected {
    Expected { status, fields: Vec::new(), body: Content::Has(text) }
}

impl Expected {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Expected {
        self.fields.push((name, Some(value.into())));
        self
    }

    fn without(mut self, name: &'static str) -> Expected {
        self.fields.push((name, None));
        self
    }
}

fn asks(name: &'static str, request: impl AsRef<[u8]>, expected: Expected) -> Case {
    asks_often(name, request, vec![expected])
}

fn asks_often(name: &'static str, request: impl AsRef<[u8]>, expected: Vec<Expected>) -> Case {
    Case {
        name,
        talk: Talk::Sends(request.as_ref().to_vec()),
        expected,
        ends: false,
        is_of_http_1_alone: false,
    }
}

fn heads(name: &'static str, request: &str, expected: Expected) -> Case {
    Case {
        name,
        talk: Talk::AsksForHead(request.into()),
        expected: vec![expected],
        ends: false,
        is_of_http_1_alone: false,
    }
}

/// Of HTTP/1.1 alone, and the connection ends behind it.
fn ends(case: Case) -> Case {
    Case { ends: true, is_of_http_1_alone: true, ..case }
}

/// A request without a body; `fields` end in line endings.
fn request(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n")
}

fn get(target: &str) -> String {
    request("GET", target, "")
}

fn post(target: &str, body: &[u8]) -> Vec<u8> {
    [request("POST", target, &format!("Content-Length: {}\r\n", body.len())).as_bytes(), body].concat()
}

fn post_chunks(target: &str, chunks: &[&[u8]], trailers: &str) -> Vec<u8> {
    let mut bytes = request("POST", target, "Transfer-Encoding: chunked\r\n").into_bytes();
    for chunk in chunks {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(*chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(format!("0\r\n{trailers}\r\n").bytes());
    bytes
}

/// What `/handlers/sum` says of a body.
fn sum(body: &[u8]) -> String {
    let sum = body.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    format!("{} bytes, {sum}", body.len())
}

/// Every case; first those that leave the connection, then those that end it.
pub fn all() -> Vec<Case> {
    [files(), conditions(), codings(), handlers(), bodies(), connections()].into_iter().flatten().collect()
}

fn files() -> Vec<Case> {
    let html = "text/html; charset=utf-8";
    vec![
        asks("a small file", get("/small.html"), is(200, "<p>small").with("content-type", html)),
        asks("the same again", get("/small.html"), is(200, "<p>small").with("content-length", "8")),
        asks("an empty file", get("/empty.txt"), is(200, "").with("content-length", "0")),
        asks("a large file", get("/large.bin"), is(200, pattern(LARGE_BYTES)).with("accept-ranges", "bytes")),
        heads(
            "the head of a small file",
            &request("HEAD", "/small.html", ""),
            is(200, "").with("content-length", "8"),
        ),
        heads(
            "the head of a large file",
            &request("HEAD", "/large.bin", ""),
            is(200, "").with("content-length", LARGE_BYTES.to_string()),
        ),
        asks("a file that is not there", get("/none"), has(404, "")),
        asks(
            "a page for who wants one of what is not there",
            request("GET", "/none", "Accept: text/html\r\n"),
            has(404, "<"),
        ),
        asks("a folder's index", get("/indexed/"), is(200, "<p>index")),
        asks(
            "a folder without its slash",
            get("/indexed?a=b"),
            has(308, "").with("location", "/indexed/?a=b"),
        ),
        asks(
            "a folder's listing",
            request("GET", "/listed/", "Accept: text/html\r\n"),
            has(200, "entry.txt"),
        ),
        asks("a path that leads out of the folder", get("/../secret"), has(404, "")),
        asks("a file is not posted to", post("/small.html", b"a"), has(405, "").without("etag")),
        asks("what is allowed", request("OPTIONS", "/small.html", ""), is(204, "")),
    ]
}

fn conditions() -> Vec<Case> {
    let range = |range: &str| request("GET", "/large.bin", &format!("Range: bytes={range}\r\n"));
    let large = pattern(LARGE_BYTES);
    let future = "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n";
    vec![
        asks("a range of a large file", range("1000000-1999999"), {
            is(206, &large[1_000_000..2_000_000]).with("content-range", "bytes 1000000-1999999/3000000")
        }),
        asks("a file's end", range("-5"), is(206, &large[LARGE_BYTES - 5..])),
        asks("a range beyond the file", range("3000000-"), {
            has(416, "").with("content-range", "bytes */3000000")
        }),
        asks("several ranges", range("0-1,2000000-2000001"), has(206, "bytes 2000000-2000001/3000000")),
        asks("a file not changed since", request("GET", "/small.html", future), {
            is(304, "").without("content-length")
        }),
        asks(
            "any file but what is there",
            request("GET", "/small.html", "If-None-Match: *\r\n"),
            is(304, ""),
        ),
        asks(
            "only a file that is another",
            request("GET", "/small.html", "If-Match: \"no\"\r\n"),
            has(412, ""),
        ),
    ]
}

fn codings() -> Vec<Case> {
    let asked = |codings: &str| request("GET", "/text.txt", &format!("Accept-Encoding: {codings}\r\n"));
    let coded = |coding: &str| has(200, "").with("content-encoding", coding).with("vary", "Accept-Encoding");
    vec![
        asks("a text, compressed", asked("gzip"), coded("gzip")),
        asks("a text, compressed better", asked("gzip, zstd"), coded("zstd")),
        asks("a file beside it", asked("gzip, br"), coded("br").with("content-length", "11")),
        asks("a text as it is", asked("identity"), is(200, TEXT.repeat(200)).without("content-encoding")),
        asks(
            "a range of a text that is compressed",
            request("GET", "/text.txt", "Accept-Encoding: gzip\r\nRange: bytes=0-5\r\n"),
            has(206, "").with("content-encoding", "gzip").with("content-length", "6"),
        ),
    ]
}

fn handlers() -> Vec<Case> {
    vec![
        asks("a filter", request("GET", "/handlers/value", "X-Ask: 1\r\n"), {
            is(200, "value").with("x-filtered", "1")
        }),
        asks("a filter of what is not there", request("GET", "/none", "X-Ask: 1\r\n"), {
            has(404, "").with("x-filtered", "1")
        }),
        asks("a handler", get("/handlers/value"), is(200, "value")),
        asks(
            "a handler that answers later",
            get("/handlers/later?a=%20b"),
            is(200, "/handlers/later?a=%20b"),
        ),
        asks("a handler that gives 100 KiB", get("/handlers/medium"), is(200, "medium ".repeat(15_000))),
        asks("a handler that gives megabytes", get("/handlers/large"), is(200, vec![b'x'; LARGE_BYTES])),
        asks("a response with trailers", get("/handlers/trailers"), is(200, "pieces")),
        asks("a response without content", get("/handlers/nothing"), is(204, "").without("content-length")),
        asks("a handler that fails", get("/handlers/fails"), is(500, "bad")),
        asks("a method that no handler is for", request("PUT", "/handlers/value", ""), has(405, "")),
        heads("the head of a handler's", &request("HEAD", "/handlers/value", ""), {
            is(200, "").with("content-length", "5")
        }),
        asks(
            "fields both ways",
            request("GET", "/handlers/fields", "X-Kept: a, b\r\nX-Gone: 1\r\nConnection: x-gone\r\n"),
            is(200, "a, b").with("x-a", "1").with("set-cookie", "a=1").with("x-empty", ""),
        ),
    ]
}

fn bodies() -> Vec<Case> {
    let large = pattern(LARGE_BYTES);
    let medium = pattern(100 * 1024);
    vec![
        asks("a body", post("/handlers/echo", b"hello"), is(200, "hello").with("content-length", "5")),
        asks("a body of no bytes", post("/handlers/echo", b""), is(200, "").with("content-length", "0")),
        asks("a body of 100 KiB", post("/handlers/echo", &medium), is(200, medium.clone())),
        asks("a body of megabytes", post("/handlers/sum", &large), is(200, sum(&large))),
        asks(
            "a body in chunks",
            post_chunks("/handlers/echo", &[b"hel", b"lo"], ""),
            is(200, "hello").with("transfer-encoding", "chunked"),
        ),
        asks(
            "a body in chunks with trailers",
            post_chunks("/handlers/sum", &[b"hello"], "X-Sum: 1\r\n"),
            is(200, sum(b"hello")),
        ),
        asks(
            "a body of megabytes in chunks",
            post_chunks("/handlers/sum", &large.chunks(50_000).collect::<Vec<_>>(), ""),
            is(200, sum(&large)),
        ),
        asks("a body that is refused", post("/handlers/refuse", b"hello"), is(403, "no")),
        Case {
            name: "a body whose client waits to be asked",
            talk: Talk::WaitsToBeAsked {
                head: request("POST", "/handlers/echo", "Expect: 100-continue\r\nContent-Length: 5\r\n")
                    .into(),
                body: b"hello".to_vec(),
            },
            expected: vec![is(100, ""), is(200, "hello")],
            ends: false,
            is_of_http_1_alone: false,
        },
        Case {
            name: "a body of megabytes that comes back as it is sent",
            talk: Talk::ReadsAsItSends {
                head: request("POST", "/handlers/echo", &format!("Content-Length: {LARGE_BYTES}\r\n")).into(),
                body: large.clone(),
            },
            expected: vec![is(200, large)],
            ends: false,
            is_of_http_1_alone: false,
        },
        Case {
            name: "a request in pieces of seven bytes",
            talk: Talk::Dribbles(post_chunks("/handlers/echo", &[b"hello", b" world"], "")),
            expected: vec![is(200, "hello world")],
            ends: false,
            is_of_http_1_alone: false,
        },
    ]
}

fn connections() -> Vec<Case> {
    let pipelined =
        [get("/small.html"), get("/handlers/later?1"), get("/none"), get("/handlers/later?2")].concat();
    let between =
        [post("/handlers/echo", b"hello"), get("/large.bin").into_bytes(), get("/small.html").into()];
    vec![
        asks_often("requests one behind the other", pipelined, {
            vec![
                is(200, "<p>small"),
                is(200, "/handlers/later?1"),
                has(404, ""),
                is(200, "/handlers/later?2"),
            ]
        }),
        asks_often("requests behind a body and a large file", between.concat(), {
            vec![is(200, "hello"), is(200, pattern(LARGE_BYTES)), is(200, "<p>small")]
        }),
        ends(asks("a last request", request("GET", "/small.html", "Connection: close\r\n"), {
            is(200, "<p>small").with("connection", "close")
        })),
        ends(asks("a request of HTTP/1.0", "GET /small.html HTTP/1.0\r\nHost: a.example\r\n\r\n", {
            is(200, "<p>small")
        })),
        ends(asks("a chunked response for HTTP/1.0", "GET /handlers/trailers HTTP/1.0\r\n\r\n", {
            is(200, "pieces").without("transfer-encoding")
        })),
        ends(asks("nonsense", "nonsense\r\n\r\n", has(400, ""))),
        ends(asks("a head without a host", "GET / HTTP/1.1\r\n\r\n", has(400, ""))),
        upgrades("an upgrade", "/handlers/talk", "echo", ""),
        websocket(),
    ]
}

/// What HTTP/1.1 wants of who asks for a WebSocket (RFC 6455, 4.1); HTTP/2's client does not say the key (RFC 8441, 5).
const WEBSOCKET: &str = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The answer to that key goes with the upgrade, whoever of those on the way makes it.
fn websocket() -> Case {
    let mut case = upgrades("a WebSocket", "/handlers/websocket", "websocket", WEBSOCKET);
    let expected = case.expected.remove(0);
    case.expected.push(expected.with("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    case
}

/// A conversation: over HTTP/1.1 the connection is its own.
fn upgrades(name: &'static str, target: &str, protocol: &'static str, fields: &str) -> Case {
    let words = vec![b"first".to_vec(), pattern(100_000), b"last".to_vec()];
    let fields = format!("Connection: upgrade\r\nUpgrade: {protocol}\r\n{fields}");
    Case {
        name,
        expected: vec![is(101, words.concat()).with("upgrade", protocol)],
        talk: Talk::Upgrades { protocol, head: request("GET", target, &fields).into(), words },
        ends: false,
        is_of_http_1_alone: false,
    }
}
