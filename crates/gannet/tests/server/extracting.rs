//! What handlers take out of requests, and what they answer with, over each protocol. What is wrong with requests is in `bad_input`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use gannet::prelude::*;
use gannet::{
    Attachment, BackendChoice, BodyError, Bytes, FileResponse, Identity, Key, Method, MultipartLimits,
    PrivateCookies, ReceivedBody, SameSite, SignedCookies, StreamBody, TlsInfo, Version,
};
use serde::{Deserialize, Serialize};
use tokio_stream::StreamExt;

use crate::rig::{
    Answer, Client, Over, PATIENCE, Protocol, Server, TellWhenDropped, on_each_backend, on_each_protocol,
    serve,
};

on_each_protocol!(
    parameters_of_a_path_are_typed_arguments,
    queries_and_forms_are_read_alike,
    json_goes_both_ways,
    a_body_may_be_taken_as_what_it_is,
    what_may_not_be_there_is_an_option,
    fields_of_a_head_are_read_by_their_names,
    cookies_come_back_and_those_that_were_tampered_with_do_not,
    a_form_with_files_is_read_part_by_part,
    a_file_of_a_form_goes_to_disk_and_is_there_as_a_whole_or_not_at_all,
    what_is_told_of_the_connection_is_an_argument,
    what_handlers_return_says_what_it_is,
    a_stream_is_sent_as_it_comes_and_broken_off_where_it_fails,
);

on_each_backend!(
    a_file_that_was_not_completed_is_removed_when_the_client_leaves,
    what_a_handler_lacks_is_found_when_the_application_is_built,
);

#[derive(Deserialize, Serialize)]
struct User {
    name: String,
    age: u8,
    #[serde(default)]
    tags: Vec<String>,
}

