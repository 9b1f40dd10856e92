//! `peer-may PORT`: answers any request with 13 bytes on one worker.

use std::{error::Error, io};

use may_minihttp::{HttpService, HttpServiceFactory, Request, Response};

#[derive(Clone)]
struct Hello;

impl HttpService for Hello {
    fn call(&mut self, _: Request<'_, '_, '_>, response: &mut Response<'_>) -> io::Result<()> {
        response.header("Content-Type: text/plain").body("Hello, World!");
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
