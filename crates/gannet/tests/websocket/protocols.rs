//! What holds over each protocol: HTTP/1.1 and HTTP/2 (RFC 8441), in clear text and over TLS.

use gannet::Broadcast;
use gannet::filters::BasicAuth;
use gannet::prelude::*;
use gannet::websocket::{WebSocketOptions, WebSocketResult, WebSockets};

use crate::client::{Client, Protocol};
use crate::rig::{Over, Server, Serves};

/// What a client asks a WebSocket by, with more fields.
fn ask(target: &str, more: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// A short frame of a client, masked by nothing.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("it is short");
    assert!(length < 126);
    [&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0][..], payload].concat()
}

/// The same of a server.
fn of_server(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x80 | opcode, payload.len() as u8][..], payload].concat()
}

fn open(server: &Server, over: Over, target: &str, more: &str) -> Client {
    let mut client = server.client();
    let answer = client.send(ask(target, more)).head();
    let is_http1 = over.speaks.protocol == Protocol::Http1;
    assert_eq!(answer.status, if is_http1 { 101 } else { 200 }, "{}", answer.head);
    let accept = is_http1.then_some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(answer.field("sec-websocket-accept"), accept);
    client
}

fn says(client: &mut Client, opcode: u8, payload: &[u8]) {
    let expected = of_server(opcode, payload);
    assert_eq!(client.take(expected.len()), expected);
}

fn ends(mut client: Client, over: Over) {
    match over.speaks.protocol {
        Protocol::Http1 => client.ends(),
        Protocol::Http2 => client.end_conversation(),
    }
}

pub fn a_conversation_is_the_same_over_each(over: Over) {
    let app = App::new().ws("/echo/:name", async |name: Path<String>, mut socket: WebSocket| {
        socket.send(format!("hello, {}", *name)).await?;
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        WebSocketResult::Ok(())
    });
    let server = Server::start(app, over);
    let mut client = open(&server, over, "/echo/ada", "");
    says(&mut client, 1, b"hello, ada");
    client.send(frame(1, "h\u{e9}".as_bytes()));
    says(&mut client, 1, "h\u{e9}".as_bytes());
    client.send(frame(9, b"there?"));
    says(&mut client, 10, b"there?");
    client.send([&b"\x02\x81\0\0\0\0a"[..], &frame(9, b""), b"\x80\x81\0\0\0\0b"].concat());
    says(&mut client, 10, b"");
    says(&mut client, 2, b"ab");
    client.send(frame(8, b"\x0f\xa1bye"));
    says(&mut client, 8, b"\x0f\xa1");
    ends(client, over);
}

pub fn what_breaks_the_protocol_is_told_by_its_code(over: Over) {
    let echo = async |mut socket: WebSocket| {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        WebSocketResult::Ok(())
    };
    let small = WebSocketOptions::new().message_bytes(10);
    let server = Server::start(App::new().get("/", WebSockets::new(echo).options(small)), over);
    for (bytes, code) in [
        (&b"\x81\x02hi"[..], 1002_u16),
        (b"\xf1\x80\0\0\0\0", 1002),
        (b"\x81\x82\0\0\0\0\xc3\x28", 1007),
        (b"\x82\x8b\0\0\0\0hello, world", 1009),
    ] {
        let mut client = open(&server, over, "/", "");
        client.send(bytes);
        let begin = client.take(4);
        assert_eq!((begin[0], u16::from_be_bytes([begin[2], begin[3]])), (0x88, code));
    }
}

pub fn a_protocol_is_agreed_on_and_what_is_refused_is_answered_in_its_place(over: Over) {
    let talk = async |mut socket: WebSocket| {
        let protocol = socket.protocol().unwrap_or("none");
        socket.send(protocol.to_owned()).await?;
        WebSocketResult::Ok(())
    };
    let options = WebSocketOptions::new().protocols(["chat.v2", "chat.v1"]);
    // What Argon2 makes of a password is not what is tested here.
    let hash = gannet::filters::hash_password("secret").expect("a hash");
    let app = App::new().get("/talk", WebSockets::new(talk).options(options)).group("/private", |private| {
        private.ws("/talk", talk).with(BasicAuth::new("r").user("ada", &hash).expect("a hash"))
    });
    let server = Server::start(app, over);
    for (asked, agreed) in [("chat.v1, chat.v2", Some("chat.v1")), ("superchat", None)] {
        let mut client = server.client();
        let answer = client.send(ask("/talk", &format!("Sec-WebSocket-Protocol: {asked}\r\n"))).head();
        assert_eq!(answer.field("sec-websocket-protocol"), agreed);
        says(&mut client, 1, agreed.unwrap_or("none").as_bytes());
        says(&mut client, 8, b"\x03\xe8");
    }
    assert_eq!(server.client().send(ask("/private/talk", "")).answer().status, 401);
    let answer = server.client().send(ask("/talk", "Origin: https://evil.example\r\n")).answer();
    assert_eq!(answer.status, 403);
    let old = ask("/talk", "").replace("Version: 13", "Version: 8");
    let answer = server.client().send(old).answer();
    assert_eq!((answer.status, answer.field("sec-websocket-version")), (426, Some("13")));
}