impl User {
    fn told(&self) -> String {
        format!("{} {} {}", self.name, self.age, self.tags.join("+"))
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn post(target: &str, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let kind =
        if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\n{kind}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn ask(client: &mut Client, target: &str, field: &str) -> Answer {
    client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n")).answer()
}

fn parameters_of_a_path_are_typed_arguments(over: Over) {
    #[derive(Deserialize)]
    struct Post {
        user: u64,
        slug: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }
    let order = |order: Path<Order>| match *order {
        Order::Up => "up",
        Order::Down => "down",
    };
    let app = App::new()
        .get("/users/:id", |id: Path<u64>| id.to_string())
        .get("/names/:name", async |Path(name): Path<String>| name)
        .get("/users/:user/posts/:slug", |post: Path<Post>| format!("{} of {}", post.slug, post.user))
        .get("/range/:from/:to", async |Path((from, to)): Path<(u8, u8)>| (to - from).to_string())
        .get("/all/:a/:b/*rest", |all: Path<Vec<String>>| all.join("|"))
        .get("/map/:a/:b", |all: Path<HashMap<String, String>>| format!("{} {}", all["a"], all["b"]))
        .get("/order/:order", order)
        .get("/files/*path", |path: Path<String>| path.0)
        .get("/tried/:id", |id: Result<Path<u64>, Rejection>| match id {
            Ok(id) => id.to_string(),
            Err(rejection) => format!("no number: {}", rejection.errors()[0].detail),
        });
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (target, said) in [
        ("/users/18446744073709551615", "18446744073709551615"),
        ("/names/a%20%C3%A9%2Fb+c", "a é/b+c"),
        ("/users/7/posts/caf%C3%A9", "café of 7"),
        ("/range/3/10", "7"),
        ("/all/1/2/3/4%20", "1|2|3/4 "),
        ("/map/1/2", "1 2"),
        ("/order/down", "down"),
        ("/order/up", "up"),
        ("/files/a/b.txt", "a/b.txt"),
        ("/tried/7", "7"),
        ("/tried/x", "no number: expected a whole number, found \"x\""),
    ] {
        assert_eq!(client.get(target).says(), (200, said), "{target}");
    }
}

fn queries_and_forms_are_read_alike(over: Over) {
    let app = App::new()
        .get("/query", |user: Query<User>| user.told())
        .get("/form", async |user: Form<User>| user.told())
        .post("/form", async |user: Form<User>| user.told())
        .get("/all", |all: Query<Vec<(String, String)>>| format!("{all:?}"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let text = "tags=a&age=7&name=M%C3%BCller+%26+Co&tags=b+c&other=1";
    for target in ["/query", "/form"] {
        assert_eq!(client.get(&format!("{target}?{text}")).says(), (200, "Müller & Co 7 a+b c"));
    }
    assert_eq!(client.send(post("/form", FORM, text)).answer().says(), (200, "Müller & Co 7 a+b c"));
    let kind = "Application/X-WWW-Form-URLEncoded; charset=UTF-8";
    assert_eq!(client.send(post("/form", kind, "age=1&name=")).answer().says(), (200, " 1 "));
    assert_eq!(client.get("/all?b=1&a").says(), (200, "Query([(\"b\", \"1\"), (\"a\", \"\")])"));
    assert_eq!(client.get("/all").says(), (200, "Query([])"));
}

fn json_goes_both_ways(over: Over) {
    let older = async |user: Json<User>| {
        let user = user.0;
        (Status::CREATED, Json(User { age: user.age + 1, ..user }))
    };
    let server = Server::start(App::new().post("/older", older), over);
    let mut client = Client::connect(&server);
    let body = "{\"name\":\"é\",\"age\":7,\"tags\":[\"a\"]}";
    for kind in ["application/json", "application/vnd.user+json; v=1", "APPLICATION/JSON;charset=utf-8"] {
        let answer = client.send(post("/older", kind, body)).answer();
        assert_eq!(answer.says(), (201, "{\"name\":\"é\",\"age\":8,\"tags\":[\"a\"]}"), "{kind}");
        assert_eq!(answer.field("content-type"), Some("application/json"));
    }
    // In pieces, and longer than one receive has.
    let name = "x".repeat(300_000);
    let body = format!("{{\"name\":\"{name}\",\"age\":7}}");
    let (first, rest) = body.split_at(5);
    let mut chunked = b"POST /older HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in [first, rest] {
        chunked.extend_from_slice(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes());
    }
    let answer = client.send(chunked).send("0\r\n\r\n").answer();
    assert_eq!((answer.status, answer.body.len()), (201, name.len() + 29));
}

fn a_body_may_be_taken_as_what_it_is(over: Over) {
    let stream = async |mut body: BodyStream| -> Result<String, BodyError> {
        let mut length = 0;
        while let Some(piece) = StreamExt::next(&mut body).await {
            length += piece?.len();
        }
        Ok(length.to_string())
    };
    let echo = |body: ReceivedBody| ([("Content-Type", "a/b")], body);
    let app = App::new()
        .post("/bytes", async |body: Bytes| body)
        .post("/string", async |body: String| body)
        .post("/text", async |body: Text| body)
        .post("/stream", stream)
        .post("/echo", echo)
        .post("/method", |method: Method, version: Version| format!("{method:?} {version:?}"));
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let long = "é".repeat(200_000);
    for (target, kind) in [
        ("/bytes", ""),
        ("/string", "x/y"),
        ("/text", "text/css; charset=\"UTF-8\""),
        ("/text", ""),
        ("/echo", ""),
    ] {
        for body in ["", "short", &long] {
            assert_eq!(client.send(post(target, kind, body)).answer().says(), (200, body), "{target}");
        }
    }
    assert_eq!(client.send(post("/stream", "", vec![b'x'; 3_000_000])).answer().says(), (200, "3000000"));
    let version = if over.speaks.protocol == Protocol::Http2 { "Post Http2" } else { "Post Http11" };
    assert_eq!(client.send(post("/method", "", "")).answer().says(), (200, version));
}

fn what_may_not_be_there_is_an_option(over: Over) {
    let app = App::new()
        .post("/json", async |user: Option<Json<User>>| user.map(|user| user.told()))
        .post("/form", async |user: Option<Form<User>>| user.map(|user| user.told()))
        .get("/address", |address: Option<ClientAddr>| address.is_some().to_string())
        .get("/extension", |value: Option<Extension<u8>>| value.map(|value| value.to_string()))
        .with(async |mut request: Request, next: Next| {
            if request.query() == Some("there") {
                request.extensions_mut().insert(7_u8);
            }
            next.run(request).await
        });
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for target in ["/json", "/form"] {
        assert_eq!(client.send(post(target, "", "")).answer().status, 404, "{target}");
    }
    let body = "{\"name\":\"a\",\"age\":7}";
    assert_eq!(client.send(post("/json", "application/json", body)).answer().says(), (200, "a 7 "));
    assert_eq!(client.send(post("/json", "application/json", "{}")).answer().status, 422);
    assert_eq!(client.send(post("/json", "", body)).answer().status, 415);
    assert_eq!(client.send(post("/form", FORM, "name=a&age=7")).answer().says(), (200, "a 7 "));
    assert_eq!(client.get("/address").says(), (200, "true"));
    assert_eq!(client.get("/extension?there").says(), (200, "7"));
    assert_eq!(client.get("/extension").status, 404);
}

fn fields_of_a_head_are_read_by_their_names(over: Over) {
    #[derive(Deserialize)]
    struct Wanted {
        x_count: u32,
        accept: Option<String>,
        #[serde(default)]
        x_list: Vec<String>,
    }
    let all = |fields: Headers| {
        let count = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-list")).count();
        format!("{count} {:?}", fields.get_str("X-COUNT"))
    };
    let wanted = |wanted: Header<Wanted>| {
        format!("{} {:?} {}", wanted.x_count, wanted.accept, wanted.x_list.join("+"))
    };
    let server = Server::start(App::new().get("/wanted", wanted).get("/all", all), over);
    let mut client = Client::connect(&server);
    let fields = "X-List: a\r\nX-Count: 7\r\nx-list: b, c\r\nX-Other: \u{e9}";
    let fields =
        if over.speaks.protocol == Protocol::Http2 { fields.trim_end_matches("\u{e9}") } else { fields };
    let fields = fields.trim_end_matches("\r\nX-Other: ");
    assert_eq!(ask(&mut client, "/wanted", fields).says(), (200, "7 None a+b, c"));
    assert_eq!(ask(&mut client, "/wanted", "X-Count: 1\r\nAccept: */*").says(), (200, "1 Some(\"*/*\") "));
    assert_eq!(ask(&mut client, "/all", fields).says(), (200, "2 Some(\"7\")"));
}

fn set_cookies(answer: &Answer) -> Vec<String> {
    let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    set.map(|(_, value)| value.to_owned()).collect()
}

fn cookies_come_back_and_those_that_were_tampered_with_do_not(over: Over) {
    let login = |signed: SignedCookies, private: PrivateCookies| {
        let plain = SetCookie::new("plain", "a, b").same_site(SameSite::Strict);
        let session = SetCookie::new("session", "user 7").max_age(Duration::from_secs(60));
        (plain, signed.sign(session), private.encrypt(SetCookie::new("secret", "geheim: é")), "in")
    };
    let told = |all: Cookies, signed: SignedCookies, private: PrivateCookies| {
        format!("{:?} {:?} {:?}", all.get("plain"), signed.get("session"), private.get("secret"))
    };
    let key = Key::derive_from(&[7; 64]).expect("it is long enough");
    let app =
        App::new().get("/login", login).get("/", told).get("/out", (SetCookie::removal("plain"), "out"));
    let server = Server::start(app.state(key), over);
    let mut client = Client::connect(&server);
    let cookies = set_cookies(&client.get("/login"));
    assert_eq!(cookies[0], "plain=\"a, b\"; Path=/; SameSite=Strict; Secure; HttpOnly");
    assert!(cookies[1].contains("; Max-Age=60;") && !cookies[2].contains("geheim"));
    let pair = |cookie: &String| cookie.split(';').next().unwrap_or_default().to_owned();
    let sent = cookies.iter().map(pair).collect::<Vec<_>>().join("; ");
    let all = "Some(\"a, b\") Some(\"user 7\") Some(\"geheim: é\")";
    assert_eq!(ask(&mut client, "/", &format!("Cookie: {sent}")).says(), (200, all));
    // By HTTP/2 browsers send a field for each.
    let fields = sent.split("; ").map(|pair| format!("Cookie: {pair}")).collect::<Vec<_>>().join("\r\n");
    assert_eq!(ask(&mut client, "/", &fields).says(), (200, all));
    for tampered in [
        sent.replace("user 7", "user 8"),
        sent.replace("session=", "session=A"),
        sent.replace("secret=", "secret=A"),
    ] {
        let answer = ask(&mut client, "/", &format!("Cookie: {tampered}"));
        assert_eq!((answer.status, answer.text().matches("None").count()), (200, 1), "{}", answer.text());
    }
    // What was signed as one cookie is no other.
    let swapped = sent.replace("session=", "x=").replace("plain=", "session=").replace("secret=", "session=");
    assert!(ask(&mut client, "/", &format!("Cookie: {swapped}")).text().contains("None None"));
    let gone = set_cookies(&client.get("/out"));
    assert_eq!(gone, ["plain=; Path=/; Max-Age=0; SameSite=Lax; Secure; HttpOnly"]);
}

fn file(name: &str, file_name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--xYz\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: image/png\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

const MULTIPART: &str = "multipart/form-data; boundary=\"xYz\"";

fn a_form_with_files_is_read_part_by_part(over: Over) {
    let read = async |mut form: Multipart| -> Result<String, Rejection> {
        let mut told = String::new();
        while let Some(mut part) = form.next().await? {
            let kind = part.content_type().unwrap_or("text").to_owned();
            let file_name = part.safe_file_name();
            let name = part.name().to_owned();
            match name.as_str() {
                "skipped" => told += "skipped;",
                "streamed" => {
                    let mut length = 0;
                    while let Some(piece) = part.next().await? {
                        length += piece.len();
                    }
                    told += &format!("{length} of {kind} {file_name:?};");
                }
                name => told += &format!("{name}={};", part.text().await?),
            }
        }
        Ok(told)
    };
    let large = async |mut request: Request, next: Next| {
        request.body().limit(100_000_000);
        next.run(request).await
    };
    let app =
        App::new().post("/", read).with(large).state(MultipartLimits { parts: 10, ..Default::default() });
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    let content = b"\r\n--xY\r\n-".repeat(300_000);
    let body = [
        &b"preamble\r\n--xYz\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\r\nM\xc3\xbcller\r\n\r\n"[..],
        &file("skipped", "a.png", &content),
        &file("streamed", "../b c.png", &content),
        b"--xYz\r\ncontent-disposition: form-data; name=empty\r\n\r\n\r\n--xYz--\r\nepilogue",
    ]
    .concat();
    let expected =
        format!("text=\r\nMüller\r\n;skipped;{} of image/png Some(\"b c.png\");empty=;", content.len());
    assert_eq!(client.send(post("/", MULTIPART, &body)).answer().says(), (200, &*expected));
}

/// Saves what is called `file` into the folder, as the query says.
fn saving(folder: PathBuf) -> App {
    let save = move |request: Request| {
        let path = folder.join(request.query().unwrap_or_default());
        async move {
            let mut request = request;
            let mut form = Multipart::from_request(&mut request).await?;
            save(&mut form, path).await
        }
    };
    let large = async |mut request: Request, next: Next| {
        request.body().limit(100_000_000);
        next.run(request).await
    };
    App::new().post("/", save).with(large)
}

async fn save(form: &mut Multipart, path: PathBuf) -> Result<String, Rejection> {
    let mut part = form.next().await?.ok_or(Status::BAD_REQUEST)?;
    let length = part.save_to(path).await?;
    Ok(format!("{} of {length}", part.file_name().unwrap_or_default()))
}

fn a_file_of_a_form_goes_to_disk_and_is_there_as_a_whole_or_not_at_all(over: Over) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let server = Server::start(saving(folder.path().to_owned()), over);
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let body = [&file("file", "a.png", &content)[..], b"--xYz--"].concat();
    // What is refused before it is read may end the connection.
    let send =
        |target: &str, body: &[u8]| Client::connect(&server).send(post(target, MULTIPART, body)).answer();
    assert_eq!(send("/?a", &body).says(), (200, "a.png of 3000000"));
    assert!(std::fs::read(folder.path().join("a")).expect("saved") == content);
    assert_eq!(send("/?a", &body).status, 409, "what is there is not overwritten");
    assert_eq!(send("/?no/folder", &body).status, 500);
    // Without an end.
    assert_eq!(send("/?b", &body[..body.len() - 10]).status, 400);
    assert!(!folder.path().join("b").exists());
    assert!(std::fs::read(folder.path().join("a")).expect("still there") == content);
}

fn a_file_that_was_not_completed_is_removed_when_the_client_leaves(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let (tell, told) = mpsc::channel();
    let app = saving(folder.path().to_owned()).with(move |request: Request, next: Next| {
        let told_when_over = TellWhenDropped(tell.clone());
        async move {
            let response = next.run(request).await;
            drop(told_when_over);
            response
        }
    });
    let server = serve(app, backend);
    let mut client = Client::connect(&server);
    let body = file("file", "a.png", &vec![b'x'; 1_000_000]);
    let head = format!(
        "POST /?a HTTP/1.1\r\nHost: a\r\nContent-Type: {MULTIPART}\r\nContent-Length: 2000000\r\n\r\n"
    );
    client.send(head).send(body);
    client.reset();
    told.recv_timeout(PATIENCE).expect("the handler is over");
    assert!(!folder.path().join("a").exists());
}

fn what_is_told_of_the_connection_is_an_argument(over: Over) {
    let app = App::new()
        .get("/address", |address: ClientAddr| address.to_string())
        .get("/tls", |tls: TlsInfo| tls.version)
        .get("/identity", |identity: Identity| identity.subject.clone())
        .trust("loopback");
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/address").says(), (200, "127.0.0.1"));
    let forwarded = ask(&mut client, "/address", "X-Forwarded-For: 1.1.1.1, 203.0.113.9");
    assert_eq!(forwarded.says(), (200, "203.0.113.9"));
    let answer = client.get("/tls");
    match over.speaks.tls {
        Some(_) => assert_eq!(answer.says(), (200, "TLSv1.3")),
        None => assert_eq!(answer.status, 403),
    }
    assert_eq!(client.get("/identity").status, 403);
}

fn what_handlers_return_says_what_it_is(over: Over) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("caf\u{e9}.css");
    std::fs::write(&path, "a {}").expect("written");
    let (there, missing, no_file) = (path.clone(), folder.path().join("b"), folder.path().to_owned());
    let app = App::new()
        .get("/page", Html("<p>"))
        .get("/redirect", Redirect::to("/page?a=b c"))
        .get("/created", || Created::at("/users/7", Json(7)))
        .get("/none", |_: Request| None::<&str>)
        .get("/nothing", NoContent)
        .get("/failure", || -> Result<String, Failure> { Ok("x".parse::<u32>()?.to_string()) })
        .get("/parts", (Status::ACCEPTED, [("X-A", "1")], Attachment::named("\u{e9}.txt"), "text"))
        .get("/file", move || {
            let there = there.clone();
            async move { FileResponse::open(there).await }
        })
        .get("/missing", move || {
            let missing = missing.clone();
            async move { FileResponse::open(missing).await }
        })
        .get("/no-file", move || {
            let no_file = no_file.clone();
            async move { FileResponse::open(no_file).await }
        });
    let server = Server::start(app, over);
    let mut client = Client::connect(&server);
    for (target, status, field, value, body) in [
        ("/page", 200, "content-type", "text/html; charset=utf-8", "<p>"),
        ("/redirect", 303, "location", "/page?a=b%20c", ""),
        ("/created", 201, "location", "/users/7", "7"),
        (
            "/parts",
            202,
            "content-disposition",
            "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt",
            "text",
        ),
        ("/file", 200, "content-type", "text/css; charset=utf-8", "a {}"),
    ] {
        let answer = client.get(target);
        assert_eq!((answer.says(), answer.field(field)), ((status, body), Some(value)), "{target}");
    }
    for (target, status) in [("/none", 404), ("/failure", 500), ("/missing", 404), ("/no-file", 404)] {
        let answer = client.get(target);
        assert_eq!((answer.status, answer.field("content-type")), (status, Some("application/problem+json")));
        assert!(!answer.text().contains("digit"), "what went wrong here is for the log");
    }
    client.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.head().status, 204);
}

fn a_stream_is_sent_as_it_comes_and_broken_off_where_it_fails(over: Over) {
    let count = || {
        StreamBody::new(tokio_stream::iter(0..1000).map(|number| Ok::<_, Infallible>(format!("{number},"))))
    };
    let fails = || {
        let pieces = [Ok("half"), Err("the other half is lost")];
        StreamBody::new(tokio_stream::iter(pieces))
    };
    let server = Server::start(App::new().get("/count", count).get("/fails", fails), over);
    let mut client = Client::connect(&server);
    let answer = client.get("/count");
    assert_eq!((answer.status, answer.text().split(',').count()), (200, 1001));
    client.send("GET /fails HTTP/1.1\r\nHost: a\r\n\r\n");
    if client.head_unless_over().is_some() {
        assert!(client.rest_of_broken().len() <= "half".len() + 20);
    }
    assert_eq!(Client::connect(&server).get("/count").status, 200);
}

fn what_a_handler_lacks_is_found_when_the_application_is_built(_: BackendChoice) {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "read only")]
    struct Post {
        user: u64,
        slug: String,
        page: Option<u32>,
    }
    let app = App::new()
        .get("/users/:id", |_: Path<(u64, u64)>| "")
        .get("/posts/:user/:name", |_: Path<Post>| "")
        .get("/fine/:user/:slug", |_: Path<Post>| "")
        .get("/session", |_: SignedCookies| "")
        .post("/twice", async |_: Json<User>, _: Form<User>| "");
    let error = app.build().expect_err("there are four mistakes").to_string();
    for said in [
        "takes 2 of the path's parameters, and the pattern has 1",
        "takes a parameter \"slug\"",
        "Key",
        "takes the body twice, as Json and as Form",
    ] {
        assert!(error.contains(said), "{said} is not in {error}");
    }
    assert!(
        !error.contains("/fine") && !error.contains("\"page\"") && !error.contains("\"user\""),
        "{error}"
    );
}
