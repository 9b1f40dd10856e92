//! Sessions made from certificates of tests, and two of them that talk to each other.

use gannet_engine::{Block, Chunk, Output};
use gannet_link::{
    CertificateFiles, ClientOptions, ClientTls, Fault, Offer, Opened, Roots, Scratch, ServerOptions,
    ServerTls, Session,
};
use gannet_testing::{Authority, Signed};

pub fn files(signed: Signed) -> CertificateFiles {
    CertificateFiles { certificate: signed.certificate, key: signed.key, ocsp: None }
}

/// A server with these certificates.
pub fn server(certificates: impl IntoIterator<Item = Signed>) -> ServerTls {
    let certificates = certificates.into_iter().map(files).collect();
    ServerTls::new(&ServerOptions { certificates, ..ServerOptions::default() }).expect("sound certificates")
}

/// A client that trusts the root.
pub fn client(authority: &Authority) -> ClientTls {
    let options = ClientOptions { roots: Roots::File(authority.root()) };
    ClientTls::new(&options).expect("a sound root")
}

/// A client's side, at its beginning.
pub fn asking(client: &ClientTls, name: &str) -> Side {
    Side::new(Session::client(client, name, Offer::Http1).expect("a name"))
}

/// A server's side, at its beginning.
pub fn listening(server: &ServerTls) -> Side {
    Side::new(Session::server(server).expect("random bytes"))
}

/// One side, with what it has been given.
pub struct Side {
    pub session: Session,
    pub heard: Vec<u8>,
    pub opened: Opened,
    scratch: Scratch,
}

impl Side {
    pub fn new(session: Session) -> Side {
        Side { session, heard: Vec::new(), opened: Opened::default(), scratch: Scratch::default() }
    }

    /// What the side sends, with `plain` in it.
    pub fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut output = Output::default();
        output.bytes().extend_from_slice(plain);
        let sealed = self.seal_output(&mut output, usize::MAX);
        assert!(output.is_empty(), "all is sealed");
        sealed
    }

    pub fn try_seal(&mut self, output: &mut Output) -> std::io::Result<usize> {
        self.session.seal(output, &mut Output::default(), usize::MAX, &mut self.scratch)
    }

    pub fn seal_output(&mut self, output: &mut Output, most: usize) -> Vec<u8> {
        let mut sealed = Output::default();
        self.session.seal(output, &mut sealed, most, &mut self.scratch).expect("all is in memory");
        let bytes = sealed.front_bytes().to_vec();
        assert_eq!(bytes.len() as u64, sealed.remaining(), "what is sealed is contiguous");
        bytes
    }

    /// Receives in blocks of at most `most` bytes; says how much memory the largest piece of plaintext keeps.
    pub fn open_counting(&mut self, ciphertext: &[u8], most: usize) -> usize {
        let mut largest = 0;
        for piece in ciphertext.chunks(most) {
            let mut block = Block::oversized(piece.len());
            block.append(piece);
            let opened =
                self.session.open(block, &mut |chunk: Chunk| largest = largest.max(chunk.held_bytes()));
            opened.expect("it is whole");
        }
        largest
    }

    /// Receives in blocks of at most `most` bytes.
    pub fn open(&mut self, ciphertext: &[u8], most: usize) -> Result<(), Fault> {
        for piece in ciphertext.chunks(most) {
            let mut block = Block::oversized(piece.len());
            block.append(piece);
            let mut heard = |chunk: Chunk| self.heard.extend_from_slice(&chunk);
            let opened = self.session.open(block, &mut heard)?;
            self.opened.established |= opened.established;
            self.opened.peer_closed |= opened.peer_closed;
        }
        Ok(())
    }
}

/// Hands over what each of both has to say, in pieces of at most `most` bytes, until neither has anything to say.
pub fn talk(client: &mut Side, server: &mut Side, most: usize) -> Result<(), Fault> {
    for _ in 0..20 {
        if !client.session.wants_to_send() && !server.session.wants_to_send() {
            return Ok(());
        }
        let said = client.seal(b"");
        let outcome = server.open(&said, most);
        let said = server.seal(b"");
        // Also what breaks off is told.
        client.open(&said, most).and(outcome)?;
    }
    panic!("they go on and on");
}

/// Both sides, established.
pub fn connected(server: &ServerTls, client: &ClientTls, name: &str) -> (Side, Side) {
    let (mut client, mut server) = (asking(client, name), listening(server));
    talk(&mut client, &mut server, usize::MAX).expect("they agree");
    assert!(!client.session.is_handshaking() && !server.session.is_handshaking());
    (client, server)
}
