//! A section of fields that is recognised means what it means when it is read.

mod common;

use common::{Listener, whole};
use gannet_proto::h1::Connection;
use gannet_proto::{Head, Limits};
use proptest::prelude::*;

/// Request lines that give the same fields another place, and another meaning.
const LINES: [&str; 8] = [
    "GET / HTTP/1.1",
    "GET /a/longer/path?with=a&query HTTP/1.1",
    "GET http://other.example/ HTTP/1.1",
    "GET / HTTP/1.0",
    "CONNECT a.example:80 HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "HEAD / HTTP/1.1",
    "GET / HTTP/1.2",
];

/// Sections of fields, some of them the beginning of another.
const SECTIONS: [&str; 12] = [
    "Host: a.example\r\n\r\n",
    "Host: b.example\r\n\r\n",
    "Host: a.example\r\nAccept: */*\r\n\r\n",
    "Host: a.example\r\nAccept: */*\r\nCookie: a=b\r\n\r\n",
    "host:a.example \r\n\r\n",
    "Host: a.example\r\nConnection: close\r\n\r\n",
    "Host: a.example\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "Host: a.example\r\nExpect: 100-continue\r\n\r\n",
    "Host: a.example\r\nContent-Length: 2\r\n\r\nhi",
    "Host: a.example\r\nContent-Length: 0\r\n\r\n",
    "\r\n",
    "Host: a.example\r\nHost: a.example\r\n\r\n",
];

proptest! {
    #[test]
    fn however_often_fields_are_repeated_they_say_what_they_say_the_first_time(
        chosen in prop::collection::vec((0..LINES.len(), 0..SECTIONS.len(), 1..20_usize), 1..12),
        cut in any::<prop::sample::Index>(),
        fields in 1..4_u16,
    ) {
        let limits = Limits { fields, ..Limits::default() };
        let mut listener = Listener::new(Connection::new(limits));
        let mut expected = Vec::new();
        for (line, section, times) in chosen {
            let message = format!("{}\r\n{}", LINES[line], SECTIONS[section]);
            for _ in 0..times {
                if listener.is_over() {
                    break;
                }
                expected.extend(whole(limits, message.as_bytes()));
                let (before, after) = message.as_bytes().split_at(cut.index(message.len()));
                listener.receive(before);
                listener.receive(after);
            }
        }
        prop_assert_eq!(listener.said, expected);
    }
}

#[test]
fn another_peer_s_fields_are_recognised_and_nothing_else_of_it_is_left() {
    let message = b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    let mut connection = Connection::new(Limits::default());
    connection.handle(message, &mut Head::default()).expect("a well-formed request");
    assert!(!connection.keep_alive());
    connection.restart();
    assert!(connection.keep_alive() && !connection.responded());
    let mut listener = Listener::new(connection);
    listener.receive(message);
    assert_eq!(listener.said, whole(Limits::default(), message));
}
