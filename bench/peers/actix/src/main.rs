//! `peer-actix PORT`: answers `GET /hello.txt` with 13 bytes from one worker.

use std::error::Error;

use actix_web::{App, HttpServer, rt, web};

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-actix PORT")?.parse()?;
    rt::System::new().block_on(async {
        HttpServer::new(|| App::new().route("/hello.txt", web::get().to(async || "Hello, World!")))
            .workers(1)
            // The default, 25,000, is above the descriptor limit; 256 accepts a second is not what is measured here.
            .max_connection_rate(10_000)
            .backlog(4096)
            .bind(("127.0.0.1", port))?
            .run()
            .await?;
        Ok(())
    })
}
