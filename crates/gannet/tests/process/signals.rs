//! `App::run` and the signals that end it.

use std::future::poll_fn;
use std::io::BufRead;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use gannet::{BackendChoice, Limits, Request};
use rustix::process::Signal;
use tokio::sync::Notify;

use crate::child::{self, Server, answer, ask, is_served};
use crate::common::on_each_backend;

on_each_backend! {
    the_first_signal_drains_and_the_second_ends_at_once,
    a_program_without_a_log_says_where_it_listens_and_no_more,
}

fn a_program_without_a_log_says_where_it_listens_and_no_more(backend: BackendChoice) {
    if child::is_child() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        return runtime.block_on(child::app(backend).run()).expect("it ends in order");
    }
    let mut server =
        Server::start("signals", backend, "a_program_without_a_log_says_where_it_listens_and_no_more");
    is_served(&mut server.connect());
    server.signal(Signal::TERM);
    let (status, rest) = server.end();
    assert!(status.success() && !rest.contains("ended"), "{rest}");
}

fn the_first_signal_drains_and_the_second_ends_at_once(backend: BackendChoice) {
    if child::is_child() {
        return serve(backend);
    }
    drains(backend, Signal::TERM);
    drains(backend, Signal::INT);
    ends_at_once(backend);
}

/// The child: runs until a signal comes. `/slow` goes on when a line comes in by standard input.
fn serve(backend: BackendChoice) {
    let go_on = Arc::new(Notify::new());
    let released = go_on.clone();
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().for_each(|_| go_on.notify_one());
    });
    let slow = move |_: Request| {
        let released = released.clone();
        async move {
            eprintln!("slow begins");
            released.notified().await;
            "slow, but done"
        }
    };
    let limits = Limits { drain_grace: Duration::from_millis(20), ..Limits::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let app = child::app(backend).get("/slow", slow).limits(limits);
        let mut server = app.start().expect("it was started before");
        let address = server.socket_addresses()[0];
        let mut ended = std::pin::pin!(server.wait_for_signals());
        // Its first poll listens for signals: only then is anybody told that we are here.
        let first = poll_fn(|context| Poll::Ready(ended.as_mut().poll(context))).await;
        assert!(first.is_pending());
        eprintln!("listening on {address}");
        ended.await.expect("drained or stopped");
        eprintln!("ended in order");
    });
}

fn start(backend: BackendChoice) -> Server {
    Server::start("signals", backend, "the_first_signal_drains_and_the_second_ends_at_once")
}

fn drains(backend: BackendChoice, signal: Signal) {
    let mut server = start(backend);
    let (mut idle, mut busy) = (server.connect(), server.connect());
    is_served(&mut idle);
    ask(&mut busy, "/slow");
    server.says("slow begins");
    server.signal(signal);
    assert_eq!(answer(&mut idle), "", "an idle connection ends");
    server.tell();
    let last = answer(&mut busy);
    assert!(last.contains("\r\nConnection: close\r\n") && last.ends_with("slow, but done"), "{last}");
    assert_eq!(answer(&mut busy), "");
    drop(busy);
    server.says("ended in order");
    assert!(server.end().0.success());
}

fn ends_at_once(backend: BackendChoice) {
    let mut server = start(backend);
    let (mut idle, mut busy) = (server.connect(), server.connect());
    is_served(&mut idle);
    ask(&mut busy, "/slow");
    server.says("slow begins");
    server.signal(Signal::TERM);
    assert_eq!(answer(&mut idle), "", "it drains");
    server.signal(Signal::TERM);
    assert_eq!(answer(&mut busy), "", "nothing is waited for");
    server.says("ended in order");
    assert!(server.end().0.success());
}
