//! What is asked, and what a handler sees of it.

use gannet::prelude::*;
use gannet::test::{Client, Multipart, TestServer};
use gannet::{Fields, Version, channel};

/// Tells a request, in lines.
async fn told(mut request: Request) -> String {
    let mut lines = vec![format!("{} {}", request.method_name(), request.target())];
    lines.extend(request.authority().map(|authority| format!("at {authority}")));
    lines.extend(
        request.fields().map(|(name, value)| {
            format!("{}: {}", name.to_ascii_lowercase(), String::from_utf8_lossy(value))
        }),
    );
    let body = request.body().collect(1 << 20).await.expect("a body");
    let trailers = request.body().trailers().unwrap_or_default();
    lines.extend(trailers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))));
    lines.push(String::from_utf8(body).expect("text"));
    lines.join("\n")
}

/// By both versions.
fn clients() -> [Client; 2] {
    let client = App::new().route(None, "/*", told).route(None, "/", told).test();
    [client.clone(), client.http2()]
}

#[gannet::test]
async fn every_method_is_asked_with_and_the_version_is_the_clients() {
    for (client, version) in clients().iter().zip([Version::Http11, Version::Http2]) {
        let asked = [
            ("GET", client.get("/a")),
            ("POST", client.post("/a")),
            ("PUT", client.put("/a")),
            ("PATCH", client.patch("/a")),
            ("DELETE", client.delete("/a")),
            ("OPTIONS", client.options("/a")),
            ("QUERY", client.query("/a")),
            ("BREW", client.request("BREW", "/a")),
        ];
        for (method, request) in asked {
            let answer = request.send().await;
            answer.assert_status(200).assert_text_contains(&format!("{method} /a\n"));
            assert_eq!(answer.version(), version);
        }
        client.head("/a").send().await.assert_status(200).assert_text("");
    }
}

#[gannet::test]
async fn bodies_come_as_they_are_said_to_be() {
    for client in clients() {
        let json = client.post("/").json(&[1, 2]).send().await;
        json.assert_text_contains("content-type: application/json").assert_text_contains("\n[1,2]");
        json.assert_text_contains("content-length: 5");
        let form = client.post("/").form([("name", "F & R"), ("age", "7")]).send().await;
        form.assert_text_contains("content-type: application/x-www-form-urlencoded");
        form.assert_text_contains("\nname=F+%26+R&age=7");
        let multipart = Multipart::new().text("a", "1").file("b", "b.txt", "text/plain", "two");
        let multipart = client.post("/").multipart(multipart).send().await;
        multipart.assert_text_contains("content-type: multipart/form-data; boundary=");
        multipart.assert_text_contains("filename=\"b.txt\"\r\nContent-Type: text/plain\r\n\r\ntwo\r\n");
        client.post("/").text("plain").send().await.assert_text_contains("text/plain; charset=utf-8");
        let own = client.post("/").header("Content-Type", "application/x-own").json(&1).send().await;
        own.assert_text_contains("content-type: application/x-own\n");
    }
}

#[gannet::test]
async fn a_body_of_unknown_length_comes_in_pieces_with_trailers() {
    for client in clients() {
        let (mut sender, body) = channel();
        let send = async move {
            for piece in ["one ", "two ", "three"] {
                sender.send(piece).await.expect("somebody reads");
            }
            let mut trailers = Fields::new();
            trailers.append("x-check", "7").expect("a field");
            sender.finish(trailers).await.expect("somebody reads");
        };
        let request = client.post("/").stream(body).send();
        let (answer, ()) = tokio::join!(request, send);
        answer.assert_text_contains("one two three").assert_text_contains("x-check: 7");
    }
}

#[gannet::test]
async fn a_large_body_goes_through_the_windows_of_either_version() {
    let count = async |mut request: Request| {
        let mut count = 0;
        while let Some(chunk) = request.body().next().await {
            count += chunk?.len();
        }
        Ok::<_, gannet::BodyError>(count.to_string())
    };
    let client = App::new().post("/", count).test();
    for client in [client.clone(), client.http2()] {
        let answer = client.post("/").body(vec![7; 3_000_000]).send().await;
        answer.assert_status(200).assert_text("3000000");
    }
}

