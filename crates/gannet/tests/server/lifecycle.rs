//! Starting, draining, stopping; and the limits of connections and of patience.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use gannet::prelude::*;
use gannet::{BackendChoice, Limits};
use socket2::{Domain, Socket, Type};
use tokio::sync::Notify;

use crate::rig::{Client, PATIENCE, TellWhenDropped, block_on, on_each_backend, serve};

on_each_backend!(
    dropping_the_server_ends_its_connections_and_frees_its_port,
    the_server_can_be_a_task_and_is_stopped_when_its_future_is_dropped,
    draining_finishes_what_runs_and_ends_what_is_idle_and_lets_nobody_in,
    draining_waits_no_longer_than_its_limit,
    draining_lets_what_is_being_sent_go_out,
    stopping_drops_what_runs,
    clients_that_come_and_go_leave_nothing_behind,
    a_port_that_another_has_is_refused_though_the_other_would_share_it,
    every_mistake_in_an_application_is_told_at_once_and_nothing_is_begun,
    two_workers_share_the_connections,
    a_server_listens_on_every_address_it_is_given,
);

/// Limits with so short a grace for idle connections that a test that drains need not wait.
fn hasty() -> Limits {
    Limits { drain_grace: Duration::from_millis(20), ..Limits::default() }
}

fn app() -> App {
    App::new().get("/", "hello")
}

/// An application whose `/slow` waits: says on the first that it has begun, and goes on when told on the second.
pub fn slow() -> (App, Arc<Notify>, Arc<Notify>) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (started, released) = (begun.clone(), go_on.clone());
    let slow = move |_: Request| {
        let (started, released) = (started.clone(), released.clone());
        async move {
            started.notify_one();
            released.notified().await;
            "finished"
        }
    };
    (app().get("/slow", slow), begun, go_on)
}

const SLOW: &str = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";

fn dropping_the_server_ends_its_connections_and_frees_its_port(backend: BackendChoice) {
    let (app, begun, _) = slow();
    let server = serve(app, backend);
    let address = server.socket_addresses()[0];
    let (mut idle, mut busy) = (Client::connect(&server), Client::connect(&server));
    idle.get("/");
    busy.send(SLOW);
    block_on(begun.notified());
    drop(server);
    idle.ends();
    busy.ends();
    let again = self::app().listen(address).workers(2).backend(backend).start().expect("the port is free");
    assert_eq!(Client::connect(&again).get("/").says(), (200, "hello"));
}

fn the_server_can_be_a_task_and_is_stopped_when_its_future_is_dropped(backend: BackendChoice) {
    fn assert_send<T: Send>(future: T) -> T {
        future
    }
    // An address that no other test listens on, so that none takes the port meanwhile.
    let host = if backend == BackendChoice::Epoll { [127, 0, 0, 77] } else { [127, 0, 0, 78] };
    let free = TcpListener::bind(SocketAddr::from((host, 0))).and_then(|listener| listener.local_addr());
    let address = free.expect("a free port");
    block_on(async {
        let run = assert_send(app().listen(address).workers(2).backend(backend).run());
        let task = tokio::spawn(run);
        tokio::task::yield_now().await; // its first poll starts it
        let mut client = Client::to(address).expect("the server listens");
        assert_eq!(client.get("/").says(), (200, "hello"));
        task.abort();
        assert!(task.await.expect_err("aborted").is_cancelled());
        client.ends();
    });
    TcpListener::bind(address).expect("the port is free");
}

fn draining_finishes_what_runs_and_ends_what_is_idle_and_lets_nobody_in(backend: BackendChoice) {
    let (app, begun, go_on) = slow();
    let mut server = serve(app.limits(hasty()), backend);
    let address = server.socket_addresses()[0];
    let (mut idle, mut busy) = (Client::connect(&server), Client::connect(&server));
    idle.get("/");
    busy.send(SLOW);
    block_on(begun.notified());
    server.drain();
    idle.ends();
    assert_eq!(Client::to(address).err().map(|error| error.kind()), Some(ErrorKind::ConnectionRefused));
    go_on.notify_one();
    let answer = busy.answer();
    assert_eq!((answer.says(), answer.field("connection")), ((200, "finished"), Some("close")));
    busy.ends();
    drop(busy);
    block_on(server.wait()).expect("drained");
}

fn draining_waits_no_longer_than_its_limit(backend: BackendChoice) {
    let (app, begun, _never) = slow();
    let limits = Limits { drain_timeout: Duration::from_millis(50), ..hasty() };
    let mut server = serve(app.limits(limits), backend);
    let mut busy = Client::connect(&server);
    busy.send(SLOW);
    block_on(begun.notified());
    server.drain();
    block_on(server.wait()).expect("drained");
    assert!(busy.rest_of_broken().is_empty());
}

