//! Upstreams that do not keep to HTTP, or that leave: the client is told so, gets nobody else's bytes, and the connection is not used again.

use std::time::Duration;

use crate::peer::Peer;
use crate::rig::{SECOND, Upstream, proxy};
use crate::world::World;

/// What an upstream says to a request, and what its client is told.
struct Lie {
    what: &'static str,
    says: String,
    /// It ends its half then.
    ends: bool,
    told: Told,
}

enum Told {
    /// There is no response.
    Failure,
    /// The response is not whole.
    Cut,
    /// All of this.
    Whole(u16, &'static str),
}

fn lie(what: &'static str, says: impl Into<String>, told: Told) -> Lie {
    Lie { what, says: says.into(), ends: false, told }
}

fn leaves(what: &'static str, says: impl Into<String>, told: Told) -> Lie {
    Lie { ends: true, ..lie(what, says, told) }
}

fn ok(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}")
}

fn heads() -> Vec<Lie> {
    use Told::Failure;
    vec![
        lie("two lengths", ok("Content-Length: 3\r\nContent-Length: 4", "abcd"), Failure),
        lie("two lengths in one line", ok("Content-Length: 3, 4", "abcd"), Failure),
        lie("a length that is none", ok("Content-Length: +3", "abc"), Failure),
        lie(
            "a length and a coding",
            ok("Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            Failure,
        ),
        lie("chunked twice", ok("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), Failure),
        lie("chunked, but not last", ok("Transfer-Encoding: chunked, gzip", "0\r\n\r\n"), Failure),
        lie("no status line", "hello\r\n\r\n", Failure),
        lie("another version", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", Failure),
        lie("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", Failure),
        lie("a space before a colon", ok("Content-Length : 0", ""), Failure),
        lie("a folded line", ok("X-A: b\r\n c", ""), Failure),
        lie("a byte of zero", ok("X-A: b\0c\r\nContent-Length: 0", ""), Failure),
        lie(
            "a switch that nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nGET",
            Failure,
        ),
        lie("an endless head", ok(&"X-A: b\r\n".repeat(20_000), ""), Failure),
        lie("an endless line", format!("HTTP/1.1 200 OK\r\nX-A: {}", "b".repeat(100_000)), Failure),
        lie("endless interim responses", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100), Failure),
        leaves("nothing, and leaves", "", Failure),
        leaves("half a head, and leaves", "HTTP/1.1 200 OK\r\nContent-", Failure),
        leaves("an interim response, and leaves", "HTTP/1.1 103 Early Hints\r\n\r\n", Failure),
    ]
}

fn bodies() -> Vec<Lie> {
    use Told::{Cut, Whole};
    let chunked = |body: &str| ok("Transfer-Encoding: chunked", body);
    vec![
        lie("a chunk's size that is none", chunked("3\r\nabc\r\nxyz\r\n"), Cut),
        lie("a chunk that is longer than it says", chunked("3\r\nabcdef\r\n0\r\n\r\n"), Cut),
        lie("a chunk's size that overflows", chunked("fffffffffffffffff\r\nabc"), Cut),
        leaves("too little", ok("Content-Length: 10", "abc"), Cut),
        leaves("half a chunk", chunked("3\r\nab"), Cut),
        leaves("chunks without the last", chunked("3\r\nabc\r\n"), Cut),
        leaves("no end behind the last chunk", chunked("3\r\nabc\r\n0\r\n"), Cut),
        lie(
            "a response more",
            ok("Content-Length: 3", "abcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
            Whole(200, "abc"),
        ),
        lie("a byte more", ok("Content-Length: 3", "abcd"), Whole(200, "abc")),
        lie("more behind the chunks", chunked("3\r\nabc\r\n0\r\n\r\nevil"), Whole(200, "abc")),
        lie(
            "a body where there is none",
            "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil",
            Whole(204, ""),
        ),
        lie("that it closes", ok("Connection: close\r\nContent-Length: 3", "abc"), Whole(200, "abc")),
        lie("HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", Whole(200, "abc")),
        leaves("HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\nabc", Whole(200, "abc")),
        leaves("HTTP/1.1 without a length", "HTTP/1.1 200 OK\r\n\r\nabc", Whole(200, "abc")),
    ]
}

/// Tells a lie to a client's first request, or its second by that connection, and then the truth to the next.
async fn tell(lie: &Lie, reused: bool, world: &mut World, upstream: &Upstream) {
    let what = lie.what;
    let mut peer = Peer::connect(world);
    let mut link = upstream.asked(&mut peer, "/0", world).await;
    if reused {
        link.answer("zero");
        world.run(SECOND / 10).await;
        peer.get("/1");
        world.run(Duration::ZERO).await;
        link.assert_asked("GET", "/1");
    }
    let before = usize::from(reused);
    link.say(&lie.says);
    if lie.ends {
        link.client.finish();
    }
    world.run(SECOND).await;
    assert!(!link.is_open(), "{what}: the connection is closed");
    let answer = peer.hear().get(before).cloned();
    let told = answer.as_ref().map(|answer| (answer.status, answer.complete, &answer.body[..]));
    match lie.told {
        Told::Failure => {
            assert!(told.is_some_and(|(status, whole, _)| status == 502 && whole), "{what}: {told:?}");
        }
        Told::Cut => {
            assert!(told.is_none_or(|(status, whole, _)| status == 200 && !whole), "{what}: {told:?}");
            assert!(peer.is_ended(), "{what}");
            peer = Peer::connect(world);
        }
        Told::Whole(status, body) => assert_eq!(told, Some((status, true, body.as_bytes())), "{what}"),
    }
    let mut other = upstream.asked(&mut peer, "/2", world).await;
    other.answer("two");
    world.run(SECOND / 10).await;
    assert_eq!(peer.hear().last().expect("an answer").body, b"two", "{what}");
    assert!(upstream.next().is_none() && other.is_open(), "{what}");
}

fn tell_all(lies: &[Lie]) {
    for lie in lies {
        proxy(async |world, upstream| tell(lie, false, world, upstream).await);
        // A connection that dies before it says anything is a case of its own.
        if !lie.says.is_empty() {
            proxy(async |world, upstream| tell(lie, true, world, upstream).await);
        }
    }
}

#[test]
fn what_is_no_response_is_502_and_the_next_request_gets_its_own_answer() {
    tell_all(&heads());
}

#[test]
fn a_body_that_is_not_whole_is_cut_and_what_is_beyond_it_reaches_nobody() {
    tell_all(&bodies());
}

#[test]
fn a_response_to_head_has_no_body_and_one_that_has_is_not_used_again() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.say("HEAD /0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        world.run(Duration::ZERO).await;
        let mut link = upstream.accept();
        link.answer("evil");
        world.run(SECOND).await;
        assert!(!link.is_open());
        let mut room = [0; 1000];
        let heard = peer.client.read(&mut room).expect("an answer");
        let heard = String::from_utf8_lossy(&room[..heard]).into_owned();
        assert!(heard.starts_with("HTTP/1.1 200 ") && heard.ends_with("\r\n\r\n"), "{heard}");
    });
}

#[test]
fn bytes_that_nobody_asked_for_close_a_connection_that_waits() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        let mut link = upstream.asked(&mut peer, "/1", world).await;
        link.answer("one");
        world.run(SECOND / 10).await;
        assert!(link.is_open());
        link.answer("evil");
        world.run(Duration::ZERO).await;
        assert!(!link.is_open());
        let mut other = upstream.asked(&mut peer, "/2", world).await;
        other.answer("two");
        world.run(Duration::ZERO).await;
        assert_eq!(peer.hear()[1].body, b"two");
    });
}

