//! Filters, as handlers behind them and clients before them meet them.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use behind::{Behind, field, text};
use gannet_core::{BodyError, IntoResponse, Request, Response, Status};
use gannet_features::body_limit::BodyLimit;
use gannet_features::cors::Cors;
use gannet_features::error_pages::ErrorPages;
use gannet_features::request_id::{Believed, RequestId, RequestIds};
use gannet_features::security_headers::{ContentSecurityPolicy, Nonce, SecurityHeaders};
use gannet_features::timeout::Timeout;
use gannet_features::timing::{ServerTiming, Timings};
use gannet_features::transform::Transform;

fn tells_id(id: RequestId) -> String {
    id.to_string()
}

#[test]
fn an_id_is_made_and_the_handler_has_the_one_that_is_told() {
    let behind = Behind::new(RequestIds::new().seed(1), tells_id);
    let first = behind.get(&[]);
    let told = field(&first, "x-request-id").expect("an id").to_owned();
    // Two thousand million seconds and a thousand: the world's calendar.
    assert!(told.starts_with("01d1a959-6240-7") && told.len() == 36, "{told}");
    assert_eq!(text(first), told);
    assert_ne!(text(behind.get(&[])), told);
    let same = Behind::new(RequestIds::new().seed(1), tells_id);
    assert_eq!(text(same.get(&[])), told, "the same seed at the same time");
}

#[test]
fn a_proxy_s_id_is_taken_where_the_proxy_is_trusted_and_the_id_is_one() {
    let said = &[("X-Request-Id", "abc-123")];
    let is_taken = |behind: &Behind, fields: &[(&str, &str)]| text(behind.get(fields)) == fields[0].1;
    let mut behind = Behind::new(RequestIds::new(), tells_id).from("10.0.0.1");
    assert!(!is_taken(&behind, said), "nobody is trusted");
    behind.trusted = "10.0.0.0/8";
    assert!(is_taken(&behind, said));
    assert!(!is_taken(&behind, &[("X-Request-Id", "a b")]));
    assert!(!is_taken(&behind, &[("X-Request-Id", &"x".repeat(129))]));
    let behind = behind.from("192.0.2.1");
    assert!(!is_taken(&behind, said), "another than who is trusted");
    assert!(is_taken(&Behind::new(RequestIds::new().believe(Believed::Everybody), tells_id), said));
    let mut nobody = Behind::new(RequestIds::new().believe(Believed::Nobody), tells_id).from("10.0.0.1");
    nobody.trusted = "10.0.0.0/8";
    assert!(!is_taken(&nobody, said));
}

#[test]
fn an_id_of_an_upstream_s_own_is_replaced() {
    let handler = |_: Request| Response::text("").with("X-Request-ID", "another");
    let response = Behind::new(RequestIds::new(), handler).get(&[]);
    let all: Vec<_> =
        response.fields().iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-request-id")).collect();
    assert!(all.len() == 1 && all[0].1.len() == 36, "{all:?}");
}

#[test]
fn what_a_handler_takes_of_a_filter_that_is_not_there_is_a_500_that_names_it() {
    let none = || SecurityHeaders::none();
    for (behind, named) in [
        (Behind::new(none(), tells_id), "RequestIds"),
        (Behind::new(none(), |nonce: Nonce| nonce.to_string()), "SecurityHeaders"),
    ] {
        let response = behind.get(&[]);
        assert_eq!(response.status(), Status::INTERNAL_SERVER_ERROR);
        assert!(text(response).contains(named));
    }
    let response = Behind::new(none(), |timings: Timings| timings.record("a", Duration::ZERO)).get(&[]);
    assert_eq!(response.status(), Status::NO_CONTENT, "times that nobody is told are no mistake");
}

#[test]
fn every_response_s_nonce_is_another_and_the_policy_s_is_the_handler_s() {
    let policy = ContentSecurityPolicy::new().script_nonces();
    let filter = SecurityHeaders::new().content_security_policy(policy);
    let behind = Behind::new(filter, |nonce: Nonce| nonce.to_string());
    let mut seen = Vec::new();
    for _ in 0..3 {
        let response = behind.get(&[]);
        let policy = field(&response, "content-security-policy").expect("a policy").to_owned();
        let nonce = text(response);
        assert!(policy.ends_with(&format!("script-src 'self' 'nonce-{nonce}'")), "{policy}");
        assert!(!seen.contains(&nonce));
        seen.push(nonce);
    }
}

