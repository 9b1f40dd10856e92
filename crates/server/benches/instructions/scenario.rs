//! What is asked, by how many, and what answers.

use std::fs;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;

use gannet::{Json, Path};
use gannet_core::{Body, BodyError, Filter, IntoFilter, Method, Request, Response, Sender, around};
use gannet_features::files::Files;
use gannet_features::proxy::{HostField, Proxy, ProxyOptions};
use gannet_server::{Routes, Site, SiteBuilder};
use serde::Serialize;

/// Rounds of requests, each answered before the next.
pub struct Scenario {
    pub name: &'static str,
    /// Connections that ask in one round, one after the other: what a turn takes is shared by them.
    pub clients: usize,
    /// Requests that each of them sends at once; over HTTP/2 each is a stream.
    pub pipelined: usize,
    /// Whether the clients speak HTTP/2, which they know to be spoken. The request is written as in HTTP/1.1 all the same.
    pub is_http2: bool,
    /// Whether each round has new connections.
    pub is_new_each_round: bool,
    pub request: &'static str,
    /// What the last answer of a connection ends with.
    pub answer_ends: &'static str,
    /// Whether the server is its own upstream.
    pub is_proxied: bool,
    /// Filters around all of the site that find nothing to do.
    pub idle_filters: usize,
}

impl Scenario {
    pub const fn requests_per_round(&self) -> usize {
        self.clients * self.pipelined
    }
}

/// Sixteen connections that stay, each with one request at a time.
const KEEP_ALIVE: Scenario = Scenario {
    name: "keep-alive",
    clients: 16,
    pipelined: 1,
    is_http2: false,
    is_new_each_round: false,
    request: "GET /plain HTTP/1.1\r\nHost: example.org\r\n\r\n",
    answer_ends: "\r\n\r\nHello, world!",
    is_proxied: false,
    idle_filters: 0,
};

/// As a browser asks a host: sixteen fields, the same each time.
macro_rules! browser_asks {
    ($host:literal) => {
        concat!(
            "GET /plain HTTP/1.1\r\n",
            "Host: ",
            $host,
            "\r\n",
            "Connection: keep-alive\r\n",
            "Cache-Control: max-age=0\r\n",
            "Sec-CH-UA: \"Chromium\";v=\"146\", \"Not-A.Brand\";v=\"24\"\r\n",
            "Sec-CH-UA-Mobile: ?0\r\n",
            "Sec-CH-UA-Platform: \"Linux\"\r\n",
            "Upgrade-Insecure-Requests: 1\r\n",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36\r\n",
            "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n",
            "Sec-Fetch-Site: none\r\n",
            "Sec-Fetch-Mode: navigate\r\n",
            "Sec-Fetch-User: ?1\r\n",
            "Sec-Fetch-Dest: document\r\n",
            "Accept-Encoding: gzip, deflate, br, zstd\r\n",
            "Accept-Language: en-GB,en;q=0.9\r\n",
            "Cookie: session=0123456789abcdef\r\n",
            "\r\n",
        )
    };
}