#[gannet::test]
async fn fields_queries_and_credentials_are_sent() {
    for client in clients() {
        let client = client.header("x-all", "1").header("x-some", "2");
        let answer = client
            .get("/search?a=1")
            .query([("page", 2), ("size", 10)])
            .header("x-some", "3")
            .bearer_auth("secret")
            .send()
            .await;
        answer.assert_text_contains("GET /search?a=1&page=2&size=10\n");
        answer.assert_text_contains("x-all: 1").assert_text_contains("x-some: 3");
        answer.assert_text_contains("authorization: Bearer secret").assert_text_contains("at localhost");
        let basic = client.get("/").basic_auth("Aladdin", "open sesame").send().await;
        basic.assert_text_contains("authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        client.host("api.example").get("/").send().await.assert_text_contains("at api.example");
    }
}

#[gannet::test]
async fn cookies_are_kept_between_requests_and_strangers_have_none() {
    let login = |_: Request| Response::text("in").with("Set-Cookie", "session=7; Path=/; HttpOnly");
    let logout = |_: Request| Response::text("out").with("Set-Cookie", "session=; Path=/; Max-Age=0");
    let who = |request: Request| request.field_str("cookie").unwrap_or("nobody").to_owned();
    let client = App::new().post("/login", login).post("/logout", logout).get("/", who).test();
    client.get("/").send().await.assert_text("nobody");
    client.post("/login").send().await.assert_text("in");
    client.get("/").send().await.assert_text("session=7");
    client.http2().get("/").send().await.assert_text("session=7");
    client.stranger().get("/").send().await.assert_text("nobody");
    assert_eq!(client.cookie("session").as_deref(), Some("7"));
    client.set_cookie("theme", "dark");
    client.get("/").send().await.assert_text("session=7; theme=dark");
    client.post("/logout").send().await;
    client.get("/").send().await.assert_text("theme=dark");
    client.clear_cookies();
    client.get("/").send().await.assert_text("nobody");
}

#[gannet::test]
async fn a_request_comes_from_the_address_that_was_said() {
    let peer = |request: Request| request.peer().map(|peer| peer.ip().to_string()).unwrap_or_default();
    let client = App::new().get("/", peer).test();
    client.get("/").send().await.assert_text("192.0.2.1");
    client.peer("203.0.113.7").get("/").send().await.assert_text("203.0.113.7");
    client.peer("2001:db8::7").http2().get("/").send().await.assert_text("2001:db8::7");
}

#[gannet::test]
async fn hosts_states_of_workers_and_files_are_those_of_the_application() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("a.txt"), "of a file").expect("it can be written to");
    std::fs::write(folder.path().join("large"), vec![b'x'; 200_000]).expect("it can be written to");
    let name = |name: State<String>| name.get().clone();
    let app = App::new()
        .state_per_worker(async || "of the worker".to_owned())
        .get("/name", name)
        .host(["api.example"], |api| api.get("/", "the api"))
        .files("/files", folder.path());
    let client = app.test();
    client.get("/name").send().await.assert_text("of the worker");
    client.host("api.example").get("/").send().await.assert_text("the api");
    for client in [client.clone(), client.http2()] {
        client.get("/files/a.txt").send().await.assert_text("of a file");
        client.get("/files/large").send().await.assert_status(200).assert_bytes(vec![b'x'; 200_000]);
    }
}

#[gannet::test]
async fn a_limit_of_the_application_holds_for_its_client() {
    let limits = gannet::Limits { connections_per_address: 1, ..gannet::Limits::default() };
    let client = App::new().get("/", "hello").limits(limits).test();
    let held = client.get("/").begin().await.expect("an answer");
    let refused = client.http2().get("/").try_send().await;
    assert!(refused.is_err(), "a second connection of the same address is refused: {refused:?}");
    drop(held);
}

#[gannet::test(real_time)]
async fn a_test_server_listens_until_it_is_dropped() {
    let server = TestServer::start(App::new().get("/x", "hello"));
    let url = server.url("/x");
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0/x"), "{url}");
    let asked = tokio::task::spawn_blocking(move || {
        ureq::get(&url).call().map(|mut answer| answer.body_mut().read_to_string())
    });
    let text = asked.await.expect("it does not panic").expect("an answer").expect("a body");
    assert_eq!(text, "hello");
    let address = server.address();
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}
