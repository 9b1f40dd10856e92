//! Who gets a token, and what it is good for.

use gannet::test::Client;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::app;

const SECRET: &[u8] = b"a secret of the tests, which is long enough";

/// A client. Hashes are made by threads of their own, so time is real.
fn client() -> Client {
    app(SECRET).expect("secret and passwords can be used").test()
}

async fn token(client: &Client, name: &str, password: &str) -> String {
    let answer = client.post("/token").basic_auth(name, password).send().await;
    let token: Value = answer.assert_status(200).assert_header("Cache-Control", "no-store").json();
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(900)));
    token["access_token"].as_str().expect("a token").to_owned()
}

#[gannet::test(real_time)]
async fn a_token_is_given_for_a_password_and_taken_in_its_place() {
    let client = client();
    let token = token(&client, "alice", "wonderland").await;
    let me: Value = client.get("/me").bearer_auth(&token).send().await.assert_status(200).json();
    assert_eq!((&me["sub"], &me["scope"]), (&json!("alice"), &json!("nests")));
    client.get("/birds").bearer_auth(&token).send().await.assert_text("gannet, fulmar, skua\n");
}

#[gannet::test(real_time)]
async fn a_token_is_good_for_what_it_says_only() {
    let client = client();
    let (alice, bob) =
        (token(&client, "alice", "wonderland").await, token(&client, "bob", "underground").await);
    client.get("/birds").bearer_auth(&bob).send().await.assert_status(200);
    client.get("/birds/nests").bearer_auth(&alice).send().await.assert_text("by the cliff\n");
    let refused = client.get("/birds/nests").bearer_auth(&bob).send().await;
    let challenge = refused.assert_status(403).header("WWW-Authenticate").expect("it says why");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
}

#[gannet::test(real_time)]
async fn who_has_no_right_password_gets_no_token_and_guessing_is_slow() {
    let client = client();
    let answer = client.post("/token").send().await;
    answer.assert_status(401).assert_header("WWW-Authenticate", "Basic realm=\"birds\", charset=\"UTF-8\"");
    for (name, password) in [("alice", "underground"), ("nobody", "wonderland"), ("alice", "")] {
        client.post("/token").basic_auth(name, password).send().await.assert_status(401);
    }
    client.post("/token").send().await.assert_status(401);
    client.post("/token").basic_auth("alice", "wonderland").send().await.assert_status(429);
}

#[gannet::test]
async fn a_token_that_is_not_ours_or_old_is_refused() {
    let client = client();
    let missing = client.get("/me").send().await;
    missing.assert_status(401).assert_header("WWW-Authenticate", "Bearer realm=\"birds\"");
    let good = json!({"iss": super::ISSUER, "aud": super::AUDIENCE, "sub": "eve", "scope": "nests", "exp": 4_102_444_800_u64});
    let signed = |secret: &[u8], algorithm: Algorithm, name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(secret))
            .expect("it can be signed")
    };
    let get = async |token: &str| client.get("/me").bearer_auth(token).send().await.status();
    assert_eq!(get(&signed(SECRET, Algorithm::HS256, "sub", json!("eve"))).await, 200);
    assert_eq!(
        get(&signed(b"a guess that is as long as the secret was", Algorithm::HS256, "sub", json!("eve")))
            .await,
        401
    );
    assert_eq!(get(&signed(SECRET, Algorithm::HS384, "sub", json!("eve"))).await, 401);
    assert_eq!(get(&signed(SECRET, Algorithm::HS256, "exp", json!(700_000_000))).await, 401);
    assert_eq!(get(&signed(SECRET, Algorithm::HS256, "aud", json!("fish"))).await, 401);
    assert_eq!(get(&signed(SECRET, Algorithm::HS256, "iss", json!("https://evil.example"))).await, 401);
    // `{"alg":"none"}` and `{"sub":"eve"}`, without a signature.
    assert_eq!(get("eyJhbGciOiJub25lIn0.eyJzdWIiOiJldmUifQ.").await, 401);
    assert_eq!(get("not a token").await, 400);
}
