//! WebSockets of the test client.

use std::time::Duration;

use gannet::Broadcast;
use gannet::prelude::*;
use gannet::websocket::{CloseCode, WebSocketOptions, WebSocketResult, WebSockets};
use serde_json::{Value, json};

async fn echo(mut socket: WebSocket) -> WebSocketResult {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[gannet::test]
async fn messages_come_back_as_they_were() {
    let client = App::new().ws("/", echo).test();
    let mut socket = client.ws("/").await;
    for message in [Message::text("héllo"), Message::binary(vec![7; 1_000_000]), Message::text("")] {
        socket.send(message.clone()).await;
        assert_eq!(socket.recv().await, Some(message));
    }
    socket.send_json(&json!({ "a": [1] })).await;
    assert_eq!(socket.recv_json::<Value>().await, json!({ "a": [1] }));
    socket.close(CloseCode::NORMAL, "bye").await;
    assert_eq!(socket.close_frame().map(|frame| frame.code()), Some(CloseCode::NORMAL));
    socket.send("nobody hears this").await;
    assert_eq!(socket.recv().await, None);
}

#[gannet::test]
async fn what_the_server_closes_with_is_told() {
    let app = App::new().ws("/", async |mut socket: WebSocket| {
        let Some(said) = socket.recv_json::<Vec<u8>>().await? else { return Ok(()) };
        Err(std::io::Error::other(format!("{} is too much", said.len())))?;
        Ok(())
    });
    let client = app.test();
    for (said, code) in [("[1]", CloseCode::INTERNAL_ERROR), ("{", CloseCode::INVALID_PAYLOAD)] {
        let mut socket = client.ws("/").await;
        socket.send(said).await;
        assert_eq!(socket.recv().await, None);
        assert_eq!(socket.close_frame().map(|frame| frame.code()), Some(code), "{said}");
    }
}

#[gannet::test]
async fn a_websocket_that_is_refused_is_an_answer() {
    let options = WebSocketOptions::new().protocols(["b", "a"]);
    let app = App::new()
        .ws("/rooms/:id", async |id: Path<u32>, mut socket: WebSocket| {
            socket.send(format!("room {}", *id)).await?;
            Ok(())
        })
        .get("/protocols", WebSockets::new(echo).options(options))
        .get("/plain", "hello");
    let client = app.test();
    let mut socket = client.header("Origin", "http://localhost").ws("/rooms/7").await;
    assert_eq!(socket.recv().await, Some(Message::text("room 7")));
    let strange = client.header("Origin", "http://evil.example");
    for (client, target, status) in [
        (&strange, "/rooms/7", 403),
        (&client, "/rooms/x", 400),
        (&client, "/plain", 200),
        (&client, "/no", 404),
    ] {
        client.try_ws(target).await.expect_err("it is refused").assert_status(status);
    }
    let socket = client.header("Sec-WebSocket-Protocol", "x, a, b").ws("/protocols").await;
    assert_eq!(socket.protocol(), Some("a"));
}

#[gannet::test]
async fn hours_go_by_at_once_and_the_conversation_goes_on() {
    let app = App::new().ws("/", async |mut socket: WebSocket| {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        socket.send("an hour later").await?;
        Ok(())
    });
    let begun = tokio::time::Instant::now();
    let mut socket = app.test().ws("/").await;
    // Pings are answered meanwhile: otherwise it would be closed after a minute.
    assert_eq!(socket.recv().await, Some(Message::text("an hour later")));
    assert!(begun.elapsed() >= Duration::from_secs(3600));
}

#[gannet::test]
async fn two_clients_talk_and_one_that_leaves_is_noticed() {
    let app = App::new()
        .ws("/", async |mut socket: WebSocket, all: State<Broadcast>| {
            socket.subscribe(&all);
            while let Some(message) = socket.recv().await? {
                all.send(message);
            }
            Ok(())
        })
        .get("/count", |all: State<Broadcast>| all.subscribers().to_string())
        .state(Broadcast::new());
    let client = app.test();
    let (mut one, mut other) = (client.ws("/").await, client.stranger().ws("/").await);
    other.send("ready").await;
    assert_eq!(other.recv().await, Some(Message::text("ready")));
    one.send("hello").await;
    assert_eq!(other.recv().await, Some(Message::text("hello")));
    client.get("/count").send().await.assert_text("2");
    drop(one);
    tokio::time::sleep(Duration::from_millis(1)).await;
    client.get("/count").send().await.assert_text("1");
}
