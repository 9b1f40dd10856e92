//! `peer-may PORT`: answers `GET /users/:id` with JSON and anything else with 13 bytes, on one worker.

use std::{error::Error, io};

use may_minihttp::{HttpService, HttpServiceFactory, Request, Response};
use serde::Serialize;

#[derive(Serialize)]
struct User {
    id: u32,
    name: String,
    email: String,
    active: bool,
}

#[derive(Clone)]
struct Hello;

impl HttpService for Hello {
    fn call(&mut self, request: Request<'_, '_, '_>, response: &mut Response<'_>) -> io::Result<()> {
        match request.path().strip_prefix("/users/").and_then(|id| id.parse().ok()) {
            Some(id) => {
                let (name, email) = (format!("User {id}"), format!("user{id}@example.org"));
                let user = serde_json::to_vec(&User { id, name, email, active: true })?;
                response.header("Content-Type: application/json").body_vec(user);
            }
            None => response.header("Content-Type: text/plain").body("Hello, World!"),
        }
        Ok(())
    }
}

impl HttpServiceFactory for Hello {
    type Service = Hello;

    fn new_service(&self, _: usize) -> Hello {
        Hello
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-may PORT")?.parse()?;
    may::config().set_workers(1);
    let server = Hello.start(("127.0.0.1", port))?;
    server.wait();
    Ok(())
}
