//! Where an application listens, besides addresses of TCP.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use gannet::{Address, App, BackendChoice, MappedSends};

use crate::rig::{block_on, on_each_backend};

on_each_backend!(
    a_unix_socket_serves_small_and_large_by_every_worker_and_drains,
    an_address_and_a_unix_socket_are_served_at_once,
);

fn ask(stream: &mut UnixStream, path: &str, length: usize) -> Vec<u8> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").expect("the server takes what is sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head comes");
        head.push(byte[0]);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body comes");
    body
}

fn a_unix_socket_serves_small_and_large_by_every_worker_and_drains(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let large: Vec<u8> = (0..5_000_000).map(|index| (index % 251) as u8).collect();
    std::fs::write(folder.path().join("large"), &large).expect("written");
    let socket = folder.path().join("socket");
    for mapped_sends in [MappedSends::On, MappedSends::Off] {
        let app = App::new().get("/", "hello").files("/files", folder.path()).mapped_sends(mapped_sends);
        let mut server =
            app.listen_unix(&socket).workers(2).backend(backend).start().expect("the application is sound");
        let mut streams: Vec<_> =
            (0..8).map(|_| UnixStream::connect(&socket).expect("the server listens")).collect();
        for stream in &mut streams {
            assert_eq!(ask(stream, "/", 5), b"hello");
            assert!(ask(stream, "/files/large", large.len()) == large, "{mapped_sends:?}");
            assert_eq!(ask(stream, "/", 5), b"hello");
        }
        drop(streams);
        server.drain();
        block_on(server.wait()).expect("drained");
        drop(server);
        assert!(!socket.exists());
    }
}

fn an_address_and_a_unix_socket_are_served_at_once(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let socket = folder.path().join("socket");
    let app = App::new().get("/", "hello").listen("127.0.0.1:0").listen_unix(&socket);
    let server = app.workers(1).backend(backend).start().expect("the application is sound");
    let [Address::Internet(address), Address::Unix(path)] = server.addresses() else {
        panic!("{:?}", server.addresses());
    };
    assert_eq!((server.socket_addresses(), path), (vec![*address], &socket));
    assert_eq!(crate::rig::Client::connect(&server).get("/").says(), (200, "hello"));
    assert_eq!(ask(&mut UnixStream::connect(&socket).expect("the server listens"), "/", 5), b"hello");
}
