//! WebSockets, by another crate's client over real sockets, on both backends.

mod broadcast;
#[expect(dead_code, reason = "shared with the tests of the server, which use all of it")]
#[path = "../common/client/mod.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;
mod protocols;
#[expect(dead_code, unused_imports, reason = "shared with the tests of the server, which use all of it")]
#[path = "../server/rig.rs"]
mod rig;
mod subscriptions;

use std::net::TcpStream;
use std::time::Duration;

use gannet::prelude::*;
use gannet::websocket::{CloseCode, WebSocketError, WebSocketOptions, WebSocketResult, WebSockets};
use gannet::{BackendChoice, Running};
use tungstenite::protocol::frame::coding::CloseCode as TheirCode;
use tungstenite::{Error, Message as Theirs, WebSocket as Client};

use crate::broadcast::{
    a_subscriber_that_is_too_slow_is_closed_where_it_must_miss_nothing,
    what_is_published_reaches_all_who_have_subscribed_in_order,
};
use crate::common::on_each_backend;
use crate::protocols::{
    a_conversation_is_the_same_over_each,
    a_protocol_is_agreed_on_and_what_is_refused_is_answered_in_its_place,
    halves_are_independent_and_messages_may_be_json, halves_may_be_on_tasks_of_their_own,
    what_breaks_the_protocol_is_told_by_its_code, what_is_published_reaches_each,
};
use crate::rig::on_each_protocol;

on_each_protocol!(
    a_conversation_is_the_same_over_each,
    what_breaks_the_protocol_is_told_by_its_code,
    a_protocol_is_agreed_on_and_what_is_refused_is_answered_in_its_place,
    halves_are_independent_and_messages_may_be_json,
    halves_may_be_on_tasks_of_their_own,
    what_is_published_reaches_each,
);
use crate::subscriptions::{
    a_client_that_breaks_the_protocol_is_told_by_the_code_for_it, a_client_that_does_not_begin_is_closed,
    more_operations_than_may_be_are_refused_one_by_one,
    operations_go_on_beside_each_other_until_the_client_has_enough,
    resolvers_find_what_the_request_and_the_client_said,
    results_of_a_subscription_come_one_by_one_until_it_is_complete,
    what_cannot_be_executed_is_an_error_of_its_operation_only,
};

on_each_backend!(
    messages_come_back_as_they_were,
    who_closes_is_answered_with_the_same_code,
    a_handler_that_returns_closes_with_1000,
    a_handler_that_fails_closes_with_1011,
    a_handler_that_panics_closes_with_1011,
    what_is_no_text_is_told_by_1007,
    a_server_that_ends_says_1001,
    a_page_of_another_origin_is_refused,
    an_argument_that_cannot_be_made_is_answered_in_the_place_of_the_upgrade,
    a_request_that_asks_for_no_websocket_is_told_to,
    what_is_published_reaches_all_who_have_subscribed_in_order,
    a_subscriber_that_is_too_slow_is_closed_where_it_must_miss_nothing,
    results_of_a_subscription_come_one_by_one_until_it_is_complete,
    operations_go_on_beside_each_other_until_the_client_has_enough,
    resolvers_find_what_the_request_and_the_client_said,
    what_cannot_be_executed_is_an_error_of_its_operation_only,
    a_client_that_breaks_the_protocol_is_told_by_the_code_for_it,
    a_client_that_does_not_begin_is_closed,
    more_operations_than_may_be_are_refused_one_by_one,
);

