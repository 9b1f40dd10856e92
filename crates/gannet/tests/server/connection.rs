//! Connections: pipelining, persistence, and how they end.

use gannet::prelude::*;
use gannet::{BackendChoice, Body, Method};

use crate::rig::{Client, Over, Server, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    heads_up_to_their_limit_are_read_whole,
    pipelined_requests_wait_for_one_that_is_answered_later,
    head_is_answered_as_get_is_but_without_a_body,
    a_refusal_is_a_page_for_a_browser_and_a_line_for_a_program,
    every_answer_says_when_it_was_made,
    options_is_answered_with_what_the_path_allows,
    a_target_in_absolute_form_is_routed_by_its_path,
);

on_each_backend!(
    a_client_that_ends_its_half_behind_its_request_gets_its_answer,
    many_more_pipelined_requests_than_are_answered_at_once_are_all_answered,
    sixteen_pipelined_requests_are_answered_in_order_and_in_one_send,
    pipelined_requests_that_arrive_in_pieces_are_answered_in_order,
    pipelined_requests_of_a_client_that_ends_its_half_are_all_answered,
    requests_behind_a_streamed_answer_are_answered_though_the_client_has_ended_its_half,
    a_client_of_http_1_0_gets_one_answer_and_the_end_unless_it_asks_to_stay,
    a_streamed_body_for_a_client_of_http_1_0_ends_with_the_connection,
    a_client_that_says_close_gets_its_answer_and_the_end,
    garbage_behind_a_request_is_refused_after_the_answer,
    malformed_requests_are_answered_with_their_status_and_the_end,
    a_refused_request_does_not_take_its_answer_with_it_though_the_client_goes_on_sending,
);

fn app() -> App {
    App::new().get("/", "hello").get("/target", |request: Request| request.target().to_owned())
}

fn sixteen_pipelined_requests_are_answered_in_order_and_in_one_send(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    client.get("/"); // the connection is accepted
    let requests: String = (0..16).map(|n| get(&format!("/target?{n}"))).collect();
    let answers = client.send(requests).receive_once();
    let bodies: Vec<_> = answers.split("HTTP/1.1 200 OK").skip(1).map(last_line).collect();
    assert_eq!(bodies, (0..16).map(|n| format!("/target?{n}")).collect::<Vec<_>>());
}

fn pipelined_requests_that_arrive_in_pieces_are_answered_in_order(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    let requests: String = (0..20).map(|n| get(&format!("/target?{n}"))).collect();
    for piece in requests.as_bytes().chunks(7) {
        client.send(piece);
    }
    for n in 0..20 {
        assert_eq!(client.answer().says(), (200, &*format!("/target?{n}")));
    }
}

