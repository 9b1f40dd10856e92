//! Filters that let some in and others not.

use gannet::Claims;
use gannet::filters::{BasicAuth, Bearer, Jwt, Key, User, VerifyingKey, hash_password, limit};
use gannet::prelude::*;

use crate::case::{Row, asks};

pub fn rows() -> Vec<Row> {
    vec![rate_limit(), rate_limit_by_key(), basic_auth(), bearer()]
}

fn rate_limit() -> Row {
    Row {
        name: "a rate limit",
        app: || App::new().get("/", "served").with(limit("3/h")),
        cases: vec![
            asks("GET /", &[])
                .with("ratelimit-policy", "\"default\";q=3;w=3600")
                .with("ratelimit", "\"default\";r=2;t=1200")
                .without("retry-after")
                .says("served"),
            // What is not there counts, too.
            asks("GET /nowhere", &[]).is(404).with("ratelimit", "\"default\";r=1;t=1200"),
            asks("HEAD /", &[]).with("ratelimit", "\"default\";r=0;t=1200"),
            asks("GET /", &[])
                .is(429)
                .with("retry-after", "1200")
                .with("ratelimit", "\"default\";r=0;t=1200")
                .with("content-type", "application/problem+json")
                .tells("quota-exceeded"),
            asks("POST /", &[]).is(429),
        ],
    }
}

fn rate_limit_by_key() -> Row {
    let app = || {
        let by_key = limit("1/h").name("key").by(|request| request.field("x-api-key").map(Key::from));
        App::new().get("/", "served").with(by_key)
    };
    Row {
        name: "a rate limit by key",
        app,
        cases: vec![
            asks("GET /", &["X-Api-Key: a"]).with("ratelimit", "\"key\";r=0;t=3600"),
            asks("GET /", &["X-Api-Key: b"]).says("served"),
            asks("GET /", &["X-Api-Key: a"]).is(429),
            asks("GET /", &[]).says("served"),
            asks("GET /", &[]).is(429),
        ],
    }
}

fn basic_auth() -> Row {
    let app = || {
        let hash = hash_password("open sesame").expect("random bytes");
        let auth = BasicAuth::new("the cave").user("Aladdin", hash).expect("a hash");
        App::new().get("/", |user: User| format!("hello {user}")).with(auth)
    };
    const CHALLENGE: &str = "Basic realm=\"the cave\", charset=\"UTF-8\"";
    // The example of RFC 7617, 2.
    const ALADDIN: &str = "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    Row {
        name: "basic authentication",
        app,
        cases: vec![
            asks("GET /", &[]).is(401).with("www-authenticate", CHALLENGE),
            asks("GET /", &[ALADDIN]).says("hello Aladdin"),
            asks("GET /", &[ALADDIN]).says("hello Aladdin"),
            asks("GET /", &["Authorization: Basic QWxhZGRpbjpjbG9zZSBzZXNhbWU="]).is(401),
            asks("GET /", &["Authorization: Basic bm9ib2R5Om9wZW4gc2VzYW1l"]).is(401),
            // Nobody learns what is there.
            asks("GET /nowhere", &[]).is(401).with("www-authenticate", CHALLENGE),
            asks("GET /nowhere", &[ALADDIN]).is(404),
        ],
    }
}

#[derive(serde::Deserialize)]
struct Account {
    sub: String,
    role: String,
}

fn bearer() -> Row {
    let app = || {
        let key = VerifyingKey::hs256([7; 32]).expect("a long secret");
        App::new()
            .get("/", |claims: Claims<Account>, user: User| {
                assert_eq!(claims.sub, user.name());
                format!("{user} is {}", claims.role)
            })
            .with(Bearer::jwt("api", Jwt::new(key)))
    };
    // By HS256, with a secret of 32 sevens: of alice, an admin, until 2100; the same until 2000; and of alice, who is nothing.
    const GOOD: &str = "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsInJvbGUiOiJhZG1pbiIsImV4cCI6NDEwMjQ0NDgwMH0.hOvSmbvHmjRdGkK8VdRpdvFvlr5tXVdNcbCn0sgSzXo";
    const OLD: &str = "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsInJvbGUiOiJhZG1pbiIsImV4cCI6OTQ2Njg0ODAwfQ.zAjlKc0erNtIsCm6gRqu1YggQInAuC00q_B8PIXalmU";
    const LESS: &str = "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6NDEwMjQ0NDgwMH0._lcgXxK3gjju5mjMw9v_uQVL05dRQ-fKFUdjlu2bHJo";
    Row {
        name: "bearer tokens",
        app,
        cases: vec![
            asks("GET /", &[]).is(401).with("www-authenticate", "Bearer realm=\"api\""),
            asks("GET /", &[GOOD]).says("alice is admin"),
            asks("GET /", &[OLD]).is(401).with(
                "www-authenticate",
                "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"it has expired\"",
            ),
            asks("GET /", &[LESS]).is(403).tells("role"),
            asks("GET /", &["Authorization: Bearer a b"]).is(400),
            asks("GET /nowhere", &[]).is(401),
            asks("GET /nowhere", &[GOOD]).is(404),
        ],
    }
}
