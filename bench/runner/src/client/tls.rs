//! TLS 1.3 for the load, without its sockets: ciphertext in, plaintext out, and the other way round.
//!
//! One suite and one group, so that all servers do the same work: `TLS_AES_128_GCM_SHA256` and X25519. (Over HTTP/2, where
//! no handshake is measured, a server may want P-256 instead: nghttpd has nothing else.) The load knows the
//! one certificate that a server may show, and believes the server's signature, which a real client would verify: that is
//! no part of what is measured. The first request to each server, over a [`super::stream`], verifies it.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme,
    client::{
        Resumption, UnbufferedClientConnection,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus},
};

use super::{LoadError, tickets::Tickets};
use crate::work::{Handshake, Protocol};

/// The name that the certificate is for, and that servers are asked by.
pub const NAME: &str = "localhost";
/// What ALPN calls HTTP/2 (RFC 9113, 3.1).
pub const ALPN_HTTP2: &[u8] = b"h2";

/// How a load's connections are secured.
#[derive(Clone, Debug)]
pub struct Tls {
    /// What every handshake must be.
    pub handshake: Handshake,
    /// What is spoken over it.
    protocol: Protocol,
    /// What the server has given to resume sessions with.
    pub tickets: Arc<Tickets>,
    pub(super) name: ServerName<'static>,
    /// Of the load.
    config: Arc<ClientConfig>,
    /// Of single requests: it verifies the signature, and never resumes.
    pub(super) careful: Arc<ClientConfig>,
}

impl Tls {
    /// For a server that has this certificate.
    pub fn new(
        certificate: &CertificateDer<'static>,
        handshake: Handshake,
        protocol: Protocol,
    ) -> Result<Tls, Error> {
        let tickets = Arc::new(Tickets::new(handshake == Handshake::Resumed));
        Ok(Tls {
            handshake,
            protocol,
            name: ServerName::try_from(NAME).expect("it is a name"),
            config: config(certificate, protocol, false, Resumption::store(Arc::clone(&tickets) as _))?,
            careful: config(certificate, protocol, true, Resumption::disabled())?,
            tickets,
        })
    }
}

fn config(
    certificate: &CertificateDer<'static>,
    protocol: Protocol,
    verifies: bool,
    resumption: Resumption,
) -> Result<Arc<ClientConfig>, Error> {
    let kx_groups = match protocol {
        Protocol::Http1 | Protocol::WebSocket => vec![aws_lc_rs::kx_group::X25519],
        Protocol::Http2 => vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1],
    };
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups,
        ..aws_lc_rs::default_provider()
    });
    let pinned = Pinned { certificate: certificate.clone(), verifies, provider: Arc::clone(&provider) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    config.resumption = resumption;
    // A client of HTTP/1.1 alone most often offers nothing (RFC 7301, 3.1).
    if protocol == Protocol::Http2 {
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    }
    Ok(Arc::new(config))
}

