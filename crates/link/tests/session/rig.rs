//! Certificates in a folder of their own, and two sessions that talk to each other.

use std::fs;
use std::path::PathBuf;

use gannet_engine::{Block, Chunk, Output};
use gannet_link::{
    CertificateFiles, ClientOptions, ClientTls, Fault, Opened, Roots, Scratch, ServerOptions, ServerTls,
    Session,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A folder with a CA, and what it signed.
pub struct Authority {
    pub folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "test root");
        let folder = tempfile::tempdir().unwrap();
        let root = params.self_signed(&key).unwrap();
        fs::write(folder.path().join("root.pem"), root.pem()).unwrap();
        Authority { folder, issuer: Issuer::new(params, key) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs a certificate for these names, and puts it and its key into `NAME.pem` and `NAME.key`.
    pub fn sign(&self, name: &str, names: &[&str]) -> CertificateFiles {
        self.sign_with(name, names, |_| {})
    }

    pub fn sign_with(
        &self,
        name: &str,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateFiles {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = CertificateFiles {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}.key")),
            ocsp: None,
        };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    pub fn server(&self, certificates: Vec<CertificateFiles>) -> ServerTls {
        ServerTls::new(&ServerOptions { certificates, clients: None }).unwrap()
    }

    pub fn client(&self) -> ClientTls {
        ClientTls::new(&ClientOptions {
            roots: Roots::File(self.path("root.pem")),
            ..ClientOptions::default()
        })
        .unwrap()
    }
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

    pub fn seal_output(&mut self, output: &mut Output, most: usize) -> Vec<u8> {
        let mut sealed = Output::default();
        self.session.seal(output, &mut sealed, most, &mut self.scratch).unwrap();
        let bytes = sealed.front_bytes().to_vec();
        assert_eq!(bytes.len() as u64, sealed.remaining(), "what is sealed is contiguous");
        bytes
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
    let mut client = Side::new(Session::client(client, name).unwrap());
    let mut server = Side::new(Session::server(server).unwrap());
    talk(&mut client, &mut server, usize::MAX).unwrap();
    assert!(!client.session.is_handshaking() && !server.session.is_handshaking());
    (client, server)
}
