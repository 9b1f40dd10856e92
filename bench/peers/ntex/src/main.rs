//! `peer-ntex PORT`: answers `GET /hello.txt` with 13 bytes and `GET /users/:id` with JSON, from one worker.

use std::error::Error;

use ntex::{
    SharedCfg,
    http::HttpServiceConfig,
    web::{self, App, HttpServer, types::Path},
};
use serde::Serialize;

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

async fn hello() -> &'static str {
    "Hello, World!"
}

async fn user(id: Path<u32>) -> web::HttpResponse {
    let id = id.into_inner();
    let (name, email) = (format!("User {id}"), format!("user{id}@example.org"));
    web::HttpResponse::Ok().json(&User { id, name, email, active: true })
}

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-ntex PORT")?.parse()?;
    let serve = async move {
        HttpServer::new(async || {
            App::new().route("/hello.txt", web::get().to(hello)).route("/users/{id}", web::get().to(user))
        })
        .workers(1)
        .maxconn(16_384)
        // Idle connections are counted, not closed.
        .config(SharedCfg::new("peer-ntex").add(HttpServiceConfig::new().set_keepalive(3600)))
        .backlog(4096)
        .bind(("127.0.0.1", port))?
        .run()
        .await
    };
    ntex::rt::System::new("peer-ntex", ntex::rt::DefaultRuntime).block_on(serve)?;
    Ok(())
}