/// Accepts one certificate, byte for byte.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    verifies: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::General("the server has another certificate than the bench's".to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("the bench speaks TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.verifies {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// One connection's TLS.
pub struct Session {
    connection: UnbufferedClientConnection,
    /// What the handshake must be.
    expected: Handshake,
    /// Whether it may have been begun anew with another group.
    may_retry: bool,
    is_established: bool,
    /// The beginning of a record whose end has not come.
    cut: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Session {
    /// Begins the handshake: what it says first is outgoing at once.
    pub fn new(tls: &Tls) -> Result<Session, LoadError> {
        let expected = if tls.tickets.are_used() { Handshake::Resumed } else { Handshake::Full };
        let connection = UnbufferedClientConnection::new(Arc::clone(&tls.config), tls.name.clone())?;
        let (cut, outgoing) = (Vec::new(), Vec::new());
        let may_retry = tls.protocol == Protocol::Http2;
        let mut session = Session { connection, expected, may_retry, is_established: false, cut, outgoing };
        session.open(&mut [], |_| Err(LoadError::Unasked))?;
        Ok(session)
    }

    /// Whether the handshake is over, but for what is outgoing.
    pub fn is_established(&self) -> bool {
        self.is_established
    }

    /// What both sides have agreed to speak, if they have.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// What is to be sent now; [`Session::sent`] tells that it has been.
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// All that was outgoing has been sent.
    pub fn sent(&mut self) {
        self.outgoing.clear();
    }

    /// Puts what is left of the last receive at the front of the next one's buffer, and says how much that is.
    pub fn lay_out(&self, buffer: &mut [u8]) -> usize {
        buffer[..self.cut.len()].copy_from_slice(&self.cut);
        self.cut.len()
    }

    /// Takes all that has come and was not taken yet; returns the sum of what `count` makes of the plaintext.
    pub fn open(
        &mut self,
        incoming: &mut [u8],
        mut count: impl FnMut(&[u8]) -> Result<u32, LoadError>,
    ) -> Result<u32, LoadError> {
        let (mut start, mut sum) = (0, 0);
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut incoming[start..]);
            let goes_on = match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        sum += count(record.payload)?;
                    }
                    true
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    append(&mut self.outgoing, |room| match data.encode(room) {
                        Err(EncodeError::InsufficientSize(error)) => Err(Some(error)),
                        encoded => encoded.map_err(|_| None),
                    })?;
                    true
                }
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    true
                }
                ConnectionState::WriteTraffic(_) => {
                    self.is_established = true;
                    false
                }
                // The handshake waits, or the server says that it sends no more: its socket will say so too.
                _ => false,
            };
            start += discard;
            if !goes_on && discard == 0 {
                break;
            }
        }
        self.cut.clear();
        self.cut.extend_from_slice(&incoming[start..]);
        self.check()?;
        Ok(sum)
    }

    /// Adds a request to what is outgoing.
    pub fn seal(&mut self, plaintext: &[u8]) -> Result<(), LoadError> {
        match self.connection.process_tls_records(&mut []).state? {
            ConnectionState::WriteTraffic(mut traffic) => {
                append(&mut self.outgoing, |room| match traffic.encrypt(plaintext, room) {
                    Err(EncryptError::InsufficientSize(error)) => Err(Some(error)),
                    sealed => sealed.map_err(|_| None),
                })
            }
            _ => Err(LoadError::Closed),
        }
    }

    /// Whether the handshake was what it must be: a figure of another kind is worth nothing.
    fn check(&self) -> Result<(), LoadError> {
        let was = match self.connection.handshake_kind() {
            Some(HandshakeKind::Full) => Handshake::Full,
            Some(HandshakeKind::Resumed) => Handshake::Resumed,
            Some(HandshakeKind::FullWithHelloRetryRequest) if self.may_retry => Handshake::Full,
            Some(HandshakeKind::FullWithHelloRetryRequest) => return Err(LoadError::HelloRetry),
            None => return Ok(()),
        };
        let expected = self.expected;
        if was == expected { Ok(()) } else { Err(LoadError::Handshake { expected, was }) }
    }
}

