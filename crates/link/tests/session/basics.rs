//! What every session does: a handshake, plaintext both ways, an end.

use gannet_testing::Authority;

use crate::rig::{asking, client, connected, listening, server, talk};

#[test]
fn both_sides_understand_each_other() {
    let authority = Authority::new();
    let server = server([authority.sign("a", &["a.example"])]);
    let (mut client, mut server) = connected(&server, &client(&authority), "a.example");
    assert!(server.opened.established && client.opened.established);
    let said = client.seal(b"a request");
    server.open(&said, usize::MAX).unwrap();
    let said = server.seal(b"a response");
    client.open(&said, usize::MAX).unwrap();
    assert_eq!((&server.heard[..], &client.heard[..]), (&b"a request"[..], &b"a response"[..]));
    assert_eq!(server.session.server_name(), Some("a.example"));
    assert_eq!((server.session.version(), client.session.version()), (Some("TLSv1.3"), Some("TLSv1.3")));
    assert_eq!(server.session.protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(server.session.cipher(), Some("TLS_AES_256_GCM_SHA384"));
    assert!(!server.session.is_resumed() && server.session.peer_identity().is_none());
    assert_eq!(client.session.peer_identity().unwrap().names, ["a.example"]);
}

#[test]
fn a_handshake_may_be_cut_at_every_byte() {
    let authority = Authority::new();
    let (server, client) = (server([authority.sign("a", &["a.example"])]), client(&authority));
    for most in [1, 2, 3, 5, 7, 64, 1000] {
        let (mut client, mut server) = (asking(&client, "a.example"), listening(&server));
        talk(&mut client, &mut server, most).unwrap();
        let said = client.seal(&[7; 40_000]);
        server.open(&said, most).unwrap();
        assert!(server.heard == [7; 40_000], "in pieces of {most}");
        assert!(!server.session.is_within_record());
    }
}

#[test]
fn the_end_is_said_and_heard() {
    let authority = Authority::new();
    let server = server([authority.sign("a", &["a.example"])]);
    let (mut client, mut server) = connected(&server, &client(&authority), "a.example");
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
