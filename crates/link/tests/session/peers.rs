//! Against rustls's own buffered connections: versions, protocols, keys that our own client does not vary.

use std::fs;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use gannet_link::{FaultKind, ServerOptions, ServerTls};
use gannet_testing::{Authority, rcgen};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind, RootCertStore,
    SignatureScheme, SupportedProtocolVersion,
};

use crate::rig::{Side, files, listening, server};

/// A client of rustls's.
fn peer(
    authority: &Authority,
    change: impl FnOnce(&mut ClientConfig),
    versions: &[&'static SupportedProtocolVersion],
    provider: CryptoProvider,
) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.root()).expect("all is sound")).expect("all is sound");
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .expect("all is sound");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    change(&mut config);
    ClientConnection::new(Arc::new(config), "a.example".try_into().expect("all is sound"))
        .expect("all is sound")
}

/// Hands over what each of both has to say, until neither has anything to say.
fn talk(client: &mut ClientConnection, server: &mut Side) -> Result<(), String> {
    for _ in 0..20 {
        if !client.wants_write() && !server.session.wants_to_send() {
            return Ok(());
        }
        let mut said = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut said).expect("all is sound");
        }
        let outcome = server.open(&said, usize::MAX).map_err(|fault| format!("{:?}", fault.kind));
        hear(client, &server.seal(b"")).and(outcome)?;
    }
    panic!("they go on and on");
}