#[test]
fn security_fields_are_the_safe_set_each_once_and_what_a_handler_says_stays() {
    let expected = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ];
    let response = Behind::new(SecurityHeaders::new(), "page").get(&[]);
    for (name, value) in expected {
        assert_eq!(field(&response, name), Some(value), "{name}");
    }
    assert_eq!(field(&response, "strict-transport-security"), None);
    let own = |_: Request| Response::text("page").with("content-security-policy", "default-src *");
    let filter = SecurityHeaders::new().without("Referrer-Policy").field("x-frame-options", "SAMEORIGIN");
    let response = Behind::new(filter, own).get(&[]);
    let said: Vec<_> = response.fields().iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    assert_eq!(field(&response, "content-security-policy"), Some("default-src *"));
    assert_eq!(
        (field(&response, "x-frame-options"), field(&response, "referrer-policy")),
        (Some("SAMEORIGIN"), None)
    );
    let mut once = said.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), said.len(), "{said:?}");
}

#[test]
fn the_total_and_the_parts_that_a_handler_names_are_told() {
    thread_local! {
        static PASSES: Cell<Option<std::rc::Rc<behind::World>>> = const { Cell::new(None) };
    }
    let pass = |milliseconds| {
        let world = PASSES.take().expect("a world");
        world.now.set(world.now.get() + Duration::from_millis(milliseconds));
        PASSES.set(Some(world));
    };
    let handler = move |timings: Timings| {
        let part = timings.start("db");
        pass(20);
        drop(part);
        pass(5);
        timings.describe("cache", "hit or miss", Duration::from_micros(1500));
        timings.record(&"x".repeat(4000), Duration::ZERO);
        "page"
    };
    let behind = Behind::new(ServerTiming::new(), handler);
    PASSES.set(Some(behind.world.clone()));
    for _ in 0..2 {
        assert_eq!(
            field(&behind.get(&[]), "server-timing"),
            Some("total;dur=25.000, db;dur=20.000, cache;dur=1.500;desc=\"hit or miss\"")
        );
    }
    let told = Behind::new(ServerTiming::new().when(|request| request.field("x-debug").is_some()), "page");
    assert_eq!(field(&told.get(&[]), "server-timing"), None);
    assert_eq!(field(&told.get(&[("X-Debug", "1")]), "server-timing"), Some("total;dur=0.000"));
}

#[test]
fn who_takes_too_long_is_dropped_and_answered_503_and_who_does_not_is_not_touched() {
    struct Tell(Arc<Mutex<bool>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            *self.0.lock().expect("nobody panics") = true;
        }
    }
    let dropped = Arc::<Mutex<bool>>::default();
    let held = dropped.clone();
    let handler = move |request: Request| {
        let tell = Tell(held.clone());
        async move {
            let _tell = tell;
            if request.field("x-waits").is_some() {
                std::future::pending::<()>().await;
            }
            "done"
        }
    };
    let behind = Behind::new(Timeout::after(Duration::from_secs(30)), handler);
    assert_eq!(text(behind.get(&[])), "done");
    *dropped.lock().expect("nobody panics") = false;
    let mut asked = behind.begin("GET", &[("X-Waits", "1")]);
    assert!(asked.response().is_none());
    behind.world.now.set(Duration::from_millis(1_029_999));
    assert!(asked.response().is_none() && !*dropped.lock().expect("nobody panics"));
    behind.world.now.set(Duration::from_secs(1030));
    let response = asked.response().expect("the deadline has come");
    assert_eq!(
        (response.status(), field(&response, "content-type")),
        (Status::SERVICE_UNAVAILABLE, Some("text/plain; charset=utf-8"))
    );
    assert!(*dropped.lock().expect("nobody panics"), "the handler's future is gone");
    let waits = async |_: Request| std::future::pending::<&str>().await;
    let behind = Behind::new(Timeout::after(Duration::ZERO).status(Status::GATEWAY_TIMEOUT), waits);
    let response = behind.get(&[("Accept", "text/html,*/*;q=0.8")]);
    assert_eq!(
        (response.status(), field(&response, "content-type")),
        (Status::GATEWAY_TIMEOUT, Some("text/html; charset=utf-8"))
    );
}

