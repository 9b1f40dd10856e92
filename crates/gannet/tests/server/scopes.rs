//! Groups, fallbacks and state: what handlers have in common, and what answers where there is none.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gannet::prelude::*;
use gannet::{BackendChoice, FromRequest, Method, Needs};
use tokio::sync::oneshot;

use crate::rig::{Answer, Client, Over, Server, block_on, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    the_patterns_of_a_group_are_behind_its_prefix,
    filters_of_a_group_are_within_those_around_it_and_around_no_others,
    what_no_pattern_matches_goes_to_the_fallback_of_the_longest_prefix,
    a_fallback_takes_nothing_from_405_and_options,
    filters_see_what_is_refused,
    a_state_is_what_handlers_have_in_common,
    handlers_take_ten_arguments_in_their_order_and_the_first_that_fails_answers,
    a_rejection_is_answered_as_the_application_says,
    an_argument_that_waits_is_waited_for,
    query_is_a_method_like_others,
);

on_each_backend!(
    each_worker_has_a_state_of_its_own,
    a_state_that_cannot_be_made_is_why_a_server_does_not_start,
    a_server_drains_when_its_shutdown_is_done,
    where_a_server_listens_is_in_the_log,
);

/// A filter that leaves its name in the response, behind those of filters within it.
fn mark(
    name: &'static str,
) -> impl Fn(Request, Next) -> std::pin::Pin<Box<dyn Future<Output = Response>>> + Clone + Send + Sync {
    move |request, next| Box::pin(async move { next.run(request).await.with("x-seen", name) })
}

fn seen(answer: &Answer) -> String {
    let lines = answer.head.lines().filter_map(|line| line.strip_prefix("x-seen: "));
    lines.collect::<Vec<_>>().join(" ")
}

fn ask(client: &mut Client, method: &str, target: &str) -> Answer {
    client.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")).answer()
}

fn the_patterns_of_a_group_are_behind_its_prefix(over: Over) {
    let route = |request: Request| request.route().unwrap_or("-").to_owned();
    let app = App::new().get("/", route).group("/users/", |users| {
        users
            .get("/", route)
            .get("/:id", route)
            .group("/:id/posts", |posts| posts.get("", route).get("/*", route))
    });
    let listed: Vec<_> = app.routes().into_iter().map(|route| route.pattern).collect();
    assert_eq!(listed, ["/", "/users", "/users/:id", "/users/:id/posts", "/users/:id/posts/*"]);
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for pattern in listed {
        let target = pattern.replace(":id", "7").replace('*', "a/b");
        assert_eq!(client.get(&target).says(), (200, pattern.as_str()));
    }
    assert_eq!(client.get("/users/").status, 404);
}

