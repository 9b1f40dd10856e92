//! The example, as two pages use it.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use gannet::{Broadcast, prelude::*};
use tungstenite::{Error, Message as Theirs, WebSocket as Socket};

/// The next message. Waiting with a time limit is ended by any signal (signal(7)), and such come while a server starts in this process: then it waits on.
fn read(socket: &mut Socket<TcpStream>) -> tungstenite::Result<Theirs> {
    loop {
        match socket.read() {
            Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

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
    assert_eq!(read(&mut other).expect("a message"), Theirs::text("here"));
    for typed in ["G", "Ga", "<b>Gannet"] {
        one.send(Theirs::text(typed)).expect("it is taken");
        assert_eq!(read(&mut other).expect("a message"), Theirs::text(typed));
    }
}

#[test]
fn the_program_is_of_twelve_lines() {
    let lines = include_str!("main.rs").lines().filter(|line| !line.is_empty() && !line.starts_with("//!"));
    assert_eq!(lines.take_while(|line| *line != "#[cfg(test)]").count(), 12);
}

#[test]
fn the_readme_shows_this_program() {
    let source = include_str!("main.rs");
    let program =
        source.split("#[cfg(test)]").next().and_then(|rest| rest.find("use gannet").map(|at| &rest[at..]));
    let program = program.expect("it begins with what it uses").trim_end();
    assert!(include_str!("../../../README.md").contains(program));
}
