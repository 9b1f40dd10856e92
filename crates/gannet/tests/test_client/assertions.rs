//! What a failing assertion says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gannet::prelude::*;
use gannet::test::Answer;

/// What a panic said.
fn said(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion fails");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).expect("a message")
}

async fn answer() -> Answer {
    let created =
        |_: Request| Response::text("{\"id\":1}").with_status(Status::CREATED).with("Location", "/users/1");
    App::new().post("/users", created).test().post("/users").send().await
}

#[gannet::test]
async fn a_failing_assertion_shows_the_whole_answer() {
    let answer = answer().await;
    type Assertion = Box<dyn Fn(&Answer)>;
    let failures: [(&str, Assertion); 8] = [
        ("the status is not 200", Box::new(|answer| _ = answer.assert_status(200))),
        ("the status is not 404", Box::new(|answer| _ = answer.assert_status(Status::NOT_FOUND))),
        ("Location is not \"/\"", Box::new(|answer| _ = answer.assert_header("Location", "/"))),
        ("there is Location", Box::new(|answer| _ = answer.assert_no_header("Location"))),
        ("the body is not \"hello\"", Box::new(|answer| _ = answer.assert_text("hello"))),
        ("the body has no \"hello\"", Box::new(|answer| _ = answer.assert_text_contains("hello"))),
        ("from byte 0 on they differ", Box::new(|answer| _ = answer.assert_bytes([1, 2]))),
        ("the body is no JSON of a u8", Box::new(|answer| _ = answer.json::<u8>())),
    ];
    for (what, assertion) in failures {
        let said = said(|| assertion(&answer));
        for part in [what, "> POST /users", "< 201 Created", "Location: /users/1", "{\"id\":1}"] {
            assert!(said.contains(part), "{part:?} is in {said}");
        }
    }
    answer.assert_status(201).assert_status(Status::CREATED).assert_json(&serde_json::json!({ "id": 1 }));
}

#[gannet::test]
async fn a_failing_assertion_shows_what_the_server_logged_of_what_went_wrong() {
    let fails = |_: Request| -> Result<&'static str, Failure> { Err("the pool is closed".into()) };
    let panics = |_: Request| -> &'static str { panic!("part of a test") };
    let client = App::new().get("/", "fine").get("/fails", fails).get("/panics/:id", panics).test();
    let shown = async |target: &str| {
        let answer = client.get(target).send().await;
        said(|| _ = answer.assert_status(204))
    };
    assert!(shown("/fails").await.ends_with("\nthe server logged: a handler failed: the pool is closed"));
    let panicked = shown("/panics/7").await;
    assert!(
        panicked.contains("the server logged: a handler panicked: part of a test route=\"/panics/:id\""),
        "{panicked}"
    );
    assert!(!shown("/").await.contains("logged"));
}

#[gannet::test(real_time)]
async fn on_real_time_the_calendar_is_today_s() {
    let answer = App::new().get("/", "fine").test().get("/").send().await;
    let date = answer.header("Date").expect("a date");
    let year = date.split(' ').nth(3).and_then(|year| year.parse::<u32>().ok());
    assert!(year.is_some_and(|year| year >= 2025), "{date}");
}

#[gannet::test]
async fn on_virtual_time_the_calendar_begins_in_1994() {
    let answer = App::new().get("/", "fine").test().get("/").send().await;
    answer.assert_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
}

#[gannet::test]
async fn mistakes_of_the_application_are_told_all_at_once() {
    let app = App::new().get("/a", "one").get("/a", "two").get("b", "three");
    let said = said(|| drop(app.test()));
    assert!(said.contains("pattern \"/a\" has two handlers"), "{said}");
    assert!(said.contains("pattern \"b\" does not begin with a slash"), "{said}");
}

#[gannet::test]
async fn what_cannot_be_sent_is_told_where_it_was_written() {
    let client = App::new().get("/", "hello").test();
    assert!(said(|| drop(client.get("no slash"))).contains("begins with a slash"));
    assert!(said(|| drop(client.request("NO METHOD", "/"))).contains("is no method"));
    assert!(said(|| drop(client.peer("nobody"))).contains("is no IP address"));
}

#[gannet::test]
#[should_panic(expected = "the field \"x-a\" cannot be sent")]
async fn a_field_that_cannot_be_sent_panics() {
    App::new().get("/", "hello").test().get("/").header("x-a", "1\r\nx-b: 2").send().await;
}

#[gannet::test]
#[should_panic(expected = "use #[gannet::test(real_time)]")]
async fn an_answer_that_never_comes_panics_and_says_what_may_be_wrong() {
    let never = async |_: Request| {
        std::future::pending::<()>().await;
        "never"
    };
    App::new().get("/", never).test().get("/").send().await;
}
