//! A client's end of a connection, in clear text or by TLS: what is written and read is HTTP, either way.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::LazyLock;

use gannet_engine::sim::{Client, Network};
use gannet_engine::{Block, Chunk, Output};
use gannet_link::{
    CertificateFiles, ClientOptions, ClientTls, Offer, Roots, Scratch, ServerOptions, ServerTls, Session,
};
use gannet_testing::{Authority, rcgen};

/// What both sides' sessions are made from, once for all seeds.
static TLS: LazyLock<(Authority, ServerTls)> = LazyLock::new(|| {
    let authority = Authority::with_key_of(&rcgen::PKCS_ED25519);
    // A signature of ECDSA has one length or another, and a seed is to give the same run each time.
    let signed = authority.sign_with_key_of(&rcgen::PKCS_ED25519, "a", &["a"]);
    let files = CertificateFiles { certificate: signed.certificate, key: signed.key, ocsp: None };
    let options = ServerOptions { certificates: vec![files], ..ServerOptions::default() };
    (authority, ServerTls::new(&options).expect("a sound certificate"))
});

/// That of a server of the same name that does not speak HTTP/2.
pub fn http1_tls() -> ServerTls {
    let signed = TLS.0.sign_with_key_of(&rcgen::PKCS_ED25519, "http1", &["a"]);
    let files = CertificateFiles { certificate: signed.certificate, key: signed.key, ocsp: None };
    let options = ServerOptions { certificates: vec![files], http1_only: true, ..ServerOptions::default() };
    ServerTls::new(&options).expect("a sound certificate")
}

/// The server's.
pub fn server_tls() -> ServerTls {
    TLS.1.clone()
}

/// A client's, that knows no session yet.
pub fn client_tls() -> ClientTls {
    ClientTls::new(&ClientOptions { roots: Roots::File(TLS.0.root()) }).expect("a sound root")
}

/// Where the server speaks TLS.
pub fn secure_address() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 443))
}

/// A client's end.
pub enum Wire {
    Clear(Client),
    Secure(Box<Secure>),
}

/// By TLS.
pub struct Secure {
    pub client: Client,
    pub session: Session,
    scratch: Scratch,
    /// Sealed, and not taken by the network yet.
    unsent: VecDeque<u8>,
    /// Opened, and not read yet.
    unread: VecDeque<u8>,
    /// Our half ends behind what is unsent.
    finishes: bool,
    /// The server's half has ended; whether it said so.
    ended: Option<bool>,
}

impl Wire {
    pub fn secure(network: &Network, tls: &ClientTls) -> io::Result<Wire> {
        Wire::secure_with(network, tls, Offer::Http1)
    }

    /// The same, offering other protocols.
    pub fn secure_with(network: &Network, tls: &ClientTls, offer: Offer) -> io::Result<Wire> {
        let client = network.connect(secure_address())?;
        let session = Session::client(tls, "a", offer).expect("a name");
        Ok(Wire::by(client, session))
    }

    /// The other end: of an upstream that a proxy connected to.
    pub fn serving(client: Client, tls: &ServerTls) -> Wire {
        Wire::by(client, Session::server(tls).expect("random bytes"))
    }

    fn by(client: Client, session: Session) -> Wire {
        Wire::Secure(Box::new(Secure {
            client,
            session,
            scratch: Scratch::default(),
            unsent: VecDeque::new(),
            unread: VecDeque::new(),
            finishes: false,
            ended: None,
        }))
    }

    /// As [`Client::write`]. `Interrupted`: nothing of it was taken, and something else was done.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Clear(client) => client.write(bytes),
            Wire::Secure(secure) => secure.write(bytes),
        }
    }

    /// As [`Client::read`]. `Interrupted`: nothing was read, and something else was done.
    pub fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Clear(client) => client.read(room),
            Wire::Secure(secure) => secure.read(room),
        }
    }

    /// As [`Client::finish`]: the end is said first, and comes behind what was written.
    pub fn finish(&mut self) {
        match self {
            Wire::Clear(client) => client.finish(),
            Wire::Secure(secure) => {
                secure.session.close();
                secure.finishes = true;
                let _ = secure.pump(); // an error is told by who reads
            }
        }
    }

    /// As [`Client::reset`].
    pub fn reset(&mut self) {
        self.client().reset();
    }

    /// As [`Client::is_open`].
    pub fn is_open(&mut self) -> bool {
        if let Wire::Secure(secure) = self {
            let _ = secure.pump(); // as above
        }
        self.client().is_open()
    }

    /// As [`Client::is_reset`].
    pub fn is_reset(&mut self) -> bool {
        self.client().is_reset()
    }

    /// Its end of the connection.
    pub fn client(&mut self) -> &mut Client {
        match self {
            Wire::Clear(client) => client,
            Wire::Secure(secure) => &mut secure.client,
        }
    }
}

impl Secure {
    /// Gives the network what is sealed; says whether it took any.
    pub fn pump(&mut self) -> io::Result<bool> {
        self.seal(&[]);
        let mut any = false;
        while !self.unsent.is_empty() {
            let sealed = self.unsent.make_contiguous();
            match self.client.write(sealed) {
                Ok(count) => {
                    self.unsent.drain(..count);
                    any |= count > 0;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(any),
                Err(error) => {
                    self.unsent.clear();
                    return Err(error);
                }
            }
        }
        if std::mem::take(&mut self.finishes) {
            self.client.finish();
            any = true;
        }
        Ok(any)
    }

    fn seal(&mut self, bytes: &[u8]) {
        let (mut plain, mut sealed) = (Output::default(), Output::default());
        plain.bytes().extend_from_slice(bytes);
        self.session.seal(&mut plain, &mut sealed, bytes.len(), &mut self.scratch).expect("it is in memory");
        self.unsent.extend(sealed.front_bytes());
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let pumped = self.pump()?;
        if pumped {
            return Err(ErrorKind::Interrupted.into());
        }
        if self.session.is_handshaking() || self.session.is_closed() || !self.unsent.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.seal(bytes);
        self.pump()?;
        Ok(bytes.len())
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let pumped = self.pump().unwrap_or(false);
        let took = self.take_in()?;
        if !self.unread.is_empty() {
            let count = room.len().min(self.unread.len());
            self.unread.drain(..count).zip(room).for_each(|(byte, room)| *room = byte);
            return Ok(count);
        }
        match self.ended {
            Some(true) => Ok(0),
            // Somebody may have cut off what the server sent.
            Some(false) => Err(ErrorKind::UnexpectedEof.into()),
            None if pumped || took => Err(ErrorKind::Interrupted.into()),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }

    /// Opens what has arrived; says whether anything had.
    fn take_in(&mut self) -> io::Result<bool> {
        if self.ended.is_some() || self.unread.len() > 64 * 1024 {
            return Ok(false);
        }
        let mut block = Block::oversized(16 * 1024);
        match self.client.read(block.spare_mut()) {
            Ok(0) => self.ended = Some(self.session.peer_closed()),
            Ok(count) => {
                block.commit(count);
                let unread = &mut self.unread;
                let opened = self.session.open(block, &mut |chunk: Chunk| unread.extend(&chunk[..]));
                opened.unwrap_or_else(|fault| panic!("the server is not understood: {fault}"));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}
