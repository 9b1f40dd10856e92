//! What is served in clear text is served by TLS, to the byte.

use std::net::Shutdown;

use gannet_server::host::BackendChoice;

use crate::rig::{FILES, Rig, VERSIONS, content, on_each_backend};

on_each_backend! {
    whatever_is_served_in_clear_text_is_served_by_tls,
    a_body_of_any_size_arrives_by_tls,
    pipelined_requests_are_answered_in_order,
    the_end_is_said_before_it_comes,
    a_request_says_by_which_tls_it_came,
    a_conversation_is_told_whether_its_client_ended_it_or_was_cut_off,
}

fn whatever_is_served_in_clear_text_is_served_by_tls(backend: BackendChoice) {
    let rig = Rig::new(backend);
    let mut targets: Vec<String> =
        ["/value", "/bytes", "/later", "/none"].iter().map(|target| (*target).to_owned()).collect();
    targets.extend(FILES.map(|(name, _)| format!("/files/{name}")));
    for version in VERSIONS {
        let config = rig.config(version);
        let (mut clear, mut secure) = (rig.clear(), rig.secure(&config, "a.example"));
        for target in &targets {
            assert!(clear.get(target) == secure.get(target), "{target} by {version:?}");
        }
    }
    let config = rig.config(VERSIONS[0]);
    for (name, bytes) in FILES {
        let (_, got) = rig.secure(&config, "a.example").get(&format!("/files/{name}"));
        assert!(got == content(bytes), "{name}");
    }
}

fn a_body_of_any_size_arrives_by_tls(backend: BackendChoice) {
    let rig = Rig::new(backend);
    for version in VERSIONS {
        let config = rig.config(version);
        let mut client = rig.secure(&config, "a.example");
        for bytes in [0, 1, 16_384, 16_385, 1_000_000] {
            client
                .send(format!("POST /count HTTP/1.1\r\nHost: a.example\r\nContent-Length: {bytes}\r\n\r\n"));
            let (_, answer) = client.send(content(bytes)).answer();
            assert_eq!(answer, bytes.to_string().as_bytes());
        }
    }
}

fn pipelined_requests_are_answered_in_order(backend: BackendChoice) {
    let rig = Rig::new(backend);
    let mut client = rig.secure(&rig.config(VERSIONS[0]), "a.example");
    let targets = ["/value", "/files/small", "/later", "/files/middle", "/value", "/bytes", "/value"];
    let requests: String =
        targets.iter().map(|target| format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")).collect();
    client.send(requests);
    let mut clear = rig.clear();
    for target in targets {
        assert!(client.answer() == clear.get(target), "{target}");
    }
}

fn the_end_is_said_before_it_comes(backend: BackendChoice) {
    let rig = Rig::new(backend);
    for version in VERSIONS {
        let mut client = rig.secure(&rig.config(version), "a.example");
        client.send("GET /value HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        assert_eq!(client.answer(), (200, b"value".to_vec()));
        // rustls takes an end that was not said for an error.
        assert_eq!(client.rest(), (Vec::new(), true));
    }
}

fn a_request_says_by_which_tls_it_came(backend: BackendChoice) {
    let rig = Rig::new(backend);
    assert_eq!(rig.clear().text("/tls"), "http none none unnamed nobody");
    let told = rig.secure(&rig.config(VERSIONS[0]), "a.example").text("/tls");
    assert_eq!(told, "https TLSv1.3 TLS_AES_256_GCM_SHA384 a.example nobody");
    let told = rig.secure(&rig.config(VERSIONS[1]), "a.example").text("/tls");
    assert_eq!(told, "https TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 a.example nobody");
}

fn a_conversation_is_told_whether_its_client_ended_it_or_was_cut_off(backend: BackendChoice) {
    let rig = Rig::new(backend);
    for (ends_it, expected) in [(true, "ended"), (false, "cut off")] {
        let mut client = rig.secure(&rig.config(VERSIONS[0]), "a.example");
        client.send(
            "GET /listen HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: listen\r\n\r\n",
        );
        client.switched();
        client.send("something");
        if ends_it {
            client.stream.conn.send_close_notify();
            std::io::Write::flush(&mut client.stream).expect("it is taken");
        }
        client.stream.sock.shutdown(Shutdown::Write).expect("it is connected");
        let (told, in_good_order) = client.rest();
        assert_eq!((std::str::from_utf8(&told), in_good_order), (Ok(expected), true));
    }
}
