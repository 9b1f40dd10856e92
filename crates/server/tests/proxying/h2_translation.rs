//! Clients of HTTP/2 before upstreams of HTTP/1.1.

use gannet_proto::h2::ErrorCode;
use gannet_proto::{BodyLength, Method};

use crate::h2_rig::{Caller2, MOMENT, field, request};
use crate::rig::proxy;

#[test]
fn a_get_of_http_2_becomes_one_of_http_1_1() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let mut head = request(Method::Get, "/a?b=c", BodyLength::None);
        head.authority = "A.example:81";
        head.fields = b"cookie: a=1\r\ncookie: b=2\r\nx-end: to End\r\n";
        head.accepts_trailers = true;
        let call = caller.ask(head);
        world.run(MOMENT).await;
        let mut link = upstream.accept();
        let heard = link.hear();
        assert!(heard.starts_with("GET /a?b=c HTTP/1.1\r\nHost: A.example:81\r\n"), "{heard}");
        for line in [
            "\r\ncookie: a=1; b=2\r\n",
            "\r\nx-end: to End\r\n",
            "\r\nVia: 2.0 gannet\r\n",
            "\r\nTE: trailers\r\n",
        ] {
            assert_eq!(heard.matches(line).count(), 1, "{line}: {heard}");
        }
        assert!(!heard.to_lowercase().contains("content-length") && !heard.contains("\r\n:"), "{heard}");
        link.say(
            "HTTP/1.1 200 OK\r\nConnection: x-hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
                  Transfer-Encoding: chunked\r\nX-Upper: a\r\n\r\n5\r\nhello\r\n0\r\nX-Check: 1\r\n\r\n",
        );
        world.run(MOMENT).await;
        let told = caller.hear(call);
        assert_eq!((told.status, &told.body[..], told.ended), (200, &b"hello"[..], true));
        assert_eq!(
            (field(&told.fields, "x-upper"), field(&told.trailers, "x-check")),
            (Some("a"), Some("1"))
        );
        for left_out in ["connection", "keep-alive", "transfer-encoding", "x-hop"] {
            assert_eq!(field(&told.fields, left_out), None, "{left_out}");
        }
        assert!(link.is_open(), "the upstream's connection is kept");
    });
}

#[test]
fn a_body_of_unknown_length_goes_in_chunks_and_its_trailers_behind_it() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let call = caller.ask(request(Method::Post, "/a", BodyLength::Chunked));
        caller.push(call, b"hello", false);
        world.run(MOMENT).await;
        let mut link = upstream.accept();
        let heard = link.hear();
        assert!(heard.contains("\r\nTransfer-Encoding: chunked\r\n"), "{heard}");
        assert!(heard.ends_with("\r\n\r\n5\r\nhello\r\n"), "{heard}");
        caller.finish(call, b"x-check: 1\r\n");
        world.run(MOMENT).await;
        assert_eq!(link.hear(), "0\r\nx-check: 1\r\n\r\n");
        link.answer("yes");
        world.run(MOMENT).await;
        assert_eq!(caller.hear(call).body, b"yes");
    });
}

#[test]
fn a_body_whose_length_is_told_goes_with_it() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let call = caller.ask(request(Method::Put, "/a", BodyLength::Known(10)));
        caller.push(call, b"hello", false);
        world.run(MOMENT).await;
        let mut link = upstream.accept();
        let heard = link.hear();
        assert!(heard.contains("\r\nContent-Length: 10\r\n") && heard.ends_with("\r\n\r\nhello"), "{heard}");
        caller.push(call, b"world", true);
        world.run(MOMENT).await;
        assert_eq!(link.hear(), "world");
        link.answer("yes");
        world.run(MOMENT).await;
        assert_eq!(caller.hear(call).status, 200);
    });
}

#[test]
fn a_body_that_waits_to_be_asked_for_is_asked_for_when_the_upstream_does() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let mut head = request(Method::Post, "/a", BodyLength::Known(5));
        head.fields = b"expect: 100-continue\r\n";
        let call = caller.ask(head);
        world.run(MOMENT).await;
        let mut link = upstream.accept();
        let heard = link.hear();
        assert_eq!(heard.matches("\r\nExpect: 100-continue\r\n").count(), 1, "{heard}");
        link.say("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        world.run(MOMENT).await;
        let interims: Vec<u16> = caller.hear(call).interims.iter().map(|interim| interim.0).collect();
        assert_eq!(interims, [103]);
        link.say("HTTP/1.1 100 Continue\r\n\r\n");
        world.run(MOMENT).await;
        let interims: Vec<u16> = caller.hear(call).interims.iter().map(|interim| interim.0).collect();
        assert_eq!(interims, [103, 100]);
        caller.push(call, b"hello", true);
        world.run(MOMENT).await;
        assert_eq!(link.hear(), "hello");
        link.answer("yes");
        world.run(MOMENT).await;
        assert_eq!(caller.hear(call).status, 200);
    });
}

#[test]
fn a_client_that_resets_its_stream_ends_that_request_and_no_other() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let first = caller.ask(request(Method::Get, "/1", BodyLength::None));
        let second = caller.ask(request(Method::Get, "/2", BodyLength::None));
        world.run(MOMENT).await;
        let (mut one, mut two) = (upstream.accept(), upstream.accept());
        one.assert_asked("GET", "/1");
        two.assert_asked("GET", "/2");
        caller.reset(first, ErrorCode::CANCEL);
        world.run(MOMENT).await;
        assert_eq!((one.is_open(), two.is_open()), (false, true));
        two.answer("two");
        world.run(MOMENT).await;
        assert_eq!(caller.hear(second).body, b"two");
    });
}

#[test]
fn what_an_upstream_breaks_off_resets_the_stream_and_no_other() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let first = caller.ask(request(Method::Get, "/1", BodyLength::None));
        let second = caller.ask(request(Method::Get, "/2", BodyLength::None));
        world.run(MOMENT).await;
        let (mut one, mut two) = (upstream.accept(), upstream.accept());
        one.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        world.run(MOMENT).await;
        drop(one);
        world.run(MOMENT).await;
        let told = caller.hear(first);
        assert_eq!((told.status, &told.body[..], told.ended), (200, &b"hello"[..], false));
        assert_eq!(told.reset, Some(ErrorCode::INTERNAL_ERROR));
        two.answer("two");
        world.run(MOMENT).await;
        assert_eq!(caller.hear(second).body, b"two");
    });
}

#[test]
fn a_connect_to_another_server_ends_here() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        world.run(MOMENT).await;
        let mut head = request(Method::Connect, "/", BodyLength::None);
        head.authority = "a.example:443";
        let call = caller.ask(head);
        world.run(MOMENT).await;
        assert_eq!((caller.hear(call).status, upstream.next().is_none()), (405, true));
    });
}
