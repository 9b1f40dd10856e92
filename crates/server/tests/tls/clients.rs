//! Clients that show certificates.

use gannet_server::host::BackendChoice;
use gannet_testing::Authority;

use crate::rig::{Rig, VERSIONS, clients_of, files_of, on_each_backend};

on_each_backend! {
    the_subject_of_a_client_is_told_to_handlers,
    a_client_without_a_certificate_is_refused_where_it_needs_one,
    a_client_of_another_root_is_refused,
    another_host_than_that_of_the_handshake_is_refused_where_clients_need_certificates,
}

fn the_subject_of_a_client_is_told_to_handlers(backend: BackendChoice) {
    let rig = Rig::with(backend, 1, |authority, tls| tls.clients = Some(clients_of(authority, false)));
    let alice = rig.authority.sign("alice, of accounts", &["alice.example"]);
    for version in VERSIONS {
        let config = rig.config_with(version, Some(&alice));
        for _ in 0..2 {
            // The second time the session is resumed, and is still hers.
            let told = rig.secure(&config, "a.example").text("/tls");
            assert!(told.ends_with(r" a.example CN=alice\, of accounts"), "{told}");
        }
        let told = rig.secure(&rig.config(version), "a.example").text("/tls");
        assert!(told.ends_with(" nobody"), "{told}");
    }
}

fn a_client_without_a_certificate_is_refused_where_it_needs_one(backend: BackendChoice) {
    let rig = Rig::with(backend, 1, |authority, tls| tls.clients = Some(clients_of(authority, true)));
    for version in VERSIONS {
        let config = rig.config(version);
        let mut client = rig.secure(&config, "a.example");
        let _ = std::io::Write::write_all(&mut client.stream, b"GET /value HTTP/1.1\r\nHost: a\r\n\r\n"); // may be told already
        let (said, _) = client.rest();
        assert!(said.is_empty(), "nothing is answered");
    }
    let alice = rig.authority.sign("alice", &["alice.example"]);
    let config = rig.config_with(VERSIONS[0], Some(&alice));
    assert_eq!(rig.secure(&config, "a.example").text("/value"), "value");
}

fn a_client_of_another_root_is_refused(backend: BackendChoice) {
    let rig = Rig::with(backend, 1, |authority, tls| tls.clients = Some(clients_of(authority, false)));
    let other = Authority::new();
    let mallory = other.sign("alice", &["alice.example"]);
    let config = rig.config_with(VERSIONS[0], Some(&mallory));
    let mut client = rig.secure(&config, "a.example");
    let _ = std::io::Write::write_all(&mut client.stream, b"GET /value HTTP/1.1\r\nHost: a\r\n\r\n"); // may be told already
    assert!(client.rest().0.is_empty(), "nothing is answered");
}

fn another_host_than_that_of_the_handshake_is_refused_where_clients_need_certificates(
    backend: BackendChoice,
) {
    for required in [false, true] {
        let rig = Rig::with(backend, 1, |authority, tls| {
            tls.certificates.push(files_of(authority.sign("b", &["b.example"])));
            tls.clients = Some(clients_of(authority, required));
        });
        let alice = rig.authority.sign("alice", &["alice.example"]);
        let config = rig.config_with(VERSIONS[0], Some(&alice));
        let mut client = rig.secure(&config, "b.example");
        let expected = if required { 421 } else { 200 };
        assert_eq!(client.get("/value").0, expected, "a.example on a connection for b.example");
        client.send("GET /value HTTP/1.1\r\nHost: B.example:443\r\n\r\n");
        assert_eq!(client.answer().0, 200);
    }
}
