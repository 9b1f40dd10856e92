//! A worker that is told to end does so without waiting for anything that the engine need not tell.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::Arc;

use gannet_engine::epoll::Epoll;
use gannet_engine::sys::uring::Uring;
use gannet_engine::{Backend, Engine, Listener, Pool};
use gannet_server::{Admission, Command, Limits, Mailbox, Services, SiteBuilder, Turn, Worker};

/// Turns until nothing is left to do.
fn settle(worker: &mut Worker) -> Turn {
    for _ in 0..1000 {
        match worker.turn().expect("the engine goes on") {
            Turn::Busy => {}
            other => return other,
        }
    }
    panic!("a worker with one connection is busy for ever");
}

/// A request has begun; then the worker is told to drain, and then to stop.
fn stops(backend: Box<dyn Backend>) {
    let listener = Listener::bind("127.0.0.1:0".parse().expect("an address"), false).expect("a free port");
    let address = listener.local_address().expect("an address").internet().expect("of TCP");
    let site = Arc::new(SiteBuilder::new().build().expect("no routes, no conflicts"));
    let (admission, mailbox) = (Arc::new(Admission::new(8, 8)), Arc::new(Mailbox::new(8)));
    let mut worker = Worker::new(
        Engine::new(backend),
        site,
        Limits::default(),
        admission,
        mailbox.clone(),
        &Services::inline(),
    );
    worker.listen(listener).expect("the engine listens");
    let mut client = TcpStream::connect(address).expect("the kernel accepts");
    client.write_all(b"GET / HTTP/1.1\r\n").expect("the kernel takes a line");
    assert!(matches!(settle(&mut worker), Turn::Idle(_)), "it waits for the rest of the head");
    assert_eq!(worker.connections(), 1);
    mailbox.command(Command::Drain);
    assert!(matches!(settle(&mut worker), Turn::Idle(Some(_))), "it finishes what runs");
    let refused = TcpStream::connect(address).expect_err("nobody is let in any more").kind();
    assert_eq!(refused, ErrorKind::ConnectionRefused);
    mailbox.command(Command::Stop);
    assert!(matches!(settle(&mut worker), Turn::Done), "it ends at once");
}

mod on_epoll {
    #[test]
    fn a_worker_that_drains_and_is_then_stopped_is_done_before_it_is_idle() {
        if let Some(epoll) = gannet_testing::on("epoll", || super::Epoll::new(super::Pool::new(4096, 16))) {
            super::stops(Box::new(epoll));
        }
    }
}

mod on_uring {
    #[test]
    fn a_worker_that_drains_and_is_then_stopped_is_done_before_it_is_idle() {
        if let Some(uring) = gannet_testing::on("uring", || super::Uring::new(super::Pool::new(4096, 16))) {
            super::stops(Box::new(uring));
        }
    }
}
