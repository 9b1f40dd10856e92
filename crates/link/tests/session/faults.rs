//! What is no TLS, and peers with whom nothing is in common.

use gannet_link::FaultKind;
use gannet_testing::Authority;

use crate::rig::{asking, client, listening, server, talk};

#[test]
fn http_without_tls_is_known_by_its_first_letter_and_nothing_is_answered() {
    let authority = Authority::new();
    let tls = server([authority.sign("a", &["a.example"])]);
    for said in [&b"GET / HTTP/1.1\r\n"[..], b"P", b"PRI * HTTP/2.0"] {
        let mut server = listening(&tls);
        assert_eq!(server.open(said, usize::MAX).unwrap_err().kind, FaultKind::PlainHttp);
        assert!(!server.session.wants_to_send());
    }
    let mut client = asking(&client(&authority), "a.example");
    client.seal(b"");
    assert_eq!(client.open(b"HTTP/1.1 400", usize::MAX).unwrap_err().kind, FaultKind::PlainHttp);
}

#[test]
fn noise_is_a_fault_of_the_peer_and_gets_an_alert() {
    let authority = Authority::new();
    let tls = server([authority.sign("a", &["a.example"])]);
    for said in [
        &[0x80, 0x2e, 1, 0, 2, 0, 0, 0][..],
        &[0; 64],
        &[22, 3, 1, 0xff, 0xff, 1, 2, 3],
        &[22, 3, 1, 0, 4, 99, 0, 0, 0],
    ] {
        let mut server = listening(&tls);
        let fault = server.open(said, usize::MAX).expect_err(&format!("{said:?}"));
        assert_eq!(
            (fault.kind, fault.at_fault()),
            (FaultKind::Broken, gannet_link::AtFault::Peer),
            "{said:?}: {fault}"
        );
        let alert = server.seal(b"");
        assert_eq!(alert.first(), Some(&21), "{said:?}: {alert:?}");
    }
}

#[test]
fn a_handshake_without_end_is_bounded() {
    let authority = Authority::new();
    let mut server = listening(&server([authority.sign("a", &["a.example"])]));
    // A message of the largest size that can be said, of which every record has one byte.
    let mut record = vec![22, 3, 1, 0, 1, 1];
    let mut said = 0;
    let fault = loop {
        if let Err(fault) = server.open(&record, usize::MAX) {
            break fault;
        }
        said += record.len();
        record[5] = 0;
        assert!(said < 300_000, "it goes on and on");
    };
    assert!(matches!(fault.kind, FaultKind::Broken | FaultKind::TooLarge), "{fault}");
}

#[test]
fn a_client_that_does_not_trust_the_root_says_so() {
    let authority = Authority::new();
    let tls = server([authority.sign("a", &["a.example"])]);
    let stranger = client(&Authority::new());
    let (mut client, mut server) = (asking(&stranger, "a.example"), listening(&tls));
    assert_eq!(talk(&mut client, &mut server, usize::MAX).unwrap_err().kind, FaultKind::BadCertificate);
    let said = client.seal(b"");
    let fault = server.open(&said, usize::MAX).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.message.starts_with("the peer sent the alert "), "{fault}");
}
