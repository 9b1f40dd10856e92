//! A client of any protocol: requests are written as HTTP/1.1 writes them, whatever is spoken, and what is answered is read alike.

mod http1;
mod http2;
mod message;

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

pub use http1::Http1;
pub use http2::Http2;

/// No wait is longer than this; a test that waits so long fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// The same, and below it: clear text, or a version of TLS.
#[derive(Clone, Copy, Debug)]
pub struct Speaks {
    pub protocol: Protocol,
    pub tls: Option<&'static SupportedProtocolVersion>,
}

/// A response as it was received.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// Status line and fields as they came, without the empty line; of HTTP/2 as HTTP/1.1 would write them.
    pub head: String,
    pub body: Vec<u8>,
    /// The trailer section, likewise.
    pub trailers: String,
}

impl Answer {
    /// The first field of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// Status and body.
    pub fn says(&self) -> (u16, &str) {
        (self.status, self.text())
    }
}

/// A client that says exactly what it is told to.
pub struct Client {
    spoken: Spoken,
    socket: TcpStream,
}

enum Spoken {
    Http1(Http1),
    Http2(Box<Http2>),
}

/// A socket that is connected to `address`.
pub fn tcp(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// How a client shakes hands that trusts the root in this file, and offers one protocol.
fn config(root: &Path, speaks: Speaks, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).expect("a certificate")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]);
    let mut config = config.expect("a version").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = match speaks.protocol {
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
    };
    Arc::new(config)
}

impl Client {
    /// A client of HTTP/1.1 in clear text.
    pub fn to(address: SocketAddr) -> std::io::Result<Client> {
        let socket = tcp(address)?;
        let spoken = Spoken::Http1(Http1::new(socket.try_clone()?));
        Ok(Client { spoken, socket })
    }

    /// A client that speaks so; over TLS it trusts the root in the file, and asks for `localhost`.
    pub fn speaking(speaks: Speaks, address: SocketAddr, root: &Path) -> Client {
        let socket = tcp(address).expect("the server listens");
        let wire = socket.try_clone().expect("a descriptor");
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = speaks.tls.map(|version| config(root, speaks, version));
        let spoken = match (speaks.protocol, tls) {
            (Protocol::Http1, None) => Spoken::Http1(Http1::new(wire)),
            (Protocol::Http1, Some(tls)) => {
                let session = rustls::ClientConnection::new(tls, name).expect("a configuration");
                Spoken::Http1(Http1::new(rustls::StreamOwned::new(session, wire)))
            }
            (Protocol::Http2, tls) => Spoken::Http2(Box::new(Http2::new(wire, tls.map(|tls| (tls, name))))),
        };
        Client { spoken, socket }
    }

    /// Sends what HTTP/1.1 would. Over HTTP/2 each request is a stream, and a body's bytes are its DATA.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        match &mut self.spoken {
            Spoken::Http1(client) => client.send(bytes.as_ref()),
            Spoken::Http2(client) => client.send(bytes.as_ref()),
        }
        self
    }

    /// Asks for `target` and gives the answer.
    pub fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")).answer()
    }

    /// The next response's head, unless the connection ends before, or HTTP/2's stream: of a response to HEAD, an informational one, or one whose body is
    /// looked at by hand.
    pub fn head_unless_over(&mut self) -> Option<Answer> {
        match &mut self.spoken {
            Spoken::Http1(client) => client.head(),
            Spoken::Http2(client) => client.head(),
        }
    }

    /// The next response's head.
    pub fn head(&mut self) -> Answer {
        self.head_unless_over().expect("an answer before the connection ends")
    }

    /// The next response, with its body.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        self.body(&mut answer);
        answer
    }

    /// Receives the body that follows a head.
    pub fn body(&mut self, answer: &mut Answer) {
        match &mut self.spoken {
            Spoken::Http1(client) => client.body(answer),
            Spoken::Http2(client) => client.body(answer),
        }
    }

    /// The next `length` bytes: of a body, or a conversation.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        match &mut self.spoken {
            Spoken::Http1(client) => client.take(length),
            Spoken::Http2(client) => client.take(length),
        }
    }

    /// Has said all of a conversation. Over HTTP/1.1 that is the end of the connection, over HTTP/2 of the stream.
    pub fn end_conversation(&mut self) {
        match &mut self.spoken {
            Spoken::Http1(_) => {}
            Spoken::Http2(client) => client.end_conversation(),
        }
    }

    /// Everything until the server ends the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        match &mut self.spoken {
            Spoken::Http1(client) => client.rest(),
            Spoken::Http2(client) => client.rest(),
        }
    }

    /// What comes of a body that breaks off: with the connection, or HTTP/2's stream.
    pub fn rest_of_broken(&mut self) -> Vec<u8> {
        match &mut self.spoken {
            Spoken::Http1(client) => client.rest_of_broken(),
            Spoken::Http2(client) => client.rest_of_broken(),
        }
    }

    /// A body as far as it comes, be it whole; over HTTP/1.1 the last of the connection.
    pub fn whole_or_broken(&mut self) -> Vec<u8> {
        match &mut self.spoken {
            Spoken::Http1(client) => client.rest_of_broken(),
            Spoken::Http2(client) => client.whole_or_broken().0,
        }
    }

    /// The server ends the connection, and has nothing else to say.
    pub fn ends(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }

    /// Everything that one receive of HTTP/1.1 gives.
    pub fn receive_once(&mut self) -> String {
        match &mut self.spoken {
            Spoken::Http1(client) => client.receive_once(),
            Spoken::Http2(_) => panic!("HTTP/2 is no text"),
        }
    }

    /// A second handle on the connection, for another thread.
    pub fn stream(&self) -> TcpStream {
        self.socket.try_clone().expect("a descriptor")
    }

    /// Ends our half.
    pub fn finish(&mut self) -> &mut Client {
        self.socket.shutdown(Shutdown::Write).expect("still connected");
        self
    }

    /// Breaks the connection.
    pub fn reset(self) {
        // No lingering: what close(2) does then is a reset (socket(7), SO_LINGER).
        socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).expect("an option of TCP");
    }
}
