//! Which form is chosen.

use super::*;

const BROWSER: &[u8] = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn pages() -> ErrorPages {
    ErrorPages::new()
        .page_by(400..=599, |error| {
            format!("any {} {}", error.status.code(), error.request_id.unwrap_or("-"))
        })
        .page(404..=404, "nothing here")
        .problems()
}

fn replaced(pages: &ErrorPages, response: Response, accept: Option<&[u8]>) -> (String, String) {
    let asked = Asked { accept: Accept::of(accept), request_id: None };
    let response = pages.replace(response, &asked);
    let content_type = response.fields().get("content-type").unwrap_or_default();
    let content_type = String::from_utf8(content_type.to_vec()).expect("ASCII");
    let body = match response.into_parts().2 {
        Body::Bytes(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
        _ => String::new(),
    };
    (content_type, body)
}

#[test]
fn the_page_for_the_fewest_statuses_is_taken_whatever_the_order() {
    let body = |status| replaced(&pages(), Response::new(status), Some(BROWSER)).1;
    assert_eq!(body(Status::NOT_FOUND), "nothing here");
    assert_eq!(body(Status::FORBIDDEN), "any 403 -");
}

#[test]
fn the_form_is_the_one_that_the_client_prefers_and_an_error_that_says_more_stays_for_who_likes_it_as_much() {
    let detailed = || {
        let body = Body::Bytes("{\"detail\":\"age\"}".into());
        Response::new(Status::BAD_REQUEST).with("Content-Type", "application/problem+json").with_body(body)
    };
    let bare = || gannet_core::error_page(Status::BAD_REQUEST, None);
    let (own, problem) =
        ("{\"detail\":\"age\"}", problem_of("The server could not make sense of this request."));
    for (response, accept, content_type, body) in [
        (detailed(), Some(BROWSER), HTML, "any 400 -"),
        (detailed(), Some(&b"application/json"[..]), PROBLEM, own),
        (detailed(), Some(b"*/*"), PROBLEM, own),
        (detailed(), Some(b"image/png"), PROBLEM, own),
        (detailed(), None, PROBLEM, own),
        (bare(), Some(BROWSER), HTML, "any 400 -"),
        (bare(), Some(b"application/json"), PROBLEM, &problem),
        (bare(), Some(b"application/json, text/plain, */*"), PROBLEM, &problem),
        (bare(), Some(b"application/vnd.api+json"), PROBLEM, &problem),
        (bare(), Some(b"*/*"), PROBLEM, &problem),
        (bare(), Some(b"image/png"), PROBLEM, &problem),
        (bare(), None, PROBLEM, &problem),
        (bare(), Some(b"text/plain"), "text/plain; charset=utf-8", "400 Bad Request\n"),
    ] {
        let told = replaced(&pages(), response, accept);
        assert_eq!(told, (content_type.to_owned(), body.to_owned()), "{accept:?}");
    }
}

fn problem_of(detail: &str) -> String {
    format!("{{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"{detail}\"}}\n")
}

#[test]
fn a_page_that_a_handler_made_stays_and_what_it_said_in_text_is_a_problem_s_detail() {
    let form = || {
        let form = Body::Bytes("<form>".into());
        Response::new(Status::BAD_REQUEST).with("Content-Type", HTML).with_body(form)
    };
    for accept in [Some(BROWSER), Some(b"*/*"), None] {
        assert_eq!(replaced(&pages(), form(), accept).1, "<form>", "{accept:?}");
    }
    assert_eq!(replaced(&pages(), form(), Some(b"application/json")).0, PROBLEM);
    let text = |text: &str| Response::text(text.to_owned()).with_status(Status::BAD_REQUEST);
    assert_eq!(replaced(&pages(), text("a \"bird\"\n"), None).1, problem_of("a \\\"bird\\\""));
    assert_eq!(replaced(&pages(), text("a bird"), Some(b"text/plain")).1, "a bird");
    assert!(!replaced(&pages(), text(&"a".repeat(2000)), None).1.contains("aa"));
    let only_problems = ErrorPages::new().problems();
    let page = gannet_core::error_page(Status::BAD_REQUEST, Some(BROWSER));
    assert_eq!(replaced(&only_problems, page, Some(BROWSER)).0, HTML);
}

#[test]
fn without_problems_what_nobody_takes_stays_as_it_is() {
    let pages = ErrorPages::new().page(400..=400, "a page");
    let bare = || gannet_core::error_page(Status::BAD_REQUEST, None);
    for accept in [Some(&b"image/png"[..]), Some(b"text/plain")] {
        assert_eq!(replaced(&pages, bare(), accept).1, "400 Bad Request\n", "{accept:?}");
    }
    assert_eq!(replaced(&pages, bare(), Some(b"*/*")).1, "a page");
    let other = replaced(&pages, gannet_core::error_page(Status::FORBIDDEN, None), Some(BROWSER)).1;
    assert_eq!(other, "403 Forbidden\n");
}

#[test]
fn what_told_of_the_old_body_goes_and_what_tells_of_the_error_stays() {
    let response = gannet_core::error_page(Status::UNAUTHORIZED, Some(BROWSER))
        .with("WWW-Authenticate", "Basic realm=\"a\"")
        .with("ETag", "\"a\"");
    let asked = Asked { accept: Accept::of(Some(BROWSER)), request_id: None };
    let response = pages().replace(response, &asked);
    let fields = response.fields();
    assert!(fields.get("content-security-policy").is_none() && fields.get("etag").is_none());
    assert!(fields.get("www-authenticate").is_some());
    assert_eq!(
        (fields.get("cache-control"), fields.get("vary")),
        (Some(&b"no-store"[..]), Some(&b"Accept"[..]))
    );
}