fn many_more_pipelined_requests_than_are_answered_at_once_are_all_answered(backend: BackendChoice) {
    let server = serve(app().get("/large", "large ".repeat(2000)), backend);
    let mut client = Client::connect(&server);
    let mut stream = client.stream();
    let sender = std::thread::spawn(move || {
        for _ in 0..1000 {
            std::io::Write::write_all(&mut stream, get("/large").as_bytes()).expect("taken");
        }
    });
    for _ in 0..1000 {
        assert_eq!(client.answer().body.len(), 12_000);
    }
    sender.join().expect("all were sent");
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn pipelined_requests_of_a_client_that_ends_its_half_are_all_answered(backend: BackendChoice) {
    let server = serve(app().get("/large", "large ".repeat(2000)), backend);
    let mut client = Client::connect(&server);
    client.send(get("/large").repeat(100)).finish();
    for _ in 0..100 {
        assert_eq!(client.answer().body.len(), 12_000);
    }
    client.ends();
}

fn requests_behind_a_streamed_answer_are_answered_though_the_client_has_ended_its_half(
    backend: BackendChoice,
) {
    let server = serve(app().post("/echo", crate::body::echo), backend);
    let mut client = Client::connect(&server);
    let mut stream = client.stream();
    let sender = std::thread::spawn(move || {
        let body = "x".repeat(3_000_000);
        let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        std::io::Write::write_all(&mut stream, [&head, &*body, &get("/")].concat().as_bytes())
            .expect("taken");
        stream.shutdown(std::net::Shutdown::Write).expect("still connected");
    });
    assert_eq!(client.answer().body.len(), 3_000_000);
    assert_eq!(client.answer().says(), (200, "hello"));
    client.ends();
    sender.join().expect("all was sent");
}

fn heads_up_to_their_limit_are_read_whole(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    let field = "X-Padding: 0123456789\r\n".repeat(30) + &format!("X-Long: {}\r\n", "x".repeat(31_000));
    for _ in 0..2 {
        let answer = client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n")).answer();
        assert_eq!(answer.says(), (200, "hello"));
    }
}

fn pipelined_requests_wait_for_one_that_is_answered_later(over: Over) {
    let later = async |request: Request| {
        tokio::task::yield_now().await;
        request.target().to_owned()
    };
    let server = Server::start(app().get("/later", later), over);
    let mut client = Client::connect(&server);
    client.send([get("/later?1"), get("/target?2"), get("/later?3")].concat());
    let answers: Vec<_> = (0..3).map(|_| client.answer().text().to_owned()).collect();
    assert_eq!(answers, ["/later?1", "/target?2", "/later?3"]);
}

fn a_client_of_http_1_0_gets_one_answer_and_the_end_unless_it_asks_to_stay(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    for _ in 0..2 {
        let answer = client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").answer();
        assert_eq!((answer.says(), answer.field("connection")), ((200, "hello"), Some("keep-alive")));
    }
    let answer = client.send("GET / HTTP/1.0\r\n\r\n").answer();
    assert_eq!((answer.says(), answer.field("connection")), ((200, "hello"), Some("close")));
    client.ends();
}

fn a_streamed_body_for_a_client_of_http_1_0_ends_with_the_connection(backend: BackendChoice) {
    let server = serve(app().post("/echo", crate::body::echo), backend);
    let mut client = Client::connect(&server);
    client.send("POST /echo HTTP/1.0\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
    let answer = client.answer();
    assert_eq!(answer.says(), (200, "hello"));
    assert_eq!((answer.field("transfer-encoding"), answer.field("connection")), (None, Some("close")));
}

fn a_client_that_says_close_gets_its_answer_and_the_end(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    let answer = client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").answer();
    assert_eq!((answer.says(), answer.field("connection")), ((200, "hello"), Some("close")));
    client.ends();
}

fn a_client_that_ends_its_half_behind_its_request_gets_its_answer(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    assert_eq!(client.send(get("/")).finish().answer().says(), (200, "hello"));
    client.ends();
}

fn head_is_answered_as_get_is_but_without_a_body(over: Over) {
    let streamed = |_: Request| {
        let body = Body::written(async |mut sender| {
            let _ = sender.send("streamed").await; // nobody wants it
        });
        Response::new(Status::OK).with_body(body)
    };
    let server = Server::start(app().post("/posted", "posted").get("/streamed", streamed), over);
    let mut client = Client::connect(&server);
    let head = client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").head();
    assert_eq!((head.status, head.field("content-length")), (200, Some("5")));
    let get = client.get("/");
    assert_eq!((get.says(), get.field("content-type")), ((200, "hello"), head.field("content-type")));
    for (target, status) in [("/none", 404), ("/posted", 405), ("/streamed", 200)] {
        let head = client.send(format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n\r\n")).head();
        assert_eq!(head.status, status);
        assert_eq!(client.get("/").says(), (200, "hello"), "right behind the head of {target}");
    }
}

fn a_refusal_is_a_page_for_a_browser_and_a_line_for_a_program(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/none").says(), (404, "404 Not Found\n"));
    for (method, target, status) in [("GET", "/none", 404), ("DELETE", "/", 405), ("HEAD", "/none", 404)] {
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: a\r\nAccept: text/html, */*;q=0.8\r\n\r\n");
        client.send(request);
        let answer = if method == "HEAD" { client.head() } else { client.answer() };
        assert_eq!((answer.status, answer.field("content-type")), (status, Some("text/html; charset=utf-8")));
        assert_eq!((answer.field("vary"), answer.field("cache-control")), (Some("Accept"), Some("no-store")));
        assert!(
            answer
                .field("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'"))
        );
        let page = String::from_utf8_lossy(&answer.body);
        assert_eq!(page.contains(&format!("<p class=code>{status}</p>")), method != "HEAD", "{page}");
    }
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn every_answer_says_when_it_was_made(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    for target in ["/", "/none", "/target"] {
        let answer = client.get(target);
        let date = answer.field("date").expect("a date");
        assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
    }
}

fn options_is_answered_with_what_the_path_allows(over: Over) {
    let server = Server::start(app().post("/", "posted").route(Some(Method::Patch), "/", "patched"), over);
    let mut client = Client::connect(&server);
    let answer = client.send("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    assert_eq!((answer.status, answer.field("allow")), (204, Some("GET, HEAD, OPTIONS, PATCH, POST")));
    let answer = client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let answer = client.send("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD, OPTIONS, PATCH, POST")));
    assert_eq!(client.send("OPTIONS /none HTTP/1.1\r\nHost: a\r\n\r\n").answer().status, 404);
}

fn a_target_in_absolute_form_is_routed_by_its_path(over: Over) {
    let whose = |request: Request| format!("{:?} {}", request.authority(), request.path());
    let server = Server::start(App::new().get("/path", whose), over);
    let mut client = Client::connect(&server);
    let request = "GET http://b.example:81/path?query HTTP/1.1\r\nHost: a.example\r\n\r\n";
    assert_eq!(client.send(request).answer().says(), (200, "Some(\"b.example:81\") /path"));
}

fn garbage_behind_a_request_is_refused_after_the_answer(backend: BackendChoice) {
    let server = serve(app(), backend);
    let mut client = Client::connect(&server);
    client.send([&get("/"), "\x01\x02\x03 garbage\r\n\r\n"].concat());
    assert_eq!(client.answer().says(), (200, "hello"));
    let refusal = client.answer();
    assert_eq!((refusal.status, refusal.field("connection")), (400, Some("close")));
    client.ends();
}

fn malformed_requests_are_answered_with_their_status_and_the_end(backend: BackendChoice) {
    let long = "a".repeat(9000);
    let cases: Vec<(String, u16)> = vec![
        ("GET / HTTP/1.1\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\nHost: a\n\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n".into(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".into(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n".into(), 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n".into(), 505),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n".into(), 417),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".into(), 501),
        (format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(100)), 501),
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-A: 1\r\n".repeat(200)), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", format!("X: {long}\r\n").repeat(5)), 431),
    ];
    let server =
        serve(app().post("/", async |mut request: Request| request.body().collect(99).await), backend);
    for (request, status) in cases {
        let mut client = Client::connect(&server);
        let answer = client.send(&request).answer();
        let start = &request[..request.len().min(80)];
        assert_eq!((answer.status, answer.field("connection")), (status, Some("close")), "{start:?}");
        client.ends();
    }
    assert_eq!(Client::connect(&server).get("/").says(), (200, "hello"), "the server lives on");
}

fn a_refused_request_does_not_take_its_answer_with_it_though_the_client_goes_on_sending(
    backend: BackendChoice,
) {
    let server = serve(app().post("/", |_: Request| Status::FORBIDDEN), backend);
    let mut client = Client::connect(&server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n");
    for _ in 0..80 {
        client.send([b'x'; 100_000]);
    }
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (403, Some("close")));
    client.ends();
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")
}

fn last_line(text: &str) -> &str {
    text.rsplit("\r\n").next().unwrap_or_default()
}
