//! Routes: which handler answers, by host, path and method.

use gannet::prelude::*;
use gannet::{App, BackendChoice, Method};

use crate::rig::{Answer, Client, Over, Server, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    a_handler_reads_the_parameters_of_its_route,
    an_async_handler_and_a_filter_read_them_too,
    the_most_specific_route_answers_whatever_the_order,
    a_less_specific_route_answers_where_the_method_is_missing,
    allow_is_the_union_of_all_routes_that_match,
    options_is_answered_unless_a_route_has_its_own,
    options_of_the_server_names_all_its_methods,
    a_host_has_routes_of_its_own,
    a_host_that_nobody_names_is_misdirected_where_there_is_no_default,
    filters_of_the_application_are_around_those_of_a_host,
);

// Other protocols' requests name a host.
on_each_backend!(a_client_of_http_1_0_that_names_no_host_is_the_default_s);

/// A handler that says its name, its route, and the parameters it got.
fn says(name: &'static str) -> impl Fn(Request) -> String + Clone + Send + Sync {
    move |request: Request| {
        let parameters: Vec<_> = request.params().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{name} {}{}", request.route().unwrap_or("-"), parameters.concat())
    }
}

fn ask(client: &mut Client, method: &str, target: &str, host: &str) -> Answer {
    client.send(format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n")).answer()
}

fn a_handler_reads_the_parameters_of_its_route(over: Over) {
    let app = App::new()
        .get("/users/:id", says("user"))
        .get("/users/{id}/posts/{post}", says("post"))
        .get("/files/*path", says("files"))
        .get("/tail/*", |request: Request| request.tail().to_owned())
        .get("/decoded/:name", |request: Request| match request.param_decoded("name") {
            Some(name) => name.into_owned(),
            None => "undecodable".to_owned(),
        });
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (target, text) in [
        ("/users/42", "user /users/:id id=42"),
        ("/users/a%20b?id=c", "user /users/:id id=a%20b"),
        ("/users/1/posts/2", "post /users/{id}/posts/{post} id=1 post=2"),
        ("/files/", "files /files/*path path="),
        ("/files/a//b", "files /files/*path path=a//b"),
        ("http://other.example/users/7", "user /users/:id id=7"),
        ("/tail/a/b", "a/b"),
        ("/decoded/%C3%A9", "\u{e9}"),
        ("/decoded/%ff", "undecodable"),
    ] {
        assert_eq!(client.get(target).says(), (200, text), "{target}");
    }
    for target in ["/users/", "/users", "/users/1/", "/users/1/posts", "/files", "/Users/1"] {
        assert_eq!(client.get(target).status, 404, "{target}");
    }
}

fn an_async_handler_and_a_filter_read_them_too(over: Over) {
    let later = async |request: Request| {
        tokio::task::yield_now().await;
        request.param("id").unwrap_or_default().to_owned()
    };
    let filter = async |request: Request, next: Next| {
        let (route, id) =
            (request.route().unwrap_or_default().to_owned(), request.param("id").map(str::to_owned));
        next.run(request).await.with("x-route", route).with("x-id", id.unwrap_or_default())
    };
    let server = Server::start(App::new().get("/later/:id", later).with(filter), over);
    let mut client = Client::connect(&server);
    for id in ["1", "a-longer-one", "3"] {
        let answer = client.get(&format!("/later/{id}"));
        assert_eq!((answer.says(), answer.field("x-route")), ((200, id), Some("/later/:id")));
        assert_eq!(answer.field("x-id"), Some(id));
    }
}

fn the_most_specific_route_answers_whatever_the_order(over: Over) {
    let add = |app: App, pattern: &'static str| app.get(pattern, pattern);
    let mut patterns = ["/*", "/:any", "/users/*", "/users/:id", "/users/me"];
    for app in [patterns.into_iter().fold(App::new(), add), {
        patterns.reverse();
        patterns.into_iter().fold(App::new(), add)
    }] {
        let server = Server::start(app, over);
        let mut client = Client::connect(&server);
        for (target, pattern) in [
            ("/users/me", "/users/me"),
            ("/users/you", "/users/:id"),
            ("/users/you/x", "/users/*"),
            ("/users", "/:any"),
            ("/", "/*"),
        ] {
            assert_eq!(client.get(target).says(), (200, pattern), "{target}");
        }
    }
}

fn a_less_specific_route_answers_where_the_method_is_missing(over: Over) {
    let app = App::new()
        .post("/api/login", says("login"))
        .put("/api/:name", says("named"))
        .get("/api/*rest", says("api"))
        .any("/*", says("any"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (method, target, text) in [
        ("POST", "/api/login", "login /api/login"),
        ("PUT", "/api/login", "named /api/:name name=login"),
        ("GET", "/api/login", "api /api/*rest rest=login"),
        ("DELETE", "/api/login", "any /*"),
    ] {
        assert_eq!(ask(&mut client, method, target, "a").says(), (200, text), "{method} {target}");
    }
}

fn allow_is_the_union_of_all_routes_that_match(over: Over) {
    let app = App::new().post("/a/b", "").get("/a/:c", "").put("/a/*", "").delete("/d", "");
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let answer = ask(&mut client, "PATCH", "/a/b", "a");
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD, OPTIONS, POST, PUT")));
    let answer = ask(&mut client, "PATCH", "/a/x/y", "a");
    assert_eq!((answer.status, answer.field("allow")), (405, Some("OPTIONS, PUT")));
    assert_eq!(ask(&mut client, "PATCH", "/e", "a").status, 404);
}

fn options_is_answered_unless_a_route_has_its_own(over: Over) {
    let app = App::new()
        .post("/a/b", "")
        .route(Some(Method::Options), "/own/*", "its own")
        .get("/own/b", "")
        .put("/a/:c", "");
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let answer = ask(&mut client, "OPTIONS", "/a/b", "a");
    assert_eq!((answer.status, answer.field("allow")), (204, Some("OPTIONS, POST, PUT")));
    assert_eq!(ask(&mut client, "OPTIONS", "/own/b", "a").says(), (200, "its own"));
    assert_eq!(ask(&mut client, "OPTIONS", "/none", "a").status, 404);
}

fn options_of_the_server_names_all_its_methods(over: Over) {
    let app = App::new()
        .get("/a", "")
        .delete("/b/:c", "")
        .route(Some(Method::Options), "/*", "its own")
        .host(["b.example"], |routes| routes.patch("/", ""));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let answer = ask(&mut client, "OPTIONS", "*", "a.example");
    assert_eq!((answer.status, answer.field("allow")), (204, Some("DELETE, GET, HEAD, OPTIONS")));
    let answer = ask(&mut client, "OPTIONS", "*", "b.example");
    assert_eq!((answer.status, answer.field("allow")), (204, Some("OPTIONS, PATCH")));
}

fn a_host_has_routes_of_its_own(over: Over) {
    let app = App::new()
        .get("/", "default")
        .get("/only-default", "default")
        .host(["one.example", "[::1]"], |routes| routes.get("/", "one").get("/only-one", "one"))
        .host(["*.one.example"], |routes| routes.get("/", "below one"))
        .host(["*.example"], |routes| routes.get("/:id", says("id")).get("/", "below"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (host, text) in [
        ("one.example", "one"),
        ("ONE.Example:8080", "one"),
        ("one.example.", "one"),
        ("[::1]:80", "one"),
        ("a.one.example", "below one"),
        ("a.b.one.example", "below one"),
        ("two.example", "below"),
        ("example", "default"),
        ("127.0.0.1:80", "default"),
    ] {
        assert_eq!(ask(&mut client, "GET", "/", host).says(), (200, text), "{host}");
    }
    assert_eq!(ask(&mut client, "GET", "/only-one", "one.example").status, 200);
    assert_eq!(ask(&mut client, "GET", "/only-default", "one.example").status, 404);
    assert_eq!(ask(&mut client, "GET", "/only-one", "other").status, 404);
    assert_eq!(ask(&mut client, "GET", "/x", "two.example").says(), (200, "id /:id id=x"));
    assert_eq!(ask(&mut client, "GET", "http://one.example/", "two.example").says(), (200, "one"));
}

fn a_host_that_nobody_names_is_misdirected_where_there_is_no_default(over: Over) {
    let server = Server::start(App::new().host(["one.example"], |routes| routes.get("/", "one")), over);
    let mut client = Client::connect(&server);
    for (host, status) in
        [("one.example", 200), ("two.example", 421), ("a.one.example", 421), ("one.example", 200)]
    {
        assert_eq!(ask(&mut client, "GET", "/", host).status, status, "{host}");
    }
    assert_eq!(ask(&mut client, "OPTIONS", "*", "two.example").status, 421);
}

fn a_client_of_http_1_0_that_names_no_host_is_the_default_s(backend: BackendChoice) {
    let named = |app: App| app.host(["one.example"], |routes| routes.get("/", "one"));
    for (app, says) in [(App::new().get("/", "default"), 200), (App::new(), 421)] {
        let server = serve(named(app), backend);
        let status = Client::connect(&server).send("GET / HTTP/1.0\r\n\r\n").answer().status;
        assert_eq!(status, says);
    }
}

fn filters_of_the_application_are_around_those_of_a_host(over: Over) {
    let mark = |name: &'static str| {
        move |request: Request, next: Next| async move {
            let response: Response = next.run(request).await;
            response.with("x-seen", name)
        }
    };
    let app = App::new()
        .get("/", "default")
        .host(["one.example"], move |routes| routes.get("/", "one").with(mark("host")))
        .with(mark("application"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let seen = |answer: &Answer| {
        let lines = answer.head.lines().filter_map(|line| line.strip_prefix("x-seen: ")).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(seen(&ask(&mut client, "GET", "/", "one.example")), ["host", "application"]);
    assert_eq!(seen(&ask(&mut client, "GET", "/", "two.example")), ["application"]);
}

#[test]
fn mistakes_come_all_at_once_with_the_lines_that_made_them() {
    let line = line!();
    let app = App::new()
        .get("/users/:id", "one")
        .get("/users/:name", "two")
        .post("users", "three")
        .host(["one.example"], |routes| routes.get("/*/a", "four").files("/", "/is/not/there"))
        .host(["ONE.example"], |routes| routes);
    let said = app.start().expect_err("mistakes").to_string();
    for (lines, what) in [
        (3, "pattern \"/users/:name\" matches the same paths as \"/users/:id\""),
        (4, "pattern \"users\" does not begin with a slash"),
        (5, "pattern \"/*/a\" has a star"),
        (6, "host \"ONE.example\" is there twice"),
    ] {
        let found = said.lines().find(|one| one.contains(what)).unwrap_or_else(|| panic!("{what}: {said}"));
        assert!(found.contains(&format!("routes.rs:{}:", line + lines)), "{found}");
    }
    assert!(said.contains("/is/not/there") && said.lines().count() == 5, "{said}");
}
