//! The places that the same site is asked in: itself, and through a proxy.

use std::path::Path;

use gannet::prelude::*;
use gannet::{
    BackendChoice, Body, BodyLength, Data, Fields, Frame, Proxy, Running, Tls, Upgraded, UpstreamProtocol,
    Version, files::Files,
};
use gannet_proto::ws::handshake::accept;
use gannet_testing::Authority;

use crate::client::{Client, Speaks};

/// Bytes of the large file, and of what the handlers give and take that is large.
pub const LARGE_BYTES: usize = 3_000_000;

/// Bytes that show when some are missing or out of place.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8 ^ (n >> 12) as u8).collect()
}

/// What a text consists of, often.
pub const TEXT: &str = "a line of text\n";

/// One server to ask, in clear text and over TLS.
pub struct Place {
    pub name: &'static str,
    /// Any offer of HTTP/1.1 is passed on there: to upstreams that have nothing but HTTP/2 the proxy passes on those of WebSockets alone.
    pub takes_any_offer: bool,
    clear: Running,
    secure: Running,
}

/// The site, and proxies before it.
pub struct Places {
    pub all: Vec<Place>,
    authority: Authority,
    /// What the site serves; removed when the test is over.
    _folder: tempfile::TempDir,
}

impl Places {
    pub fn new(backend: BackendChoice) -> Places {
        let authority = Authority::new();
        let signed = authority.sign("a", &["localhost"]);
        let folder = folder();
        let start = |name: &'static str, app: &dyn Fn() -> App| {
            let tls = Tls::files(&signed.certificate, &signed.key);
            let start = |app: App| {
                let app = app.listen("127.0.0.1:0").workers(1).backend(backend);
                app.start().expect("the application is sound")
            };
            Place { name, takes_any_offer: true, clear: start(app()), secure: start(app().tls(tls)) }
        };
        let own = start("the site", &|| site(folder.path()));
        let to_clear = own.clear.socket_addresses()[0].to_string();
        let to_secure = format!("https://localhost:{}", own.secure.socket_addresses()[0].port());
        let proxied = start("through a proxy", &|| App::new().proxy("/*", to_clear.as_str()));
        let over_tls = start("through a proxy that asks over TLS", &|| {
            App::new().proxy("/*", Proxy::to([&to_secure]).authorities(authority.root()))
        });
        let to_http2 = format!("h2c://{to_clear}");
        let mut over_http2 =
            start("through a proxy that asks by HTTP/2", &|| App::new().proxy("/*", to_http2.as_str()));
        over_http2.takes_any_offer = false;
        let http1_over_tls = start("through a proxy that asks by HTTP/1.1 over TLS", &|| {
            let proxy = Proxy::to([&to_secure]).protocol(UpstreamProtocol::Http1);
            App::new().proxy("/*", proxy.authorities(authority.root()))
        });
        Places { all: vec![own, proxied, over_tls, over_http2, http1_over_tls], authority, _folder: folder }
    }

    pub fn client(&self, place: &Place, speaks: Speaks) -> Client {
        let server = if speaks.tls.is_some() { &place.secure } else { &place.clear };
        Client::speaking(speaks, server.socket_addresses()[0], &self.authority.root())
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path();
    for name in ["indexed", "listed"] {
        std::fs::create_dir(path.join(name)).expect("made");
    }
    let text = TEXT.repeat(200);
    let files: [(&str, &[u8]); 7] = [
        ("text.txt", text.as_bytes()),
        ("text.txt.br", b"from beside"),
        ("small.html", b"<p>small"),
        ("empty.txt", b""),
        ("large.bin", &pattern(LARGE_BYTES)),
        ("indexed/index.html", b"<p>index"),
        ("listed/entry.txt", b"entry"),
    ];
    for (name, content) in files {
        std::fs::write(path.join(name), content).expect("written");
    }
    folder
}

/// Files, and handlers of each kind.
fn site(folder: &Path) -> App {
    let sum = async |mut request: Request| {
        let (mut bytes, mut sum) = (0, 0_u32);
        while let Some(Ok(chunk)) = request.body().next().await {
            bytes += chunk.len();
            sum = chunk.iter().fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
        }
        format!("{bytes} bytes, {sum}")
    };
    let trailers = |_: Request| {
        let mut trailers = Fields::default();
        trailers.append("X-Sum", "6").expect("a field");
        let frames = [Frame::Data(Data::from("pieces")), Frame::Trailers(trailers)];
        Response::new(Status::OK).with_body(Body::stream(Frames(frames.into_iter().collect())))
    };
    // Over HTTP/1.1 a WebSocket is asked for with a key of sixteen bytes in base64, which is answered.
    let websocket = |request: Request| match request.field("sec-websocket-key") {
        None if request.version() == Version::Http2 => Response::upgrade("websocket", talk),
        Some(key) if request.version() == Version::Http11 && key.len() == 24 => {
            Response::upgrade("websocket", talk).with("Sec-WebSocket-Accept", accept(key))
        }
        _ => Response::new(Status::BAD_REQUEST),
    };
    let later = async |request: Request| {
        tokio::task::yield_now().await;
        request.target().to_owned()
    };
    let filtered = async |request: Request, next: Next| {
        let asks = request.field("x-ask").is_some();
        let response = next.run(request).await;
        if asks { response.with("x-filtered", "1") } else { response }
    };
    App::new()
        .with(filtered)
        .files("/", Files::open(folder).expect("the folder is there").listing(true))
        .post("/handlers/echo", echo)
        .post("/handlers/sum", sum)
        .post("/handlers/refuse", |_: Request| Response::text("no").with_status(Status::FORBIDDEN))
        .get("/handlers/value", "value")
        .get("/handlers/later", later)
        .get("/handlers/large", String::from_utf8(vec![b'x'; LARGE_BYTES]).expect("text"))
        .get("/handlers/medium", "medium ".repeat(15_000))
        .get("/handlers/trailers", trailers)
        .get("/handlers/talk", |_: Request| Response::upgrade("echo", talk))
        .get("/handlers/websocket", websocket)
        .get("/handlers/nothing", |_: Request| Response::new(Status::NO_CONTENT))
        .get("/handlers/fails", |_: Request| Response::text("bad").with_status(Status::INTERNAL_SERVER_ERROR))
        .get("/handlers/fields", |request: Request| {
            let kept = request.field("x-kept").unwrap_or_default().to_owned();
            Response::text(kept).with("x-a", "1").with("set-cookie", "a=1").with("x-empty", "")
        })
}

/// Sends a request's body back as it comes, as long as it was said to be.
fn echo(request: Request) -> Response {
    let length = match request.body_length() {
        BodyLength::None => Some(0),
        BodyLength::Known(length) => Some(length),
        BodyLength::Chunked => None,
    };
    Response::new(Status::OK).with_body(Body::Received(request.into_body(), length))
}

/// Sends everything back until the client ends its half.
async fn talk(mut upgraded: Upgraded) {
    while let Some(Ok(chunk)) = upgraded.reader.next().await {
        if upgraded.writer.send(chunk).await.is_err() {
            return;
        }
    }
}

/// Gives these.
struct Frames(std::collections::VecDeque<Frame>);

impl gannet::Source for Frames {
    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame, gannet::BodyError>>> {
        std::task::Poll::Ready(self.0.pop_front().map(Ok))
    }
}
