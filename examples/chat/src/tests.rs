//! The example, as pages talk to it: over real sockets, by another crate's client.

use std::net::TcpStream;
use std::time::Duration;

use gannet::Running;
use serde_json::{Value, json};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use crate::rooms::{PEOPLE, ROOMS, RoomName, Rooms};
use crate::{MESSAGE_BYTES, app};

type Socket = WebSocket<TcpStream>;

/// A server, and what it knows of rooms.
fn serve() -> (Running, Rooms) {
    let rooms = Rooms::default();
    let server = app(rooms.clone()).listen("127.0.0.1:0").workers(2).start().expect("it starts");
    (server, rooms)
}

fn room(name: &str) -> RoomName {
    RoomName::try_from(name.to_owned()).expect("it is one")
}

fn connect(server: &Running, room: &str) -> Socket {
    let stream = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    tungstenite::client(format!("ws://a.example/rooms/{room}"), stream).expect("it agrees").0
}

fn tell(socket: &mut Socket, said: &Value) {
    socket.send(Message::text(said.to_string())).expect("it is taken");
}

/// The next message that is not about who comes and leaves.
fn hear(socket: &mut Socket) -> Value {
    loop {
        let told = hear_all(socket);
        if told["type"] != "joined" && told["type"] != "left" {
            return told;
        }
    }
}

fn hear_all(socket: &mut Socket) -> Value {
    match socket.read().expect("a message") {
        Message::Text(text) => serde_json::from_str(&text).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

fn join(server: &Running, room: &str, name: &str) -> Socket {
    let mut socket = connect(server, room);
    tell(&mut socket, &json!({ "type": "join", "name": name }));
    let welcome = hear(&mut socket);
    assert_eq!((&welcome["type"], &welcome["name"]), (&json!("welcome"), &json!(name.trim())));
    socket
}

fn say(socket: &mut Socket, text: &str) {
    tell(socket, &json!({ "type": "say", "text": text }));
}

fn said(name: &str, text: &str) -> Value {
    json!({ "type": "said", "name": name, "text": text })
}

fn code(socket: &mut Socket) -> CloseCode {
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => return frame.expect("it says why").code,
            Ok(_) => {}
            Err(error) => panic!("no Close: {error}"),
        }
    }
}

#[test]
fn two_who_are_in_a_room_hear_each_other_in_the_same_order() {
    let (server, _) = serve();
    let (mut ann, mut bob) = (join(&server, "sea", "Ann"), join(&server, "sea", "Bob"));
    say(&mut ann, "<b>Hello</b>");
    assert_eq!(hear(&mut bob), said("Ann", "<b>Hello</b>"), "as it was said");
    say(&mut bob, " Hi \n there ");
    assert_eq!(hear(&mut bob), said("Bob", "Hi \n there"));
    assert_eq!([hear(&mut ann), hear(&mut ann)], [said("Ann", "<b>Hello</b>"), said("Bob", "Hi \n there")]);
}

#[test]
fn who_comes_and_who_leaves_is_told_and_who_is_there() {
    let (server, _) = serve();
    let mut ann = join(&server, "sea", "Ann");
    let mut bob = connect(&server, "sea");
    tell(&mut bob, &json!({ "type": "join", "name": "  Bob " }));
    assert_eq!(hear(&mut bob), json!({ "type": "welcome", "name": "Bob", "people": ["Ann", "Bob"] }));
    let joined = |name: &str| json!({ "type": "joined", "name": name });
    assert_eq!([hear_all(&mut ann), hear_all(&mut ann)], [joined("Ann"), joined("Bob")]);
    bob.close(None).expect("it is sent");
    assert_eq!(hear_all(&mut ann), json!({ "type": "left", "name": "Bob" }));
    // The name is free, even after a connection that was lost without a word.
    drop(join(&server, "sea", "Bob"));
    assert_eq!(hear_all(&mut ann), joined("Bob"));
    assert_eq!(hear_all(&mut ann), json!({ "type": "left", "name": "Bob" }));
}

#[test]
fn what_is_said_stays_in_its_room() {
    let (server, rooms) = serve();
    let (mut ann, mut bob) = (join(&server, "sea", "Ann"), join(&server, "shore", "Bob"));
    assert_eq!(rooms.count(), 2);
    say(&mut ann, "in the sea");
    assert_eq!(hear(&mut ann), said("Ann", "in the sea"));
    say(&mut bob, "on the shore");
    assert_eq!(hear(&mut bob), said("Bob", "on the shore"), "and nothing before it");
}

#[test]
fn a_room_is_forgotten_when_its_last_one_has_left() {
    let (rooms, sea) = (Rooms::default(), room("sea"));
    let ann = rooms.join(&sea, "Ann", |_| ()).expect("she may");
    let bob = rooms.join(&sea, "Bob", |_| ()).expect("he may");
    let cleo = rooms.join(&room("shore"), "Cleo", |_| ()).expect("she may");
    assert_eq!(rooms.count(), 2);
    drop(ann);
    assert_eq!(rooms.count(), 2);
    drop(bob);
    assert_eq!(rooms.count(), 1);
    drop(cleo);
    assert_eq!(rooms.count(), 0);
}

