//! `peer-actix PORT`: answers `GET /hello.txt` with 13 bytes and `GET /users/:id` with JSON, and has a WebSocket that echoes at
//! `/echo`, from one worker.

use std::{error::Error, time::Duration};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use actix_ws::Message;
use serde::Serialize;

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

async fn user(id: web::Path<u32>) -> web::Json<User> {
    let id = id.into_inner();
    web::Json(User { id, name: format!("User {id}"), email: format!("user{id}@example.org"), active: true })
}

async fn echo(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        while let Some(Ok(message)) = messages.recv().await {
            let sent = match message {
                Message::Text(text) => session.text(text).await,
                Message::Binary(bytes) => session.binary(bytes).await,
                Message::Ping(payload) => session.pong(&payload).await,
                Message::Close(reason) => return drop(session.close(reason).await),
                _ => Ok(()),
            };
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-actix PORT")?.parse()?;
    rt::System::new().block_on(async {
        HttpServer::new(|| {
            App::new()
                .route("/hello.txt", web::get().to(async || "Hello, World!"))
                .route("/users/{id}", web::get().to(user))
                .route("/echo", web::get().to(echo))
        })
        .workers(1)
        // The default, 25,000, is above the descriptor limit; 256 accepts a second is not what is measured here.
        .max_connection_rate(10_000)
        // Idle connections are counted, not closed.
        .keep_alive(Duration::from_secs(3600))
        .backlog(4096)
        .bind(("127.0.0.1", port))?
        .run()
        .await?;
        Ok(())
    })
}
