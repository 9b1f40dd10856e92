//! Upstreams that do not keep to HTTP/2: the client is told so, gets nobody else's bytes, and what is broken is not used again.

use gannet_proto::h2::hpack::put_static;

use crate::h2_rig::{MOMENT, proxy};
use crate::peer::Peer;
use crate::rig::Upstream;
use crate::world::World;

/// What an upstream says to the request on stream 1, and whether all of its connection is broken by it.
struct Lie {
    what: &'static str,
    says: Vec<u8>,
    all: bool,
}

const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn head(flags: u8, stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        literal(name, value, &mut block);
    }
    frame(1, flags | END_HEADERS, stream, &block)
}

/// A field as it is, whatever its bytes (RFC 7541, 6.2.2).
fn literal(name: &str, value: &str, block: &mut Vec<u8>) {
    block.push(0);
    for text in [name, value] {
        assert!(text.len() < 127);
        block.push(text.len() as u8);
        block.extend_from_slice(text.as_bytes());
    }
}

fn data(flags: u8, stream: u32, bytes: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, bytes)
}

fn of_the_stream(what: &'static str, says: Vec<u8>) -> Lie {
    Lie { what, says, all: false }
}

fn of_all(what: &'static str, says: Vec<u8>) -> Lie {
    Lie { what, says, all: true }
}

