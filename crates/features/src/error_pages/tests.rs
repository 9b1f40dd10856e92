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
    let bare = || Response::text("400 Bad Request\n").with_status(Status::BAD_REQUEST);
    let problem = "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400}\n";
    for (response, accept, content_type, body) in [
        (detailed(), Some(BROWSER), HTML, "any 400 -"),
        (
            detailed(),
            Some(&b"application/json, application/problem+json"[..]),
            PROBLEM,
            "{\"detail\":\"age\"}",
        ),
        (detailed(), Some(b"*/*"), PROBLEM, "{\"detail\":\"age\"}"),
        (detailed(), None, PROBLEM, "{\"detail\":\"age\"}"),
        (bare(), Some(b"application/problem+json"), PROBLEM, problem),
        (bare(), Some(BROWSER), HTML, "any 400 -"),
        (bare(), None, HTML, "any 400 -"),
        (bare(), Some(b"image/png"), "text/plain; charset=utf-8", "400 Bad Request\n"),
    ] {
        let told = replaced(&pages(), response, accept);
        assert_eq!(told, (content_type.to_owned(), body.to_owned()), "{accept:?}");
    }
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
