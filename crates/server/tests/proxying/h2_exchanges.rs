//! Requests through a proxy to an upstream of HTTP/2: what is sent, what comes back, from clients of both versions.

use gannet_proto::{BodyLength, Method};

use crate::h2_rig::{Caller2, Heard, MOMENT, Stage, field, proxy, request};
use crate::peer::Peer;

#[test]
fn a_get_of_http_1_1_becomes_a_stream_without_what_belongs_to_the_connection() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.say(
            "GET /a?b=c HTTP/1.1\r\nHost: A.example:81\r\nConnection: x-hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\
             TE: trailers\r\nX-End: to End\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n",
        );
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        let heard = stage.hear();
        let [Heard::Request { stream: 1, method, protocol: None, target, authority, fields, ended: true }] =
            &heard[..]
        else {
            panic!("{heard:?}")
        };
        assert_eq!((method.as_str(), target.as_str(), authority.as_str()), ("GET", "/a?b=c", "A.example:81"));
        assert_eq!(field(fields, "x-end"), Some("to End"));
        assert_eq!(field(fields, "te"), Some("trailers"));
        assert_eq!(field(fields, "via"), Some("1.1 gannet"));
        assert_eq!(field(fields, "cookie"), Some("a=1; b=2"));
        assert_eq!(field(fields, "x-forwarded-host"), Some("A.example:81"));
        for left_out in ["host", "connection", "keep-alive", "x-hop", "transfer-encoding", "content-length"] {
            assert_eq!(field(fields, left_out), None, "{left_out}");
        }
        stage.answer(1, "hello");
        world.run(MOMENT).await;
        let answers = peer.hear();
        assert_eq!((answers[0].status, &answers[0].body[..]), (200, &b"hello"[..]));
        drop((peer, stage));
        world.run(MOMENT).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn requests_of_many_clients_share_one_connection_and_each_gets_its_own_answer() {
    proxy(async |world, upstream| {
        let mut peers: Vec<Peer> = (0..20).map(|_| Peer::connect(world)).collect();
        peers[0].get("/0");
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        assert_eq!(stage.asked(), [(1, "/0".to_owned())]);
        world.run(MOMENT).await;
        for (number, peer) in peers.iter_mut().enumerate().skip(1) {
            peer.get(&format!("/{number}"));
        }
        world.run(MOMENT).await;
        let mut asked = stage.asked();
        asked.push((1, "/0".to_owned()));
        assert_eq!((asked.len(), upstream.next().is_none()), (20, true));
        for (stream, target) in asked.iter().rev() {
            stage.answer(*stream, target);
        }
        world.run(MOMENT).await;
        for (number, peer) in peers.iter_mut().enumerate() {
            let answers = peer.hear();
            assert_eq!(answers[0].body, format!("/{number}").as_bytes());
        }
    });
}

#[test]
fn a_body_and_its_trailers_go_through_from_a_client_of_http_2_and_back() {
    proxy(async |world, upstream| {
        let mut caller = Caller2::connect(world);
        let mut head = request(Method::Post, "/rpc", BodyLength::Chunked);
        head.fields = b"content-type: application/grpc\r\n";
        head.accepts_trailers = true;
        let call = caller.ask(head);
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        let heard = stage.hear();
        let [Heard::Request { method, target, authority, fields, ended: false, .. }] = &heard[..] else {
            panic!("{heard:?}")
        };
        assert_eq!((method.as_str(), target.as_str(), authority.as_str()), ("POST", "/rpc", "a.example"));
        assert_eq!(field(fields, "content-type"), Some("application/grpc"));
        assert_eq!((field(fields, "te"), field(fields, "via")), (Some("trailers"), Some("2.0 gannet")));
        assert_eq!((field(fields, "content-length"), field(fields, "transfer-encoding")), (None, None));
        // Both ways at once: the response has begun before the request has ended.
        stage.respond(1, 200, b"content-type: application/grpc\r\n", None);
        for turn in 0..3_u8 {
            caller.push(call, &[turn; 10], false);
            world.run(MOMENT).await;
            assert_eq!(stage.hear(), [Heard::Data { stream: 1, bytes: vec![turn; 10], ended: false }]);
            stage.push(1, &[turn + 100; 5], false);
            world.run(MOMENT).await;
            assert_eq!(caller.hear(call).body.len(), 5 * (usize::from(turn) + 1));
        }
        caller.finish(call, b"x-check: 1\r\n");
        world.run(MOMENT).await;
        let trailers = vec![("x-check".to_owned(), "1".to_owned())];
        assert_eq!(stage.hear(), [Heard::Trailers { stream: 1, fields: trailers }]);
        stage.finish(1, b"grpc-status: 0\r\n");
        world.run(MOMENT).await;
        let told = caller.hear(call);
        assert_eq!((told.status, field(&told.fields, "content-type")), (200, Some("application/grpc")));
        assert_eq!((field(&told.trailers, "grpc-status"), told.ended, told.reset), (Some("0"), true, None));
        drop((caller, stage));
        world.run(MOMENT).await;
        world.assert_nothing_leaked();
    });
}
