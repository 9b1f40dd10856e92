//! Basic authentication, as clients and handlers meet it.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use behind::{Behind, field, text};
use gannet_core::{Request, Response};
use gannet_features::auth::User;
use gannet_features::auth::basic::{BasicAuth, hash_password};

/// Of "secret".
static HASH: LazyLock<String> = LazyLock::new(|| hash_password("secret").expect("random bytes"));

fn auth() -> BasicAuth {
    BasicAuth::new("the office").user("alice", &*HASH).expect("a hash").user("böb", &*HASH).expect("a hash")
}

fn behind(auth: BasicAuth) -> Behind {
    Behind::new(auth, |user: User| format!("hello {user}"))
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn ask(behind: &Behind, name: &str, password: &str) -> Response {
    behind.get(&[("Authorization", &basic(name, password))])
}

#[test]
fn who_has_the_password_is_served_by_name() {
    let behind = behind(auth());
    assert_eq!(text(ask(&behind, "alice", "secret")), "hello alice");
    assert_eq!(text(ask(&behind, "böb", "secret")), "hello böb");
}

#[test]
fn everybody_else_is_told_what_to_show_rfc_7617_2() {
    let behind = behind(auth());
    let challenge = Some("Basic realm=\"the office\", charset=\"UTF-8\"");
    let refused = |response: Response| {
        assert_eq!((response.status().code(), field(&response, "www-authenticate")), (401, challenge));
    };
    refused(behind.get(&[]));
    refused(ask(&behind, "alice", "secreT"));
    refused(ask(&behind, "alice", ""));
    refused(ask(&behind, "carol", "secret"));
    refused(ask(&behind, "", ""));
    for field in
        ["Basic", "Basic ?", "Basic YWxpY2U=", "Bearer YWxpY2U6c2VjcmV0", "alice:secret", "Basic YTo="]
    {
        refused(behind.get(&[("Authorization", field)]));
    }
    let twice = basic("alice", "secret");
    refused(behind.get(&[("Authorization", &twice), ("Authorization", &twice)]));
}

#[test]
fn what_was_right_is_not_verified_again_for_a_minute_and_what_was_wrong_is() {
    let behind = behind(auth());
    let computed = |name, password| {
        let before = behind.world.computed.get();
        ask(&behind, name, password);
        behind.world.computed.get() - before
    };
    assert_eq!([computed("alice", "secret"), computed("alice", "secret")], [1, 0]);
    assert_eq!(
        [computed("alice", "wrong"), computed("alice", "wrong"), computed("alice", "secret")],
        [1, 1, 0]
    );
    behind.world.now.set(behind.world.now.get() + Duration::from_secs(59));
    assert_eq!(computed("alice", "secret"), 0);
    behind.world.now.set(behind.world.now.get() + Duration::from_secs(1));
    assert_eq!([computed("alice", "secret"), computed("alice", "secret")], [1, 0]);
}

#[test]
fn with_no_time_to_remember_each_request_is_verified() {
    let behind = behind(auth().remember(Duration::ZERO));
    (0..2).for_each(|_| assert_eq!(text(ask(&behind, "alice", "secret")), "hello alice"));
    assert_eq!(behind.world.computed.get(), 2);
}

#[test]
fn a_name_that_nobody_has_is_verified_as_long_as_another() {
    let behind = behind(auth());
    ask(&behind, "carol", "secret");
    ask(&behind, "alice", "wrong");
    assert_eq!(behind.world.computed.get(), 2);
}

#[test]
fn others_are_served_while_a_password_is_verified_and_no_more_than_64_are() {
    let behind = behind(auth().verifications(2));
    assert_eq!(text(ask(&behind, "alice", "secret")), "hello alice");
    behind.world.held.set(true);
    let wrong = basic("alice", "wrong");
    let begin = || behind.begin("GET", &[("Authorization", &wrong)]);
    let (mut first, mut second) = (begin(), begin());
    assert!(first.response().is_none() && second.response().is_none());
    let refused = begin().response().expect("refused at once");
    assert_eq!((refused.status().code(), field(&refused, "retry-after")), (503, Some("1")));
    assert_eq!(text(ask(&behind, "alice", "secret")), "hello alice", "who is known does not wait");
    assert_eq!(behind.world.compute(), 2);
    let status = |response: Option<Response>| response.expect("verified").status().code();
    assert_eq!([status(first.response()), status(second.response())], [401, 401]);
    assert!(begin().response().is_none(), "there is room again");
}

#[test]
fn where_too_much_is_computed_it_is_503() {
    let behind = behind(auth());
    behind.world.busy.set(true);
    let refused = ask(&behind, "alice", "secret");
    assert_eq!((refused.status().code(), field(&refused, "retry-after")), (503, Some("1")));
}

#[test]
fn users_may_be_somewhere_else() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let find = async |name: String| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        (name == "dora").then(|| HASH.clone())
    };
    let behind = behind(BasicAuth::with_users("the office", find).user("alice", &*HASH).expect("a hash"));
    assert_eq!(text(ask(&behind, "dora", "secret")), "hello dora");
    assert_eq!(text(ask(&behind, "alice", "secret")), "hello alice");
    assert_eq!(ask(&behind, "erik", "secret").status().code(), 401);
    assert_eq!((ASKED.load(Ordering::Relaxed), behind.world.computed.get()), (2, 3));
    assert_eq!(text(ask(&behind, "dora", "secret")), "hello dora");
    assert_eq!(ASKED.load(Ordering::Relaxed), 2, "who is known is not asked for");
}

#[test]
fn what_is_no_hash_is_an_error_where_the_user_is_added_and_no_hash_is_written_anywhere() {
    assert!(BasicAuth::new("x").user("alice", "secret").is_err());
    let written = format!("{:?}", auth());
    assert!(!written.contains("argon2") && written.contains("the office"), "{written}");
}

#[test]
fn without_a_filter_before_it_a_handler_that_asks_for_the_user_is_a_mistake() {
    let behind = Behind::new(
        async |request: Request, next: gannet_core::Next| next.run(request).await,
        |user: User| format!("hello {user}"),
    );
    assert_eq!(behind.get(&[]).status().code(), 500);
    let optional = Behind::new(
        async |request: Request, next: gannet_core::Next| next.run(request).await,
        |user: Option<User>| format!("hello {user:?}"),
    );
    assert_eq!(text(optional.get(&[])), "hello None");
}
