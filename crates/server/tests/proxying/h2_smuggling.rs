//! What clients of HTTP/2 can write and those of HTTP/1.1 could not: none of it reaches an upstream of HTTP/1.1 as something else.

use gannet_engine::sim::Client;
use gannet_proto::h2::PREFACE;

use crate::h2_rig::MOMENT;
use crate::rig::proxy;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A request, each field as it is, whatever its bytes; with a body where there is one.
fn request(fields: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    let mut frames = [&PREFACE[..], &frame(4, 0, 0, &[])].concat();
    frames.extend(frame(1, if body.is_some() { 4 } else { 5 }, 1, &block));
    if let Some(body) = body {
        frames.extend(frame(0, 1, 1, body.as_bytes()));
    }
    frames
}

fn heard(client: &mut Client) -> Vec<u8> {
    let (mut heard, mut room) = (Vec::new(), vec![0; 64 * 1024]);
    while let Ok(count @ 1..) = client.read(&mut room) {
        heard.extend_from_slice(&room[..count]);
    }
    heard
}

const METHOD: (&str, &str) = (":method", "GET");
const POST: (&str, &str) = (":method", "POST");
const SCHEME: (&str, &str) = (":scheme", "http");
const AUTHORITY: (&str, &str) = (":authority", "a");
const PATH: (&str, &str) = (":path", "/");

#[test]
fn nothing_that_http_1_1_would_read_otherwise_is_passed_on() {
    let evil = "\r\nX-Evil: 1";
    let path = |path| vec![METHOD, SCHEME, AUTHORITY, (":path", path)];
    let authority = |authority| vec![METHOD, SCHEME, (":authority", authority), PATH];
    let method = |method| vec![(":method", method), SCHEME, AUTHORITY, PATH];
    let field = |name, value| vec![METHOD, SCHEME, AUTHORITY, PATH, (name, value)];
    let cases = [
        path("/\r\nX-Evil: 1"),
        path("/a HTTP/1.1\r\nHost: b\r\n\r\nGET /evil"),
        path("/ HTTP/1.1"),
        path("/a\tb"),
        path("/a\nb"),
        path("/a\0b"),
        path("/a#b"),
        path("a"),
        path(""),
        path("http://b/"),
        authority("a\r\nX-Evil: 1"),
        authority("a b"),
        authority("user@a"),
        authority("a/b"),
        authority("a:99999"),
        method("GET / HTTP/1.1\r\nX: "),
        method("GE T"),
        method(""),
        field("x", evil),
        field("x", "a\nb"),
        field("x", "a\rb"),
        field("x", "a\0b"),
        field("x", " a"),
        field("x: y\r\nz", "a"),
        field("x y", "a"),
        field("x:", "a"),
        field("", "a"),
        field("X-Upper", "a"),
        field("connection", "close"),
        field("connection", "x-forwarded-for"),
        field("keep-alive", "1"),
        field("proxy-connection", "close"),
        field("upgrade", "websocket"),
        field("transfer-encoding", "chunked"),
        field("te", "chunked"),
        field("host", "b"),
        vec![METHOD, SCHEME, AUTHORITY, PATH, PATH],
        vec![METHOD, SCHEME, AUTHORITY, PATH, AUTHORITY],
        vec![METHOD, SCHEME, AUTHORITY, ("x", "y"), PATH],
        vec![METHOD, SCHEME, AUTHORITY],
        vec![SCHEME, AUTHORITY, PATH],
        vec![METHOD, SCHEME, AUTHORITY, PATH, (":evil", "1")],
    ];
    for fields in cases {
        proxy(async |world, upstream| {
            let mut client = world.connect();
            let bytes = request(&fields, None);
            assert_eq!(client.write(&bytes).expect("room"), bytes.len());
            world.run(MOMENT).await;
            assert!(upstream.next().is_none(), "{fields:?}");
            let heard = heard(&mut client);
            assert!(!heard.is_empty() && !heard.windows(3).any(|status| status == b"200"), "{fields:?}");
        });
    }
}

#[test]
fn a_body_is_as_long_as_its_length_says_or_its_request_is_not_whole() {
    let told = |length| vec![POST, SCHEME, AUTHORITY, PATH, ("content-length", length)];
    for (fields, body) in [
        (told("3"), "hello"),
        (told("0"), "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"),
        (told("5, 5"), "hello"),
        (told("+5"), "hello"),
        ([told("5"), vec![("content-length", "6")]].concat(), "hello"),
    ] {
        proxy(async |world, upstream| {
            let mut client = world.connect();
            let bytes = request(&fields, Some(body));
            assert_eq!(client.write(&bytes).expect("room"), bytes.len());
            world.run(MOMENT).await;
            // What was begun is broken off: nothing of the body that would be a request of its own.
            if let Some(mut link) = upstream.next() {
                let heard = link.hear();
                assert!(!heard.contains("/evil") && !link.is_open(), "{fields:?}: {heard}");
            }
        });
    }
    proxy(async |world, upstream| {
        let mut client = world.connect();
        let bytes = request(&told("9"), Some("hello"));
        assert_eq!(client.write(&bytes).expect("room"), bytes.len());
        world.run(MOMENT).await;
        assert!(upstream.next().is_none_or(|link| !link.is_open()), "too short");
    });
}