/// Appends what `write` writes, which says how much room it needs.
fn append(
    bytes: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<InsufficientSizeError>>,
) -> Result<(), LoadError> {
    let start = bytes.len();
    let mut room = 512;
    loop {
        bytes.resize(start + room, 0);
        match write(&mut bytes[start..]) {
            Ok(written) => {
                bytes.truncate(start + written);
                return Ok(());
            }
            Err(Some(error)) if error.required_size > room => room = error.required_size,
            Err(_) => return Err(LoadError::Closed),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::io::{Read, Write};

    use rustls::{
        ServerConfig, ServerConnection,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    };

    use super::*;

    /// A server's configuration, with tickets that any of its connections takes, and the certificate that it shows.
    pub fn server() -> (Arc<ServerConfig>, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let certificate = made.cert.der().clone();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        config.ticketer = aws_lc_rs::Ticketer::new().unwrap();
        (Arc::new(config), certificate)
    }

    /// What one side has for the other, in pieces.
    struct Pair {
        session: Session,
        server: ServerConnection,
        piece_bytes: usize,
        buffer: Vec<u8>,
    }

    impl Pair {
        fn new(tls: &Tls, server: &Arc<ServerConfig>, piece_bytes: usize) -> Pair {
            let server = ServerConnection::new(Arc::clone(server)).unwrap();
            Pair { session: Session::new(tls).unwrap(), server, piece_bytes, buffer: vec![0; 64 * 1024] }
        }

        /// Carries bytes until neither side has any; returns what the client could read.
        fn carry(&mut self) -> Result<Vec<u8>, LoadError> {
            let mut plaintext = Vec::new();
            loop {
                let mut outgoing = self.session.outgoing();
                while !outgoing.is_empty() {
                    self.server.read_tls(&mut outgoing).unwrap();
                    self.server.process_new_packets()?;
                }
                self.session.sent();
                let mut incoming = Vec::new();
                while self.server.wants_write() {
                    self.server.write_tls(&mut incoming).unwrap();
                }
                if incoming.is_empty() {
                    return Ok(plaintext);
                }
                for piece in incoming.chunks(self.piece_bytes) {
                    let start = self.session.lay_out(&mut self.buffer);
                    self.buffer[start..start + piece.len()].copy_from_slice(piece);
                    self.session.open(&mut self.buffer[..start + piece.len()], |bytes| {
                        plaintext.extend_from_slice(bytes);
                        Ok(1)
                    })?;
                }
            }
        }
    }

    #[test]
    fn a_request_and_its_response_arrive_whatever_the_pieces_are() {
        let (server, certificate) = server();
        let tls = Tls::new(&certificate, Handshake::Full, Protocol::Http1).unwrap();
        for piece_bytes in [1, 2, 7, 100, 1000, 64 * 1024] {
            let mut pair = Pair::new(&tls, &server, piece_bytes);
            assert_eq!(pair.carry().unwrap(), b"");
            assert!(pair.session.is_established());
            for _ in 0..2 {
                pair.session.seal(b"request").unwrap();
                pair.carry().unwrap();
                let mut request = [0; 16];
                assert_eq!(pair.server.reader().read(&mut request).unwrap(), 7);
                let response = vec![b'x'; 40_000];
                pair.server.writer().write_all(&response).unwrap();
                assert_eq!(pair.carry().unwrap(), response);
            }
        }
        assert!(tls.tickets.received() > 0 && tls.tickets.count() == 0);
    }

    #[test]
    fn a_handshake_of_another_kind_is_refused() {
        let (config, certificate) = server();
        let tls = Tls::new(&certificate, Handshake::Resumed, Protocol::Http1).unwrap();
        Pair::new(&tls, &config, 100).carry().unwrap();
        assert!(tls.tickets.count() > 0);
        tls.tickets.use_them(true);
        let mut resumed = Pair::new(&tls, &config, 100);
        resumed.carry().unwrap();
        assert!(resumed.session.is_established());
        // Another process of the same server does not know the tickets of the first.
        let mut other = ServerConfig::clone(&config);
        other.ticketer = aws_lc_rs::Ticketer::new().unwrap();
        let error = Pair::new(&tls, &Arc::new(other), 100).carry().unwrap_err();
        let (expected, was) = (Handshake::Resumed, Handshake::Full);
        assert!(matches!(error, LoadError::Handshake { expected: e, was: w } if (e, w) == (expected, was)));
    }

    #[test]
    fn another_certificate_is_refused() {
        let ((config, _), (_, other)) = (server(), server());
        let tls = Tls::new(&other, Handshake::Full, Protocol::Http1).unwrap();
        let error = Pair::new(&tls, &config, 100).carry().unwrap_err();
        assert!(error.to_string().contains("another certificate"), "{error}");
    }
}
