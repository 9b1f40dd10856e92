//! A server of a test, on a port of its own.

use std::net::SocketAddr;

use crate::{App, Running};

/// A server on a free port of 127.0.0.1, which stops when it is dropped.
///
/// ```
/// use gannet::prelude::*;
/// use gannet::test::TestServer;
///
/// let server = TestServer::start(App::new().get("/", "hello"));
/// assert_eq!(server.url("/"), format!("http://{}/", server.address()));
/// ```
#[derive(Debug)]
pub struct TestServer {
    running: Running,
    scheme: &'static str,
}

impl TestServer {
    /// Starts the application, with one worker unless it has another number. It listens on a free port in the place of whatever it was told.
    ///
    /// # Panics
    /// If it cannot be built, with every mistake in it, or not be started.
    #[track_caller]
    pub fn start(app: App) -> TestServer {
        let scheme = if app.has_tls() { "https" } else { "http" };
        match app.on_a_free_port().start() {
            Ok(running) => TestServer { running, scheme },
            Err(error) => panic!("the application does not start:\n{error}"),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.socket_addresses()[0]
    }

    /// The URL of a target: a path, and perhaps a query.
    pub fn url(&self, target: &str) -> String {
        format!("{}://{}{target}", self.scheme, self.address())
    }

    /// What else is known of it.
    pub fn running(&self) -> &Running {
        &self.running
    }
}

impl App {
    fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    fn on_a_free_port(mut self) -> App {
        self.listen.clear();
        self.workers = self.workers.max(1);
        self.listen(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}