fn draining_lets_what_is_being_sent_go_out(backend: BackendChoice) {
    let large = gannet::Bytes::from(vec![b'x'; 20_000_000]);
    let app = app().get("/large", move |_: Request| Response::bytes(large.clone())).limits(hasty());
    let mut server = serve(app, backend);
    let mut client = Client::connect(&server);
    assert_eq!(client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
    server.drain();
    assert_eq!(client.rest().len(), 20_000_000);
    drop(client);
    block_on(server.wait()).expect("drained");
}

fn clients_that_come_and_go_leave_nothing_behind(backend: BackendChoice) {
    let (app, _, _) = slow();
    let server = serve(app, backend);
    for round in 0..300 {
        let mut client = Client::connect(&server);
        match round % 4 {
            0 => assert_eq!(client.get("/").says(), (200, "hello")),
            1 => drop(client.send(SLOW)),
            2 => client.reset(),
            _ => drop(client.send("GET / HT")),
        }
    }
    let begun = std::time::Instant::now();
    while server.connections() > 0 {
        assert!(begun.elapsed() < PATIENCE, "{} connections are left", server.connections());
        std::thread::yield_now();
    }
}

fn stopping_drops_what_runs(backend: BackendChoice) {
    let (told, heard) = mpsc::channel();
    let (begun, started) = {
        let begun = Arc::new(Notify::new());
        (begun.clone(), begun)
    };
    let waits = move |_: Request| {
        let (dropped, started) = (TellWhenDropped(told.clone()), started.clone());
        async move {
            let _dropped = dropped;
            started.notify_one();
            std::future::pending::<&str>().await
        }
    };
    let mut server = serve(app().get("/slow", waits), backend);
    let mut client = Client::connect(&server);
    client.send(SLOW);
    block_on(begun.notified());
    server.stop();
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
    client.ends();
    block_on(server.wait()).expect("stopped");
}

fn a_port_that_another_has_is_refused_though_the_other_would_share_it(backend: BackendChoice) {
    for shared in [false, true] {
        let other = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a descriptor");
        other.set_reuse_port(shared).expect("an option of TCP");
        other.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        other.listen(1).expect("bound");
        let address = other.local_addr().ok().and_then(|address| address.as_socket()).expect("bound");
        for workers in [1, 2] {
            let error = app()
                .listen(address)
                .workers(workers)
                .backend(backend)
                .start()
                .expect_err("taken")
                .to_string();
            let tells =
                error.contains(&address.to_string()) && error.contains("another program listens there");
            assert!(tells && !error.contains('\n'), "{error}");
        }
    }
}

fn every_mistake_in_an_application_is_told_at_once_and_nothing_is_begun(backend: BackendChoice) {
    let app =
        app().get("/", "again").get("no-slash", "x").files("/files", "/no/such/folder").listen("nowhere");
    let error = app.listen("127.0.0.1:0").backend(backend).start().expect_err("four mistakes").to_string();
    for part in ["\"/\" has two handlers for GET", "no-slash", "/no/such/folder", "nowhere"] {
        assert_eq!(error.lines().filter(|line| line.contains(part)).count(), 1, "{part}: {error}");
    }
    assert_eq!(error.lines().count(), 4, "{error}");
}

fn two_workers_share_the_connections(backend: BackendChoice) {
    let name = |_: Request| std::thread::current().name().unwrap_or_default().to_owned();
    let app = App::new().get("/", name).listen("127.0.0.1:0").workers(2).backend(backend);
    let server = app.start().expect("the application is sound");
    assert_eq!(server.workers(), 2);
    // The kernel chooses by the client's port: that 200 of them all fall to one worker does not happen.
    let mut clients: Vec<_> = (0..200).map(|_| Client::connect(&server)).collect();
    let workers: HashSet<_> = clients.iter_mut().map(|client| client.get("/").text().to_owned()).collect();
    assert_eq!(workers.len(), 2, "{workers:?}");
}

fn a_server_listens_on_every_address_it_is_given(backend: BackendChoice) {
    let app = app().listen("127.0.0.1:0").listen("127.0.0.2:0").workers(2).backend(backend);
    let server = app.start().expect("the application is sound");
    for address in server.socket_addresses() {
        assert_eq!(Client::to(address).expect("listens").get("/").says(), (200, "hello"));
    }
    assert_eq!(server.socket_addresses().len(), 2);
}