pub fn halves_are_independent_and_messages_may_be_json(over: Over) {
    let sum = async |socket: WebSocket| {
        let (mut receiver, mut sender) = socket.split();
        let mut also = sender.clone();
        let add = async {
            let mut all = 0;
            while let Some((one, other)) = receiver.recv_json::<(i64, i64)>().await? {
                all += one + other;
                also.send_json(&all).await?;
            }
            WebSocketResult::Ok(())
        };
        let greet = async { sender.send("ready").await };
        let (added, greeted) = tokio::join!(add, greet);
        greeted?;
        added
    };
    let server = Server::start(App::new().ws("/sum", sum), over);
    let mut client = open(&server, over, "/sum", "");
    says(&mut client, 1, b"ready");
    client.send(frame(1, b"[1, 2]"));
    says(&mut client, 1, b"3");
    client.send(frame(2, b"[3,4]"));
    says(&mut client, 1, b"10");
    client.send(frame(1, b"{\"no\": 1}"));
    let begin = client.take(4);
    assert_eq!((begin[0], u16::from_be_bytes([begin[2], begin[3]])), (0x88, 1007));
}

pub fn halves_may_be_on_tasks_of_their_own(over: Over) {
    let relay = async |socket: WebSocket| {
        let (mut receiver, mut sender) = socket.split();
        let (give, mut take) = tokio::sync::mpsc::channel(1);
        // Tasks have wakers of their own: what wakes the conversation does not wake them.
        let tasks = tokio::task::LocalSet::new();
        tasks.spawn_local(async move {
            while let Ok(Some(message)) = receiver.recv().await {
                if give.send(message).await.is_err() {
                    return;
                }
            }
        });
        tasks.spawn_local(async move {
            while let Some(message) = take.recv().await {
                if sender.send(message).await.is_err() {
                    return;
                }
            }
        });
        tasks.await;
        WebSocketResult::Ok(())
    };
    let server = Server::start(App::new().ws("/", relay), over);
    let mut client = open(&server, over, "/", "");
    for round in 0..20_u8 {
        client.send(frame(1, &[b'a' + round]));
        says(&mut client, 1, &[b'a' + round]);
    }
    // More than may wait to be sent, before anything of it is read.
    let many = frame(2, &[7; 125]).repeat(2000);
    client.send(many);
    let expected = of_server(2, &[7; 125]).repeat(2000);
    assert!(client.take(expected.len()) == expected);
    client.send(frame(8, b"\x03\xe8"));
    says(&mut client, 8, b"\x03\xe8");
}

pub fn what_is_published_reaches_each(over: Over) {
    let broadcast = Broadcast::new();
    let app = App::new()
        .ws("/all", async |mut socket: WebSocket, all: State<Broadcast>| {
            socket.subscribe(&all);
            socket.send("in").await?;
            socket.recv().await?;
            socket.unsubscribe(&all);
            socket.send("out").await?;
            socket.recv().await?;
            WebSocketResult::Ok(())
        })
        .state(broadcast.clone());
    let server = Server::start(app, over);
    let mut clients = [open(&server, over, "/all", ""), open(&server, over, "/all", "")];
    clients.iter_mut().for_each(|client| says(client, 1, b"in"));
    broadcast.send("first");
    clients.iter_mut().for_each(|client| says(client, 1, b"first"));
    let [mut leaves, mut stays] = clients;
    leaves.send(frame(1, b"no more"));
    says(&mut leaves, 1, b"out");
    broadcast.send("second");
    says(&mut stays, 1, b"second");
    leaves.send(frame(1, b"bye"));
    says(&mut leaves, 8, b"\x03\xe8");
}
