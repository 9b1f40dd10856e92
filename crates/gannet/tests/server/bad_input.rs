//! What a client sends that is not as it should be: each row has an answer that says what is wrong and where, and the next request on the connection
//! is answered as ever.

use gannet::prelude::*;
use gannet::{BackendChoice, Bytes};
use serde::Deserialize;

use crate::rig::{Answer, Client, Over, Protocol, Server, on_each_backend, on_each_protocol, serve};

on_each_protocol!(
    what_is_wrong_is_said_with_its_place_and_the_connection_goes_on,
    a_body_beyond_the_limit_is_refused_before_it_is_read,
    an_application_that_answers_rejections_itself_sees_what_is_wrong,
);

on_each_backend!(
    a_body_that_is_cut_short_is_answered_if_anybody_listens,
    a_part_is_read_as_a_whole_up_to_2_mib,
);

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only")]
struct User {
    name: String,
    age: u8,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only")]
struct Tag {
    id: u32,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only")]
struct Wanted {
    x_count: u32,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only")]
struct Place {
    row: u32,
    seat: char,
}

/// Reads all parts of a form.
async fn parts(mut form: Multipart) -> Result<String, Rejection> {
    let mut names = String::new();
    while let Some(mut part) = form.next().await? {
        let length = part.text().await?.len();
        names += &format!("{}={length};", part.name());
    }
    Ok(names)
}

/// Admits 1000 bytes of a body.
async fn small(mut request: Request, next: Next) -> Response {
    request.body().limit(1000);
    next.run(request).await
}

fn app() -> App {
    App::new()
        .get("/", "hello")
        .post("/json", async |_: Json<User>| "taken")
        .post("/values", async |_: Json<serde_json::Value>| "taken")
        .post("/form", async |_: Form<User>| "taken")
        .get("/form", async |_: Form<User>| "taken")
        .post("/pairs", async |pairs: Form<Vec<(String, String)>>| pairs.len().to_string())
        .get("/query", |_: Query<User>| "taken")
        .get("/users/:id", |_: Path<u64>| "taken")
        .get("/seats/:row/:seat", |_: Path<Place>| "taken")
        .get("/range/:from/:to", async |_: Path<(u8, u8)>| "taken")
        .post("/text", async |_: Text| "taken")
        .post("/string", async |_: String| "taken")
        .post("/multipart", parts)
        .get("/cookies", |_: Cookies| "taken")
        .get("/header", |_: Header<Wanted>| "taken")
        .group("/small", |group| {
            group
                .post("/json", async |_: Json<User>| "taken")
                .post("/form", async |_: Form<User>| "taken")
                .post("/bytes", async |_: Bytes| "taken")
                .post("/multipart", parts)
                .with(small)
        })
        .state(gannet::MultipartLimits { parts: 3, head_bytes: 200, part_bytes: 2000 })
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";

fn post(target: &str, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn get(target: &str, fields: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

fn part(name: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

/// One that is wrong: the request, the status that it is answered with, and what the answer says.
type Row = (Vec<u8>, u16, &'static [&'static str]);

fn wrong_json() -> Vec<Row> {
    let deep = "[".repeat(100_000);
    vec![
        (post("/json", JSON, "{\"name\": }"), 400, &["not valid JSON", "line 1, column 10"]),
        (post("/json", JSON, "{\n \"name\": \"a\",\n}"), 400, &["line 3, column 1"]),
        (post("/json", JSON, "{\"name\": \"a\", \"age\""), 400, &["it ends within", "line 1"]),
        (post("/json", JSON, ""), 400, &["is empty"]),
        (post("/json", JSON, b"{\"name\": \"\xff\", \"age\": 1}"), 400, &["not UTF-8", "line 1, column 11"]),
        (post("/json", JSON, "{\"name\": \"a\"}"), 422, &["#/age", "\"is missing\""]),
        (post("/json", JSON, "[]"), 422, &["\"#\"", "\"expected an object, found an array\""]),
        (
            post("/json", JSON, "{\"name\": \"a\", \"age\": 99999999999999999999}"),
            422,
            &["#/age", "too large"],
        ),
        (post("/json", JSON, "{\"name\": 7, \"age\": 7}"), 422, &["#/name", "expected a string"]),
        (post("/json", JSON, "{\"name\": \"a\", \"age\": 256}"), 422, &["#/age", "too large: 255"]),
        (
            post("/json", JSON, "{\"name\": \"a\", \"age\": 7, \"tags\": [{\"id\": 1}, {\"id\": \"x\"}]}"),
            422,
            &["#/tags/1/id", "expected a whole number"],
        ),
        (post("/json", "text/plain", "{}"), 415, &["Content-Type", "application/json"]),
        (post("/json", FORM, "name=a&age=7"), 415, &["Content-Type"]),
        (
            b"POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".to_vec(),
            415,
            &["Content-Type", "is missing; application/json was expected"],
        ),
        (post("/values", JSON, &deep), 400, &["nested deeper", "column 128"]),
        (post("/values", JSON, deep.replace('[', "{\"a\":")), 400, &["nested deeper"]),
        (post("/small/json", JSON, " ".repeat(1001)), 413, &["1000 bytes"]),
    ]
}

fn wrong_forms() -> Vec<Row> {
    vec![
        (post("/form", FORM, "name=a"), 422, &["\"field\":\"age\"", "missing"]),
        (
            post("/form", FORM, "name=a&age=x"),
            422,
            &["\"field\":\"age\"", "expected a whole number, found \\\"x\\\""],
        ),
        (post("/form", FORM, "name=a&age=1&age=2"), 422, &["\"field\":\"age\"", "more than once"]),
        (post("/form", FORM, "name=%ff&age=1"), 422, &["\"field\":\"name\"", "UTF-8"]),
        (post("/form", FORM, "name=%&age=1"), 422, &["\"field\":\"name\"", "percent-encoded"]),
        (post("/form", FORM, b"name=\xff&age=1"), 400, &["UTF-8 from byte 6"]),
        (post("/form", JSON, "{}"), 415, &["Content-Type", FORM]),
        // A million keys.
        (post("/pairs", FORM, "a&".repeat(1_000_000)), 413, &["more than 1024 fields"]),
        (post("/small/form", FORM, "a".repeat(1001)), 413, &["1000 bytes"]),
        (get("/form?name=a", ""), 400, &["\"parameter\":\"age\"", "missing"]),
        (get("/query?name=a", ""), 400, &["\"parameter\":\"age\"", "missing"]),
        (get("/query?name=%c3%28&age=1", ""), 400, &["\"parameter\":\"name\"", "UTF-8"]),
        (get(&format!("/query?{}", "a&".repeat(2000)), ""), 400, &["more than 1024 fields"]),
    ]
}

fn wrong_multipart() -> Vec<Row> {
    let end = "--b--\r\n";
    let whole = |parts: String| post("/multipart", MULTIPART, parts + end);
    vec![
        (post("/multipart", MULTIPART, ""), 400, &["ends before its last boundary"]),
        (post("/multipart", MULTIPART, part("a", "1")), 400, &["ends before its last boundary"]),
        (post("/multipart", MULTIPART, "--b\r\nContent-Disp"), 400, &["ends before its last boundary"]),
        (post("/multipart", MULTIPART, "x".repeat(100_000)), 400, &["ends before its last boundary"]),
        (post("/multipart", "multipart/form-data", end), 400, &["boundary"]),
        (post("/multipart", "multipart/mixed; boundary=b", end), 415, &["Content-Type"]),
        (post("/multipart", FORM, "a=1"), 415, &["Content-Type", "multipart/form-data"]),
        (whole("--b\r\nX: 1\r\n\r\nx\r\n".to_owned()), 400, &["without a name"]),
        (whole(part("a", "1").replace("form-data", "attachment")), 400, &["without a name"]),
        (whole(part("a", "1") + "--bx\r\n"), 400, &["something behind it"]),
        (whole(part(&"a".repeat(300), "1")), 413, &["head", "200 bytes"]),
        (whole(part("a", &"x".repeat(2001))), 413, &["\"field\":\"a\"", "2000 bytes"]),
        (whole(part("a", "1").repeat(4)), 413, &["more than 3 parts"]),
        (post("/small/multipart", MULTIPART, part("a", &"x".repeat(1001)) + end), 413, &["1000 bytes"]),
        (
            post("/multipart", MULTIPART, [part("a", "").as_bytes(), b"--b\r\n\xff\r\n\r\n"].concat()),
            400,
            &["head is not UTF-8"],
        ),
    ]
}

fn wrong_others() -> Vec<Row> {
    vec![
        (get("/users/x", ""), 400, &["\"parameter\":\"id\"", "expected a whole number, found \\\"x\\\""]),
        (get("/users/-1", ""), 400, &["\"parameter\":\"id\"", "too small: 0"]),
        (get("/users/99999999999999999999", ""), 400, &["\"parameter\":\"id\"", "too large"]),
        (get("/users/%ff", ""), 400, &["\"parameter\":\"id\"", "UTF-8"]),
        (get("/seats/1/ab", ""), 400, &["\"parameter\":\"seat\"", "a character"]),
        (get("/range/1/300", ""), 400, &["\"parameter\":\"to\"", "too large: 255"]),
        (post("/text", "text/plain", b"abc\xff"), 400, &["not UTF-8 from byte 4"]),
        (post("/string", "whatever/it-is", b"\xff"), 400, &["UTF-8 from byte 1"]),
        (post("/text", JSON, "{}"), 415, &["Content-Type"]),
        (post("/text", "text/plain; charset=iso-8859-1", "a"), 415, &["charset"]),
        (post("/small/bytes", "a/b", "x".repeat(1001)), 413, &["1000 bytes"]),
        (get("/cookies", "Cookie: a=1; b c=2; d=3\r\n"), 400, &["\"field\":\"Cookie\"", "\\\"b c\\\""]),
        (get("/cookies", "Cookie: {\"a\"=1\r\n"), 400, &["\"field\":\"Cookie\""]),
        (get("/header", ""), 400, &["\"field\":\"x-count\"", "missing"]),
        (
            get("/header", "X-Count: many\r\n"),
            400,
            &["\"field\":\"x-count\"", "expected a whole number, found \\\"many\\\""],
        ),
        (get("/header", "X-Count: 1\r\nx-count: 2\r\n"), 400, &["\"field\":\"x-count\"", "more than once"]),
    ]
}

/// A problem (RFC 9457) of this status that says all of this.
fn assert_says(answer: &Answer, status: u16, says: &[&str], request: &[u8]) {
    let line = request[..request.len().min(200)].escape_ascii();
    assert_eq!(answer.status, status, "{line}: {}", answer.text());
    assert_eq!(answer.field("content-type"), Some("application/problem+json"), "{line}");
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).expect("a problem is JSON");
    assert_eq!(problem["status"], status, "{line}");
    assert!(problem["detail"].is_string() && problem["title"].is_string(), "{line}");
    for part in says {
        assert!(answer.text().contains(part), "{line}: {part} is not in {}", answer.text());
    }
    assert!(answer.body.len() < 2048, "{line}: {} bytes", answer.body.len());
}

fn what_is_wrong_is_said_with_its_place_and_the_connection_goes_on(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    let rows = [wrong_json(), wrong_forms(), wrong_multipart(), wrong_others()].concat();
    for (request, status, says) in rows {
        let answer = client.send(&request).answer();
        assert_says(&answer, status, says, &request);
        // Of a body that is refused at its size no more is read than keeps the connection.
        let is_kept = over.speaks.protocol == Protocol::Http2 || answer.field("connection") != Some("close");
        assert!(
            is_kept || request.len() > 256 * 1024,
            "{}",
            request[..100.min(request.len())].escape_ascii()
        );
        if !is_kept {
            client = Client::connect(&server);
        }
        assert_eq!(client.get("/").says(), (200, "hello"), "the next one on the connection");
    }
}

fn a_body_beyond_the_limit_is_refused_before_it_is_read(over: Over) {
    let server = Server::start(app(), over);
    let mut client = Client::connect(&server);
    let length = 2 * 1024 * 1024 + 1;
    let head =
        format!("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: {JSON}\r\nContent-Length: {length}\r\n\r\n");
    let answer = client.send(&head).answer();
    assert_says(&answer, 413, &["2097152 bytes"], head.as_bytes());
    if over.speaks.protocol == Protocol::Http2 {
        client.send(vec![b' '; length]);
        assert_eq!(client.get("/").says(), (200, "hello"));
    }
    // Where it does not say its length, as much is read as may be.
    let mut client = Client::connect(&server);
    let head = format!(
        "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    client.send(&head);
    let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..33 {
        client.send(&chunk);
    }
    assert_says(&client.answer(), 413, &["2097152 bytes"], head.as_bytes());
}

fn an_application_that_answers_rejections_itself_sees_what_is_wrong(over: Over) {
    let answered = |rejection: Rejection, request: &Request| {
        let places: Vec<_> = rejection.errors().iter().map(|error| format!("{:?}", error.place)).collect();
        (
            Status::BAD_REQUEST,
            format!("{} {} {}", request.path(), rejection.status().code(), places.join(" ")),
        )
    };
    let server = Server::start(app().rejections(answered), over);
    let mut client = Client::connect(&server);
    let answer = client.send(post("/json", JSON, "{\"name\": \"a\"}")).answer();
    assert_eq!(answer.says(), (400, "/json 422 Pointer(\"/age\")"));
    assert_eq!(client.get("/users/x").says(), (400, "/users/x 400 Parameter(\"id\")"));
}

fn a_body_that_is_cut_short_is_answered_if_anybody_listens(backend: BackendChoice) {
    let server = serve(app(), backend);
    for (target, content_type) in
        [("/json", JSON), ("/form", FORM), ("/multipart", MULTIPART), ("/string", "a/b")]
    {
        let mut client = Client::connect(&server);
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: 50\r\n\r\n"
        );
        let answer = client.send(&head).send("half").finish().answer();
        assert_says(&answer, 400, &["cut short"], head.as_bytes());
        client.ends();
    }
    assert_eq!(Client::connect(&server).get("/").says(), (200, "hello"));
}

fn a_part_is_read_as_a_whole_up_to_2_mib(backend: BackendChoice) {
    let large = async |mut request: Request, next: Next| {
        request.body().limit(10_000_000);
        next.run(request).await
    };
    let server = serve(App::new().post("/", parts).with(large), backend);
    for (length, status) in [(2 * 1024 * 1024, 200), (2 * 1024 * 1024 + 1, 413)] {
        let body = part("a", &"x".repeat(length)) + "--b--";
        assert_eq!(Client::connect(&server).send(post("/", MULTIPART, body)).answer().status, status);
    }
}
