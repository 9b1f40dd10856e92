//! What stands at the edge of an application: TLS, the redirect to it, and the proxies that it believes.

use gannet::{App, BackendChoice, Error, Hsts, Proxy, Request, Tls};
use gannet_testing::Authority;

use crate::rig::{Client, HTTP_1, HTTP_2, Over, Server, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    a_trusted_proxy_says_who_the_client_is_and_nobody_else_does,
    a_proxy_and_handlers_of_ones_own_are_one_application,
    browsers_are_told_to_come_back_by_tls_where_they_came_by_it,
);

on_each_backend!(what_is_asked_for_in_clear_text_is_led_to_the_port_of_tls_whatever_the_routes_are,);

/// Who the client is.
fn client(request: &Request) -> String {
    request.client_address().map(|address| address.to_string()).unwrap_or_default()
}

fn a_trusted_proxy_says_who_the_client_is_and_nobody_else_does(over: Over) {
    for (trusted, expected) in [("loopback", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")] {
        let server =
            Server::start(App::new().get("/", |request: Request| client(&request)).trust(trusted), over);
        let mut client = Client::connect(&server);
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n\r\n");
        assert_eq!(client.answer().says(), (200, expected));
        assert_eq!(client.get("/").says(), (200, "127.0.0.1"), "of each request, and not of its connection");
    }
    let server = Server::start(App::new().get("/", |request: Request| client(&request)), over);
    let mut client = Client::connect(&server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=203.0.113.9\r\n\r\n");
    assert_eq!(client.answer().says(), (200, "127.0.0.1"));
}

fn what_is_asked_for_in_clear_text_is_led_to_the_port_of_tls_whatever_the_routes_are(backend: BackendChoice) {
    let authority = Authority::new();
    let signed = authority.sign("a", &["a.example"]);
    let app = App::new().get("/", "hello").tls(Tls::files(signed.certificate, signed.key));
    let server = serve(app.redirect("127.0.0.1:0"), backend);
    let port = server.socket_addresses()[0].port();
    let aside = server.addresses_aside()[0].internet().expect("an address of TCP");
    for speaks in [HTTP_1, HTTP_2] {
        let mut client = Client::speaking(speaks, aside, &authority.root());
        for target in ["/", "/none?a=b"] {
            let answer = client.get(target);
            assert_eq!(answer.status, 308);
            assert_eq!(answer.field("location"), Some(&*format!("https://a.example:{port}{target}")));
        }
    }
}

fn browsers_are_told_to_come_back_by_tls_where_they_came_by_it(over: Over) {
    let told = over.speaks.tls.map(|_| "max-age=600");
    let app = App::new().get("/", "hello");
    let hsts = Hsts::for_duration(std::time::Duration::from_secs(600));
    // Where there is no TLS it would be a mistake (`what_does_not_go_together_is_told_all_at_once`).
    let server = Server::start(if told.is_some() { app.hsts(hsts) } else { app }, over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/").field("strict-transport-security"), told);
}

fn a_proxy_and_handlers_of_ones_own_are_one_application(over: Over) {
    let upstream = serve(App::new().any("/*", |request: Request| request.path().to_owned()), over.backend);
    let to = upstream.socket_addresses()[0].to_string();
    let app = App::new().get("/api/own", "own").proxy("/api/*", to.as_str());
    let app = app.host(["b.example"], |host| host.proxy("/*", Proxy::to([&to])).get("/api/x", "b's"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/api/own").says(), (200, "own"));
    assert_eq!(client.get("/api/x/y").says(), (200, "/api/x/y"));
    assert_eq!(client.get("/other").status, 404);
    client.send("GET /other HTTP/1.1\r\nHost: b.example\r\n\r\n");
    assert_eq!(client.answer().says(), (200, "/other"));
}

/// What is wrong with an application.
fn mistakes(app: App) -> String {
    match app.start() {
        Err(Error::Build(mistakes)) => mistakes,
        Err(error) => panic!("it could not start: {error}"),
        Ok(_) => panic!("it started"),
    }
}

#[test]
fn what_does_not_go_together_is_told_all_at_once() {
    let app = App::new().redirect("127.0.0.1:0").hsts(Hsts::for_duration(std::time::Duration::from_secs(1)));
    let told = mistakes(app.proxy_protocol(true).trust("10.0.0.0/99").proxy("/*", "nonsense"));
    for expected in ["App::redirect", "App::hsts", "App::proxy_protocol", "10.0.0.0/99", "nonsense"] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let told = mistakes(App::new().tls(Tls::files("/no/such.pem", "/no/such.key")));
    assert!(told.contains("/no/such.pem"), "{told}");
    let told = mistakes(App::new().proxy("/*", Proxy::to(["https://a.example"]).authorities("/no/such.pem")));
    assert!(told.contains("/no/such.pem") || told.contains("a.example"), "{told}");
    assert!(!mistakes(App::new().proxy("/*", Proxy::to(Vec::<String>::new()))).is_empty());
}
