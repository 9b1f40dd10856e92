//! A server with a listener in clear text and one by TLS, and clients for both.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::{Method, ReceivedBody, Request, Response, Upgraded};
use gannet_features::files::Files;
use gannet_link::{CertificateFiles, ClientCertificates, ServerOptions, ServerTls};
use gannet_server::host::{BackendChoice, Listen, ListenerOptions, Options, Running, StartError, start};
use gannet_server::{Limits, MappedSends, Preamble, SiteBuilder};
use gannet_testing::{Authority, Signed};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

/// No wait is longer than this; a test that waits so long fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Both versions.
pub const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

/// Runs each named function as a test, once on each backend.
macro_rules! on_each_backend {
    ($($test:ident),+ $(,)?) => {
        mod epoll {
            $(#[test] fn $test() {
                if gannet_testing::is_wanted("epoll") { super::$test(gannet_server::host::BackendChoice::Epoll) }
            })+
        }
        mod uring {
            $(#[test] fn $test() {
                if $crate::rig::has_uring() { super::$test(gannet_server::host::BackendChoice::Uring) }
            })+
        }
    };
}
pub(crate) use on_each_backend;

pub struct Rig {
    pub authority: Authority,
    pub tls: ServerTls,
    pub server: Running,
    /// With the files that are served below `/files/`.
    _files: tempfile::TempDir,
}

/// Whether this test is to run on io_uring and the kernel lets us have it; says so if not.
pub fn has_uring() -> bool {
    if !gannet_testing::is_wanted("uring") {
        return false;
    }
    match start(SiteBuilder::new().build().expect("no routes"), options(Vec::new(), BackendChoice::Uring, 1))
    {
        Ok(_) => true,
        Err(StartError::Engine(name, error)) if gannet_testing::is_refusal(&error) => {
            gannet_testing::leave_out(name, &error);
            false
        }
        Err(error) => panic!("{error}"),
    }
}

fn options(listen: Vec<ListenerOptions>, backend: BackendChoice, workers: usize) -> Options {
    Options {
        trusted: gannet_core::Networks::default(),
        upstreams: false,
        listen,
        share_port: false,
        workers,
        pin: false,
        backend,
        limits: Limits::default(),
        admin: None,
        access_log: None,
        mapped_sends: MappedSends::Auto,
    }
}

/// What the file `name` of so many bytes holds.
pub fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| (index * 7 + index / 251) as u8).collect()
}

/// Sizes of the files: less than a record, several, many sends.
pub const FILES: [(&str, usize); 3] = [("small", 300), ("middle", 50_000), ("large", 3_000_000)];

impl Rig {
    /// One worker, and a certificate for `a.example`.
    pub fn new(backend: BackendChoice) -> Rig {
        Rig::with(backend, 1, |_, _| {})
    }

    pub fn with(
        backend: BackendChoice,
        workers: usize,
        change: impl FnOnce(&Authority, &mut ServerOptions),
    ) -> Rig {
        let authority = Authority::new();
        let mut tls = ServerOptions::default();
        tls.certificates.push(files_of(authority.sign("a", &["a.example"])));
        change(&authority, &mut tls);
        let tls = ServerTls::new(&tls).expect("sound certificates");
        let files = tempfile::tempdir().expect("a folder can be made");
        for (name, bytes) in FILES {
            std::fs::write(files.path().join(name), content(bytes)).expect("the folder is ours");
        }
        let any = || Listen::Internet(SocketAddr::from(([127, 0, 0, 1], 0)));
        let secured = ListenerOptions {
            listen: any(),
            preamble: Preamble { tls: Some(tls.clone()), ..Preamble::default() },
            handler: None,
        };
        let options = options(vec![any().into(), secured], backend, workers);
        let server = start(site(files.path().to_owned()), options).expect("all is sound");
        Rig { authority, tls, server, _files: files }
    }

    /// Of the listener in clear text, and of that by TLS.
    pub fn addresses(&self) -> [SocketAddr; 2] {
        let addresses = self.server.socket_addresses();
        [addresses[0], addresses[1]]
    }

    /// A client in clear text.
    pub fn clear(&self) -> Client<TcpStream> {
        Client::new(tcp(self.addresses()[0]))
    }

    /// A client of TLS that trusts the authority.
    pub fn secure(&self, config: &Arc<ClientConfig>, name: &'static str) -> Client<Secured> {
        let name = ServerName::try_from(name).expect("a name");
        let session = ClientConnection::new(config.clone(), name).expect("a sound configuration");
        Client::new(StreamOwned::new(session, tcp(self.addresses()[1])))
    }

    pub fn config(&self, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
        self.config_with(version, None)
    }

    /// The same, that shows a certificate.
    pub fn config_with(
        &self,
        version: &'static SupportedProtocolVersion,
        shown: Option<&Signed>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(read_certificate(&self.authority.root())).expect("a root");
        let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("a version that there is")
            .with_root_certificates(roots);
        Arc::new(match shown {
            None => builder.with_no_client_auth(),
            Some(shown) => {
                let key = PrivateKeyDer::from_pem_file(&shown.key).expect("a key");
                builder
                    .with_client_auth_cert(vec![read_certificate(&shown.certificate)], key)
                    .expect("a pair")
            }
        })
    }
}

