//! The example, as two pages use it.

use std::net::TcpStream;
use std::time::Duration;

use gannet::{Broadcast, prelude::*};
use tungstenite::Message as Theirs;

#[test]
fn what_one_types_all_see() {
    let app = App::new().ws("/live", crate::live).state(Broadcast::new());
    let server = app.listen("127.0.0.1:0").workers(2).start().expect("it starts");
    let open = || {
        let stream = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        tungstenite::client("ws://a.example/live", stream).expect("it agrees").0
    };
    let (mut one, mut other) = (open(), open());
    // Who hears itself has subscribed.
    other.send(Theirs::text("here")).expect("it is taken");
    assert_eq!(other.read().expect("a message"), Theirs::text("here"));
    for typed in ["G", "Ga", "<b>Gannet"] {
        one.send(Theirs::text(typed)).expect("it is taken");
        assert_eq!(other.read().expect("a message"), Theirs::text(typed));
    }
}

#[test]
fn the_program_is_of_twelve_lines() {
    let lines = include_str!("main.rs").lines().filter(|line| !line.is_empty() && !line.starts_with("//!"));
    assert_eq!(lines.take_while(|line| *line != "#[cfg(test)]").count(), 12);
}
