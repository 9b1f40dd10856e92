//! What every session does: a handshake, plaintext both ways, an end.

use gannet_link::Session;

use crate::rig::{Authority, Side, connected, talk};

#[test]
fn both_sides_understand_each_other() {
    let authority = Authority::new();
    let server = authority.server(vec![authority.sign("a", &["a.example"])]);
    let (mut client, mut server) = connected(&server, &authority.client(), "a.example");
    let said = client.seal(b"a request");
    server.open(&said, usize::MAX).unwrap();
    let said = server.seal(b"a response");
    client.open(&said, usize::MAX).unwrap();
    assert_eq!((&server.heard[..], &client.heard[..]), (&b"a request"[..], &b"a response"[..]));
    assert_eq!(server.session.server_name(), Some("a.example"));
    assert_eq!((server.session.version(), client.session.version()), (Some("TLSv1.3"), Some("TLSv1.3")));
    assert_eq!(server.session.protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(server.session.cipher(), Some("TLS_AES_256_GCM_SHA384"));
}

#[test]
fn a_handshake_may_be_cut_at_every_byte() {
    let authority = Authority::new();
    let server = authority.server(vec![authority.sign("a", &["a.example"])]);
    let client = authority.client();
    for most in [1, 2, 3, 5, 7, 64, 1000] {
        let mut client = Side::new(Session::client(&client, "a.example").unwrap());
        let mut server = Side::new(Session::server(&server).unwrap());
        talk(&mut client, &mut server, most).unwrap();
        let said = client.seal(&[7; 40_000]);
        server.open(&said, most).unwrap();
        assert!(server.heard == [7; 40_000], "in pieces of {most}");
    }
}

#[test]
fn the_end_is_said_and_heard() {
    let authority = Authority::new();
    let server = authority.server(vec![authority.sign("a", &["a.example"])]);
    let (mut client, mut server) = connected(&server, &authority.client(), "a.example");
    server.session.close();
    let said = server.seal(b"");
    assert!(!said.is_empty() && !client.opened.peer_closed);
    client.open(&said, usize::MAX).unwrap();
    assert!(client.opened.peer_closed && client.session.peer_closed());
    client.session.close();
    let said = client.seal(b"");
    server.open(&said, usize::MAX).unwrap();
    assert!(server.session.peer_closed());
}
