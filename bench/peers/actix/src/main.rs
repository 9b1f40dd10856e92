//! `peer-actix PORT`: answers `GET /hello.txt` with 13 bytes and `GET /users/:id` with JSON, from one worker.

use std::{error::Error, time::Duration};

use actix_web::{App, HttpServer, rt, web};
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

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-actix PORT")?.parse()?;
    rt::System::new().block_on(async {
        HttpServer::new(|| {
            App::new()
                .route("/hello.txt", web::get().to(async || "Hello, World!"))
                .route("/users/{id}", web::get().to(user))
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
