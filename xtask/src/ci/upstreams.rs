//! Upstreams that we did not write behind `gannet proxy`, and curl before it: node, Python and nginx, over TCP, a Unix socket and TLS.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::curl::{self, Curl};
use super::server::Server;
use super::tls::{self, Authority};
use super::{Context, Outcome};
use crate::command;

/// How long until an upstream says where it listens, and the longest wait for anything else.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of the large bodies.
const LARGE_BYTES: usize = 10 * 1024 * 1024;

const NODE: &str = include_str!("upstreams/node.js");
const PYTHON: &str = include_str!("upstreams/server.py");
const NGINX: &str = include_str!("upstreams/nginx.conf");

/// An upstream; killed when dropped.
struct Upstream {
    child: Child,
    /// What `gannet proxy` calls it.
    target: String,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the checks know: where the proxy is, and a file of what is posted.
struct Asked {
    curl: Curl,
    large: PathBuf,
}

type Check = (&'static str, fn(&Asked) -> Result<(), String>);

/// What every upstream has to do.
const ALL: &[Check] = &[
    ("GET", get),
    ("HEAD", head),
    ("404", missing),
    ("10 MiB of response", large),
    ("two requests on one connection", keep_alive),
];
/// What an application does, too.
const APPLICATION: &[Check] = &[("304", not_modified), ("10 MiB there and back", echo), ("Expect", expect)];
/// What only node's does.
const LIVE: &[Check] = &[("events are passed on at once", events), ("a WebSocket", web_socket)];
/// What only files do.
const FILES: &[Check] = &[("a range", range), ("304 of a file", unchanged)];

/// One upstream: its name, the program it needs, how it is started, and what more it is asked.
struct Kind {
    name: &'static str,
    program: &'static str,
    start: fn(&Place) -> Result<Upstream, String>,
    checks: &'static [&'static [Check]],
}

const KINDS: &[Kind] = &[
    Kind { name: "node", program: "node", start: node, checks: &[ALL, APPLICATION, LIVE] },
    Kind {
        name: "node on a Unix socket",
        program: "node",
        start: node_unix,
        checks: &[ALL, APPLICATION, LIVE],
    },
    Kind { name: "python, HTTP/1.0", program: "python3", start: python_1_0, checks: &[ALL, APPLICATION] },
    Kind { name: "python, HTTP/1.1", program: "python3", start: python_1_1, checks: &[ALL, APPLICATION] },
    Kind { name: "nginx", program: "nginx", start: nginx, checks: &[ALL, FILES] },
    Kind { name: "nginx over TLS", program: "nginx", start: nginx_tls, checks: &[ALL, FILES] },
];

/// Where upstreams have their files, and certificates for those that need one.
struct Place {
    folder: PathBuf,
    authority: Authority,
}

/// Starts each upstream and a proxy before it, runs its checks, stops both.
pub fn run(context: &Context) -> Outcome {
    if let Some(left_out) = curl::missing().or_else(tls::missing) {
        return left_out;
    }
    let place = match place(context) {
        Ok(place) => place,
        Err(why) => return Outcome::Failed(why),
    };
    let (mut ran, mut left_out, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for kind in KINDS {
        if !command::is_there(kind.program) {
            left_out.push(kind.name);
            continue;
        }
        for backend in ["epoll", "uring"] {
            match check(context, kind, &place, backend) {
                Outcome::Ran(seen) => ran.push(seen),
                Outcome::LeftOut(_) => left_out.push(kind.name),
                Outcome::Failed(why) => wrong.push(format!("{} on {backend}: {why}", kind.name)),
            }
        }
    }
    let without = match &left_out[..] {
        [] => String::new(),
        names => format!("; without {}", names.join(", ")),
    };
    match (&wrong[..], &ran[..]) {
        ([], []) => Outcome::LeftOut("neither node, python3 nor nginx is installed".to_owned()),
        ([], _) => Outcome::Ran(ran.join(", ") + &without),
        _ => Outcome::Failed(wrong.join("; ")),
    }
}

fn place(context: &Context) -> Result<Place, String> {
    let authority = Authority::new(context, "upstreams")?;
    authority.sign("upstream", "IP:127.0.0.1,DNS:localhost")?;
    let folder = context.folder("ci/upstreams")?;
    context.folder("ci/upstreams/site")?;
    let files: [(&str, &[u8]); 4] = [
        ("node.js", NODE.as_bytes()),
        ("server.py", PYTHON.as_bytes()),
        ("site/hello", b"hello"),
        ("site/large", &[b'x'; LARGE_BYTES]),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(Place { folder, authority })
}

fn check(context: &Context, kind: &Kind, place: &Place, backend: &str) -> Outcome {
    let upstream = match (kind.start)(place) {
        Ok(upstream) => upstream,
        Err(why) => return Outcome::Failed(format!("it did not start: {why}")),
    };
    let root = place.authority.root();
    let trusts = ["--upstream-ca", &*root];
    let trusts = if upstream.target.starts_with("https://") { &trusts[..] } else { &[] };
    let arguments = [&["proxy", &*upstream.target], trusts].concat();
    let server = match Server::start_as(context, backend, &arguments, &[]) {
        Ok(server) => server,
        Err(outcome) => return outcome,
    };
    let asked = Asked { curl: Curl::new(&server), large: place.folder.join("site/large") };
    let checks = kind.checks.iter().copied().flatten();
    let mut wrong: Vec<String> =
        checks.filter_map(|(name, check)| check(&asked).err().map(|why| format!("{name}: {why}"))).collect();
    wrong.extend(server.stop().err());
    if wrong.is_empty() {
        Outcome::Ran(format!("{} on {backend}", kind.name))
    } else {
        Outcome::Failed(wrong.join("; "))
    }
}

/// Starts a program that says where it listens in its first line.
fn spawn(program: &mut Command) -> Result<Upstream, String> {
    let mut child = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdout = child.stdout.take();
    let mut upstream = Upstream { child, target: String::new() };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
        // Nobody listens any more where it took too long.
        let _ = sender.send(lines.next());
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(Some(Ok(line))) => upstream.target = line,
        _ => return Err("it does not say where it listens".to_owned()),
    }
    Ok(upstream)
}

fn node(place: &Place) -> Result<Upstream, String> {
    spawn(Command::new("node").arg(place.folder.join("node.js")).arg("0"))
}

fn node_unix(place: &Place) -> Result<Upstream, String> {
    let socket = place.folder.join("node.sock");
    // One that was killed leaves it there.
    let _ = fs::remove_file(&socket);
    spawn(Command::new("node").arg(place.folder.join("node.js")).arg(socket))
}

fn python_1_0(place: &Place) -> Result<Upstream, String> {
    spawn(Command::new("python3").arg(place.folder.join("server.py")).arg("HTTP/1.0"))
}

fn python_1_1(place: &Place) -> Result<Upstream, String> {
    spawn(Command::new("python3").arg(place.folder.join("server.py")).arg("HTTP/1.1"))
}

fn nginx(place: &Place) -> Result<Upstream, String> {
    start_nginx(place, |clear, _| clear)
}

fn nginx_tls(place: &Place) -> Result<Upstream, String> {
    start_nginx(place, |_, secure| format!("https://{secure}"))
}

/// nginx says nothing of where it listens: it is given ports that were free, and asked until it is there.
fn start_nginx(place: &Place, target: fn(String, String) -> String) -> Result<Upstream, String> {
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        listener.local_addr().map(|address| address.to_string()).map_err(|error| error.to_string())
    };
    let (clear, secure) = (free()?, free()?);
    let authority = &place.authority;
    let configuration = NGINX
        .replace("FOLDER", &place.folder.to_string_lossy())
        .replace("CLEAR", &clear)
        .replace("SECURE", &secure)
        .replace("CERTIFICATE", &authority.file("upstream", "pem"))
        .replace("KEY", &authority.file("upstream", "key"));
    let file = place.folder.join("nginx.conf");
    fs::write(&file, configuration).map_err(|error| error.to_string())?;
    let child = Command::new("nginx")
        .args(["-e", "stderr", "-c"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let upstream = Upstream { child, target: target(clear.clone(), secure) };
    let begun = std::time::Instant::now();
    while TcpStream::connect(&clear).is_err() {
        if begun.elapsed() > PATIENCE {
            return Err("nobody listens".to_owned());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(upstream)
}

fn expect_equal<T: PartialEq + std::fmt::Debug>(seen: T, expected: T) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(format!("{seen:?}, not {expected:?}")) }
}

fn get(asked: &Asked) -> Result<(), String> {
    let answer = asked.curl.ask(&[], "/hello")?.expect_status(200)?;
    expect_equal(answer.field("x-forwarded-proto-seen"), "http")?;
    expect_equal(&*answer.body, b"hello")
}

fn head(asked: &Asked) -> Result<(), String> {
    let answer = asked.curl.ask(&["--head"], "/hello")?.expect_status(200)?;
    expect_equal(answer.body.len(), 0)
}

fn missing(asked: &Asked) -> Result<(), String> {
    asked.curl.ask(&[], "/no-such-thing")?.expect_status(404).map(|_| ())
}

fn large(asked: &Asked) -> Result<(), String> {
    let body = asked.curl.run(&[], &["/large"])?;
    expect_equal((body.len(), body.iter().all(|byte| *byte == b'x')), (LARGE_BYTES, true))
}

fn keep_alive(asked: &Asked) -> Result<(), String> {
    let options = ["--output", "/dev/null", "--output", "/dev/null", "--write-out", "%{num_connects} "];
    let connects = asked.curl.run(&options, &["/hello", "/hello"])?;
    expect_equal(String::from_utf8_lossy(&connects).trim(), "1 0")
}

fn not_modified(asked: &Asked) -> Result<(), String> {
    let answer = asked.curl.ask(&[], "/not-modified")?.expect_status(304)?;
    expect_equal((answer.field("etag"), answer.body.len()), ("\"a\"", 0))
}

fn posted(asked: &Asked) -> String {
    format!("@{}", asked.large.display())
}

fn echo(asked: &Asked) -> Result<(), String> {
    let body = asked.curl.run(&["--header", "Expect:", "--data-binary", &posted(asked)], &["/echo"])?;
    expect_equal((body.len(), body.iter().all(|byte| *byte == b'x')), (LARGE_BYTES, true))
}

/// curl waits for 100 (Continue) longer than this may take in all.
fn expect(asked: &Asked) -> Result<(), String> {
    let waits = ["--header", "Expect: 100-continue", "--expect100-timeout", "60", "--max-time", "20"];
    let body = asked.curl.run(&[&waits[..], &["--data-binary", &posted(asked)]].concat(), &["/echo"])?;
    expect_equal(body.len(), LARGE_BYTES)
}

fn range(asked: &Asked) -> Result<(), String> {
    let answer = asked.curl.ask(&["--range", "5-9"], "/large")?.expect_status(206)?;
    expect_equal(answer.field("content-range"), &format!("bytes 5-9/{LARGE_BYTES}"))?;
    expect_equal(answer.body.len(), 5)
}

fn unchanged(asked: &Asked) -> Result<(), String> {
    let tag = asked.curl.ask(&[], "/hello")?.field("etag").to_owned();
    let answer = asked.curl.ask(&["--header", &format!("If-None-Match: {tag}")], "/hello")?;
    answer.expect_status(304).map(|_| ())
}

/// A socket to the proxy, on which this was asked.
fn ask(asked: &Asked, request: &str) -> Result<TcpStream, String> {
    let url = asked.curl.url("");
    let stream = TcpStream::connect(url.trim_start_matches("http://")).map_err(|error| error.to_string())?;
    let sent = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| (&stream).write_all(request.as_bytes()));
    sent.map(|()| stream).map_err(|error| error.to_string())
}

/// Reads until `text` was there.
fn read_until(stream: &mut TcpStream, text: &[u8]) -> Result<Vec<u8>, String> {
    let mut seen = Vec::new();
    let mut room = [0; 4096];
    while !seen.windows(text.len()).any(|window| window == text) {
        match stream.read(&mut room) {
            Ok(count) if count > 0 => seen.extend_from_slice(&room[..count]),
            other => return Err(format!("{other:?} behind {}", seen.escape_ascii())),
        }
    }
    Ok(seen)
}

/// The upstream says the second when somebody else tells it that the first was seen: so nothing waits on the way.
fn events(asked: &Asked) -> Result<(), String> {
    let mut stream = ask(asked, "GET /events HTTP/1.1\r\nHost: a.example\r\n\r\n")?;
    read_until(&mut stream, b"data: first\n\n")?;
    asked.curl.ask(&[], "/seen")?.expect_status(200)?;
    read_until(&mut stream, b"data: second\n\n").map(|_| ())
}

/// The example of RFC 6455, 1.2 and 5.7: key and answer, and "Hello" masked.
fn web_socket(asked: &Asked) -> Result<(), String> {
    let offer = "GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let mut stream = ask(asked, offer)?;
    let head = read_until(&mut stream, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&head).into_owned();
    if !head.starts_with("HTTP/1.1 101 ") || !head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
        return Err(head);
    }
    for _ in 0..3 {
        let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        stream.write_all(&hello).map_err(|error| error.to_string())?;
        read_until(&mut stream, &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_all_its_places() {
        for place in ["FOLDER", "CLEAR", "SECURE", "CERTIFICATE", "KEY"] {
            assert!(NGINX.contains(place), "{place}");
        }
    }
}
