//! Filters that say something to browsers.

use std::time::Duration;

use gannet::filters::{ContentSecurityPolicy, Cors, Hsts, Nonce, SecurityHeaders};
use gannet::prelude::*;

use crate::case::{Row, asks};

const ORIGIN: &str = "Origin: https://app.example";

pub fn rows() -> Vec<Row> {
    vec![cors(), cors_of_any_origin(), security_headers(), nonces()]
}

fn items() -> App {
    App::new().get("/items", "items").put("/items", "put").post("/items", async |_: Request| "posted")
}

fn cors() -> Row {
    let app = || {
        let cors = Cors::new().origins(["https://app.example", "https://*.test"]).credentials(true);
        items().with(cors.expose(["X-Total"]).max_age(Duration::from_secs(600)))
    };
    let preflight = |origin, method| {
        asks("OPTIONS /items", &[origin, method, "Access-Control-Request-Headers: x-a, authorization"])
    };
    const PUT: &str = "Access-Control-Request-Method: PUT";
    Row {
        name: "CORS",
        app,
        cases: vec![
            preflight(ORIGIN, PUT)
                .is(204)
                .with("access-control-allow-origin", "https://app.example")
                .with("access-control-allow-credentials", "true")
                .with("access-control-allow-methods", "GET, HEAD, OPTIONS, POST, PUT")
                .with("access-control-allow-headers", "x-a, authorization")
                .with("access-control-max-age", "600")
                .with("vary", "Origin")
                .without("access-control-expose-headers"),
            preflight("Origin: https://evil.example", PUT)
                .is(403)
                .with("vary", "Origin")
                .without("access-control-allow-origin")
                .without("access-control-allow-methods"),
            asks("GET /items", &[ORIGIN])
                .with("access-control-allow-origin", "https://app.example")
                .with("access-control-allow-credentials", "true")
                .with("access-control-expose-headers", "X-Total")
                .with("vary", "Origin")
                .says("items"),
            asks("POST /items", &["Origin: https://a.b.test"])
                .with("access-control-allow-origin", "https://a.b.test")
                .says("posted"),
            asks("GET /items", &["Origin: https://evil.example"])
                .without("access-control-allow-origin")
                .with("vary", "Origin")
                .says("items"),
            asks("GET /items", &[]).without("access-control-allow-origin").with("vary", "Origin"),
            // A page may read why it is refused.
            asks("GET /nowhere", &[ORIGIN])
                .is(404)
                .with("access-control-allow-origin", "https://app.example"),
            asks("DELETE /items", &[ORIGIN])
                .is(405)
                .with("access-control-allow-origin", "https://app.example"),
            // No preflight: nothing is asked beforehand.
            asks("OPTIONS /items", &[ORIGIN]).is(204).with("allow", "GET, HEAD, OPTIONS, POST, PUT"),
        ],
    }
}

fn cors_of_any_origin() -> Row {
    Row {
        name: "CORS of any origin",
        app: || {
            items().with(Cors::new().any_origin().methods(["PUT"]).headers(["X-A"]).private_network(true))
        },
        cases: vec![
            asks("GET /items", &[ORIGIN])
                .with("access-control-allow-origin", "*")
                .without("access-control-allow-credentials")
                .without("vary"),
            asks(
                "OPTIONS /items",
                &[
                    ORIGIN,
                    "Access-Control-Request-Method: PUT",
                    "Access-Control-Request-Private-Network: true",
                ],
            )
            .is(204)
            .with("access-control-allow-origin", "*")
            .with("access-control-allow-methods", "PUT")
            .with("access-control-allow-headers", "X-A")
            .with("access-control-allow-private-network", "true")
            .without("access-control-max-age"),
        ],
    }
}

fn security_headers() -> Row {
    let app = || {
        let hsts = Hsts::for_duration(Duration::from_secs(600));
        App::new()
            .get("/", "page")
            .get("/own", |_: Request| Response::text("own").with("x-frame-options", "SAMEORIGIN"))
            .with(SecurityHeaders::new().hsts(hsts).without("Permissions-Policy"))
    };
    Row {
        name: "security headers",
        app,
        cases: vec![
            asks("GET /", &[])
                .with(
                    "content-security-policy",
                    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
                )
                .with("x-content-type-options", "nosniff")
                .with("x-frame-options", "DENY")
                .with("referrer-policy", "strict-origin-when-cross-origin")
                .with("cross-origin-opener-policy", "same-origin")
                .with("cross-origin-resource-policy", "same-origin")
                .with_over_tls("strict-transport-security", "max-age=600")
                .without("permissions-policy"),
            asks("GET /own", &[]).with("x-frame-options", "SAMEORIGIN").with("x-content-type-options", "nosniff"),
            asks("GET /nowhere", &[]).is(404).with("x-content-type-options", "nosniff"),
        ],
    }
}

fn nonces() -> Row {
    let app = || {
        let policy = ContentSecurityPolicy::new().script_nonces();
        let tried = ContentSecurityPolicy::empty().directive("default-src", "'none'");
        let filter = SecurityHeaders::none().content_security_policy(policy).report_only(tried).nonce_seed(1);
        // What is told is what the handler was given.
        let same = async |request: Request, next: Next| {
            let response: Response = next.run(request).await;
            let said = response.fields().get("x-nonce").map(<[u8]>::to_vec).unwrap_or_default();
            response.with("x-expected", format!("'nonce-{}'", String::from_utf8_lossy(&said)))
        };
        let page = |nonce: Nonce| Response::text("page").with("x-nonce", nonce.as_str());
        let later = async |nonce: Nonce| {
            tokio::task::yield_now().await;
            Response::text("later").with("x-nonce", nonce.as_str())
        };
        App::new().get("/", page).get("/later", later).with(filter).with(same)
    };
    let has_nonce = |policy: &str| {
        let Some((_, nonce)) = policy.split_once("script-src 'self' 'nonce-") else { return false };
        nonce.len() == 23 && nonce.ends_with('\'')
    };
    let case = |line| {
        asks(line, &[])
            .fits("content-security-policy", has_nonce)
            .with("content-security-policy-report-only", "default-src 'none'")
            .fits("x-expected", |expected| expected.len() == 30)
            .without("x-frame-options")
    };
    Row { name: "nonces", app, cases: vec![case("GET /"), case("GET /"), case("GET /later")] }
}