pub fn files_of(signed: Signed) -> CertificateFiles {
    CertificateFiles { certificate: signed.certificate, key: signed.key, ocsp: None }
}

pub fn clients_of(authority: &Authority, required: bool) -> ClientCertificates {
    ClientCertificates { roots: authority.root(), required }
}

fn read_certificate(file: &PathBuf) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file).expect("a certificate")
}

pub fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option of sockets");
    stream.set_write_timeout(Some(PATIENCE)).expect("an option of sockets");
    stream.set_nodelay(true).expect("an option of TCP");
    stream
}

fn site(files: PathBuf) -> gannet_server::Site {
    let mut site = SiteBuilder::new();
    site.route(Some(Method::Get), "/value", |_: Request| "value");
    // How often the worker has allocated, and the bytes that it has allocated and not freed.
    site.route(Some(Method::Get), "/counted", |_: Request| {
        let (allocations, bytes, _) = crate::counting::counted();
        format!("{allocations} {bytes}")
    });
    site.route(Some(Method::Get), "/bytes", |_: Request| content(1_000_000));
    site.route(Some(Method::Get), "/later", async |_: Request| {
        tokio::task::yield_now().await;
        "later"
    });
    site.route(Some(Method::Post), "/count", async |mut request: Request| {
        match count(request.body()).await {
            Some(count) => Response::text(format!("{count}")),
            None => Response::text("cut short"),
        }
    });
    site.route(Some(Method::Get), "/tls", |request: Request| {
        let tls = request.tls();
        let subject = request.client_certificate().map_or("nobody", |shown| &shown.subject);
        let (version, cipher) = tls.map_or(("none", "none"), |tls| (tls.version, tls.cipher));
        let name = tls.and_then(|tls| tls.server_name.as_deref()).unwrap_or("unnamed");
        format!("{} {version} {cipher} {name} {subject}", request.scheme())
    });
    site.route(Some(Method::Get), "/listen", |_: Request| Response::upgrade("listen", listen));
    let files = Files::open(files).expect("the folder is there");
    site.endpoint(Some(Method::Get), "/files/*", files.factory());
    site.build().expect("no conflicts")
}

/// Says at last how the client's half ended.
async fn listen(mut connection: Upgraded) {
    let end = loop {
        match connection.reader.next().await {
            Some(Ok(_)) => {}
            Some(Err(_)) => break "cut off",
            None => break "ended",
        }
    };
    let _ = connection.writer.send(end).await; // else the client is gone
}

async fn count(body: &mut ReceivedBody) -> Option<usize> {
    let mut count = 0;
    while let Some(chunk) = body.next().await {
        count += chunk.ok()?.len();
    }
    Some(count)
}

pub type Secured = StreamOwned<ClientConnection, TcpStream>;

/// A client that says exactly what it is told to.
pub struct Client<S> {
    pub stream: S,
    received: Vec<u8>,
}

impl<S: Read + Write> Client<S> {
    pub fn new(stream: S) -> Client<S> {
        Client { stream, received: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client<S> {
        self.stream.write_all(bytes.as_ref()).expect("the server takes what is sent");
        self
    }

    /// Asks for `target` and gives the answer's status and content.
    pub fn get(&mut self, target: &str) -> (u16, Vec<u8>) {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")).answer()
    }

    pub fn text(&mut self, target: &str) -> String {
        let (status, text) = self.get(target);
        assert_eq!(status, 200);
        String::from_utf8(text).expect("text")
    }

    /// The next answer, which says that the protocol is another from here on.
    pub fn switched(&mut self) {
        assert!(self.head().starts_with("HTTP/1.1 101 "));
    }

    fn head(&mut self) -> String {
        let end = loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(
                self.receive().expect("an answer"),
                "it ended: {:?}",
                String::from_utf8_lossy(&self.received)
            );
        };
        String::from_utf8(self.received.drain(..end).collect()).expect("heads are text")
    }

    /// The next answer, which has a length.
    pub fn answer(&mut self) -> (u16, Vec<u8>) {
        let head = self.head();
        let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
        while self.received.len() < length {
            assert!(self.receive().expect("the content"), "it ended within the content");
        }
        (status, self.received.drain(..length).collect())
    }

    /// One receive; false at the end.
    fn receive(&mut self) -> std::io::Result<bool> {
        let mut room = [0; 64 * 1024];
        let count = self.stream.read(&mut room)?;
        self.received.extend_from_slice(&room[..count]);
        Ok(count > 0)
    }

    /// Everything until the server ends the connection; and whether it ended it in good order.
    pub fn rest(&mut self) -> (Vec<u8>, bool) {
        loop {
            match self.receive() {
                Ok(true) => {}
                Ok(false) => return (std::mem::take(&mut self.received), true),
                Err(error) => {
                    assert!(error.kind() != ErrorKind::WouldBlock, "it does not end");
                    return (std::mem::take(&mut self.received), false);
                }
            }
        }
    }
}
