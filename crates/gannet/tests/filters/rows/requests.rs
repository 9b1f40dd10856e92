//! Filters that say something about a request.

use gannet::Html;
use gannet::filters::{Believed, ErrorPages, RequestId, RequestIds, RequestLog, ServerTiming, Timings};
use gannet::prelude::*;

use crate::case::{Row, asks};

pub fn rows() -> Vec<Row> {
    vec![request_ids(), request_ids_of_everybody(), server_timing(), request_log(), error_pages()]
}

fn tells_id() -> App {
    App::new().get("/", |id: RequestId| id.to_string()).get("/later", async |id: RequestId| {
        tokio::task::yield_now().await;
        id.to_string()
    })
}

fn is_uuid_7(id: &str) -> bool {
    id.len() == 36 && id.as_bytes()[14] == b'7'
}

fn request_ids() -> Row {
    Row {
        name: "request ids",
        app: || tells_id().with(RequestIds::new()),
        cases: vec![
            asks("GET /", &[]).fits("x-request-id", is_uuid_7).says_bytes(|body| body.len() == 36),
            asks("GET /later", &[]).fits("x-request-id", is_uuid_7).says_bytes(|body| body.len() == 36),
            asks("GET /", &["X-Request-Id: chosen-by-the-client"]).fits("x-request-id", is_uuid_7),
            asks("GET /nowhere", &[]).is(404).fits("x-request-id", is_uuid_7),
            asks("POST /", &[]).is(405).fits("x-request-id", is_uuid_7),
            asks("HEAD /", &[]).fits("x-request-id", is_uuid_7),
        ],
    }
}

fn request_ids_of_everybody() -> Row {
    Row {
        name: "request ids that are believed",
        app: || tells_id().with(RequestIds::new().believe(Believed::Everybody)),
        cases: vec![
            asks("GET /", &["X-Request-Id: of-a-proxy"])
                .with("x-request-id", "of-a-proxy")
                .says("of-a-proxy"),
            asks("GET /", &["X-Request-Id: no \"id\" at all"]).fits("x-request-id", is_uuid_7),
        ],
    }
}

fn server_timing() -> Row {
    let app = || {
        let later = async |timings: Timings| {
            let _db = timings.start("db");
            tokio::task::yield_now().await;
            "later"
        };
        App::new().get("/", "at once").get("/later", later).with(ServerTiming::new())
    };
    fn is_milliseconds(text: &str) -> bool {
        text.split_once('.').is_some_and(|(_, fraction)| fraction.len() == 3) && text.parse::<f64>().is_ok()
    }
    let total = |value: &str| value.strip_prefix("total;dur=").is_some_and(is_milliseconds);
    let parts = |value: &str| {
        let members = value.strip_prefix("total;dur=").and_then(|rest| rest.split_once(", db;dur="));
        members.is_some_and(|(total, part)| is_milliseconds(total) && is_milliseconds(part))
    };
    Row {
        name: "server timing",
        app,
        cases: vec![
            asks("GET /", &[]).fits("server-timing", total).says("at once"),
            asks("GET /later", &[]).fits("server-timing", parts).says("later"),
            asks("GET /nowhere", &[]).is(404).fits("server-timing", total),
        ],
    }
}

fn request_log() -> Row {
    Row {
        name: "request log",
        app: || tells_id().with(RequestIds::new()).with(RequestLog::new()),
        cases: vec![
            asks("GET /", &[]).says_bytes(|body| body.len() == 36),
            asks("GET /later", &[]).says_bytes(|body| body.len() == 36),
            asks("GET /nowhere", &[]).is(404),
        ],
    }
}

fn error_pages() -> Row {
    let app = || {
        let pages = ErrorPages::new()
            .page(404..=404, "<p>nothing here")
            .page_by(400..=599, |error| {
                format!("<p>{} {}", error.status.code(), error.request_id.unwrap_or("-"))
            })
            .problems();
        let refuses = |_: Request| Err::<&str, _>(Rejection::new(Status::BAD_REQUEST, "with details"));
        let form = (Status::UNPROCESSABLE_CONTENT, Html("<form>"));
        App::new()
            .get("/", "fine")
            .get("/refuses", refuses)
            .get("/form", form)
            .with(RequestIds::new().seed(1))
            .with(pages)
    };
    const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    Row {
        name: "error pages",
        app,
        cases: vec![
            asks("GET /", &[BROWSER]).says("fine"),
            asks("GET /nowhere", &[BROWSER])
                .is(404)
                .says("<p>nothing here")
                .with("content-type", "text/html; charset=utf-8")
                .with("vary", "Accept")
                .without("content-security-policy"),
            asks("GET /nowhere", &["Accept: application/problem+json"])
                .is(404)
                .with("content-type", "application/problem+json")
                .tells(
                    "\"title\":\"Not Found\",\"status\":404,\"detail\":\"There is nothing at /nowhere.\"}",
                ),
            asks("GET /nowhere?secret", &["Accept: */*"])
                .is(404)
                .with("content-type", "application/problem+json")
                .tells("\"detail\":\"There is nothing at /nowhere.\"}"),
            asks("DELETE /", &["Accept: application/json"])
                .is(405)
                .with("allow", "GET, HEAD, OPTIONS")
                .tells("\"detail\":\"/ takes GET, HEAD, OPTIONS; it does not take DELETE.\"}"),
            asks("GET /form", &[BROWSER]).is(422).says("<form>"),
            asks("POST /", &[BROWSER]).is(405).with("allow", "GET, HEAD, OPTIONS").tells("<p>405 "),
            asks("GET /refuses", &[BROWSER]).is(400).tells("<p>400 "),
            asks("GET /refuses", &[]).is(400).tells("with details"),
        ],
    }
}
