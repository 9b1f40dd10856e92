//! A server under test, and what it is tested over.

use std::ops::Deref;
use std::sync::mpsc;

use gannet::{App, BackendChoice, Running, Tls};
use gannet_testing::Authority;

pub use crate::client::{Answer, Client, PATIENCE, Protocol, Speaks};
pub(crate) use crate::common::on_each_backend;

/// Serves on a free port of loopback, by one worker.
pub fn serve(app: App, backend: BackendChoice) -> Running {
    app.listen("127.0.0.1:0").workers(1).backend(backend).start().expect("the application is sound")
}

/// Runs a future to its end, as a client with Tokio does.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime on this thread");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("not so long") })
}

/// Says so when it is dropped.
pub struct TellWhenDropped(pub mpsc::Sender<&'static str>);

impl Drop for TellWhenDropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped"); // the test may have heard enough
    }
}

/// What a test runs over: a backend of the kernel's, a protocol, clear text or TLS.
#[derive(Clone, Copy)]
pub struct Over {
    pub backend: BackendChoice,
    pub speaks: Speaks,
}

impl From<BackendChoice> for Over {
    fn from(backend: BackendChoice) -> Over {
        Over { backend, speaks: HTTP_1 }
    }
}

/// A server that is asked over one protocol.
pub struct Server {
    running: Running,
    pub speaks: Speaks,
    authority: Authority,
}

impl Server {
    /// Serves on a free port of loopback, by one worker.
    pub fn start(app: App, over: Over) -> Server {
        let authority = Authority::new();
        let app = match over.speaks.tls {
            None => app,
            Some(_) => {
                let signed = authority.sign("a", &["localhost"]);
                app.tls(Tls::files(signed.certificate, signed.key))
            }
        };
        Server { running: serve(app, over.backend), speaks: over.speaks, authority }
    }
}

impl Deref for Server {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

/// Who clients connect to.
pub trait Serves {
    fn client(&self) -> Client;
}

impl Serves for Running {
    fn client(&self) -> Client {
        Client::to(self.socket_addresses()[0]).expect("the server listens")
    }
}

impl Serves for Server {
    fn client(&self) -> Client {
        Client::speaking(self.speaks, self.running.socket_addresses()[0], &self.authority.root())
    }
}

impl Client {
    pub fn connect(server: &impl Serves) -> Client {
        server.client()
    }
}

/// Runs each named function as a test, once on each backend over each protocol, in clear text and over TLS.
macro_rules! on_each_protocol {
    ($($test:ident),+ $(,)?) => {
        mod http1 {
            $crate::rig::on_each_backend_over!($crate::rig::HTTP_1, $($test),+);
        }
        mod http1_over_tls {
            $crate::rig::on_each_backend_over!($crate::rig::HTTP_1_OVER_TLS, $($test),+);
        }
        mod http2 {
            $crate::rig::on_each_backend_over!($crate::rig::HTTP_2, $($test),+);
        }
        mod http2_over_tls {
            $crate::rig::on_each_backend_over!($crate::rig::HTTP_2_OVER_TLS, $($test),+);
        }
    };
}
pub(crate) use on_each_protocol;

macro_rules! on_each_backend_over {
    ($speaks:expr, $($test:ident),+) => {
        $(fn $test(backend: gannet::BackendChoice) {
            super::$test($crate::rig::Over { backend, speaks: $speaks });
        })+
        $crate::rig::on_each_backend!($($test),+);
    };
}
pub(crate) use on_each_backend_over;

pub const HTTP_1: Speaks = Speaks { protocol: Protocol::Http1, tls: None };
pub const HTTP_1_OVER_TLS: Speaks = Speaks { protocol: Protocol::Http1, tls: Some(&rustls::version::TLS13) };
pub const HTTP_2: Speaks = Speaks { protocol: Protocol::Http2, tls: None };
pub const HTTP_2_OVER_TLS: Speaks = Speaks { protocol: Protocol::Http2, tls: Some(&rustls::version::TLS13) };
