//! What the server does when the descriptors are used up (accept(2), `EMFILE`).

use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use gannet::BackendChoice;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::child::{self, Server, is_served};
use crate::common::on_each_backend;

/// The server's limit of descriptors, and how many of them are left to it for connections.
const LIMIT: u64 = 256;
const LEFT: usize = 20;

/// Clients, about twice as many as get in.
const CLIENTS: usize = 2 * LEFT;

on_each_backend! { without_descriptors_those_who_are_in_are_served_on_and_it_is_said_once }

fn without_descriptors_those_who_are_in_are_served_on_and_it_is_said_once(backend: BackendChoice) {
    if child::is_child() { serve(backend) } else { exhaust(backend) }
}

/// The child: serves until its standard input ends.
fn serve(backend: BackendChoice) {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    setrlimit(Resource::Nofile, Rlimit { current: Some(LIMIT), maximum: Some(LIMIT) })
        .expect("lower is allowed");
    let server = child::app(backend).start().expect("it was started before");
    let mut held: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    held.truncate(held.len() - LEFT);
    eprintln!("listening on {}", server.socket_addresses()[0]);
    let _ = std::io::stdin().read(&mut [0]);
}

fn exhaust(backend: BackendChoice) {
    let test = "without_descriptors_those_who_are_in_are_served_on_and_it_is_said_once";
    let mut server = Server::start("exhaustion", backend, test);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    // Connections are accepted in the order in which they came.
    let mut within = clients.remove(0);
    is_served(&mut within);
    server.says("cannot accept connections");
    // Long enough that accepting is tried again, in vain, a few times.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(350) {
        is_served(&mut within);
    }
    // Each that is served leaves, and lets another in.
    for mut client in clients {
        is_served(&mut client);
    }
    is_served(&mut within);
    let (status, said) = server.end();
    assert!(status.success() && !said.contains("cannot accept connections"), "said once: {said}");
}