fn filters_of_a_group_are_within_those_around_it_and_around_no_others(over: Over) {
    let app = App::new()
        .get("/", "")
        .group("/a", |a| a.get("/", "").group("/b", |b| b.get("/", "").with(mark("b"))).with(mark("a")))
        .with(mark("app"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (target, filters) in [("/", "app"), ("/a", "a app"), ("/a/b", "b a app")] {
        assert_eq!(seen(&client.get(target)), filters, "{target}");
    }
}

fn what_no_pattern_matches_goes_to_the_fallback_of_the_longest_prefix(over: Over) {
    let app = App::new()
        .get("/a/b/c", "there")
        .group("/a", |a| a.fallback("of a").with(mark("a")))
        .group("/a/b", |b| b.get("/d", "there").with(mark("b")))
        .group("/a/n", |n| n.get("/d", "there").fallback((Status::GONE, "of n")))
        .fallback(async |request: Request| format!("of all: {}", request.path()))
        .host(["b.example"], |b| b.get("/", "there"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (target, expected, filters) in [
        ("/a", (200, "of a"), "a"),
        ("/a/x", (200, "of a"), "a"),
        // The group has filters, and no fallback of its own; it is written beside the other, not within it.
        ("/a/b/x", (200, "of all: /a/b/x"), "b"),
        ("/a/b/c", (200, "there"), ""),
        ("/a/n/", (410, "of n"), ""),
        ("/ab", (200, "of all: /ab"), ""),
        ("/", (200, "of all: /"), ""),
    ] {
        let answer = client.get(target);
        assert_eq!((answer.says(), seen(&answer).as_str()), (expected, filters), "{target}");
    }
    let other = client.send("GET /x HTTP/1.1\r\nHost: b.example\r\n\r\n").answer();
    assert_eq!(other.status, 404, "a host has a fallback of its own, or none");
}

fn a_fallback_takes_nothing_from_405_and_options(over: Over) {
    let app = App::new().group("/a", |a| a.put("/b", "there").fallback("fallback").with(mark("a")));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let answer = ask(&mut client, "GET", "/a/b");
    assert_eq!(
        (answer.status, answer.field("allow"), seen(&answer)),
        (405, Some("OPTIONS, PUT"), "a".into())
    );
    let answer = ask(&mut client, "OPTIONS", "/a/b");
    assert_eq!(
        (answer.status, answer.field("allow"), seen(&answer)),
        (204, Some("OPTIONS, PUT"), "a".into())
    );
    assert_eq!(ask(&mut client, "DELETE", "/a/c").says(), (200, "fallback"));
}

fn filters_see_what_is_refused(over: Over) {
    let preflight = async |request: Request, next: Next| match request.method() {
        Method::Options if request.allowed().is_some() => {
            Response::text(format!("may be {}", request.allowed().unwrap_or_default()))
        }
        _ => next.run(request).await.with("x-seen", "app"),
    };
    let server = Server::start(App::new().put("/a", "there").with(preflight), over);
    let mut client = Client::connect(&server);
    for (method, target, status) in [("GET", "/b", 404), ("GET", "/a", 405), ("PUT", "/a", 200)] {
        let answer = ask(&mut client, method, target);
        assert_eq!((answer.status, seen(&answer).as_str()), (status, "app"), "{method} {target}");
    }
    assert_eq!(ask(&mut client, "OPTIONS", "/a").says(), (200, "may be OPTIONS, PUT"));
    assert_eq!(ask(&mut client, "OPTIONS", "*").says(), (200, "may be OPTIONS, PUT"));
}

fn a_state_is_what_handlers_have_in_common(over: Over) {
    let add = |count: State<AtomicU64>| count.fetch_add(1, Ordering::Relaxed).to_string();
    let later = async |count: State<AtomicU64>, name: State<String>| {
        tokio::task::yield_now().await;
        format!("{} {}", *name, count.fetch_add(1, Ordering::Relaxed))
    };
    let filter = async |request: Request, next: Next| {
        let name = request.state::<String>().map(|name| name.to_string()).unwrap_or_default();
        next.run(request).await.with("x-seen", name)
    };
    let app = App::new()
        .get("/add", add)
        .get("/later", later)
        .state(AtomicU64::new(5))
        .state(String::from("count"))
        .with(filter);
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/add").says(), (200, "5"));
    let answer = client.get("/later");
    assert_eq!((answer.says(), seen(&answer).as_str()), ((200, "count 6"), "count"));
}

/// The next of the path's parameters, which is to be a digit.
struct Digit(u8);

impl FromRequest for Digit {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Digit, Rejection> {
        let number = request.extension::<usize>().copied().unwrap_or(0);
        request.extensions_mut().insert(number + 1);
        let digit = request.path().bytes().skip(1).nth(number).filter(u8::is_ascii_digit);
        digit.map(|digit| Digit(digit - b'0')).ok_or_else(|| {
            Rejection::new(Status::BAD_REQUEST, format!("Character {number} of the path is no digit."))
        })
    }
}

#[expect(clippy::too_many_arguments, reason = "that is what is tested")]
fn handlers_take_ten_arguments_in_their_order_and_the_first_that_fails_answers(over: Over) {
    fn sum(
        a: Digit,
        b: Digit,
        c: Digit,
        d: Digit,
        e: Digit,
        f: Digit,
        g: Digit,
        h: Digit,
        i: Digit,
        j: Digit,
    ) -> String {
        [a, b, c, d, e, f, g, h, i, j].map(|digit| digit.0.to_string()).concat()
    }
    let later = async |a: Digit, request: Request| {
        tokio::task::yield_now().await;
        format!("{} of {}", a.0, request.path())
    };
    let server = Server::start(App::new().get("/*", sum).post("/*", later).put("/*", || "none"), over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/1234567890").says(), (200, "1234567890"));
    let answer = client.get("/12x45x7890");
    assert_eq!((answer.status, answer.field("content-type")), (400, Some("application/problem+json")));
    assert!(answer.text().contains("Character 2 of the path"), "{}", answer.text());
    assert_eq!(ask(&mut client, "POST", "/7").says(), (200, "7 of /7"));
    assert_eq!(ask(&mut client, "POST", "/x").status, 400);
    assert_eq!(ask(&mut client, "PUT", "/x").says(), (200, "none"));
}

fn a_rejection_is_answered_as_the_application_says(over: Over) {
    let all = |digit: Result<Digit, Rejection>| match digit {
        Ok(digit) => format!("digit {}", digit.0),
        Err(rejection) => format!("rejected: {}", rejection.detail()),
    };
    let app = App::new().get("/*", |digit: Digit| digit.0.to_string()).put("/*", all).rejections(
        |rejection: Rejection, request: &Request| {
            (Status::new(418).expect("a status"), format!("{}: {}", request.path(), rejection.detail()))
        },
    );
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/x").says(), (418, "/x: Character 0 of the path is no digit."));
    assert_eq!(ask(&mut client, "PUT", "/x").says(), (200, "rejected: Character 0 of the path is no digit."));
    assert_eq!(ask(&mut client, "PUT", "/1").says(), (200, "digit 1"));
}

/// The body's length.
struct Length(usize);

impl FromRequest for Length {
    async fn from_request(request: &mut Request) -> Result<Length, Rejection> {
        tokio::task::yield_now().await;
        let body = request.body().collect(8).await?;
        Ok(Length(body.len()))
    }

    fn needs(needs: &mut Needs) {
        needs.body("Length");
    }
}

fn an_argument_that_waits_is_waited_for(over: Over) {
    let plain = |digit: Digit, length: Length, request: Request| {
        format!("{} {} {}", digit.0, length.0, request.method_name())
    };
    let later = async |length: Length| {
        tokio::task::yield_now().await;
        length.0.to_string()
    };
    let server = Server::start(App::new().post("/*", plain).put("/*", later), over);
    let mut client = Client::connect(&server);
    let mut post = |method: &str, body: &str| {
        let length = body.len();
        client
            .send(format!("{method} /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"))
            .answer()
    };
    assert_eq!(post("POST", "abc").says(), (200, "1 3 POST"));
    assert_eq!(post("PUT", "abcd").says(), (200, "4"));
    assert_eq!(post("PUT", "abcdefghi").status, 413);
    assert_eq!(post("PUT", "ab").says(), (200, "2"));
}

fn query_is_a_method_like_others(over: Over) {
    let server =
        Server::start(App::new().query("/", |request: Request| request.method_name().to_owned()), over);
    let mut client = Client::connect(&server);
    assert_eq!(ask(&mut client, "QUERY", "/").says(), (200, "QUERY"));
    assert_eq!(client.get("/").field("allow"), Some("OPTIONS, QUERY"));
}

fn each_worker_has_a_state_of_its_own(backend: BackendChoice) {
    // Neither `Send` nor `Sync`, and made where Tokio is.
    let make = async || {
        tokio::task::yield_now().await;
        (std::thread::current().id(), Rc::new(Cell::new(0_u32)))
    };
    type Own = (std::thread::ThreadId, Rc<Cell<u32>>);
    let app = App::new()
        .get("/", |own: State<Own>| {
            own.1.set(own.1.get() + 1);
            format!("{} {}", own.0 == std::thread::current().id(), own.1.get())
        })
        .state_per_worker(make);
    let server = serve(app, backend);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/").says(), (200, "true 1"));
    assert_eq!(client.get("/").says(), (200, "true 2"));
}

fn a_state_that_cannot_be_made_is_why_a_server_does_not_start(backend: BackendChoice) {
    let app = App::new()
        .get("/", |_: State<u64>| "never")
        .try_state_per_worker(async || "twelve".parse::<u64>())
        .listen("127.0.0.1:0")
        .backend(backend);
    let error = app.start().expect_err("there is no state").to_string();
    assert_eq!(error, "cannot make the state u64: invalid digit found in string");
}

fn a_server_drains_when_its_shutdown_is_done(backend: BackendChoice) {
    let (stop, stopped) = oneshot::channel::<()>();
    let app = App::new().get("/", "hello").listen("127.0.0.1:0").workers(1).backend(backend);
    block_on(async move {
        let server = tokio::spawn(app.serve_with_shutdown(async move {
            let _ = stopped.await;
        }));
        tokio::task::yield_now().await;
        assert!(!server.is_finished());
        drop(stop);
        server.await.expect("no panic").expect("it ended as it should");
    });
}

fn where_a_server_listens_is_in_the_log(backend: BackendChoice) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let log = Arc::new(file.reopen().expect("it is there"));
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log).finish();
    let app = App::new().get("/", "hello").listen("127.0.0.1:0").workers(1).backend(backend);
    let _guard = tracing::subscriber::set_default(subscriber);
    block_on(app.serve_with_shutdown(async {})).expect("it ended as it should");
    let log = std::fs::read_to_string(file).expect("text");
    assert!(log.contains(" INFO ") && log.contains("listening on http://127.0.0.1:"), "{log}");
    assert!(!log.contains("127.0.0.1:0"), "{log}");
}

#[test]
fn what_handlers_need_and_is_not_there_is_told_at_once_with_the_lines() {
    struct Needy;
    impl FromRequest for Needy {
        async fn from_request(_: &mut Request) -> Result<Needy, Rejection> {
            Ok(Needy)
        }
        fn needs(needs: &mut Needs) {
            needs.state::<String>();
            needs.parameter("id");
        }
    }
    let line = line!();
    let app = App::new()
        .get("/a", |_: State<u8>| "")
        .group("/b", |b| b.post("/:id", async |_: Needy, _: Length, _: Length| ""))
        .put("/c", |_: Needy| "")
        .state(1_u16)
        .state(2_u16)
        .fallback("one")
        .fallback("two")
        .group("c", |c| c.get("d", ""));
    let said = app.build().expect_err("mistakes").to_string();
    let places: Vec<u32> = said
        .lines()
        .map(|one| one.split(':').nth(1).and_then(|line| line.parse().ok()).expect("a place"))
        .collect();
    assert!(places.is_sorted(), "{said}");
    for (lines, what) in [
        (2, "the handler of GET on \"/a\" needs a state of type `u8`, and the application has `u16`, `u16`"),
        (3, "the handler of POST on \"/b/:id\" takes the body twice, as Length and as Length"),
        (3, "the handler of POST on \"/b/:id\" needs a state of type `String`"),
        (4, "the handler of PUT on \"/c\" takes a parameter \"id\" that the pattern does not have"),
        (4, "the handler of PUT on \"/c\" needs a state of type `String`"),
        (6, "there is a state of type `u16` already"),
        (8, "there is a fallback already"),
        (9, "a group's prefix begins with a slash"),
        (9, "pattern \"d\" does not begin with a slash"),
    ] {
        let found = said.lines().find(|one| one.contains(what)).unwrap_or_else(|| panic!("{what}: {said}"));
        assert!(found.contains(&format!("scopes.rs:{}:", line + lines)), "{found}");
    }
}
