//! WebSockets to upstreams of HTTP/1.1: the key and its answer, by clients of HTTP/1.1 and of HTTP/2.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gannet_core::Counter;
use gannet_proto::ws::handshake::accept;

use crate::asker::{ACCEPT, Asker, BOTH, KEY};
use crate::h2_rig::{MOMENT, field};
use crate::rig::{Upstream, proxy};
use crate::world::World;

/// The key that a request has, which is one.
fn key(heard: &str) -> &str {
    let mut lines = heard.split("\r\n");
    let key = lines.by_ref().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    assert!(lines.all(|line| !line.to_lowercase().starts_with("sec-websocket-key:")), "{heard}");
    key
}

fn answer(key: &str) -> String {
    String::from_utf8(accept(key.as_bytes()).to_vec()).expect("base64")
}

/// A request accepted as RFC 6455, 4.2.2 has it.
pub fn accepted(heard: &str) -> String {
    switches(&format!("Upgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n", answer(key(heard))))
}

fn switches(fields: &str) -> String {
    format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n{fields}\r\n")
}

/// What came of a request that an upstream of HTTP/1.1 answered, and whether it was left then.
async fn answered(
    ask: fn(&World, &str) -> Asker,
    upstream: &Upstream,
    world: &mut World,
    answer: impl FnOnce(&str) -> String,
) -> (Asker, bool) {
    let asker = ask(world, "");
    world.run(MOMENT).await;
    let mut link = upstream.accept();
    let heard = link.hear();
    link.say(answer(&heard));
    world.run(MOMENT).await;
    (asker, !link.is_open())
}

#[test]
fn a_websocket_is_asked_for_by_an_upgrade_whatever_its_client_speaks() {
    for ask in BOTH {
        proxy(async |world, upstream| {
            let fields =
                "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
            let mut asker = ask(world, fields);
            world.run(MOMENT).await;
            let mut link = upstream.accept();
            let heard = link.hear();
            assert!(heard.starts_with("GET /chat?a=b HTTP/1.1\r\nHost: a.example\r\n"), "{heard}");
            let lower = heard.to_lowercase();
            for line in [
                "upgrade: websocket",
                "connection: upgrade",
                "sec-websocket-version: 13",
                "sec-websocket-protocol: chat, superchat",
                "sec-websocket-extensions: permessage-deflate",
            ] {
                assert_eq!(lower.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}: {heard}");
            }
            assert!(heard.ends_with("\r\n\r\n") && heard.matches("\r\n\r\n").count() == 1, "{heard}");
            for framing in ["transfer-encoding", "content-length", "expect"] {
                assert!(!lower.contains(framing), "a WebSocket is asked for without a body: {heard}");
            }
            let key = key(&heard);
            assert_eq!(asker.is_one(), key == KEY);
            assert_eq!(STANDARD.decode(key).map(|bytes| bytes.len()), Ok(16));
            link.say(switches(&format!(
                "Upgrade: WebSocket\r\nSec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: chat\r\n",
                answer(key)
            )));
            link.say("hello");
            world.run(MOMENT).await;
            let fields = asker.fields();
            match asker.is_one() {
                true => assert_eq!(field(&fields, "sec-websocket-accept"), Some(ACCEPT)),
                false => asker.assert_opened(),
            }
            assert_eq!(field(&fields, "sec-websocket-protocol"), Some("chat"));
            assert_eq!((asker.said().as_slice(), asker.say(b"world")), (&b"hello"[..], 5));
            world.run(MOMENT).await;
            assert_eq!(link.hear(), "world");
        });
    }
}

#[test]
fn each_client_of_http_2_is_given_a_key_of_its_own() {
    proxy(async |world, upstream| {
        let _askers: Vec<Asker> =
            (0..3).map(|_| Asker::two(world, "sec-websocket-key: bWluZQ==\r\n")).collect();
        world.run(MOMENT).await;
        let heard: Vec<String> = (0..3).map(|_| upstream.accept().hear()).collect();
        let mut keys: Vec<&str> = heard.iter().map(|heard| key(heard)).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 3);
    });
}

#[test]
fn an_upstream_that_has_not_read_the_key_we_made_up_is_broken() {
    for fields in [
        "Upgrade: websocket\r\n",
        "Upgrade: websocket\r\nSec-WebSocket-Accept: \r\n",
        "Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        "Upgrade: websocket\r\nSec-WebSocket-Accept: RIGHT\r\nSec-WebSocket-Accept: RIGHT\r\n",
        "Upgrade: echo\r\nSec-WebSocket-Accept: RIGHT\r\n",
    ] {
        proxy(async |world, upstream| {
            let answer = |heard: &str| switches(&fields.replace("RIGHT", &answer(key(heard))));
            let (mut asker, was_left) = answered(Asker::two, upstream, world, answer).await;
            assert_eq!((asker.status(), was_left), (Some(502), true), "{fields}");
            assert_eq!(field(&asker.fields(), "sec-websocket-accept"), None);
            assert_eq!(world.held_by_clients(), (0, 0));
        });
    }
}

#[test]
fn the_answer_to_a_client_s_own_key_is_its_own_to_check() {
    for answer in ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "wrong"] {
        proxy(async |world, upstream| {
            let fields = format!("Upgrade: WebSocket\r\nSec-WebSocket-Accept: {answer}\r\n");
            let (mut asker, was_left) = answered(Asker::one, upstream, world, |_| switches(&fields)).await;
            let fields = asker.fields();
            assert_eq!((asker.status(), was_left), (Some(101), false));
            assert_eq!(field(&fields, "sec-websocket-accept"), Some(answer));
            assert_eq!(field(&fields, "upgrade"), Some("WebSocket"));
        });
    }
}

#[test]
fn an_upstream_that_refuses_is_passed_on_and_one_that_passes_the_offer_over_has_not_opened_a_tunnel() {
    for (status, to_http2) in [(403, 403), (426, 426), (503, 503), (200, 501), (204, 501)] {
        for ask in BOTH {
            proxy(async |world, upstream| {
                let text =
                    format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nSec-WebSocket-Version: 13\r\n\r\n");
                let text = if status == 204 { text.replace("Content-Length: 0\r\n", "") } else { text };
                let (mut asker, _) = answered(ask, upstream, world, |_| text).await;
                let expected = if asker.is_one() { status } else { to_http2 };
                assert_eq!(asker.status(), Some(expected));
            });
        }
    }
}

#[test]
fn an_upstream_that_breaks_the_handshake_off_counts_as_failed() {
    proxy(async |world, upstream| {
        for ask in BOTH {
            let mut asker = ask(world, "");
            world.run(MOMENT).await;
            drop(upstream.accept());
            world.run(MOMENT).await;
            assert_eq!(asker.status(), Some(502));
        }
        assert_eq!(world.counted(Counter::UpstreamFailed), 2);
    });
}