async fn echo(mut socket: WebSocket) -> WebSocketResult {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

fn serve(app: App, backend: BackendChoice) -> Running {
    app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("it starts")
}

fn connect(server: &Running, path: &str) -> Client<TcpStream> {
    let stream = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    tungstenite::client(format!("ws://a.example{path}"), stream).expect("it agrees").0
}

fn closed(client: &mut Client<TcpStream>) -> Option<(TheirCode, String)> {
    loop {
        match client.read() {
            Ok(Theirs::Close(frame)) => {
                let frame = frame.map(|frame| (frame.code, frame.reason.to_string()));
                assert!(matches!(client.read(), Err(Error::ConnectionClosed)), "the connection ends");
                return frame;
            }
            Ok(_) => {}
            Err(error) => panic!("no Close: {error}"),
        }
    }
}

fn messages_come_back_as_they_were(backend: BackendChoice) {
    let server = serve(App::new().ws("/", echo), backend);
    let mut client = connect(&server, "/");
    for message in [
        Theirs::text("héllo"),
        Theirs::binary(vec![7; 100_000]),
        Theirs::text(""),
        Theirs::binary(vec![1; 4_000_000]),
    ] {
        client.send(message.clone()).expect("it is taken");
        assert_eq!(client.read().expect("it comes back"), message);
    }
    client.send(Theirs::Ping("a".into())).expect("it is taken");
    assert_eq!(client.read().expect("an answer"), Theirs::Pong("a".into()));
}

fn who_closes_is_answered_with_the_same_code(backend: BackendChoice) {
    let server = serve(App::new().ws("/", echo), backend);
    let mut client = connect(&server, "/");
    let frame = tungstenite::protocol::CloseFrame { code: TheirCode::Library(4001), reason: "bye".into() };
    client.close(Some(frame)).expect("it is sent");
    assert_eq!(closed(&mut client), Some((TheirCode::Library(4001), String::new())));
}

fn a_handler_that_returns_closes_with_1000(backend: BackendChoice) {
    let server = serve(
        App::new().ws("/", async |mut socket: WebSocket| -> WebSocketResult {
            Ok(socket.send("only this").await?)
        }),
        backend,
    );
    let mut client = connect(&server, "/");
    assert_eq!(client.read().expect("a message"), Theirs::text("only this"));
    assert_eq!(closed(&mut client), Some((TheirCode::Normal, String::new())));
}

fn a_handler_that_fails_closes_with_1011(backend: BackendChoice) {
    let app = App::new().ws("/", async |mut socket: WebSocket| {
        socket.recv().await?;
        Err(std::io::Error::other("the disk is full"))?;
        Ok(())
    });
    let server = serve(app, backend);
    let mut client = connect(&server, "/");
    client.send(Theirs::text("a")).expect("it is taken");
    assert_eq!(closed(&mut client), Some((TheirCode::Error, "something went wrong".to_owned())));
}

fn a_handler_that_panics_closes_with_1011(backend: BackendChoice) {
    let app = App::new().ws("/", async |mut socket: WebSocket| {
        assert!(socket.recv().await.is_err(), "this is a test's");
    });
    let server = serve(app, backend);
    let mut client = connect(&server, "/");
    client.send(Theirs::text("a")).expect("it is taken");
    assert_eq!(closed(&mut client), Some((TheirCode::Error, "something went wrong".to_owned())));
}

fn what_is_no_text_is_told_by_1007(backend: BackendChoice) {
    let (told, tells) = std::sync::mpsc::channel();
    let app = App::new().ws("/", move |mut socket: WebSocket| {
        let told = told.clone();
        async move { told.send(socket.recv().await).expect("the test listens") }
    });
    let server = serve(app, backend);
    let mut client = connect(&server, "/");
    std::io::Write::write_all(client.get_mut(), b"\x81\x82\0\0\0\0\xc3\x28").expect("it is taken");
    assert_eq!(closed(&mut client), Some((TheirCode::Invalid, "a text message is not UTF-8".to_owned())));
    let error = tells.recv_timeout(Duration::from_secs(20)).expect("it heard").expect_err("an error");
    assert!(matches!(error, WebSocketError::Protocol(_)), "{error}");
}

fn a_server_that_ends_says_1001(backend: BackendChoice) {
    let server = serve(App::new().ws("/", echo), backend);
    let mut client = connect(&server, "/");
    let mut server = server;
    let stop = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        server.drain();
        runtime.block_on(server.wait()).expect("it ends");
    });
    assert_eq!(closed(&mut client), Some((TheirCode::Away, "the server is ending".to_owned())));
    stop.join().expect("it ends");
}

#[test]
fn a_plain_handler_that_takes_a_websocket_is_a_mistake_that_is_told_at_start() {
    let plain = async |_: WebSocket| "not by ws";
    let said = App::new().get("/", plain).ws("/ws", echo).build().expect_err("a mistake").to_string();
    assert!(said.contains("takes a WebSocket, which only handlers have that are added by `ws`"), "{said}");
    assert!(!said.contains("/ws\""), "{said}");
}

fn a_page_of_another_origin_is_refused(backend: BackendChoice) {
    let these = WebSocketOptions::new().origins(["https://*.friend.example"]);
    let app = App::new().ws("/same", echo).get("/these", WebSockets::new(echo).options(these));
    let server = serve(app, backend);
    for (path, origin, status) in [
        ("/same", "http://a.example", 101),
        ("/same", "http://evil.example", 403),
        ("/these", "https://b.friend.example", 101),
        ("/these", "http://a.example", 403),
    ] {
        let stream = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
        let request = http::Request::builder()
            .uri(format!("ws://a.example{path}"))
            .header("Host", "a.example")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key())
            .header("Origin", origin)
            .body(())
            .expect("a request");
        let told = match tungstenite::client(request, stream) {
            Ok((_, response)) => response.status().as_u16(),
            Err(tungstenite::HandshakeError::Failure(Error::Http(response))) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(told, status, "{path} {origin}");
    }
}

fn an_argument_that_cannot_be_made_is_answered_in_the_place_of_the_upgrade(backend: BackendChoice) {
    let app = App::new().ws("/rooms/:id", async |id: Path<u32>, mut socket: WebSocket| {
        socket.send(format!("room {}", *id)).await?;
        socket.close(CloseCode::NORMAL, "");
        Ok(())
    });
    let server = serve(app, backend);
    let mut client = connect(&server, "/rooms/7");
    assert_eq!(client.read().expect("a message"), Theirs::text("room 7"));
    let stream = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
    let refused = tungstenite::client("ws://a.example/rooms/seven", stream);
    let Err(tungstenite::HandshakeError::Failure(Error::Http(response))) = refused else {
        panic!("it is refused")
    };
    assert_eq!(response.status().as_u16(), 400);
}

fn a_request_that_asks_for_no_websocket_is_told_to(backend: BackendChoice) {
    let server = serve(App::new().ws("/", echo), backend);
    let response = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent()
        .get(format!("http://{}/", server.socket_addresses()[0]))
        .call()
        .expect("an answer");
    assert_eq!(
        (response.status().as_u16(), response.headers()["upgrade"].to_str().expect("text")),
        (426, "websocket")
    );
}