#[test]
fn an_answer_before_the_request_has_ended_is_passed_on_and_its_connection_closed() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/1", 100_000);
        peer.say(vec![b'x'; 50_000]);
        world.run(Duration::ZERO).await;
        let mut link = upstream.accept();
        assert!(link.hear().len() > 50_000);
        link.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
        world.run(Duration::ZERO).await;
        assert!(!link.is_open());
        assert_eq!((peer.statuses(), &peer.hear()[0].body[..]), (vec![413], &b"big"[..]));
        peer.say(vec![b'x'; 50_000]);
        let mut other = upstream.asked(&mut peer, "/2", world).await;
        other.answer("two");
        world.run(Duration::ZERO).await;
        assert_eq!((peer.statuses(), &peer.hear()[1].body[..]), (vec![413, 200], &b"two"[..]));
    });
}

#[test]
fn an_upstream_that_answers_and_resets_while_it_is_sent_a_body_is_heard() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/1", 1_000_000);
        peer.push(200_000);
        world.run(Duration::ZERO).await;
        let mut link = upstream.accept();
        link.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        drop(link);
        world.run(Duration::ZERO).await;
        assert_eq!(peer.statuses(), [413]);
    });
}

#[test]
fn a_response_without_content_says_of_its_length_what_the_upstream_said() {
    for (method, says, length) in [
        ("HEAD", "200 OK\r\nContent-Length: 10", Some("10")),
        ("HEAD", "200 OK\r\nContent-Length: 0", Some("0")),
        ("HEAD", "200 OK\r\nTransfer-Encoding: chunked", None),
        ("HEAD", "200 OK\r\nX-A: b", None),
        ("GET", "304 Not Modified\r\nContent-Length: 10", Some("10")),
        ("GET", "304 Not Modified\r\nX-A: b", None),
        ("GET", "204 No Content\r\nX-A: b", None),
    ] {
        proxy(async |world, upstream| {
            let mut peer = Peer::connect(world);
            peer.say(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
            world.run(Duration::ZERO).await;
            let mut link = upstream.accept();
            link.say(format!("HTTP/1.1 {says}\r\n\r\n"));
            world.run(Duration::ZERO).await;
            let mut room = [0; 1000];
            let heard = peer.client.read(&mut room).expect("an answer");
            let heard = String::from_utf8_lossy(&room[..heard]).to_lowercase();
            let told = heard.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
            assert_eq!(told, length, "{method}, {says}: {heard}");
        });
    }
}