#[test]
fn a_body_is_refused_at_once_where_its_length_says_so_and_else_when_more_comes() {
    let reads = async |mut request: Request| match request.body().collect(usize::MAX).await {
        Ok(body) => body.len().to_string().into_response(),
        Err(error) => error.into_response(),
    };
    let behind = Behind::new(BodyLimit::bytes(10), reads);
    for (length, status) in [("10", None), ("11", Some(413)), ("18446744073709551615", Some(413))] {
        let mut asked = behind.begin("POST", &[("Content-Length", length)]);
        let answered = asked.response().map(|response| response.status().code());
        assert_eq!(answered.unwrap_or(200), status.unwrap_or(200), "{length}");
    }
    assert_eq!(text(behind.post(&[], &[1; 10])), "10");
    assert_eq!(behind.post(&[], &[1; 11]).status(), Status::CONTENT_TOO_LARGE);
    let (mut asked, sending) = behind.begin_post(&[]);
    sending.send(&[1; 10]);
    assert!(asked.response().is_none(), "there may be no more");
    sending.send(&[1]);
    assert_eq!(asked.response().expect("an answer").status(), Status::CONTENT_TOO_LARGE);
}

#[test]
fn whatever_error_is_made_of_a_body_that_is_too_large_the_client_is_told_that_it_is() {
    let confuses = async |mut request: Request| match request.body().collect(usize::MAX).await {
        Ok(_) => Status::OK,
        Err(BodyError::TooLarge) => Status::BAD_GATEWAY,
        Err(_) => Status::BAD_REQUEST,
    };
    let behind = Behind::new(BodyLimit::bytes(10), confuses);
    assert_eq!(behind.post(&[], &[1; 11]).status(), Status::CONTENT_TOO_LARGE);
    let (mut asked, sending) = behind.begin_post(&[]);
    sending.end(Err(BodyError::Incomplete));
    assert_eq!(asked.response().expect("an answer").status(), Status::BAD_REQUEST);
    // Who does without the rest has decided so.
    let content =
        async |mut request: Request| request.body().collect(usize::MAX).await.map_or("some", |_| "all");
    assert_eq!(text(Behind::new(BodyLimit::bytes(10), content).post(&[], &[1; 11])), "some");
}

#[test]
fn vary_names_origin_also_where_no_origin_asked_and_not_where_all_get_the_same() {
    let named = || Behind::new(Cors::new().origins(["https://a.example"]), "text");
    assert_eq!(field(&named().get(&[]), "vary"), Some("Origin"));
    assert_eq!(field(&named().get(&[("Origin", "https://b.example")]), "vary"), Some("Origin"));
    let any = Behind::new(Cors::new().any_origin(), "text");
    assert_eq!(field(&any.get(&[("Origin", "https://b.example")]), "vary"), None);
    let nobody = Behind::new(Cors::new(), "text").get(&[("Origin", "https://b.example")]);
    assert_eq!((field(&nobody, "vary"), field(&nobody, "access-control-allow-origin")), (None, None));
}

