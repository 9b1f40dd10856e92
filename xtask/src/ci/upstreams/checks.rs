//! What is asked of upstreams through the proxy.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use super::super::curl::Curl;
use super::{LARGE_BYTES, PATIENCE};

/// What the checks know: where the proxy is, and a file of what is posted.
pub struct Asked {
    pub curl: Curl,
    pub large: PathBuf,
}

pub type Check = (&'static str, fn(&Asked) -> Result<(), String>);

/// What every upstream has to do.
pub const ALL: &[Check] = &[
    ("GET", get),
    ("HEAD", head),
    ("404", missing),
    ("10 MiB of response", large),
    ("two requests on one connection", keep_alive),
];
/// What an application does, too.
pub const APPLICATION: &[Check] =
    &[("304", not_modified), ("10 MiB there and back", echo), ("Expect", expect)];
/// What only node's does.
pub const LIVE: &[Check] = &[("events are passed on at once", events), ("a WebSocket", web_socket)];
/// What only files do.
pub const FILES: &[Check] = &[("a range", range), ("304 of a file", unchanged)];

fn expect_equal<T: PartialEq + std::fmt::Debug + Copy>(seen: T, expected: T) -> Result<(), String> {
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