fn hear(client: &mut ClientConnection, mut said: &[u8]) -> Result<(), String> {
    while !said.is_empty() {
        client.read_tls(&mut said).expect("all is sound");
        client.process_new_packets().map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Both say something, and are understood.
fn converse(client: &mut ClientConnection, server: &mut Side) {
    server.heard.clear();
    client.writer().write_all(b"a request").expect("all is sound");
    talk(client, server).expect("all is sound");
    assert_eq!(server.heard, b"a request");
    hear(client, &server.seal(b"a response")).expect("all is sound");
    let mut heard = [0; 64];
    let count = client.reader().read(&mut heard).expect("all is sound");
    assert_eq!(&heard[..count], b"a response");
}

fn sound() -> (Authority, ServerTls) {
    let authority = Authority::new();
    let tls = server([authority.sign("a", &["a.example"])]);
    (authority, tls)
}

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

#[test]
fn clients_of_both_versions_are_understood() {
    let (authority, tls) = sound();
    for (version, name) in BOTH.into_iter().zip(["TLSv1.3", "TLSv1.2"]) {
        let mut client = peer(&authority, |_| {}, &[version], aws_lc_rs::default_provider());
        let mut server = listening(&tls);
        talk(&mut client, &mut server).unwrap();
        converse(&mut client, &mut server);
        assert_eq!(server.session.version(), Some(name));
        assert_eq!((client.handshake_kind(), server.session.protocol()), (Some(HandshakeKind::Full), None));
        client.send_close_notify();
        talk(&mut client, &mut server).unwrap();
        assert!(server.opened.peer_closed);
    }
}

#[test]
fn a_client_that_offers_only_protocols_that_the_server_has_not_gets_the_alert_that_says_so() {
    let (authority, tls) = sound();
    let certificates = vec![files(authority.sign("b", &["a.example"]))];
    let options = ServerOptions { certificates, http1_only: true, ..ServerOptions::default() };
    let http1_only = ServerTls::new(&options).expect("a sound certificate");
    let (h2, h1) = (Some(&b"h2"[..]), Some(&b"http/1.1"[..]));
    for (tls, offered, agreed) in [
        (&tls, &[&b"http/1.1"[..], b"h2"][..], h2),
        (&tls, &[b"http/1.1"], h1),
        (&tls, &[b"x", b"y"], None),
        (&http1_only, &[b"h2", b"http/1.1"], h1),
        (&http1_only, &[b"h2"], None),
    ] {
        let offer = |config: &mut ClientConfig| {
            config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        };
        let mut client = peer(&authority, offer, &BOTH, aws_lc_rs::default_provider());
        let mut server = listening(tls);
        let outcome = talk(&mut client, &mut server);
        if agreed.is_some() {
            outcome.unwrap();
            assert_eq!(client.alpn_protocol(), agreed);
        } else {
            assert_eq!(outcome.unwrap_err(), "received fatal alert: NoApplicationProtocol".to_owned());
        }
    }
}

#[test]
fn a_client_of_an_older_version_is_told_so() {
    let (_, tls) = sound();
    let mut hello = vec![3, 1]; // TLS 1.0
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let mut message = vec![1, 0, 0, hello.len() as u8];
    message.extend(hello);
    let mut record = vec![22, 3, 1, 0, message.len() as u8];
    record.extend(message);
    let mut server = listening(&tls);
    let fault = server.open(&record, usize::MAX).unwrap_err();
    assert_eq!(fault.kind, FaultKind::NothingInCommon, "{fault}");
    let alert = server.seal(b"");
    assert_eq!((alert[0], alert[5]), (21, 2), "a fatal alert");
}

#[test]
fn keys_are_changed_when_the_peer_wants_it() {
    let (authority, tls) = sound();
    let mut client = peer(&authority, |_| {}, &BOTH, aws_lc_rs::default_provider());
    let mut server = listening(&tls);
    talk(&mut client, &mut server).unwrap();
    for _ in 0..5 {
        converse(&mut client, &mut server);
        client.refresh_traffic_keys().unwrap();
        converse(&mut client, &mut server);
    }
}

#[test]
fn a_client_that_knows_not_the_first_certificate_s_kind_gets_another_for_its_host() {
    let authority = Authority::new();
    let edwards = authority.sign_with_key_of(&rcgen::PKCS_ED25519, "edwards", &["a.example"]);
    let tls = server([edwards, authority.sign("ecdsa", &["a.example"])]);
    let mut provider = aws_lc_rs::default_provider();
    let known = provider.signature_verification_algorithms.mapping.iter();
    let known: Vec<_> = known.copied().filter(|(scheme, _)| *scheme != SignatureScheme::ED25519).collect();
    provider.signature_verification_algorithms.mapping = known.leak();
    for version in BOTH {
        let mut client = peer(&authority, |_| {}, &[version], provider.clone());
        let mut server = listening(&tls);
        talk(&mut client, &mut server).unwrap();
        let shown = &client.peer_certificates().unwrap()[0];
        let ecdsa = CertificateDer::from_pem_file(authority.path("ecdsa.pem")).unwrap();
        assert_eq!(*shown, ecdsa);
    }
}

/// Verifies as any client does, and keeps the staple that it was shown.
#[derive(Debug)]
struct Looks {
    verifier: Arc<WebPkiServerVerifier>,
    staple: Mutex<Vec<u8>>,
}

impl ServerCertVerifier for Looks {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.staple.lock().expect("nobody panicked").extend_from_slice(staple);
        self.verifier.verify_server_cert(certificate, between, name, &[], now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[test]
fn a_client_is_shown_the_staple_of_its_certificate() {
    // An OCSPResponse that says "successful", and nothing else (RFC 6960, 4.2.1).
    const STAPLE: &[u8] = &[0x30, 0x03, 0x0a, 0x01, 0x00];
    let authority = Authority::new();
    let mut signed = files(authority.sign("a", &["a.example"]));
    fs::write(authority.path("ocsp.der"), STAPLE).expect("the folder is ours");
    signed.ocsp = Some(authority.path("ocsp.der"));
    let options = ServerOptions { certificates: vec![signed], ..ServerOptions::default() };
    let tls = ServerTls::new(&options).expect("a sound certificate and staple");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.root()).expect("all is sound")).expect("all is sound");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .expect("there is a root");
    for version in BOTH {
        let looks = Arc::new(Looks { verifier: verifier.clone(), staple: Mutex::default() });
        let look = |config: &mut ClientConfig| config.dangerous().set_certificate_verifier(looks.clone());
        let mut client = peer(&authority, look, &[version], aws_lc_rs::default_provider());
        talk(&mut client, &mut listening(&tls)).expect("both are sound");
        assert_eq!(*looks.staple.lock().expect("nobody panicked"), STAPLE);
    }
}