#[test]
fn a_function_decides_of_origins_that_no_pattern_matches_and_of_no_other() {
    let cors = Cors::new().origins(["https://a.example"]).origin_if(|origin, request| {
        assert_ne!(origin, "https://a.example");
        origin == "https://b.example" && request.field("x-key").is_some()
    });
    let behind = Behind::new(cors, "text");
    let allowed = |fields: &[(&str, &str)]| {
        field(&behind.get(fields), "access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed(&[("Origin", "https://a.example")]).as_deref(), Some("https://a.example"));
    assert_eq!(
        allowed(&[("Origin", "https://b.example"), ("X-Key", "1")]).as_deref(),
        Some("https://b.example")
    );
    assert_eq!(allowed(&[("Origin", "https://b.example")]), None);
    assert_eq!(allowed(&[("Origin", "\u{e9}")]), None);
}

#[test]
fn what_a_page_may_ask_is_answered_beforehand_and_the_handler_is_not_asked() {
    let handler = |_: Request| -> Response { panic!("nobody asks") };
    let origin = ("Origin", "https://a.example");
    let preflight = |cors: Cors, fields: &[(&str, &str)]| {
        let fields: Vec<_> = [origin, ("Access-Control-Request-Method", "PATCH")]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        Behind::new(cors, handler).ask("OPTIONS", &fields)
    };
    let named = || Cors::new().origins(["https://a.example"]);
    let response = preflight(named(), &[("Access-Control-Request-Headers", "x-b")]);
    assert_eq!(
        (response.status(), field(&response, "access-control-allow-methods")),
        (Status::NO_CONTENT, Some("PATCH"))
    );
    assert_eq!(field(&response, "access-control-allow-headers"), Some("x-b"));
    assert_eq!(field(&response, "access-control-allow-credentials"), None);
    let varies: Vec<_> =
        response.fields().iter().filter(|(name, _)| *name == "Vary").map(|(_, value)| value).collect();
    assert_eq!(varies, [&b"Origin"[..], b"Access-Control-Request-Method", b"Access-Control-Request-Headers"]);
    let response = preflight(
        named().methods(["PUT", "DELETE"]).headers(["X-A", "X-B"]),
        &[("Access-Control-Request-Headers", "x-c")],
    );
    assert_eq!(field(&response, "access-control-allow-methods"), Some("PUT, DELETE"));
    assert_eq!(field(&response, "access-control-allow-headers"), Some("X-A, X-B"));
    let private = &[("Access-Control-Request-Private-Network", "true")];
    assert_eq!(field(&preflight(named(), private), "access-control-allow-private-network"), None);
    let response = preflight(named().private_network(true), private);
    assert_eq!(field(&response, "access-control-allow-private-network"), Some("true"));
    assert_eq!(preflight(Cors::new().origins(["https://b.example"]), &[]).status(), Status::FORBIDDEN);
}

#[test]
fn an_upstream_s_own_word_on_other_origins_is_replaced() {
    let handler = |_: Request| {
        Response::text("text")
            .with("Access-Control-Allow-Origin", "*")
            .with("access-control-allow-credentials", "true")
    };
    let behind = Behind::new(Cors::new().origins(["https://a.example"]), handler);
    let response = behind.get(&[("Origin", "https://b.example")]);
    assert!(
        response.fields().iter().all(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control-"))
    );
    let response = behind.get(&[("Origin", "https://a.example")]);
    assert_eq!(field(&response, "access-control-allow-origin"), Some("https://a.example"));
    assert_eq!(field(&response, "access-control-allow-credentials"), None);
}

#[test]
fn errors_get_pages_of_one_s_own_and_nothing_else_does() {
    let pages = || {
        ErrorPages::new()
            .page(500..=599, "<p>sorry")
            .page_by(400..=499, |error| format!("<p>{}", error.status.code()))
    };
    let response = Behind::new(pages(), Status::new(418).expect("a status")).get(&[("Accept", "text/html")]);
    assert_eq!(
        (response.status().code(), field(&response, "content-type")),
        (418, Some("text/html; charset=utf-8"))
    );
    assert_eq!(text(response), "<p>418");
    assert_eq!(text(Behind::new(pages(), Status::BAD_GATEWAY).get(&[])), "<p>sorry");
    assert_eq!(text(Behind::new(pages(), "fine").get(&[])), "fine");
    let later = async |_: Request| Status::BAD_GATEWAY;
    assert_eq!(text(Behind::new(pages(), later).get(&[])), "<p>sorry");
}

#[test]
fn requests_and_responses_are_transformed_in_the_order_in_which_it_is_said() {
    let transform = Transform::new()
        .set_request_field("X-Tenant", "acme")
        .remove_request_field("Cookie")
        .rewrite_path("/a", "/b/c")
        .set_field("X-A", "1")
        .add_field("X-A", "2")
        .remove_field("X-B")
        .response(|response| _ = response.fields_mut().insert("X-A", "3"));
    let handler = |request: Request| {
        let said = format!(
            "{} {:?} {:?}",
            request.path(),
            request.field_str("x-tenant"),
            request.field_str("cookie")
        );
        Response::text(said).with("x-b", "1")
    };
    let response = Behind::new(transform, handler).get(&[("Cookie", "secret"), ("x-tenant", "evil")]);
    assert_eq!((field(&response, "x-a"), field(&response, "x-b")), (Some("3"), None));
    assert_eq!(text(response), "/b/c Some(\"acme\") None");
}

#[test]
fn a_mapped_body_is_whole_and_what_was_said_of_its_old_bytes_is_not_said() {
    let transform = || {
        Transform::new()
            .map_body(|| |piece: Option<&[u8]>| piece.map(<[u8]>::to_ascii_uppercase).unwrap_or_default())
    };
    let handler = |request: Request| {
        assert!(request.field("range").is_none() && request.field("accept-encoding").is_none());
        Response::text("text").with("ETag", "\"a\"").with("Accept-Ranges", "bytes")
    };
    let response =
        Behind::new(transform(), handler).get(&[("Range", "bytes=0-1"), ("Accept-Encoding", "gzip")]);
    assert_eq!((field(&response, "etag"), field(&response, "accept-ranges")), (None, None));
    assert_eq!((response.body().length(), text(response).as_str()), (None, "TEXT"));
    let coded = |_: Request| Response::text("text").with("Content-Encoding", "x");
    assert_eq!(text(Behind::new(transform(), coded).get(&[])), "text");
}
