//! `peer-axum PORT [DIR]`: answers `GET /hello.txt` with 13 bytes, `GET /users/:id` with JSON, everything else from DIR.
//!
//! One current-thread runtime is axum's form of one worker.

use std::error::Error;

use axum::{Json, Router, extract::Path, routing::get, serve::ListenerExt};
use serde::Serialize;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

async fn user(Path(id): Path<u32>) -> Json<User> {
    Json(User { id, name: format!("User {id}"), email: format!("user{id}@example.org"), active: true })
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().ok_or("usage: peer-axum PORT [DIR]")?.parse()?;
    let mut router =
        Router::new().route("/hello.txt", get(async || "Hello, World!")).route("/users/{id}", get(user));
    if let Some(folder) = arguments.next() {
        router = router.fallback_service(ServeDir::new(folder));
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?.tap_io(|socket| {
            // A socket that has just gone answers the error again at its first read.
            let _ = socket.set_nodelay(true);
        });
        axum::serve(listener, router).await?;
        Ok(())
    })
}