/// Every scenario. `instructions.toml` beside this folder has a row for each.
pub const SCENARIOS: &[Scenario] = &[
    KEEP_ALIVE,
    Scenario { name: "keep-alive-alone", clients: 1, ..KEEP_ALIVE },
    Scenario { name: "browser", request: browser_asks!("example.org"), ..KEEP_ALIVE },
    Scenario {
        name: "async-ready",
        request: "GET /ready HTTP/1.1\r\nHost: example.org\r\n\r\n",
        ..KEEP_ALIVE
    },
    Scenario {
        name: "async-pending-once",
        request: "GET /pending HTTP/1.1\r\nHost: example.org\r\n\r\n",
        ..KEEP_ALIVE
    },
    Scenario {
        name: "parameter",
        request: "GET /users/4711 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        answer_ends: "\r\n\r\n4711",
        ..KEEP_ALIVE
    },
    // What the extractors of the library take: the same number, parsed, and a value written as JSON.
    Scenario {
        name: "path-json",
        request: "GET /accounts/4711 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        answer_ends: "\r\n\r\n{\"id\":4711,\"name\":\"User 4711\",\"email\":\"user4711@example.org\",\"active\":true}",
        ..KEEP_ALIVE
    },
    Scenario { name: "eight-idle-filters", idle_filters: 8, ..KEEP_ALIVE },
    Scenario {
        name: "file-1-KiB",
        request: "GET /files/small.txt HTTP/1.1\r\nHost: example.org\r\n\r\n",
        answer_ends: "the end of 1 KiB",
        ..KEEP_ALIVE
    },
    Scenario { name: "pipelined-16", clients: 4, pipelined: 16, ..KEEP_ALIVE },
    Scenario {
        name: "post-small",
        request: "POST /echo HTTP/1.1\r\nHost: example.org\r\nContent-Length: 13\r\n\r\nHello, body!\n",
        answer_ends: "\r\n\r\nHello, body!\n",
        ..KEEP_ALIVE
    },
    Scenario {
        name: "chunked",
        request: "GET /chunked HTTP/1.1\r\nHost: example.org\r\n\r\n",
        answer_ends: "\r\n0\r\n\r\n",
        ..KEEP_ALIVE
    },
    // Each goes to the same server again, over a connection of its own: what is counted is both, the second a request as `keep-alive`'s.
    Scenario {
        name: "proxied",
        request: "GET /plain HTTP/1.1\r\nHost: proxied.example\r\n\r\n",
        is_proxied: true,
        ..KEEP_ALIVE
    },
    Scenario {
        name: "proxied-browser",
        request: browser_asks!("proxied.example"),
        is_proxied: true,
        ..KEEP_ALIVE
    },
    Scenario { name: "h2", is_http2: true, ..KEEP_ALIVE },
    Scenario { name: "h2-alone", clients: 1, is_http2: true, ..KEEP_ALIVE },
    Scenario { name: "h2-16-streams", clients: 4, pipelined: 16, is_http2: true, ..KEEP_ALIVE },
    Scenario { name: "h2-browser", is_http2: true, request: browser_asks!("example.org"), ..KEEP_ALIVE },
    Scenario {
        name: "h2-file-1-KiB",
        is_http2: true,
        request: "GET /files/small.txt HTTP/1.1\r\nHost: example.org\r\n\r\n",
        answer_ends: "the end of 1 KiB",
        ..KEEP_ALIVE
    },
    Scenario {
        name: "connection-per-request",
        is_new_each_round: true,
        request: "GET /plain HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n",
        ..KEEP_ALIVE
    },
];

/// What is served at `address`; `folder` is for its files.
pub fn site(scenario: &Scenario, folder: &std::path::Path, address: SocketAddr) -> Site {
    let mut text = "0123456789abcdef".repeat(63);
    text.push_str("the end of 1 KiB");
    fs::write(folder.join("small.txt"), text).expect("the temporary folder can be written to");
    let files = Files::open(folder).expect("the folder is there");
    let mut site = SiteBuilder::new();
    let (get, post) = (Some(Method::Get), Some(Method::Post));
    site.route(get, "/plain", |_: Request| Response::text("Hello, world!"));
    site.route(get, "/ready", async |_: Request| Response::text("Hello, world!"));
    site.route(get, "/pending", pending_once);
    site.route(get, "/users/{id}", |request: Request| parameter(&request));
    site.route(get, "/accounts/{id}", account);
    site.route(post, "/echo", echo);
    site.route(get, "/chunked", |_: Request| Response::bytes("").with_body(Body::written(write_pieces)));
    site.endpoint(get, "/files/*", files.factory());
    (0..scenario.idle_filters).for_each(|_| site.filter(Idle));
    if scenario.is_proxied {
        let options = ProxyOptions { host: HostField::Upstream, ..ProxyOptions::default() };
        let proxy = Proxy::new(&[address.to_string()], options, &|_| Err("there is no TLS here".into()));
        let mut routes = Routes::new();
        routes.endpoint(None, "/*", proxy.expect("an address is an upstream").factory());
        site.host(["proxied.example"], routes);
    }
    site.build().expect("no pattern is there twice")
}

async fn pending_once(_: Request) -> Response {
    let mut is_woken = false;
    poll_fn(|context| {
        if is_woken {
            return Poll::Ready(());
        }
        is_woken = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    Response::text("Hello, world!")
}

fn parameter(request: &Request) -> Response {
    Response::text(request.param("id").expect("the pattern has it").to_owned())
}

#[derive(Serialize)]
struct Account {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

fn account(id: Path<u32>) -> Json<Account> {
    let id = *id;
    Json(Account { id, name: format!("User {id}"), email: format!("user{id}@example.org"), active: true })
}

/// It is passed both ways, and finds nothing to do.
#[derive(Clone)]
struct Idle;

impl IntoFilter<Idle> for Idle {
    fn into_filter(self) -> Rc<dyn Filter> {
        around(|_| Ok(()), |(), response| response)
    }
}

async fn echo(mut request: Request) -> Result<Response, BodyError> {
    let body = request.body().collect(1024).await?;
    Ok(Response::bytes(body))
}

async fn write_pieces(mut sender: Sender) {
    for piece in ["one piece, ", "another, ", "and the last"] {
        if sender.send(piece).await.is_err() {
            return; // the client is gone
        }
    }
}
