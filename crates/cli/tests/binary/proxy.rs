//! `gannet proxy`, and proxies before the binary: whom it believes, and what it passes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use gannet_testing::Authority;
use rustix::process::Signal;

use crate::rig::{Gannet, exchange, free_port, gannet};
use crate::tls::serve_securely;
use crate::{complaint, has_field, serve, site};

on_each_backend! {
    requests_are_passed_on_to_an_upstream_and_its_answers_back
    whom_a_proxy_header_names_is_the_client_in_the_log
}

/// A server that answers each request with its head, and tells it.
fn upstream() -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || answer_all(stream, &tell));
        }
    });
    (address, told)
}

/// Answers until the client leaves.
fn answer_all(stream: TcpStream, tell: &mpsc::Sender<String>) {
    let mut writer = stream.try_clone().expect("a descriptor");
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match reader.read_line(&mut head) {
                Ok(count) if count > 0 => {}
                _ => return,
            }
        }
        let answer = format!("HTTP/1.1 200 OK\r\nX-Own: yes\r\nContent-Length: {}\r\n\r\n{head}", head.len());
        let _ = tell.send(head); // the test may have heard enough
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn proxy(upstream: &str) -> std::process::Command {
    let mut command = gannet();
    command.args(["proxy", upstream, "--listen", "127.0.0.1:0"]);
    command
}

/// What is asked with these fields, and what is answered.
fn asked_with(address: SocketAddr, fields: &str) -> String {
    said_to(address, &format!("GET /a?b HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n{fields}\r\n"))
}

/// All that is answered to these bytes.
fn said_to(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("a time limit can be set");
    let mut answer = Vec::new();
    // Who is refused learns it from whichever of the two.
    let _ = stream.write_all(bytes.as_bytes()).and_then(|()| stream.read_to_end(&mut answer).map(drop));
    String::from_utf8_lossy(&answer).into_owned()
}

