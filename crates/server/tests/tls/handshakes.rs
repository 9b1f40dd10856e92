//! Handshakes: resumed, renewed, and those that come to nothing.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;

use gannet_link::{CertificateFiles, Look};
use gannet_server::host::BackendChoice;
use gannet_testing::Authority;
use rustls::HandshakeKind;

use crate::rig::{Client, Rig, VERSIONS, on_each_backend, tcp};

on_each_backend! {
    a_session_is_resumed_on_whatever_worker_the_next_connection_lands,
    http_without_tls_is_told_to_speak_tls,
    what_is_no_tls_gets_an_alert_and_the_end,
    a_renewed_certificate_is_shown_to_new_connections_only,
    certificates_are_watched_and_a_link_that_leads_elsewhere_is_a_renewal,
}

fn a_session_is_resumed_on_whatever_worker_the_next_connection_lands(backend: BackendChoice) {
    let rig = Rig::with(backend, 3, |_, _| {});
    for version in VERSIONS {
        let config = rig.config(version);
        let mut first = rig.secure(&config, "a.example");
        first.text("/value");
        assert_eq!(first.stream.conn.handshake_kind(), Some(HandshakeKind::Full));
        // The kernel spreads them over three workers: that none is another's is as good as impossible.
        for _ in 0..24 {
            let mut next = rig.secure(&config, "a.example");
            next.text("/value");
            assert_eq!(next.stream.conn.handshake_kind(), Some(HandshakeKind::Resumed));
        }
    }
}

fn http_without_tls_is_told_to_speak_tls(backend: BackendChoice) {
    let rig = Rig::new(backend);
    for said in ["GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "P"] {
        let mut client = Client::new(tcp(rig.addresses()[1]));
        let (status, text) = client.send(said).answer();
        let text = String::from_utf8(text).expect("it goes well");
        assert!(status == 400 && text.contains("https://"), "{status} {text}");
        assert_eq!(client.rest(), (Vec::new(), true));
    }
}

fn what_is_no_tls_gets_an_alert_and_the_end(backend: BackendChoice) {
    let rig = Rig::new(backend);
    let mut client = tcp(rig.addresses()[1]);
    client.write_all(&[0x80, 0x2e, 1, 0, 2, 0, 0, 0, 0, 0]).expect("it goes well");
    let mut said = Vec::new();
    client.read_to_end(&mut said).expect("it goes well");
    assert_eq!(said.get(..3), Some(&[21, 3, 3][..]), "an alert: {said:?}");
}

fn a_renewed_certificate_is_shown_to_new_connections_only(backend: BackendChoice) {
    let rig = Rig::new(backend);
    let config = rig.config(VERSIONS[0]);
    let shown = |client: &Client<crate::rig::Secured>| {
        client.stream.conn.peer_certificates().expect("a certificate was shown")[0].to_vec()
    };
    let mut before = rig.secure(&config, "a.example");
    before.text("/value");
    let old = shown(&before);
    assert!(matches!(rig.tls.certificates().look(), Look::Same));
    // As certbot does: each file is another, put in the place of the old one; the key comes last.
    let renewed = rig.authority.sign("renewed", &["a.example"]);
    fs::rename(&renewed.certificate, rig.authority.path("a.pem")).expect("it goes well");
    let look = rig.tls.certificates().look();
    assert!(
        matches!(&look, Look::Refused(error) if error.to_string().contains("is not that of the certificate"))
    );
    let fresh = rig.config(VERSIONS[0]);
    let mut between = rig.secure(&fresh, "a.example");
    between.text("/value");
    assert!(shown(&between) == old, "a renewal that is not complete changes nothing");
    fs::rename(&renewed.key, rig.authority.path("a.key")).expect("it goes well");
    assert!(matches!(rig.tls.certificates().look(), Look::Renewed));
    let fresh = rig.config(VERSIONS[0]);
    let mut after = rig.secure(&fresh, "a.example");
    after.text("/value");
    assert!(shown(&after) != old);
    assert_eq!(before.text("/value"), "value", "who was connected goes on");
}

fn certificates_are_watched_and_a_link_that_leads_elsewhere_is_a_renewal(backend: BackendChoice) {
    let version = |rig: &Authority, number: &str| {
        let signed = rig.sign(number, &["a.example"]);
        let folder = rig.path(&format!("version-{number}"));
        fs::create_dir(&folder).expect("the folder is ours");
        fs::rename(signed.certificate, folder.join("tls.crt")).expect("the same");
        fs::rename(signed.key, folder.join("tls.key")).expect("the same");
        folder
    };
    // As Kubernetes does: what is named leads through a link, which is replaced as a whole.
    let rig = Rig::with(backend, 1, |authority, tls| {
        let link = authority.path("present");
        symlink(version(authority, "1"), &link).expect("the folder is ours");
        let (certificate, key) = (link.join("tls.crt"), link.join("tls.key"));
        tls.certificates = vec![CertificateFiles { certificate, key, ocsp: None }];
    });
    let shown = || {
        let mut client = rig.secure(&rig.config(VERSIONS[0]), "a.example");
        client.text("/value");
        client.stream.conn.peer_certificates().expect("a certificate was shown")[0].to_vec()
    };
    let old = shown();
    let link = rig.authority.path("next");
    symlink(version(&rig.authority, "2"), &link).expect("the folder is ours");
    fs::rename(link, rig.authority.path("present")).expect("the same");
    rig.server.look_at_certificates();
    let renewed = (0..10_000).any(|_| shown() != old);
    assert!(renewed, "10000 connections later it is the old one");
}
