//! Certificates: which one a client gets, and all that can be wrong with them, found at start.

use std::fs;
use std::path::Path;

use gannet_link::{CertificateFiles, ClientCertificates, FaultKind, ServerOptions, ServerTls, TlsError};
use gannet_testing::{Authority, rcgen};

use crate::rig::{asking, client, connected, files, listening, server, talk};

#[test]
fn a_client_gets_the_certificate_for_the_host_it_names() {
    let authority = Authority::new();
    let tls = server([
        authority.sign("default", &["default.example"]),
        authority.sign("wild", &["*.b.example"]),
        authority.sign("exact", &["a.b.example", "other.example"]),
    ]);
    let client = client(&authority);
    for (name, subject) in [
        ("default.example", "CN=default"),
        ("a.b.example", "CN=exact"),
        ("A.B.Example", "CN=exact"),
        ("x.b.example", "CN=wild"),
        ("other.example", "CN=exact"),
    ] {
        let (client, server) = connected(&tls, &client, name);
        assert_eq!(client.session.peer_identity().unwrap().subject, subject, "{name}");
        assert_eq!(server.session.server_name(), Some(name.to_ascii_lowercase().as_str()));
    }
    // One that no certificate is for gets the first, and finds out itself.
    for name in ["none.example", "x.y.b.example", "b.example", "127.0.0.1"] {
        let (mut client, mut server) = (asking(&client, name), listening(&tls));
        let fault = talk(&mut client, &mut server, usize::MAX).unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadCertificate, "{name}: {fault}");
        assert!(fault.message.contains("default.example"), "{fault}");
    }
}

#[test]
fn of_two_for_one_name_a_client_gets_the_one_that_it_can_use() {
    let authority = Authority::new();
    let edwards = authority.sign_with_key_of(&rcgen::PKCS_ED25519, "edwards", &["a.example"]);
    let tls = server([edwards, authority.sign("ecdsa", &["a.example"])]);
    let (client, _) = connected(&tls, &client(&authority), "a.example");
    assert_eq!(client.session.peer_identity().unwrap().subject, "CN=edwards");
    // rustls's own clients can use both. One that knows no Ed25519 is in `peers`.
}

#[test]
fn a_session_is_resumed_and_stays_with_the_host_that_it_was_for() {
    let authority = Authority::new();
    let tls = server([authority.sign("a", &["a.example"]), authority.sign("b", &["b.example"])]);
    let client = client(&authority);
    let once = |name| {
        let (mut client, mut server) = connected(&tls.for_worker(), &client, name);
        let said = server.seal(b"with it come the tickets");
        client.open(&said, usize::MAX).unwrap();
        server.session.is_resumed()
    };
    assert_eq!([once("a.example"), once("a.example"), once("a.example")], [false, true, true]);
    assert_eq!([once("b.example"), once("b.example")], [false, true]);
}

/// What is said of a server with these files.
fn refusal(files: CertificateFiles) -> TlsError {
    let options = ServerOptions { certificates: vec![files], ..ServerOptions::default() };
    ServerTls::new(&options).expect_err("something is wrong with it")
}

fn told(certificate: &Path, key: &Path) -> String {
    refusal(CertificateFiles { certificate: certificate.into(), key: key.into(), ocsp: None }).to_string()
}

#[test]
fn what_is_wrong_with_a_certificate_or_key_is_told_at_start_with_its_file() {
    let authority = Authority::new();
    let (good, other) = (authority.sign("good", &["a.example"]), authority.sign("other", &["b.example"]));
    let write = |name: &str, text: &[u8]| {
        fs::write(authority.path(name), text).unwrap();
        authority.path(name)
    };
    let text = fs::read_to_string(&good.key).unwrap();
    let empty = write("empty.pem", b"");
    let twice = write("twice.pem", text.repeat(2).as_bytes());
    let cut = write("cut.pem", b"-----BEGIN CERTIFICATE-----\nMIIB");
    let bad = write("bad.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let der = write("der.pem", &[0x30, 0x82, 1, 1]);
    let encrypted = write(
        "encrypted.pem",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let nonsense = write("nonsense.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    for (certificate, key, expected) in [
        (&good.certificate, &other.key, "other.key is not that of the certificate in "),
        (&good.certificate, &good.certificate, "good.pem holds a certificate; a private key was expected"),
        (&good.key, &good.key, "good.key holds a private key; a certificate was expected"),
        (&good.certificate, &authority.path("none"), "none cannot be read: no such file or directory"),
        (&good.certificate, &empty, "empty.pem is empty"),
        (&good.certificate, &twice, "twice.pem holds 2 private keys"),
        (&good.certificate, &encrypted, "encrypted.pem is encrypted; decrypt it (openssl pkey"),
        (&good.certificate, &nonsense, "nonsense.pem cannot be used"),
        (&cut, &good.key, "cut.pem is to hold a certificate, which cannot be made out"),
        (&bad, &good.key, "bad.pem is to hold a certificate, which cannot be made out"),
        (&der, &good.key, "der.pem holds nothing in PEM form"),
        (&authority.folder().to_path_buf(), &good.key, "cannot be read: is a directory; name the file in it"),
    ] {
        let told = told(certificate, key);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_certificate_that_is_not_valid_now_is_refused_with_the_dates() {
    let authority = Authority::new();
    let past = authority.sign_with("past", &["a.example"], |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 2, 3);
    });
    let told_past = told(&past.certificate, &past.key);
    assert!(
        told_past.contains("past.pem (CN=past) expired on Wed, 03 Feb 2021 00:00:00 +0000; it is "),
        "{told_past}"
    );
    let future = authority.sign_with("future", &["a.example"], |params| {
        params.not_before = rcgen::date_time_ymd(2200, 1, 1);
        params.not_after = rcgen::date_time_ymd(2201, 1, 1);
    });
    let told_future = told(&future.certificate, &future.key);
    assert!(
        told_future.contains("future.pem (CN=future) is not valid before Wed, 01 Jan 2200"),
        "{told_future}"
    );
}

#[test]
fn a_staple_is_taken_and_one_that_says_nothing_is_refused() {
    let authority = Authority::new();
    let mut signed = files(authority.sign("a", &["a.example"]));
    for (response, sound) in
        [(&[0x30, 3, 0x0a, 1, 0][..], true), (&[0x30, 3, 0x0a, 1, 6], false), (b"-----BEGIN", false)]
    {
        fs::write(authority.path("ocsp.der"), response).unwrap();
        signed.ocsp = Some(authority.path("ocsp.der"));
        let options = ServerOptions { certificates: vec![signed.clone()], ..ServerOptions::default() };
        match ServerTls::new(&options) {
            Ok(_) => assert!(sound),
            Err(error) => {
                assert!(!sound && error.to_string().contains("ocsp.der holds no successful OCSP"), "{error}");
            }
        }
    }
}

#[test]
fn a_server_needs_a_certificate_and_roots_that_are_some() {
    assert!(matches!(ServerTls::new(&ServerOptions::default()), Err(TlsError::NoCertificate)));
    let authority = Authority::new();
    let signed = authority.sign("a", &["a.example"]);
    let clients = Some(ClientCertificates { roots: signed.key.clone(), required: true });
    let error =
        ServerTls::new(&ServerOptions { certificates: vec![files(signed)], clients, http1_only: false })
            .unwrap_err();
    assert!(error.to_string().contains("a.key holds a private key; a certificate was expected"), "{error}");
}