fn requests_are_passed_on_to_an_upstream_and_its_answers_back(backend: &str) {
    let (upstream, told) = upstream();
    let mut server = Gannet::start(proxy(&upstream.to_string()).args(["--backend", backend]));
    assert!(server.banner.contains(&format!("   to {upstream}   ")), "{}", server.banner);
    let answer = asked_with(server.address(), "x-forwarded-for: 1.2.3.4\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && has_field(&answer, "x-own", "yes"), "{answer}");
    let head = told.recv().expect("it was asked");
    assert!(head.starts_with("GET /a?b HTTP/1.1\r\n"), "{head}");
    assert!(has_field(&head, "host", "a.example"), "{head}");
    assert!(has_field(&head, "x-forwarded-for", "127.0.0.1"), "nobody is believed: {head}");
    assert!(answer.ends_with(&head), "{answer}");
    server.signal(Signal::TERM);
    let log = server.wait().stdout;
    assert!(log.contains("\"remote_address\":\"127.0.0.1\"") && !log.contains("proxy_address"), "{log}");
}

#[test]
fn a_trusted_proxy_is_believed_whom_it_asks_for() {
    let (upstream, told) = upstream();
    let mut command = proxy(&upstream.to_string());
    let mut server = Gannet::start(command.args(["--trust", "loopback", "--host", "upstream"]));
    asked_with(server.address(), "x-forwarded-for: 1.1.1.1, 203.0.113.9\r\n");
    let head = told.recv().expect("it was asked");
    let fields: Vec<_> =
        head.lines().filter(|line| line.to_ascii_lowercase().starts_with("x-forwarded-for")).collect();
    assert!(
        fields.len() == 1 && fields[0].contains("203.0.113.9") && fields[0].ends_with("127.0.0.1"),
        "{head}"
    );
    assert!(has_field(&head, "host", &upstream.to_string()), "{head}");
    server.signal(Signal::TERM);
    let log = server.wait().stdout;
    let both = "\"remote_address\":\"203.0.113.9\",\"proxy_address\":\"127.0.0.1\"";
    assert!(log.contains(both), "{log}");
}

#[test]
fn an_upstream_that_is_not_there_is_a_bad_gateway() {
    let address = format!("127.0.0.1:{}", free_port());
    let server = Gannet::start(&mut proxy(&address));
    let answer = exchange(server.address(), "GET", "/");
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
}

#[test]
fn an_upstream_that_is_none_is_told_with_what_would_be_one() {
    for upstream in ["app", "ftp://app", "http://app/path", "unix:"] {
        let line = complaint(&mut proxy(upstream), 1);
        assert!(line.contains(upstream), "{upstream}: {line}");
    }
}

#[test]
fn an_upstream_over_tls_is_trusted_by_its_authority_and_by_no_other() {
    let (folder, authority) = (site(), Authority::new());
    let signed = authority.sign("localhost", &["localhost"]);
    let upstream = Gannet::start(&mut serve_securely(folder.path(), &signed));
    let address = format!("https://localhost:{}", upstream.address().port());
    let other = Authority::new();
    for (authority, status) in [(&authority, "200 OK"), (&other, "502 Bad Gateway")] {
        let server = Gannet::start(proxy(&address).arg("--upstream-ca").arg(authority.root()));
        let answer = exchange(server.address(), "GET", "/");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
    }
    let line = complaint(proxy(&address).args(["--upstream-ca", "/no/such.pem"]), 1);
    assert!(line.contains("/no/such.pem"), "{line}");
}

fn whom_a_proxy_header_names_is_the_client_in_the_log(backend: &str) {
    let folder = site();
    let mut command = serve(folder.path());
    command.args(["--proxy-protocol", "--trust", "loopback", "--backend", backend]);
    let mut server = Gannet::start(&mut command);
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let header = "PROXY TCP4 203.0.113.9 198.51.100.1 4711 80\r\n";
    let answer = said_to(server.address(), &format!("{header}{request}"));
    assert!(answer.ends_with("<h1>Here</h1>"), "{answer}");
    assert_eq!(said_to(server.address(), request), "", "without a header nothing is answered");
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert!(ended.stdout.contains("\"remote_address\":\"203.0.113.9\""), "{}", ended.stdout);
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    assert!(ended.stderr.contains("does not begin with a PROXY header"), "{}", ended.stderr);
}

#[test]
fn a_proxy_header_of_who_is_not_trusted_is_not_read() {
    let folder = site();
    let mut server = Gannet::start(serve(folder.path()).args(["--proxy-protocol", "--trust", "10.0.0.0/8"]));
    let header = "PROXY TCP4 203.0.113.9 198.51.100.1 4711 80\r\n";
    assert_eq!(said_to(server.address(), &format!("{header}GET / HTTP/1.1\r\nhost: a\r\n\r\n")), "");
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    assert!(ended.stderr.contains("not from a trusted proxy"), "{}", ended.stderr);
}

#[test]
fn the_header_that_is_sent_to_an_upstream_is_one_that_is_taken_also_over_tls() {
    let (folder, authority) = (site(), Authority::new());
    let signed = authority.sign("localhost", &["localhost"]);
    for version in ["v1", "v2"] {
        let mut command = serve_securely(folder.path(), &signed);
        let mut upstream = Gannet::start(command.args(["--proxy-protocol", "--trust", "loopback"]));
        let address = format!("https://localhost:{}", upstream.address().port());
        let mut command = proxy(&address);
        command.args(["--send-proxy", version]).arg("--upstream-ca").arg(authority.root());
        let server = Gannet::start(&mut command);
        for _ in 0..2 {
            let answer = exchange(server.address(), "GET", "/");
            assert!(answer.ends_with("<h1>Here</h1>"), "{version}: {answer}");
        }
        upstream.signal(Signal::TERM);
        assert_eq!(upstream.wait().stdout.lines().count(), 2);
    }
}