#[test]
fn there_are_only_so_many_rooms_and_so_many_people_in_each() {
    let rooms = Rooms::default();
    let mut there: Vec<_> =
        (0..PEOPLE).map(|number| rooms.join(&room("sea"), &format!("P{number}"), |_| ())).collect();
    let refused = rooms.join(&room("sea"), "Ann", |_| panic!("she has not got in")).err();
    assert_eq!(refused.as_deref(), Some("This room is full."));
    there.extend((1..ROOMS).map(|number| rooms.join(&room(&format!("r{number}")), "Ann", |_| ())));
    assert!(there.iter().all(Result::is_ok));
    let refused = rooms.join(&room("shore"), "Bob", |_| panic!("he has not got in")).err();
    assert_eq!(refused.as_deref(), Some("There are too many rooms. Try one that is there."));
    assert!(rooms.join(&room("r7"), "Bob", |_| ()).is_ok());
    drop(there);
    assert_eq!(rooms.count(), 0);
}

#[test]
fn a_name_is_one_persons_in_a_room_and_can_be_read() {
    let (server, _) = serve();
    let _ann = join(&server, "sea", "Ann");
    let _other = join(&server, "shore", "Ann");
    let mut socket = connect(&server, "sea");
    for (name, detail) in [
        ("Ann", "Somebody called Ann is here already."),
        (" ", "A name is needed."),
        ("a\u{7}", "A name has no control characters."),
        (&*"ä".repeat(25), "A name has 24 characters at most."),
    ] {
        tell(&mut socket, &json!({ "type": "join", "name": name }));
        assert_eq!(hear(&mut socket), json!({ "type": "error", "detail": detail }), "{name}");
    }
    tell(&mut socket, &json!({ "type": "join", "name": "ä".repeat(24) }));
    assert_eq!(hear(&mut socket)["type"], "welcome");
}

#[test]
fn what_cannot_be_taken_is_answered_and_the_conversation_goes_on() {
    let (server, _) = serve();
    let mut socket = connect(&server, "sea");
    say(&mut socket, "hello?");
    assert_eq!(hear(&mut socket), json!({ "type": "error", "detail": "Say who you are first." }));
    let mut ann = join(&server, "sea", "Ann");
    for (told, detail) in [
        (json!({ "type": "say", "text": " \n" }), "There is nothing in it."),
        (
            json!({ "type": "say", "text": "ö".repeat(501) }),
            "That has 501 characters; 500 can be said at once.",
        ),
        (json!({ "type": "join", "name": "Bob" }), "You are here already."),
    ] {
        tell(&mut ann, &told);
        assert_eq!(hear(&mut ann), json!({ "type": "error", "detail": detail }));
    }
    say(&mut ann, &"ö".repeat(500));
    assert_eq!(hear(&mut ann)["type"], "said");
}

#[test]
fn what_is_no_message_ends_the_conversation_and_nobody_elses() {
    let (server, _) = serve();
    let mut ann = join(&server, "sea", "Ann");
    for (bad, why) in [
        ("{", CloseCode::Invalid),
        ("[]", CloseCode::Invalid),
        (r#"{"type": "shout"}"#, CloseCode::Invalid),
        (r#"{"type": "say", "text": 7}"#, CloseCode::Invalid),
        (&*" ".repeat(MESSAGE_BYTES as usize + 1), CloseCode::Size),
    ] {
        let mut bob = join(&server, "sea", "Bob");
        bob.send(Message::text(bad)).expect("it is taken");
        assert_eq!(code(&mut bob), why, "{bad:.40}");
        while hear_all(&mut ann) != json!({ "type": "left", "name": "Bob" }) {}
    }
    say(&mut ann, "I am still here");
    assert_eq!(hear(&mut ann), said("Ann", "I am still here"));
}

#[test]
fn a_room_whose_name_is_none_is_refused() {
    let (server, _) = serve();
    for room in ["Sea", "a.b", "%20", &*"a".repeat(33)] {
        let stream = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
        let refused = tungstenite::client(format!("ws://a.example/rooms/{room}"), stream);
        let Err(HandshakeError::Failure(Error::Http(response))) = refused else {
            panic!("{room} is refused")
        };
        assert_eq!(response.status().as_u16(), 400, "{room}");
    }
}

#[gannet::test]
async fn the_page_is_in_the_program_and_lets_no_script_of_others_run() {
    let client = app(Rooms::default()).test();
    let page = client.get("/").send().await;
    page.assert_status(200).assert_text_contains("<title>Chat</title>");
    assert!(
        page.header("Content-Security-Policy").is_some_and(|policy| policy.starts_with("default-src 'self'"))
    );
    for file in ["/chat.js", "/chat.css", "/icon.svg"] {
        client.get(file).send().await.assert_status(200);
    }
}