/// Before the head of a response is there: 502.
fn heads() -> Vec<Lie> {
    let ok = (":status", "200");
    vec![
        of_the_stream("no status", head(END_STREAM, 1, &[("x", "y")])),
        of_the_stream("two", head(END_STREAM, 1, &[ok, ok])),
        of_the_stream("a status of two digits", head(END_STREAM, 1, &[(":status", "20")])),
        of_the_stream("a switch of protocols", head(END_STREAM, 1, &[(":status", "101")])),
        of_the_stream("a status behind a field", head(END_STREAM, 1, &[("x", "y"), ok])),
        of_the_stream("a request's pseudo-field", head(END_STREAM, 1, &[ok, (":path", "/")])),
        of_the_stream("upper case", head(END_STREAM, 1, &[ok, ("X-A", "b")])),
        of_the_stream("CR and LF in a value", head(END_STREAM, 1, &[ok, ("x", "a\r\nX-Evil: 1")])),
        of_the_stream("LF in a name", head(END_STREAM, 1, &[ok, ("x\ny", "a")])),
        of_the_stream("NUL in a value", head(END_STREAM, 1, &[ok, ("x", "a\0b")])),
        of_the_stream("Connection", head(END_STREAM, 1, &[ok, ("connection", "close")])),
        of_the_stream("Transfer-Encoding", head(0, 1, &[ok, ("transfer-encoding", "chunked")])),
        of_the_stream("a length that is none", head(0, 1, &[ok, ("content-length", "+3")])),
        of_the_stream("two lengths", head(0, 1, &[ok, ("content-length", "3"), ("content-length", "4")])),
        of_the_stream("a length, and no content", head(END_STREAM, 1, &[ok, ("content-length", "3")])),
        of_the_stream("content before the head", data(0, 1, b"hello")),
        of_the_stream("endless interim responses", head(0, 1, &[(":status", "103")]).repeat(20)),
        of_the_stream("an interim response that ends it", head(END_STREAM, 1, &[(":status", "103")])),
        of_all(
            "a block that cannot be decoded",
            frame(1, END_HEADERS, 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
        of_all("a response that nobody asked for", head(END_STREAM, 9, &[ok])),
        of_all("a stream of its own", head(END_STREAM, 2, &[ok])),
        of_all("a promise", frame(5, END_HEADERS, 1, &[0, 0, 0, 2, 0x88])),
        of_all("content of nobody's", data(0, 7, b"hello")),
        of_all("a frame that is too large", vec![1, 0, 0, 0, 0, 0, 0, 0, 1]),
        of_all("a window opened by nothing", frame(8, 0, 0, &[0; 4])),
        of_all("a ping of four bytes", frame(6, 0, 0, &[0; 4])),
        of_all("CONTINUATION behind nothing", frame(9, END_HEADERS, 1, &[])),
        of_all("a block within another", [frame(1, 0, 1, &[0x88]), data(0, 1, b"x")].concat()),
        of_all("settings that may not be", frame(4, 0, 0, &[0, 2, 0, 0, 0, 1])),
        of_all("HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
        of_all("pings without end", frame(6, 0, 0, &[7; 8]).repeat(1000)),
        of_all("settings without end", frame(4, 0, 0, &[]).repeat(1000)),
    ]
}

/// Behind the head of a response of ten bytes: its body is cut.
fn bodies() -> Vec<Lie> {
    vec![
        of_the_stream("too little", data(END_STREAM, 1, b"hello")),
        of_the_stream("too much", data(0, 1, b"helloworld!")),
        of_the_stream("trailers too early", head(END_STREAM, 1, &[("x", "y")])),
        of_the_stream("a second head", head(0, 1, &[(":status", "200")])),
        of_the_stream("trailers that do not end it", head(0, 1, &[("x", "y")])),
        of_the_stream("its end, which is a reset", frame(3, 0, 1, &[0, 0, 0, 2])),
        of_all("padding of all", frame(0, 8, 1, &[9, 1, 2])),
        of_all("half a frame, and HTTP/1.1", b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
    ]
}

/// Two requests on one connection, to whose first the upstream then says something.
async fn begin(upstream: &Upstream, world: &mut World) -> ([Peer; 2], gannet_engine::sim::Client) {
    let mut peers = [Peer::connect(world), Peer::connect(world)];
    peers[0].get("/0");
    peers[1].get("/1");
    world.run(MOMENT).await;
    let mut client = upstream.accept().client;
    say(&mut client, SETTINGS);
    world.run(MOMENT).await;
    (peers, client)
}

fn say(client: &mut gannet_engine::sim::Client, bytes: &[u8]) {
    assert_eq!(client.write(bytes).expect("the connection is open"), bytes.len());
}

/// The second request is answered by the same connection, or failed with it.
async fn assert_other(
    lie: &Lie,
    peer: &mut Peer,
    client: &mut gannet_engine::sim::Client,
    world: &mut World,
) {
    if lie.all {
        assert_eq!(peer.statuses(), [502], "{}", lie.what);
        let mut room = vec![0; 64 * 1024];
        while client.read(&mut room).is_ok_and(|count| count > 0) {}
        assert!(!client.is_open(), "{}", lie.what);
        return;
    }
    assert!(peer.statuses().is_empty(), "{}", lie.what);
    say(client, &head(END_STREAM, 3, &[(":status", "204")]));
    world.run(MOMENT).await;
    assert_eq!(peer.statuses(), [204], "{}", lie.what);
}

#[test]
fn an_upstream_that_lies_before_the_head_is_502_for_that_request_or_for_all_of_its_connection() {
    for lie in heads() {
        proxy(async |world, upstream| {
            let ([mut first, mut second], mut client) = begin(upstream, world).await;
            say(&mut client, &lie.says);
            world.run(MOMENT).await;
            assert_eq!(first.statuses(), [502], "{}", lie.what);
            assert_other(&lie, &mut second, &mut client, world).await;
        });
    }
}

#[test]
fn an_upstream_that_lies_behind_the_head_cuts_that_body_or_all_of_its_connection() {
    for lie in bodies() {
        proxy(async |world, upstream| {
            let ([mut first, mut second], mut client) = begin(upstream, world).await;
            say(&mut client, &head(0, 1, &[(":status", "200"), ("content-length", "10")]));
            world.run(MOMENT).await;
            say(&mut client, &lie.says);
            world.run(MOMENT).await;
            let answers = first.hear();
            assert_eq!((answers[0].status, answers[0].complete), (200, false), "{}", lie.what);
            assert!(b"helloworld".starts_with(&answers[0].body), "{}", lie.what);
            assert!(first.is_ended(), "{}", lie.what);
            assert_other(&lie, &mut second, &mut client, world).await;
        });
    }
}

#[test]
fn trailers_that_are_none_cut_a_body_whose_length_nobody_said() {
    for fields in [&[(":status", "200")][..], &[("X-Upper", "case")], &[("connection", "close")]] {
        proxy(async |world, upstream| {
            let ([mut first, mut second], mut client) = begin(upstream, world).await;
            say(&mut client, &head(0, 1, &[(":status", "200")]));
            say(&mut client, &data(0, 1, b"hello"));
            say(&mut client, &head(END_STREAM, 1, fields));
            world.run(MOMENT).await;
            assert_eq!((first.hear()[0].complete, first.is_ended()), (false, true), "{fields:?}");
            let lie = of_the_stream("trailers", Vec::new());
            assert_other(&lie, &mut second, &mut client, world).await;
        });
    }
}

#[test]
fn what_comes_behind_the_end_of_a_response_is_nobody_s() {
    proxy(async |world, upstream| {
        let ([mut first, mut second], mut client) = begin(upstream, world).await;
        let mut block = Vec::new();
        put_static(b":status", b"200", &mut block);
        say(&mut client, &frame(1, END_HEADERS, 1, &block));
        say(&mut client, &data(END_STREAM, 1, b"hello"));
        world.run(MOMENT).await;
        say(&mut client, &data(0, 1, b"evil"));
        world.run(MOMENT).await;
        let answers = first.hear();
        assert_eq!((&answers[0].body[..], answers[0].complete), (&b"hello"[..], true));
        assert_eq!(second.statuses(), [502], "the connection is broken (RFC 9113, 5.1)");
    });
}
