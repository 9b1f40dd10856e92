//! What TLS costs a worker: bytes while nothing goes on, allocations for each request. Counted, not measured.
//!
//! aws-lc keeps the state of a cipher within what Rust allocates, so it is counted; what else its C code may allocate is not.

use std::net::TcpStream;

use gannet_server::host::BackendChoice;

use crate::rig::{Client, Rig, VERSIONS, on_each_backend};

on_each_backend! {
    an_idle_connection_keeps_little,
    a_kept_request_allocates_for_its_two_records_only,
}

/// What an idle connection by TLS may keep. It keeps 2.4 KiB (TLS 1.2) or 2.8 KiB.
const MOST_BYTES: isize = 8 * 1024;

/// What the worker has counted.
fn counted(client: &mut Client<TcpStream>) -> (isize, isize) {
    let text = client.text("/counted");
    let (allocations, bytes) = text.split_once(' ').expect("two numbers");
    (allocations.parse().expect("a number"), bytes.parse().expect("a number"))
}

fn an_idle_connection_keeps_little(backend: BackendChoice) {
    const CONNECTIONS: isize = 64;
    let rig = Rig::new(backend);
    for version in VERSIONS {
        let mut clear = rig.clear();
        let config = rig.config(version);
        let connect = |_| {
            let mut client = rig.secure(&config, "a.example");
            // Also what is large is let go of.
            assert_eq!(client.text("/value"), "value");
            assert_eq!(client.get("/files/middle").0, 200);
            client
        };
        let _warm: Vec<_> = (0..CONNECTIONS).map(connect).collect();
        let before = counted(&mut clear).1;
        let _kept: Vec<_> = (0..CONNECTIONS).map(connect).collect();
        let each = (counted(&mut clear).1 - before) / CONNECTIONS;
        assert!((1000..=MOST_BYTES).contains(&each), "{each} bytes by {version:?} on {}", backend.name());
    }
}

/// rustls hands over what it opened in memory of its own, and seals into some: one allocation for each record that comes, and one for each that goes.
fn a_kept_request_allocates_for_its_two_records_only(backend: BackendChoice) {
    const REQUESTS: isize = 200;
    const PER_REQUEST: isize = 2;
    let rig = Rig::new(backend);
    for version in VERSIONS {
        let mut clear = rig.clear();
        let mut client = rig.secure(&rig.config(version), "a.example");
        let cost = |count: isize, clear: &mut Client<TcpStream>, client: &mut Client<_>| {
            let before = counted(clear).0;
            for _ in 0..count {
                assert_eq!(client.text("/value"), "value");
            }
            counted(clear).0 - before
        };
        cost(REQUESTS, &mut clear, &mut client);
        let asking = cost(0, &mut clear, &mut client);
        let all = cost(REQUESTS, &mut clear, &mut client) - asking;
        assert!(
            all <= PER_REQUEST * REQUESTS + 4,
            "{all} for {REQUESTS} requests by {version:?} on {}",
            backend.name()
        );
    }
}
